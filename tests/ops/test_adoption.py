"""What is compared before a stack adopts it, and what stops, warns or is allowed by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    PropertyVerdict,
)
from dataware.core.errors import InputError, LookupFailedError, NotFoundError
from dataware.core.model import (
    UNMANAGED,
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    ImportMode,
    OnError,
    Owner,
    Ownership,
    Problem,
    Wanted,
    absent,
)
from dataware.core.plan import COPYING, Planned
from dataware.ops.adoption import (
    check_allowed_losses,
    compare_adopted,
    find_allowed,
    find_remaining,
    mark_allowed_losses,
)
from dataware.ops.context import Context
from support.world import World, install

TYPE = "Memory::Box"
DENIED = Problem("GetBox", "AccessDenied")
LIVE = {"Days": 30, "Class": "slow", "Title": "a"}


class Account:
    """What boxes are like, and who has looked at them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.live: Mapping[str, Any] = LIVE
        self.unread: dict[str, Problem] = {}
        self.error: Exception | None = None
        self.asked: list[tuple[str, str]] = []
        self.counted = ""
        self.moved: list[str] = []
        comparison = ConfigurationComparison(
            read=self.read,
            forms={"Days": int, "Class": str, "Title": str},
            is_fixed=lambda name, _has, _wants: name == "Class",
            find_deletion=lambda name, has, wants: (
                "boxes expire" if name == "Days" and wants and int(wants) < int(has) else None
            ),
            count_deleted=self.count,
        )
        schema = {"declared_schema": lambda properties: properties.get("Keys")}
        install(monkeypatch, World(), comparison=comparison, **schema)

    def read(self, aws: Any, name: str) -> LiveConfiguration:
        """What a box is like."""
        self.asked.append((aws.region, name))
        if self.error:
            raise self.error
        return LiveConfiguration(self.live, self.unread)

    def count(self, _aws: Any, name: str, what: str, has: Any, wants: Any) -> str:
        """How much of it a declared value deletes."""
        assert (name, what, has) == ("box", "Days", 30)
        assert int(wants) < has
        return self.counted

    def context(self) -> Context:
        """A run that may go to another region."""

        def move(context: Context, region: str) -> Context:
            self.moved.append(region)
            return context

        return replace(World().context(), move=move)

    def compare(self, planned: Planned) -> Planned:
        """The one resource, compared."""
        (found,) = compare_adopted(self.context(), [planned])
        return found


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with a box."""
    return Account(monkeypatch)


def box(
    action: Action = Action.IMPORT,
    mode: ImportMode | None = ImportMode.ADOPT,
    facts: Facts | None = None,
    source: str | None = None,
    **wanted: Any,
) -> Planned:
    """A box that a stack adopts, unless the test says otherwise."""
    given = {"stack": "App", "logical_id": "Box", **wanted}
    there = facts or Facts("box", Existence.EXISTS, Content.DATA, owner=UNMANAGED)
    decision = Decision(action, 1, "it has data", source, mode)
    return Planned(Wanted("App/Box", TYPE, "box", **given), there, (), decision)


def test_what_is_as_declared_is_adopted_without_a_word(account: Account) -> None:
    """The differences are kept for whoever asks, also that there are none."""
    found = account.compare(box(properties={"Days": "30", "Title": "a"}))
    assert found.decision == box().decision
    assert [one.verdict for one in found.differences] == [PropertyVerdict.SAME] * 2
    assert account.asked == [("eu-central-1", "box")]


def test_a_change_that_deletes_nothing_is_only_listed(account: Account) -> None:
    """The next deployment makes it."""
    found = account.compare(box(properties={"Days": 31, "Title": "b"}))
    assert found.decision.action is Action.IMPORT
    assert [one.verdict for one in found.differences] == [PropertyVerdict.CHANGES] * 2


@pytest.mark.parametrize(
    "other",
    [
        box(Action.STOP),
        box(Action.KEEP, None),
        box(mode=ImportMode.REFERENCE),
        box(logical_id=None),
        box(facts=absent("box")),
        box(source="another"),
    ],
    ids=["stop", "keep", "reference", "no stack", "absent", "another one is imported"],
)
def test_what_no_stack_is_about_to_take_in_is_not_asked_for(
    account: Account, other: Planned
) -> None:
    """Nothing would change it."""
    declared = replace(other, wanted=replace(other.wanted, properties={"Days": 1, "Class": "x"}))
    assert account.compare(declared) == declared
    assert account.asked == []


def test_each_is_compared_and_stays_in_its_place(account: Account) -> None:
    """Side by side, in the order of the plan."""
    some = [box(properties={"Title": str(number)}) for number in range(40)]
    found = compare_adopted(account.context(), [box(Action.KEEP, None), *some])
    assert not found[0].differences
    assert [one.differences[0].declared for one in found[1:]] == [str(n) for n in range(40)]


def test_what_needs_a_replacement_stops_before_what_deletes(account: Account) -> None:
    """With both ways on."""
    found = account.compare(box(properties={"Class": "fast", "Days": 1}))
    assert (found.decision.action, found.decision.rule) == (Action.STOP, 23)
    assert found.decision.reason == (
        "box would have to be replaced by an empty box to become what the app declares (Class is "
        "slow, declared fast): declare what it has, or make it the fallback of another name"
    )
    assert found.estimate is None


@pytest.mark.parametrize("counted", ["", "7 of them"])
@pytest.mark.parametrize("content", [Content.DATA, Content.UNKNOWN])
def test_what_would_delete_data_stops(account: Account, counted: str, content: Content) -> None:
    """Also where nobody knows whether there is any, with how much where that is known."""
    account.counted = counted
    facts = Facts("box", Existence.EXISTS, content, owner=UNMANAGED)
    found = account.compare(box(facts=facts, properties={"Days": 7}))
    assert (found.decision.action, found.decision.rule) == (Action.STOP, 24)
    amount = f" ({counted})" if counted else ""
    assert found.decision.reason == (
        f"adopting box would delete data that it keeps now: boxes expire{amount}; declare what it "
        "has, or allow it with --allow-loss Box"
    )


@pytest.mark.parametrize("action", sorted(COPYING))
def test_an_empty_one_loses_only_what_is_copied_into_it(account: Account, action: Action) -> None:
    """Which the lifetime would delete as well."""
    empty = Facts("box", Existence.EXISTS, Content.EMPTY, owner=UNMANAGED)
    alone = account.compare(box(facts=empty, properties={"Days": 7}))
    assert alone.decision.action is Action.IMPORT
    filled = account.compare(box(action, facts=empty, source="old", properties={"Days": 7}))
    assert filled.decision.rule == 24


def test_a_loss_that_a_person_allows_is_a_warning(account: Account) -> None:
    """What could not be read beside it is told, too."""
    account.unread = {"Title": DENIED}
    found = account.compare(box(allow_loss=True, properties={"Days": 7, "Title": "a"}))
    assert found.decision.action is Action.IMPORT
    first, second = found.decision.warnings
    assert first == "box loses data once its stack is updated: boxes expire"
    assert second.startswith("box is not compared with its template in Title (")
    assert find_allowed(found) == ["boxes expire"]
    assert find_allowed(account.compare(box(properties={"Days": 7}))) == []


def test_in_doubt_a_strict_run_stops_though_a_loss_is_allowed(account: Account) -> None:
    """Who allows a loss that is seen allows none that is not."""
    account.unread = {"Title": DENIED}
    strict = {"on_error": OnError.STOP, "properties": {"Days": 7, "Title": "a"}}
    found = account.compare(box(allow_loss=True, **strict))
    assert (found.decision.action, found.decision.rule) == (Action.STOP, 14)
    assert found.decision.reason.endswith(", and on_error is stop")
    assert account.compare(box(**strict)).decision.rule == 24


@pytest.mark.parametrize("error", [LookupFailedError("denied"), NotFoundError("gone")])
def test_what_cannot_be_read_at_all_is_a_warning_or_a_stop(
    account: Account, error: Exception
) -> None:
    """As a person wants it."""
    account.error = error
    found = account.compare(box(properties={"Days": 7}))
    assert found.decision.action is Action.IMPORT
    assert found.decision.warnings == (f"box is not compared with its template: {error}",)
    strict = account.compare(box(on_error=OnError.STOP, properties={"Days": 7}))
    assert strict.decision.rule == 14


def test_a_property_that_nobody_compares_is_listed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a type of which nothing is compared."""
    (one,) = account.compare(box(properties={"Other": 1})).differences
    assert (one.name, one.verdict) == ("Other", PropertyVerdict.UNCOMPARED)
    install(monkeypatch, World(), comparison=None)
    (one,) = account.compare(box(properties={"Days": 1})).differences
    assert one.verdict is PropertyVerdict.UNCOMPARED
    assert len(account.asked) == 1


