"""The table of faults and its tests: no fault without a test, no name without one behind it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROW = re.compile(r"^\| (F\d+) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
ROWS = dict(ROW.findall((HERE / "README.md").read_text(encoding="utf-8")))
FAULTS = [f"F{number}" for number in range(1, 23)]


def functions(path: Path) -> set[str]:
    """The names of a file's functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_table_has_every_fault() -> None:
    """Each fault has its row, in order."""
    assert list(ROWS) == FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_tests_that_exist(fault: str) -> None:
    """A row names at least one test of this folder, and every test that it names is there."""
    named = re.findall(r"`([^`]+)::([^`]+)`", ROWS.get(fault, ""))
    assert [name for path, name in named if "/" not in path], f"{fault} has no test"
    missing = [f"{path}::{name}" for path, name in named if name not in functions(HERE / path)]
    assert missing == []


def test_every_test_of_the_folder_is_for_some_fault() -> None:
    """What guards a fault is found by its number; other tests belong elsewhere."""
    files = {path for row in ROWS.values() for path in re.findall(r"`(\w+\.py)::", row)}
    beside = {"test_matrix.py", "test_left_behind.py"}
    assert {path.name for path in HERE.glob("test_*.py")} - beside == files
