"""Changes the rules of a follow one by one, and names every change that no test notices.

``python -m support.mutation [MODULE …]`` runs Cosmic Ray over copies of the sources, so that the
sources stay as they are. What survives is printed as a difference. It takes minutes to hours: `make
mutate`. Types are not changed, because nothing runs by them, nor numbers, which are bounds.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
SOURCES, TESTS = "src/dataware/core/follow", "tests/core/follow"
SECONDS = 60.0
"""After which a changed rule counts as noticed: the tests would wait for ever."""

TESTS_OF = {
    "shards": ("test_gap_rules",),
    "loop": ("test_loop", "test_killed"),
    "written": ("test_written",),
    "steady_time": ("test_steady_time",),
    "cutover": ("test_cutover",),
    "cutover_loop": ("test_cutover_loop", "test_cutover"),
}
"""The modules whose rules are changed, and the tests that have to notice."""

CONFIG = """\
[cosmic-ray]
module-path = "{sources}/{module}.py"
timeout = {seconds}
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider --noconftest {tests}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*", "core/NumberReplacer"]
"""


def mutate(module: str) -> str:
    """The report of one module: what survived, and how many changes were made."""
    with tempfile.TemporaryDirectory(prefix="dataware-mutation-") as name:
        folder = Path(name)
        for part in ("src", "tests", "docs/how-to"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "pyproject.toml", folder)
        tests = " ".join(f"{TESTS}/{one}.py" for one in TESTS_OF[module])
        words = {"sources": SOURCES, "module": module, "seconds": SECONDS, "tests": tests}
        (folder / "mutation.toml").write_text(CONFIG.format(python=sys.executable, **words))
        _call(folder, "cosmic-ray", "init", "mutation.toml", "mutation.sqlite")
        _call(folder, "cr-filter-operators", "mutation.sqlite", "mutation.toml")
        _call(folder, "cosmic-ray", "exec", "mutation.toml", "mutation.sqlite")
        return _call(folder, "cr-report", "mutation.sqlite", "--surviving-only", "--show-diff")


def _call(folder: Path, program: str, *arguments: str) -> str:
    command = [str(Path(sys.executable).parent / program), *arguments]
    environ = {"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(done.stdout[-2000:] + done.stderr[-2000:])
    return done.stdout


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice(list(TESTS_OF)))
@click.option("--processes", default=1, show_default=True, type=click.IntRange(min=1))
def main(modules: Sequence[str], processes: int) -> None:
    """Change MODULES (default: all of them), and print what no test notices."""
    chosen = modules or tuple(TESTS_OF)
    with ThreadPoolExecutor(processes) as pool:
        for module, report in zip(chosen, pool.map(mutate, chosen), strict=True):
            click.echo(f"== {module}\n{report}")


if __name__ == "__main__":
    main()