def test_a_resource_is_read_in_its_own_region(account: Account) -> None:
    """A bucket may live in another one."""
    facts = Facts("box", Existence.EXISTS, Content.DATA, owner=UNMANAGED, region="eu-north-1")
    account.compare(box(facts=facts, properties={"Days": 30}))
    account.compare(box(properties={"Days": 30}))
    assert account.moved == ["eu-north-1"]


@pytest.mark.parametrize(
    ("keys", "owner", "mode", "compared"),
    [
        ("pk", UNMANAGED, ImportMode.ADOPT, True),
        ("sk", UNMANAGED, ImportMode.ADOPT, False),
        (None, UNMANAGED, ImportMode.ADOPT, False),
        ("pk", Owner(Ownership.OTHER_STACK, "Other"), ImportMode.ADOPT, False),
        ("pk", UNMANAGED, ImportMode.REFERENCE, False),
    ],
)
def test_what_only_other_keys_keep_from_adoption_is_compared(
    account: Account, keys: str | None, owner: Owner, mode: ImportMode, compared: bool
) -> None:
    """So that the stop names all that would be replaced."""
    facts = Facts("box", Existence.EXISTS, Content.DATA, owner=owner, schema="sk")
    properties = {"Keys": keys, "Class": "fast"}
    planned = box(mode=ImportMode.REFERENCE, facts=facts, import_mode=mode, properties=properties)
    found = account.compare(planned)
    assert bool(account.asked) is compared
    assert found.decision.rule == (23 if compared else 1)
    created = replace(planned, decision=replace(planned.decision, action=Action.CREATE))
    assert account.compare(created).decision.action is Action.CREATE


