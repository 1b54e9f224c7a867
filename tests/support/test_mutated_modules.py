"""Every rule of a follow is changed by the mutation runner, and what it names exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.mutated_modules import TESTS_OF

ROOT = Path(__file__).resolve().parents[2]


NO_RULES = {"__init__", "following"}
"""Modules that only say what there is."""


@pytest.mark.parametrize("layer", ["core", "ops"])
def test_every_module_of_a_follow_is_changed(layer: str) -> None:
    """A new one, or one of another name, would else be left out unsaid."""
    files = {path.stem for path in (ROOT / "src/dataware" / layer / "follow").glob("*.py")}
    changed = {name.rpartition(".")[2] for name in TESTS_OF if name.startswith(f"{layer}.follow.")}
    assert changed == files - NO_RULES


@pytest.mark.parametrize("module", TESTS_OF)
def test_what_is_changed_and_what_has_to_notice_it_exist(module: str) -> None:
    """Else the runner ends half way."""
    assert (ROOT / "src/dataware" / f"{module.replace('.', '/')}.py").is_file()
    for test in TESTS_OF[module]:
        path, _, name = test.removeprefix("--deselect=").partition("::")
        assert (ROOT / path).is_file()
        assert f"def {name}(" in (ROOT / path).read_text("utf-8") or not name
