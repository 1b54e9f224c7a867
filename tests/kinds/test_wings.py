"""A kind that copies has a wing that copies and a wing that verifies, with a wall between them.

import-linter keeps the wings apart. Here is shown that nobody goes round the wall: code that both
wings need is not laid above them, where each might import it, unless it is named below.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import dataware.kinds
from dataware.core.kind import Kind
from dataware.kinds import kinds

ROOM = Path(dataware.kinds.__file__).parent
WINGED = sorted(path.parent for path in ROOM.glob("*/copy") if (path.parent / "verify").is_dir())
COPYING = [kind for kind in kinds() if kind.copying is not None]

ABOVE_BOTH: frozenset[str] = frozenset()
"""Modules of kinds that both wings may import: names and settings, never what judges."""


def own_imports(wing: Path) -> frozenset[str]:
    """What a wing imports of the kinds, without what is in the wing itself."""
    wing_name = ".".join(["dataware", "kinds", *wing.relative_to(ROOM).parts])
    modules = [
        name
        for path in sorted(wing.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in imported(node)
    ]
    return frozenset(
        name
        for name in modules
        if name.startswith("dataware.kinds") and not f"{name}.".startswith(f"{wing_name}.")
    )


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        assert not node.level, "imports are absolute"
        return [str(node.module)]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


@pytest.mark.parametrize("kind", COPYING, ids=lambda kind: kind.names.slug)
def test_a_kind_that_copies_verifies_by_code_of_its_own(kind: Kind) -> None:
    """Adding a type that copies means adding both wings."""
    package = maker(kind.require_copying().copier).partition(".copy.")[0]
    assert (ROOM / package.rpartition(".")[2]) in WINGED
    assert maker(kind.require_copying().reader) in {package, f"{package}.verify.reader"}


def maker(factory: object) -> str:
    """The module of a class or a function."""
    return str(getattr(factory, "__module__", ""))


@pytest.mark.parametrize("kind", WINGED, ids=lambda path: path.name)
def test_the_wings_share_nothing_that_stands_above_them(kind: Path) -> None:
    """What the copier reads data with is not what the verifier reads it with."""
    copying, verifying = own_imports(kind / "copy"), own_imports(kind / "verify")
    assert copying & verifying <= ABOVE_BOTH
    assert verifying <= ABOVE_BOTH, "of the kinds the verifier needs nothing but its own wing"