EFFECTS = ("Rotation rotates its value at once",)


@pytest.mark.parametrize(
    ("planned", "rule"),
    [
        (box(effects=EFFECTS), 24),
        (box(Action.MIGRATE, facts=absent("box"), source="old", effects=EFFECTS), 24),
        (box(effects=EFFECTS, allow_loss=True), 1),
        (box(effects=EFFECTS, facts=Facts("box", Existence.EXISTS, Content.EMPTY)), 1),
        (box(mode=ImportMode.REFERENCE, effects=EFFECTS), 1),
        (box(Action.CREATE, facts=absent("box"), effects=EFFECTS), 1),
        (box(Action.STOP, effects=EFFECTS), 1),
        (box(), 1),
    ],
)
def test_what_other_resources_do_to_the_data_that_comes_in_stops(
    account: Account, planned: Planned, rule: int
) -> None:
    """Where there is data, and a person has not said yes."""
    found = account.compare(planned)
    assert found.decision.rule == rule
    if rule == 24:
        assert EFFECTS[0] in found.decision.reason
    if planned.wanted.allow_loss:
        assert found.decision.warnings == (
            f"box loses data once its stack is updated: {EFFECTS[0]}",
        )
        assert find_allowed(found) == [*EFFECTS]


def test_what_is_left_after_an_adoption_is_all_that_differs(account: Account) -> None:
    """Neither what is the same nor what nobody could read; errors are the caller's."""
    account.unread = {"Title": DENIED}
    planned = box(properties={"Days": 7, "Class": "fast", "Title": "b", "Other": 1})
    found = find_remaining(account.context(), planned)
    assert [(one.name, one.verdict) for one in found] == [
        ("Days", PropertyVerdict.DELETES),
        ("Class", PropertyVerdict.FIXED),
    ]
    account.unread = {}
    (one,) = find_remaining(account.context(), box(properties={"Title": "b", "Days": 30}))
    assert one.verdict is PropertyVerdict.CHANGES
    account.error = LookupFailedError("denied")
    with pytest.raises(LookupFailedError):
        find_remaining(account.context(), planned)


NAMES = st.sampled_from(["Box", "Other", "App/Box", "Second/Box", "App/Other"])


@given(st.sets(NAMES), st.sampled_from(["App", "Second"]), st.sampled_from(["Box", "Other"]))
def test_a_loss_is_allowed_by_either_name_and_by_no_other(
    names: set[str], stack: str, logical_id: str
) -> None:
    """A logical id, or STACK/LOGICAL_ID; what was allowed before stays so."""
    wanted = Wanted("id", TYPE, "box", stack=stack, logical_id=logical_id)
    (marked,) = mark_allowed_losses([wanted], names)
    assert marked.allow_loss is bool({logical_id, f"{stack}/{logical_id}"} & names)
    allowed = replace(wanted, allow_loss=True)
    assert mark_allowed_losses([allowed], names) == [allowed]


def test_a_name_that_means_several_losses_has_to_say_which(account: Account) -> None:
    """Only those that lose something count."""
    losing = [
        account.compare(box(allow_loss=True, stack=stack, properties={"Days": 7}))
        for stack in ("App", "Second")
    ]
    kept = account.compare(box(allow_loss=True, stack="Third", properties={"Days": 30}))
    with pytest.raises(InputError, match="Box is in several stacks: name one of App/Box, Second/B"):
        check_allowed_losses([*losing, kept], ["Box"])
    check_allowed_losses([*losing, kept], ["App/Box", "Other"])
    check_allowed_losses([losing[0], losing[0], kept], ["Box"])
