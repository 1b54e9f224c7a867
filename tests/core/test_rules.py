"""The decision table: total, without dead rows, and safe in every situation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import get_type_hints

import pytest

from dataware.core.model import (
    UNMANAGED,
    Action,
    Content,
    Existence,
    Facts,
    ImportMode,
    Marker,
    MarkerState,
    OnError,
    OnFallbackData,
    Owner,
    Ownership,
    Problem,
    Size,
    Wanted,
    absent,
)
from dataware.core.row import DecisionRow
from dataware.core.rules import RULES, Terms, decide, row_for
from dataware.core.situation import Fallback, Resumable, SchemaFit, Situation, Visibility
from dataware.core.table import TABLE

# The answers to all situations take seconds: one process finds them for all tests.
pytestmark = pytest.mark.xdist_group("situations")

COPYING = (Action.MIGRATE, Action.RESUME)


@cache
def answers() -> tuple[tuple[Situation, DecisionRow], ...]:
    """Every situation there can be, with the row that decides it."""
    return tuple((situation, row_for(situation)) for situation in situations())


def situations() -> Iterator[Situation]:
    """The full product of all columns."""
    columns = get_type_hints(Situation)
    for values in product(*columns.values()):
        yield Situation(*values)


def test_every_situation_has_an_answer() -> None:
    """The table is total: no combination of facts is left without a row."""
    assert len(answers()) == 3 * 3 * 6 * 4 * 6 * 3 * 3 * 2 * 3 * 2


def test_every_row_decides_something() -> None:
    """No row is dead: each is the first that fits in some situation."""
    used = {id(row) for _, row in answers()}
    assert [row for row in TABLE if id(row) not in used] == []


def test_every_rule_of_the_table_is_explained() -> None:
    """Each rule number that a row carries has a sentence for people."""
    assert {row.rule for row in TABLE} <= RULES.keys()


def test_another_accounts_bucket_always_stops() -> None:
    """Rule 11: nothing is decided about a stranger's bucket but to stop."""
    for situation, row in answers():
        if Ownership.FOREIGN in (situation.owner,) or situation.fallback is Fallback.FOREIGN:
            assert (row.action, row.rule) == (Action.STOP, 11)


def test_strict_stops_at_anything_unseen() -> None:
    """Under on_error=stop an unanswered question never leads to a change."""
    for situation, row in answers():
        if situation.visibility is Visibility.PART and situation.on_error is OnError.STOP:
            assert row.action is Action.STOP


UNREAD = (Fallback.UNKNOWN, Fallback.LATER)


def test_safe_leaves_nothing_empty_beside_a_fallback_that_cannot_be_read() -> None:
    """Under safe, only data that was seen, or a migration that has begun, goes beside an unknown.

    Neither an absent nor an empty preferred resource is created, kept, referenced, taken over or
    filled from a later fallback while one that comes first may hold data.
    """
    for situation, row in answers():
        if situation.on_error is OnError.SAFE and situation.fallback in UNREAD:
            seen = situation.preferred is Existence.EXISTS and situation.content is Content.DATA
            assert seen or row.action in (Action.STOP, Action.RESUME)


def test_safe_never_takes_a_half_made_copy_for_the_data() -> None:
    """Without sight of the record, data on both sides may be a copy that was cut short."""
    for situation, row in answers():
        if (
            situation.on_error is OnError.SAFE
            and situation.marker is MarkerState.UNKNOWN
            and situation.preferred is Existence.EXISTS
            and situation.content is Content.DATA
            and situation.fallback in (*UNREAD, Fallback.DATA)
        ):
            assert row.action is Action.STOP


def test_safe_never_keeps_what_is_not_seen_while_a_fallback_has_data() -> None:
    """A resource that cannot be looked at is not taken for good beside data that was seen."""
    for situation, row in answers():
        if (
            situation.on_error is OnError.SAFE
            and situation.preferred is Existence.UNKNOWN
            and situation.fallback in (*UNREAD, Fallback.DATA)
        ):
            assert row.action in (Action.STOP, Action.RESUME)


def test_safe_never_copies_again_what_was_complete() -> None:
    """What was migrated and cannot be seen now may have lost items on purpose since."""
    for situation, row in answers():
        if situation.on_error is OnError.SAFE and situation.marker is MarkerState.COMPLETE:
            absent = situation.preferred is Existence.ABSENT
            assert row.action is not Action.MIGRATE or not absent
            if situation.content is Content.UNKNOWN:
                assert row.action is not Action.MIGRATE


