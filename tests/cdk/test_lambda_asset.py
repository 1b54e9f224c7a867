"""The code for Lambda: the same on every machine, and complete with boto3 alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dataware
from dataware.kinds import CATALOGUE, load
from dataware.ops.map_engine.lambda_code import digest, without_docstrings, write_code

MODULES = ("on_event", "is_complete", "begin", "copy_shard", "finish", "look", "work", "changes")
BLOCKED = """
import sys
from importlib.abc import MetaPathFinder

ALLOWED = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "dataware"}

class Only(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        first = name.partition(".")[0]
        if first not in ALLOWED and first not in sys.stdlib_module_names:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Only())
sys.path.insert(0, sys.argv[1])
from importlib import import_module
for name in sys.argv[3:]:
    assert callable(import_module(f"dataware.handler.{name}").handler)
from dataware.kinds import load, short_of
for cfn_type in sys.argv[2].split(","):
    assert short_of(load(cfn_type).names.slug)
loaded = [module for module in sys.modules.values() if getattr(module, "__file__", None)]
own = [module.__file__ for module in loaded if module.__name__.startswith("dataware")]
assert own and all(path.startswith(sys.argv[1]) for path in own), own
assert "dataware.report.terminal" not in sys.modules
"""


COPIED = [cfn_type for cfn_type in CATALOGUE if load(cfn_type).copying]
"""What a deployment may copy, and so has to know there."""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The asset's folder."""
    write_code(tmp_path / "code")
    return tmp_path / "code"


def test_the_handlers_need_the_standard_library_and_boto3_only(code: Path, tmp_path: Path) -> None:
    """Every module of the asset that a handler imports is in the asset, and nothing else is."""
    script = tmp_path / "only.py"
    script.write_text(BLOCKED)
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(code), ",".join(COPIED), *MODULES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_asset_is_the_same_whenever_it_is_made(code: Path, tmp_path: Path) -> None:
    """Neither times nor caches of the interpreter change it, so a deployment changes nothing."""
    write_code(tmp_path / "again")
    (code / "dataware" / "__pycache__").mkdir()
    (code / "dataware" / "__pycache__" / "core.cpython-313.pyc").write_bytes(b"cache")
    (code / "dataware" / "__init__.py").touch()
    assert digest(code) == digest(tmp_path / "again")
    (code / "dataware" / "__init__.py").write_text("changed")
    assert digest(code) != digest(tmp_path / "again")


def test_the_asset_holds_sources_and_nothing_else(code: Path) -> None:
    """No caches, no command line, no constructs, and nothing that needs another package."""
    files = [path for path in code.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".py"}
    packages = {path.name for path in (code / "dataware").iterdir()}
    assert not packages & {"cli", "cdk", "embedded", "__pycache__"}
    assert {"handler", "core", "kinds"} <= packages
    assert sum(path.stat().st_size for path in files) < 1_000_000


def test_the_asset_is_the_same_code_on_the_same_lines_without_docstrings(code: Path) -> None:
    """So that a traceback names the line of the source; in whatever a body consists of."""
    root = Path(dataware.__file__).parent
    for path in (code / "dataware").rglob("*.py"):
        source = (root / path.relative_to(code / "dataware")).read_text()
        assert _positions(path.read_text()) == _positions(source), path


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('"""Doc."""\n', "...\n"),
        ('def f():\n    """Doc.\n\n    More.\n    """\n', "def f():\n    ...\n\n\n\n"),
        ('class A:\n    """Doc."""\n    x = 1\n    """Why."""\n', "class A:\n\n    x = 1\n\n"),
        ('x = """kept"""\n', 'x = """kept"""\n'),
        ('def f(): """Kept."""\n', 'def f(): """Kept."""\n'),
    ],
)
def test_only_texts_that_stand_for_themselves_are_left_out(text: str, kept: str) -> None:
    """A body is never empty, and a text that is a value stays."""
    assert without_docstrings(text) == kept


def _positions(text: str) -> list[tuple[str, int, int]]:
    """Every statement that is no text, with where it stands."""
    return [
        (type(node).__name__, node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


def test_the_asset_holds_no_module_that_nothing_of_it_imports(code: Path) -> None:
    """What only the command line uses would give every deployed function new code for nothing."""
    roots = [
        path for name in ("handler", "kinds") for path in (code / "dataware" / name).rglob("*.py")
    ]
    waiting, reached = list(roots), set(roots)
    while waiting:
        new = set(_imported_files(code, waiting.pop())) - reached
        reached |= new
        waiting += new
    files = {path for path in code.rglob("*.py") if path.name != "__init__.py"}
    assert not sorted(str(path.relative_to(code)) for path in files - reached)


def _imported_files(code: Path, module: Path) -> Iterator[Path]:
    """The files of the asset that a module imports, anywhere in it, and those of its packages."""
    for node in ast.walk(ast.parse(module.read_text())):
        names = list[str]()
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for path in (code / name.replace(".", "/") for name in names):
            files = (path.with_suffix(".py"), path / "__init__.py", path.parent / "__init__.py")
            yield from (file for file in files if file.is_file())
