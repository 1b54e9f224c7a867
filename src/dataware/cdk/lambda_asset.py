"""The code that runs in Lambda, as an asset: made of the installed package, without Docker.

It needs the standard library and the boto3 of Lambda's runtime only, so nothing is compiled and
nothing is downloaded. The same sources give the same asset on every machine.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

import dataware

PACKAGES = (
    "calc",
    "core",
    "http",
    "kinds",
    "migrate",
    "verify",
    "state",
    "aws",
    "wire",
    "ops",
    "report",
    "handler",
)
LEFT_OUT = (
    *("ops/inputs", "report/terminal.py", "report/bar.py", "report/table_terminal.py"),
    *("report/recorder.py", "report/html", "report/markdown.py", "report/document.py"),
    *("report/table.py", "report/summary.py", "report/plan_digest.py", "report/fit.py"),
    *("report/github.py", "report/brief.py", "report/runs.py", "wire/curl", "wire/sockets.py"),
    *("ops/guard.py", "ops/renames.py", "ops/plan.py", "ops/apply.py", "ops/status.py"),
    *("ops/watch.py", "ops/run_summary.py", "ops/forget.py", "ops/describe.py"),
)
"""What of these only the command line uses, and what needs more than the standard library."""


@contextmanager
def handler_code() -> Iterator[lambda_.Code]:
    """The asset; functions have to be made inside of the context, which is when it is read."""
    with tempfile.TemporaryDirectory(prefix="dataware-") as scratch:
        folder = Path(scratch) / "code"
        write_code(folder)
        yield lambda_.Code.from_asset(str(folder), asset_hash=digest(folder))


def write_code(folder: Path) -> None:
    """Copy the sources that Lambda needs into a new folder."""
    for source, name in _sources():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)


def digest(folder: Path) -> str:
    """A hash over the names and contents of all files, whatever their times and modes."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def _sources() -> Iterator[tuple[Path, str]]:
    """Every file with its name in the asset."""
    root = Path(dataware.__file__).parent
    yield root / "__init__.py", "dataware/__init__.py"
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            name = path.relative_to(root).as_posix()
            if not name.startswith(LEFT_OUT):
                yield path, f"dataware/{name}"