def essence(row: DecisionRow) -> tuple[object, ...]:
    """What a row decides, without its words."""
    return row.rule, row.action, row.reference, row.adopt, row.no_overwrite


def test_a_stricter_policy_only_adds_stops() -> None:
    """Safe decides as no-data does or stops by rule 14; stop decides as safe does or stops."""
    decided = {situation: essence(row) for situation, row in answers()}
    for situation, row in answers():
        older = decided[replace(situation, on_error=OnError.NO_DATA)]
        if essence(row) != older:
            assert row.action is Action.STOP
            assert situation.on_error is not OnError.SAFE or row.rule == 14


def test_strict_stops_at_two_live_data_sets() -> None:
    """Nobody but a person can say which of two data sets is right."""
    for situation, row in answers():
        if (
            situation.on_error is OnError.STOP
            and situation.marker is MarkerState.NONE
            and situation.preferred is Existence.EXISTS
            and situation.content is Content.DATA
            and situation.fallback in (Fallback.DATA, Fallback.LATER)
        ):
            assert row.action is Action.STOP


def test_two_live_data_sets_are_always_a_warning_or_a_stop() -> None:
    """Whoever owns it: data that was seen on both sides, without a record, is never passed over."""
    for situation, row in answers():
        if (
            situation.marker is MarkerState.NONE
            and situation.preferred is Existence.EXISTS
            and situation.content is Content.DATA
            and situation.fallback in (Fallback.DATA, Fallback.LATER)
        ):
            assert row.action is Action.STOP or row.warning


def test_a_stacks_own_resource_never_becomes_a_reference() -> None:
    """Rule 6: what this stack owns stays declared, so it is neither imported nor created."""
    for situation, row in answers():
        if situation.owner is Ownership.THIS_STACK:
            assert row.action in (Action.KEEP, Action.STOP, *COPYING)


def test_what_may_be_this_stacks_is_never_referenced() -> None:
    """A resource whose owner cannot be seen is adopted, since a reference could drop it."""
    for situation, row in answers():
        if situation.owner is Ownership.UNKNOWN and row.action is Action.IMPORT:
            assert row.adopt or row.rule == 15


def test_another_stacks_resource_is_never_written() -> None:
    """Rule 10: it is referenced, never adopted, never a target."""
    for situation, row in answers():
        if situation.owner is Ownership.OTHER_STACK and situation.preferred is Existence.EXISTS:
            assert row.action in (Action.STOP, Action.IMPORT)
            assert row.action is Action.STOP or row.reference


def test_a_running_migration_is_resumed_or_stopped() -> None:
    """Rule 7: a half-made copy is never imported, kept or taken over as if it were the data."""
    for situation, row in answers():
        if situation.marker is MarkerState.RUNNING:
            assert row.action in (Action.RESUME, Action.STOP)


def test_only_a_running_migration_is_resumed() -> None:
    """Nothing is resumed that has not begun."""
    for situation, row in answers():
        if row.action is Action.RESUME:
            assert situation.marker is MarkerState.RUNNING
            assert situation.resumable is Resumable.YES


def test_data_is_copied_only_where_it_was_seen_and_fits() -> None:
    """A migration needs a source with data, the same keys, and a target without data."""
    for situation, row in answers():
        if row.action is Action.MIGRATE:
            assert situation.fallback in (Fallback.DATA, Fallback.LATER)
            assert situation.shape is SchemaFit.SAME
            assert situation.preferred in (Existence.ABSENT, Existence.EXISTS)
            if situation.preferred is Existence.EXISTS:
                assert situation.content is not Content.DATA
                assert row.no_overwrite


def test_nothing_is_copied_without_a_record() -> None:
    """Without sight of the marker a migration neither begins nor goes on."""
    for situation, row in answers():
        if situation.marker is MarkerState.UNKNOWN:
            assert row.action not in COPYING


def test_lost_migrated_data_stops() -> None:
    """Rule 9: a complete migration whose target is gone ends in a stop."""
    for situation, row in answers():
        if situation.marker is MarkerState.COMPLETE and situation.preferred is Existence.ABSENT:
            assert row.action is Action.STOP


def test_importing_the_fallback_is_asked_for() -> None:
    """Rule 15: the fallback itself is imported only under on_fallback_data=import."""
    for situation, row in answers():
        if row.rule == 15:
            assert situation.on_fallback_data is OnFallbackData.IMPORT
            assert row.action is Action.IMPORT


WANTED = Wanted("Demo/Uploads", "AWS::S3::Bucket", "uploads-prod", ("uploads",), stack="Demo")


