"""Every row of docs/changes.md and docs/recipes.md names a test, which is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/changes.md").read_text(encoding="utf-8")
RECIPES = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
LINES = [*PAGE.splitlines(), *RECIPES.splitlines()]
ROWS = [line for line in LINES if re.match(r"\| (?!---|by |in |moment )", line)]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_names_a_test_that_exists(row: str) -> None:
    """What the page says of a change, a test shows."""
    found = re.search(r"\| `(tests/[\w/]+\.py)::(test_\w+)` \|$", row)
    assert found, row
    tree = ast.parse((ROOT / found[1]).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert found[2] in names, row


def test_every_change_has_rows() -> None:
    """No section of the page goes without a test."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert [one.splitlines()[0] for one in sections if "::test_" not in one] == []
