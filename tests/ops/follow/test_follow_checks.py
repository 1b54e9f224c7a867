"""Into what a follow may write, and which settings it can carry out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import InputError, LookupFailedError, RefusedError
from dataware.core.kind import Kind
from dataware.core.model import Marker, MarkerState, Owner, Ownership
from dataware.kinds import load
from dataware.ops.context import CopySettings
from dataware.ops.follow.follow_checks import (
    check_exclusive,
    check_settings,
    following_of,
    require_following,
)
from dataware.ops.migrate import prepare_migration
from dataware.ops.migration_policy import FOLLOWED, GUARDED, Migration
from support.followed_boxes import FOLLOW, TYPE, FollowedBoxes, follow_boxes, places

TABLE, BUCKET = load("AWS::DynamoDB::Table"), load("AWS::S3::Bucket")


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """A box of two keys, and an empty one."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(2)
    return boxes


def prepare(boxes: FollowedBoxes, **marker: object) -> Migration:
    """A migration between both, with such a record."""
    migration = prepare_migration(boxes.context(), TYPE, *places(), FOLLOW)
    identity = migration.target.identity
    known = {"state": MarkerState.RUNNING, "identity": identity, **marker} if marker else {}
    state = known.pop("state", MarkerState.NONE)
    return replace(migration, marker=Marker(state, **known))  # type: ignore[arg-type] # as given


def test_a_type_without_a_follow_is_refused_with_another_way() -> None:
    """Its writers are paused instead."""
    with pytest.raises(InputError, match="cannot follow a repository yet; pause its writers"):
        require_following(load("AWS::ECR::Repository"))
    assert require_following(TABLE).feed_noun


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (TABLE, {"all_versions": True}, "carries current objects only"),
        (BUCKET, {"all_versions": True}, "carries current objects only"),
        (BUCKET, {"export_to": "exports"}, "without --export-to"),
        (BUCKET, {"enable_feed": True}, "without --enable-stream"),
    ],
)
def test_what_a_follow_of_a_type_cannot_carry_out_is_refused(
    kind: Kind, settings: dict[str, object], words: str
) -> None:
    """With what to type instead."""
    wishes = CopySettings(follow=True, **settings)  # type: ignore[arg-type] # as given
    with pytest.raises(InputError, match=words):
        check_settings(kind, wishes)


@pytest.mark.parametrize("settings", [{}, {"export_to": "exports"}, {"enable_feed": True}])
def test_a_table_has_a_feed_to_enable_and_exports(settings: dict[str, object]) -> None:
    """And each of both can be asked for."""
    check_settings(TABLE, CopySettings(follow=True, **settings))  # type: ignore[arg-type] # given
    if not settings:
        check_settings(BUCKET, CopySettings(follow=True))


def test_an_empty_target_of_nobody_is_followed_into(boxes: FollowedBoxes) -> None:
    """And nothing has to be guarded."""
    assert not check_exclusive(boxes.context(), prepare(boxes)).guarded


def test_a_target_that_is_created_or_was_is_the_follows_own(boxes: FollowedBoxes) -> None:
    """Whoever the owner is by then, and whatever it holds."""
    boxes.owners["new"] = Owner(Ownership.OTHER_STACK, "app", "Box")
    made = replace(prepare(boxes), create=lambda: None)
    assert check_exclusive(boxes.context(), made) is made
    again = prepare(boxes, created=True)
    assert check_exclusive(boxes.context(), again) is again


@pytest.mark.parametrize("guarded", [True, False])
def test_a_follow_that_goes_on_is_as_guarded_as_it_was_begun(
    boxes: FollowedBoxes, *, guarded: bool
) -> None:
    """Its target holds what it wrote by now."""
    boxes.put("new", "k000", "0")
    detail = {FOLLOWED: True, **({GUARDED: True} if guarded else {})}
    migration = check_exclusive(boxes.context(), prepare(boxes, detail=detail))
    assert migration.guarded is guarded
    carries = following_of(migration).make_carrier
    assert (carries is require_following(migration.kind).make_carrier) is not guarded


def test_a_record_of_another_target_says_nothing_of_this_one(boxes: FollowedBoxes) -> None:
    """It was deleted and made again, so what it holds is somebody's."""
    boxes.put("new", "k000", "theirs")
    marker = {"detail": {FOLLOWED: True}, "identity": "another"}
    with pytest.raises(RefusedError, match="may not be empty"):
        check_exclusive(boxes.context(), prepare(boxes, **marker))
    copied = prepare(boxes, detail={})
    with pytest.raises(RefusedError, match="may not be empty"):
        check_exclusive(boxes.context(), copied)


@pytest.mark.parametrize("ownership", [Ownership.OTHER_STACK, Ownership.THIS_STACK])
def test_a_target_of_a_stack_is_guarded(boxes: FollowedBoxes, ownership: Ownership) -> None:
    """Its app may write to it at any time."""
    boxes.owners["new"] = Owner(ownership, "app", "Box")
    assert check_exclusive(boxes.context(), prepare(boxes)).guarded


@pytest.mark.parametrize("ownership", [Ownership.FOREIGN, Ownership.UNKNOWN, Ownership.MOVED])
def test_a_target_of_anybody_else_is_refused(boxes: FollowedBoxes, ownership: Ownership) -> None:
    """Who writes to it cannot be seen."""
    migration = prepare(boxes)
    boxes.owners["new"] = Owner(ownership, "app", "Box")
    with pytest.raises(RefusedError, match="belongs to somebody else, as far as can be seen"):
        check_exclusive(boxes.context(), migration)


def test_an_owner_that_cannot_be_asked_ends_it(
    boxes: FollowedBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not known is not nobody."""
    migration = prepare(boxes)

    def fail(*_: object) -> Owner:
        raise LookupFailedError("denied")

    monkeypatch.setattr(boxes, "owner_of", fail)
    with pytest.raises(LookupFailedError, match="denied"):
        check_exclusive(boxes.context(), migration)