def there(name: str, content: Content = Content.DATA, **more: object) -> Facts:
    """Facts of an existing resource."""
    facts = {"existence": Existence.EXISTS, "content": content, **more}
    return Facts(name, **facts)


RUNNING = Marker(MarkerState.RUNNING, source="uploads", run="r1")
COMPLETE = Marker(MarkerState.COMPLETE, source="uploads", run="r1")
OURS = Owner(Ownership.THIS_STACK, "Demo", "Uploads")
THEIRS = Owner(Ownership.OTHER_STACK, "Legacy", "Bucket")
MOVED = Owner(Ownership.MOVED, "Demo", "OldUploads")
EMPTY = Content.EMPTY


@pytest.mark.parametrize(
    ("preferred", "fallback", "action", "rule"),
    [
        (there("uploads-prod"), absent("uploads"), Action.IMPORT, 1),
        (absent("uploads-prod"), there("uploads"), Action.MIGRATE, 3),
        (there("uploads-prod", EMPTY), there("uploads"), Action.MIGRATE, 3),
        (absent("uploads-prod"), there("uploads", EMPTY), Action.CREATE, 4),
        (absent("uploads-prod"), absent("uploads"), Action.CREATE, 5),
        (there("uploads-prod", owner=OURS), there("uploads"), Action.KEEP, 6),
        (there("uploads-prod", EMPTY, owner=OURS), there("uploads"), Action.MIGRATE, 6),
        (there("uploads-prod", EMPTY, owner=OURS), absent("uploads"), Action.KEEP, 6),
        (there("uploads-prod", marker=RUNNING), there("uploads"), Action.RESUME, 7),
        (there("uploads-prod", marker=RUNNING), absent("uploads"), Action.STOP, 7),
        (there("uploads-prod"), there("uploads"), Action.IMPORT, 8),
        (there("uploads-prod", marker=COMPLETE), there("uploads"), Action.IMPORT, 1),
        (replace(absent("uploads-prod"), marker=COMPLETE), absent("uploads"), Action.STOP, 9),
        (there("uploads-prod", EMPTY, marker=COMPLETE), there("uploads"), Action.STOP, 9),
        (there("uploads-prod", owner=THEIRS), there("uploads"), Action.IMPORT, 10),
        (there("uploads-prod", EMPTY, owner=THEIRS), there("uploads"), Action.STOP, 10),
        (there("uploads-prod", owner=Owner(Ownership.FOREIGN)), absent("uploads"), Action.STOP, 11),
        (there("uploads-prod", EMPTY), there("uploads", EMPTY), Action.CREATE, 12),
        (there("uploads-prod", EMPTY), there("uploads", schema="sk (N)"), Action.STOP, 13),
        (there("uploads-prod", Content.UNKNOWN), there("uploads"), Action.MIGRATE, 14),
        (there("uploads-prod", owner=MOVED), absent("uploads"), Action.STOP, 16),
    ],
)  # fmt: skip
def test_the_rules_of_the_specification(
    preferred: Facts, fallback: Facts, action: Action, rule: int
) -> None:
    """Each rule answers its own case."""
    decision = decide(WANTED, "", preferred, (fallback,))
    assert (decision.action, decision.rule) == (action, rule)


def test_the_first_fallback_with_data_is_the_source() -> None:
    """Fallbacks are looked at in the order given."""
    fallbacks = (there("a", EMPTY), there("b"), there("c"))
    assert decide(WANTED, "", absent("uploads-prod"), fallbacks).source == "b"


def test_a_resumed_migration_keeps_its_source() -> None:
    """A running migration goes on from its own source, not from the first fallback."""
    fallbacks = (there("other"), there("uploads"))
    decision = decide(WANTED, "", there("uploads-prod", marker=RUNNING), fallbacks)
    assert (decision.action, decision.source) == (Action.RESUME, "uploads")


HIDDEN = there("uploads", Content.UNKNOWN)
UNSEEN = Facts("uploads")
SAFE, NO_DATA = OnError.SAFE, OnError.NO_DATA


