"""Changes the rules of a follow one by one, and names every change that no test notices.

``python -m support.mutation [MODULE …]``, or `make mutate`. Cosmic Ray says what can be changed.
Each change is tried in a process of its own, which has pytest loaded already and imports the
changed source in place of the file; so the files stay as they are, and a try takes a second.

Left alone is by what no rule runs: types, decorators, which arguments are named, and the numbers at
the top of a module, which are bounds that tests take from there. A comparison is tried reversed and
with its bound moved. What is not noticed is printed as a difference, at once.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import json
import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import click
import cosmic_ray.plugins
from cosmic_ray.mutating import mutate_code

from support.mutated_modules import TESTS_OF

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ("dataware", "support", "tests", "conftest")
"""What is imported anew by each try, because it may hold something of the changed module."""

OPERATORS = re.compile(
    "core/(AddNot|Replace(TrueWithFalse|FalseWithTrue|AndWithOr|OrWithAnd|BreakWithContinue|"
    "ContinueWithBreak)|ExceptionReplacer|NumberReplacer|ZeroIterationForLoop|"
    "ReplaceUnaryOperator_Delete_Not|"
    "ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|BitOr_BitAnd|BitAnd_BitOr)|"
    "ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|"
    "GtE_Gt|GtE_Lt|Is_IsNot|IsNot_Is))"
)
FOR_EVER = 4.0
"""After how many times the seconds that the tests take a change counts as noticed: they would go on
for ever. So of one core; of a clock a machine that is busy has five times as long."""

LEAST_SECONDS = 5.0

MOST_BYTES = 4 * 2**30
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--noconftest")


@dataclass(frozen=True)
class Outcome:
    """How a try ended; `status` is that of `os.wait`."""

    status: int

    @property
    def is_noticed(self) -> bool:
        """Whether a test failed, or did not end."""
        return self.status != 0

    @property
    def is_endless(self) -> bool:
        """Whether the try was ended from outside."""
        return os.WIFSIGNALED(self.status)


class ChangedModule(MetaPathFinder, InspectLoader):
    """Imports one module from a text instead of from its file."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name, self.path, self.text = name, path, text

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        """Take the one module."""
        if fullname != self.name:
            return None
        return spec_from_loader(fullname, self, origin=str(self.path))

    def get_source(self, fullname: str) -> str:
        """The changed source."""
        return self.text

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        exec(compile(self.text, str(self.path), "exec"), module.__dict__)


class _Rules(ast.NodeTransformer):
    """Leaves out of a source what no rule runs by."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns, node.decorator_list = None, []
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = []
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults = [*node.defaults, *filter(None, node.kw_defaults)]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [one for one in node.body if not _is_bound(one)]
        return self.generic_visit(node)


def _is_bound(node: ast.stmt) -> bool:
    """Whether a statement gives a name to a number, such as ``20 * 3600.0``, or to a text."""
    parts = ast.walk(node.value) if isinstance(node, ast.Assign) else ()
    known = (ast.Constant, ast.BinOp, ast.operator)
    return isinstance(node, ast.Assign) and all(isinstance(one, known) for one in parts)


def read_rules(text: str) -> str | None:
    """A source without what no rule runs by; None where it is no Python any more."""
    with suppress(SyntaxError):
        return ast.dump(_Rules().visit(ast.parse(text)))
    return None


def list_changes(text: str) -> Iterator[str]:
    """The sources in each of which one rule is changed."""
    seen = {read_rules(text), None}
    for name in cosmic_ray.plugins.operator_names():
        if not OPERATORS.fullmatch(name):
            continue
        operator, occurrence = cosmic_ray.plugins.get_operator(name)(), 0
        while (changed := mutate_code(text, operator, occurrence)) is not None:
            occurrence += 1
            if (rules := read_rules(changed)) not in seen:
                seen.add(rules)
                yield changed


def try_in_child(work: Callable[[], int], seconds: float = 600.0) -> int:
    """Work in a child process that has all that this one has loaded; its process id."""
    if pid := os.fork():
        return pid
    try:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.alarm(int(5 * seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os._exit(work())
    except BaseException:
        os._exit(99)


def run_tests(tests: Sequence[str]) -> int:
    """Run tests in this process; 0 where all pass."""
    import pytest
    from hypothesis import settings

    # A slow machine must not look like a change that is noticed, nor luck.
    settings.register_profile("mutation", deadline=None, derandomize=True, database=None)
    settings.load_profile("mutation")
    return int(pytest.main([*OPTIONS, *tests]))


def load_others(tests: Sequence[str]) -> float:
    """Import what the tests import from elsewhere; after how many seconds one goes on for ever.

    Raises ClickException where they fail without any change.
    """
    read, write = os.pipe()

    def work() -> int:
        code = run_tests(tests)
        names = [name for name in sys.modules if name.partition(".")[0] not in PROJECT]
        os.write(write, json.dumps(names).encode()[:60_000])
        return code

    began = time.monotonic()
    _, status = os.waitpid(try_in_child(work), 0)
    os.close(write)
    with os.fdopen(read, "rb") as names:
        text = names.read()
    if status:
        raise click.ClickException(f"these tests fail without a change: {' '.join(tests)}")
    for name in re.findall(rb'"([\w.]+)"', text):
        with suppress(Exception):
            importlib.import_module(name.decode())
    return max(LEAST_SECONDS, FOR_EVER * (time.monotonic() - began))


def mutate(module: str, processes: int, tell: Callable[[str], None]) -> Counter[str]:
    """Try every change of a module; tell of those that no test notices, and count them all."""
    name = f"dataware.{module}"
    path = ROOT / "src" / f"{name.replace('.', '/')}.py"
    text, tests = path.read_text("utf-8"), TESTS_OF[module]
    seconds = load_others(tests)
    counts, running = Counter[str](), dict[int, str]()

    def wait_for_one() -> None:
        pid, status = os.wait()
        changed, outcome = running.pop(pid), Outcome(status)
        counts["tried"] += 1
        counts["endless"] += outcome.is_endless
        if not outcome.is_noticed:
            counts["not noticed"] += 1
            tell(describe_change(module, text, changed))

    for changed in list_changes(text):

        def work(changed: str = changed) -> int:
            sys.meta_path.insert(0, ChangedModule(name, path, changed))
            return run_tests(tests)

        running[try_in_child(work, seconds)] = changed
        if len(running) >= processes:
            wait_for_one()
    while running:
        wait_for_one()
    return counts


def describe_change(module: str, text: str, changed: str) -> str:
    """A change as a difference, with the line where it begins."""
    lines = difflib.unified_diff(text.splitlines(), changed.splitlines(), module, module, "", "", 1)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


@click.command()
@click.argument("modules", nargs=-1, type=click.Choice(list(TESTS_OF)))
@click.option("--processes", default=1, show_default=True, type=click.IntRange(min=1))
def main(modules: Sequence[str], processes: int) -> None:
    """Change MODULES (default: all of them), and print what no test notices."""
    os.chdir(ROOT)
    for module in modules or tuple(TESTS_OF):
        click.echo(f"== {module}")
        began = time.monotonic()
        counts = mutate(module, processes, click.echo)
        click.echo(
            f"== {module}: {counts['tried']} changes tried, {counts['not noticed']} not noticed, "
            f"{counts['endless']} ended after a time, {time.monotonic() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
