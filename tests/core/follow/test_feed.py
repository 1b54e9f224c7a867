"""The values that a follow is about: rounds, and what became of a chunk of keys."""

from __future__ import annotations

from dataware.core.follow.feed import (
    CarryOutcome,
    Conflict,
    DifferenceResult,
    FeedRound,
    FollowProgress,
    Gap,
    GapCause,
    find_refused,
)


def test_a_round_is_whole_unless_it_says_otherwise_and_keeps_its_gaps() -> None:
    """A gap is added to those that are there."""
    change_round = FeedRound(frozenset({b"a"}), {"at": 1})
    assert change_round.whole
    first, second = Gap(GapCause.TRIMMED, 1.0, "a"), Gap(GapCause.OTHER_STREAM)
    both = change_round.with_gap(first).with_gap(second)
    assert both.gaps == (first, second)
    assert (both.keys, both.position) == (change_round.keys, change_round.position)


def test_the_parts_of_a_lot_are_joined_each_with_its_own() -> None:
    """No part hides what became of another one."""
    conflicts = [Conflict(b"x", "theirs"), Conflict(b"y", "theirs")]
    joined = CarryOutcome.join(
        CarryOutcome(
            frozenset({b"a%d" % n}), frozenset({b"b%d" % n}), frozenset({b"c%d" % n}), (one,)
        )
        for n, one in enumerate(conflicts)
    )
    assert joined == CarryOutcome(
        frozenset({b"a0", b"a1"}),
        frozenset({b"b0", b"b1"}),
        frozenset({b"c0", b"c1"}),
        tuple(conflicts),
    )
    assert CarryOutcome.join([]) == CarryOutcome()


def test_what_was_carried_after_a_try_without_an_answer_is_not_believed() -> None:
    """That try may arrive later, with an older value; what failed stays as it is."""
    outcome = CarryOutcome(
        frozenset({b"a"}), frozenset({b"b"}), frozenset({b"c"}), (Conflict(b"d", "theirs"),)
    )
    doubted = outcome.as_uncertain()
    assert (doubted.carried, doubted.uncertain) == (frozenset(), {b"a", b"c"})
    assert (doubted.failed, doubted.conflicts) == (outcome.failed, outcome.conflicts)


def test_a_conflict_is_one_that_a_person_can_decide_unless_it_says_otherwise() -> None:
    """A key that a service refuses is for no decision, and is named."""
    theirs = Conflict(b"a", "somebody else wrote it")
    assert not theirs.is_refused
    assert find_refused([theirs]) == ""
    refused = [
        Conflict(b"\xffk", "it is too large", is_refused=True),
        Conflict(b"z", "it is gone", is_refused=True),
    ]
    assert find_refused([theirs, *refused]) == (
        r"2 keys cannot be carried, such as \xffk (it is too large)"
    )
    assert find_refused(refused[:1]).startswith("1 key cannot be carried, such as ")


def test_a_comparison_is_complete_and_a_follow_without_conflicts_unless_they_say_otherwise() -> (
    None
):
    """Whoever lists only some of the keys says so."""
    assert DifferenceResult({b"a"}).complete
    assert FollowProgress(None, 0, 0, 0, 0).conflicts == 0
