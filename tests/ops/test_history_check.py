"""A copy of nothing but history would take nothing, and is refused before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.errors import InputError, RefusedError
from dataware.core.kind import Kind
from dataware.core.model import Content, Existence, Facts, Size, absent
from dataware.kinds import load
from dataware.ops.history_check import WAY_ON, check_history, warn_of_history
from support.world import World, box_kind, change_card

BUCKET = load("AWS::S3::Bucket")
HOLDS = "holds only older versions and delete markers, and no current object"


def bucket(name: str, *, items: int = 0, content: Content = Content.DATA) -> Facts:
    """A bucket with older versions, and with some current objects."""
    return Facts(name, Existence.EXISTS, content, size=Size(items, items))


def history(name: str = "old") -> Facts:
    """A bucket that holds nothing else."""
    return bucket(name)


OTHERS: list[Any] = [
    None,
    absent("old"),
    bucket("old", items=1),
    bucket("old", content=Content.EMPTY),
    bucket("old", content=Content.UNKNOWN),
    Facts("old", Existence.EXISTS, Content.DATA),
]


@pytest.mark.parametrize("source", OTHERS)
def test_a_source_with_anything_current_or_nothing_at_all_is_copied(source: Facts | None) -> None:
    """Also where its size is not known."""
    assert warn_of_history(BUCKET, source) == ()
    check_history([(BUCKET, source)], all_versions=False)


def test_history_alone_is_a_warning_of_the_plan_and_a_refusal_of_the_copy() -> None:
    """With the way on; a copy of all versions takes it."""
    assert warn_of_history(BUCKET, history()) == (
        f"old {HOLDS}, so a copy without them takes nothing; {WAY_ON}",
    )
    check_history([(BUCKET, history())], all_versions=True)
    with pytest.raises(RefusedError) as refused:
        check_history([(BUCKET, history()), (BUCKET, bucket("b", items=1))], all_versions=False)
    assert str(refused.value) == (
        f"nothing was changed, because old {HOLDS}, so nothing would be copied; {WAY_ON}"
    )


def test_several_sources_are_named_with_what_each_holds() -> None:
    """Also those of two types, and two of one name."""
    box = change_card(box_kind(World()), history="holds what was")
    sources: list[tuple[Kind, Facts | None]] = [
        (BUCKET, history("a")),
        (box, history("a")),
        (BUCKET, history("b")),
        (BUCKET, history("c")),
    ]
    with pytest.raises(RefusedError) as refused:
        check_history(iter(sources), all_versions=False)
    assert str(refused.value).startswith(
        f"nothing was changed, because each of a, b and c {HOLDS}, and a holds what was, so nothing"
    )


def test_a_type_that_is_not_copied_has_no_history() -> None:
    """Nobody plans a copy of it."""
    with pytest.raises(InputError, match="cannot copy"):
        warn_of_history(load("AWS::SQS::Queue"), history())