@pytest.mark.parametrize("fallback", [HIDDEN, UNSEEN], ids=["unread", "unseen"])
@pytest.mark.parametrize(
    ("preferred", "safe", "no_data"),
    [
        (absent("uploads-prod"), (Action.STOP, 14), (Action.CREATE, 14)),
        (Facts("uploads-prod"), (Action.STOP, 14), (Action.CREATE, 14)),
        (Facts("uploads-prod", owner=OURS), (Action.STOP, 14), (Action.KEEP, 6)),
        (Facts("uploads-prod", owner=THEIRS), (Action.STOP, 14), (Action.IMPORT, 10)),
        (there("uploads-prod", EMPTY), (Action.STOP, 14), (Action.CREATE, 12)),
        (there("uploads-prod", Content.UNKNOWN), (Action.STOP, 14), (Action.CREATE, 14)),
        (there("uploads-prod", EMPTY, owner=OURS), (Action.STOP, 14), (Action.KEEP, 6)),
        (there("uploads-prod", EMPTY, owner=THEIRS), (Action.STOP, 14), (Action.IMPORT, 10)),
        (there("uploads-prod", EMPTY, marker=COMPLETE), (Action.STOP, 14), (Action.CREATE, 12)),
        (there("uploads-prod"), (Action.IMPORT, 1), (Action.IMPORT, 1)),
        (there("uploads-prod", owner=OURS), (Action.KEEP, 6), (Action.KEEP, 6)),
        (there("uploads-prod", owner=THEIRS), (Action.IMPORT, 10), (Action.IMPORT, 10)),
        (there("uploads-prod", marker=COMPLETE), (Action.IMPORT, 1), (Action.IMPORT, 1)),
    ],
)  # fmt: skip
def test_a_fallback_that_cannot_be_read(
    preferred: Facts, fallback: Facts, safe: tuple[Action, int], no_data: tuple[Action, int]
) -> None:
    """What each policy makes of it, for every state of the preferred name."""
    for on_error, expected in ((SAFE, safe), (NO_DATA, no_data)):
        decision = decide(replace(WANTED, on_error=on_error), "", preferred, (fallback,))
        assert (decision.action, decision.rule) == expected, on_error


def test_a_fallback_that_comes_first_and_cannot_be_read() -> None:
    """The data of a later fallback is not taken in place of what may stand in an earlier one."""
    for preferred in (absent("uploads-prod"), there("uploads-prod", EMPTY)):
        decision = decide(WANTED, "", preferred, (HIDDEN, there("old")))
        assert (decision.action, decision.rule) == (Action.STOP, 14)
        assert "the fallback uploads exists, but cannot be read" in decision.reason
        older = replace(WANTED, on_error=NO_DATA)
        assert decide(older, "", preferred, (HIDDEN, there("old"))).source == "old"
        assert decide(WANTED, "", preferred, (there("old"), HIDDEN)).source == "old"


SCAN = Problem("Scan", "AccessDeniedException", "dynamodb:Scan")


def test_the_stop_says_what_is_counted_and_how_to_go_on() -> None:
    """The service's own counter, the missing permission, and both ways on."""
    fallback = replace(HIDDEN, size=Size(2000, 0, exact=False), problems=(SCAN,))
    decision = decide(WANTED, "", absent("uploads-prod"), (fallback,))
    assert decision.reason == (
        "the fallback uploads exists, and AWS counts about 2,000 items in it, but it cannot be "
        "read (Scan returned AccessDeniedException; it needs dynamodb:Scan); an empty "
        "uploads-prod beside it could strand that data: grant dynamodb:Scan (`dataware "
        "iam-policy` prints all) and run again, or accept the risk with --on-error no-data"
    )
    assert decision.warnings == (
        "uploads cannot be read: Scan returned AccessDeniedException; it needs dynamodb:Scan",
    )


def test_a_counter_of_zero_is_no_proof() -> None:
    """The counter lags by hours, so zero is told as what it is, and stops as well."""
    fallback = replace(HIDDEN, size=Size(0, 0, exact=False), problems=(SCAN,))
    decision = decide(WANTED, "", absent("uploads-prod"), (fallback,))
    assert decision.action is Action.STOP
    assert "AWS counted no items in it hours ago" in decision.reason


def test_what_was_listed_is_not_called_a_counter() -> None:
    """A bucket without current objects whose older versions cannot be listed was counted now."""
    versions = Problem("ListObjectVersions", "AccessDenied", "s3:ListBucketVersions")
    fallback = replace(HIDDEN, size=Size(0, 0), problems=(versions,))
    reason = decide(WANTED, "", absent("uploads-prod"), (fallback,), Terms(unit="object")).reason
    assert reason.startswith("the fallback uploads exists, but cannot be read (ListObjectVersions")
    assert "AWS count" not in reason


