"""Every promise has tests, and every test that docs/promises.md names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/promises.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


@cache
def functions(path: Path) -> frozenset[str]:
    """The names of the functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def promises() -> list[str]:
    """The promises of the README, as they are called there."""
    (section,) = re.findall(r"^## What you can rely on\n(.*?)^## ", README, re.M | re.S)
    return re.findall(r"^- \*\*(.+?)\.\*\*", section, re.MULTILINE)


def test_every_promise_has_a_section() -> None:
    """The README names the first promises of the page, in the same order."""
    assert len(promises()) >= 5
    assert len(SECTIONS) >= 9
    assert list(SECTIONS)[: len(promises())] == promises()


@pytest.mark.parametrize("promise", SECTIONS)
def test_every_test_that_a_promise_names_exists(promise: str) -> None:
    """A promise has at least two tests, of a known kind of evidence, which are there."""
    kinds = set(re.findall(r"^\| (law|fault|run|checked) \| [a-z]", PAGE, re.MULTILINE))
    rows = re.findall(r"^\| (\w+) \| `(.+?)::(.+?)` \|$", SECTIONS[promise], re.MULTILINE)
    assert len(rows) >= 2
    assert {kind for kind, _, _ in rows} <= kinds
    missing = [f"{path}::{name}" for _, path, name in rows if name not in functions(ROOT / path)]
    assert missing == []
