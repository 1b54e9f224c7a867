"""The rules of the house that no other tool checks: sizes, words, generated pages."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FUNCTION_LINES, FILE_LINES = 40, 400


def functions(path: Path) -> list[tuple[str, int]]:
    """Every function of a file with its number of lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_files_stay_small(path: Path) -> None:
    """A function has at most 40 lines, a file at most 400."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    assert [(name, lines) for name, lines in functions(path) if lines > FUNCTION_LINES] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_undone(path: Path) -> None:
    """No stub, no forgotten remark, and a silenced check says why."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"NotImplementedError|TODO|FIXME|XXX", text)
    silenced = re.findall(r"#\s*(?:noqa|type: ignore)[^\n]*", text)
    assert [remark for remark in silenced if not re.search(r" [-#] \w", remark)] == []


def test_generated_pages_are_fresh() -> None:
    """Generated pages are what the decision table, the cards and the events say now."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "scripts/generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, page in generate.PAGES.items():
        written = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert written == page(), f"docs/{name} is stale: run `make docs`"