def test_what_no_permission_cures_is_not_called_a_permission() -> None:
    """A table that is being restored can be read later; there is nothing to grant."""
    busy = replace(HIDDEN, problems=(Problem("Scan", "CREATING"),))
    reason = decide(WANTED, "", absent("uploads-prod"), (busy,)).reason
    assert "grant" not in reason
    assert "run again once that has changed" in reason


def test_two_live_data_sets_name_the_way_out() -> None:
    """How to compare both, and how to bring over what is missing, whoever owns the preferred."""
    for owner in (UNMANAGED, OURS, THEIRS, Owner(Ownership.UNKNOWN)):
        preferred = there("uploads-prod", owner=owner)
        (warning,) = decide(WANTED, "", preferred, (there("uploads"),), Terms(scheme="s3")).warnings
        assert "`dataware verify s3://uploads s3://uploads-prod`" in warning
        assert "`dataware migrate s3://uploads s3://uploads-prod --on-conflict target`" in warning


def test_a_call_that_decides_nothing_is_not_counted_as_no_data() -> None:
    """What only informs is told as what it is, also beside content that cannot be seen."""
    tags = Problem("ListTags", "AccessDenied", "x:ListTags", "", "tags are not shown", False)
    facts = there("uploads-prod", Content.UNKNOWN, problems=(SCAN, tags))
    assert decide(WANTED, "", facts, ()).warnings == (
        "uploads-prod is assumed empty: Scan returned AccessDeniedException; it needs "
        "dynamodb:Scan",
        "uploads-prod: tags are not shown: ListTags returned AccessDenied; it needs x:ListTags",
    )


def test_what_a_begun_migration_does_not_ask_is_not_assumed() -> None:
    """It goes on by its record, whatever either side holds."""
    preferred = there("uploads-prod", Content.UNKNOWN, problems=(SCAN,), marker=RUNNING)
    made = decide(WANTED, "", preferred, (there("uploads", Content.UNKNOWN, problems=(SCAN,)),))
    assert made.action is Action.RESUME
    assert made.warnings == (
        "uploads-prod cannot be read: Scan returned AccessDeniedException; it needs dynamodb:Scan",
        "uploads cannot be read: Scan returned AccessDeniedException; it needs dynamodb:Scan",
    )


def test_two_live_data_sets_are_a_warning_with_both_counts() -> None:
    """Rule 8 names how much each side holds."""
    preferred = there("uploads-prod", size=Size(1200, 0))
    fallback = there("uploads", size=Size(78, 0, exact=False))
    (warning,) = decide(WANTED, "", preferred, (fallback,)).warnings
    assert "uploads-prod: 1,200" in warning
    assert "uploads: about 78" in warning


def test_a_warning_names_call_code_and_permission() -> None:
    """An unanswered question tells what to allow."""
    problem = Problem("ListObjectsV2", "AccessDenied", "s3:ListBucket")
    preferred = there("uploads-prod", Content.UNKNOWN, problems=(problem,))
    (warning,) = decide(WANTED, "", preferred, ()).warnings
    assert "is assumed empty" in warning
    for word in ("ListObjectsV2", "AccessDenied", "s3:ListBucket"):
        assert word in warning


def test_a_stop_names_both_logical_ids() -> None:
    """Rule 16 says under which id the stack owns it, and under which the app declares it."""
    wanted = Wanted("Demo/Uploads", "AWS::S3::Bucket", "uploads-prod", logical_id="Uploads")
    reason = decide(wanted, "", there("uploads-prod", owner=MOVED), ()).reason
    assert "OldUploads" in reason
    assert "declares it as Uploads" in reason


def test_a_schema_stop_names_both_schemas() -> None:
    """Rule 13 shows what the source has and what the app declares."""
    fallback = there("uploads", schema="email (S)")
    reason = decide(WANTED, "id (N)", absent("uploads-prod"), (fallback,)).reason
    assert "email (S)" in reason
    assert "id (N)" in reason


def test_another_key_schema_is_not_adopted() -> None:
    """Adopting under another key schema would make the next deployment replace the table."""
    decision = decide(WANTED, "id (N)", there("uploads-prod", schema="email (S)"), ())
    assert decision.import_mode is ImportMode.REFERENCE


def test_a_schema_stop_says_which_side_has_other_keys() -> None:
    """An existing target with other keys is not blamed on a declaration that fits."""
    fallback = there("uploads", schema="email (S)")
    existing = there("uploads-prod", EMPTY, schema="id (N)")
    decision = decide(WANTED, "email (S)", existing, (fallback,))
    assert decision.rule == 13
    assert "uploads-prod exists with id (N)" in decision.reason
    assert "choose another name" in decision.reason
