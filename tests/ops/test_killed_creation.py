"""A target stays known for one that a holding stack may have, however many runs are killed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from dataware.core.copier import CopyOrder
from dataware.core.model import NO_MARKER, Existence, Facts, Location, Marker, MarkerState
from dataware.kinds import load
from dataware.ops.context import CopySettings
from dataware.ops.migration_checks import may_be_held
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import _begin_record

OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
OUTSIDE: Any = SimpleNamespace(command_run=None)


def migration(marker: Marker, *, creates: bool = False) -> Migration:
    """A migration that found a record."""
    target = Facts("new", Existence.ABSENT if creates else Existence.EXISTS, identity="its id")
    create = (lambda: None) if creates else None
    kind, order = load("AWS::S3::Bucket"), CopyOrder(OLD, NEW)
    return Migration(kind, order, CopySettings(), marker, target, create)


def test_a_run_after_two_killed_ones_releases_the_target() -> None:
    """The first was killed while it created, the second before it had released anything."""
    first = migration(NO_MARKER, creates=True)
    assert not may_be_held(first)
    created = Marker(MarkerState.RUNNING, source="old", run="run", created=True)
    second = migration(created)
    assert may_be_held(second)
    record = _begin_record(OUTSIDE, second)
    assert not record.created, "whether it made this very target nobody knows"
    third = migration(record)
    assert may_be_held(third)
    assert may_be_held(migration(_begin_record(OUTSIDE, third)))


def test_what_no_run_created_is_held_by_nobody() -> None:
    """So nothing is asked of CloudFormation."""
    begun = _begin_record(OUTSIDE, migration(NO_MARKER))
    assert not may_be_held(migration(begun))
    assert "held" not in begun.detail
