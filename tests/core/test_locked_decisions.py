"""When what was synthesized with the lock file may be deployed as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.lock_file import lock_entries
from dataware.core.locked_decisions import (
    LockedDecisions,
    find_new_decisions,
    find_unread_sources,
    may_hold,
)
from dataware.core.model import Action, Creator, ImportMode, Ownership
from dataware.core.plan import Plan, Planned
from support.plans import BUCKET, held, migration, one, plan_of, threat

PLACE = "111122223333/eu-central-1"


def keeping(name: str = "uploads", reason: str = "it belongs to this stack") -> Planned:
    """A bucket that its stack keeps."""
    planned = one(Action.KEEP, name)
    wanted = replace(planned.wanted, stack="App", logical_id="Uploads", fallbacks=("older",))
    decision = replace(planned.decision, reason=reason)
    return replace(planned, wanted=wanted, preferred=held(name), decision=decision)


def locked_by(plan: Plan, place: str = PLACE, **more: Any) -> LockedDecisions:
    """The lock file after that plan, as it is read back."""
    found = json.loads(json.dumps(lock_entries(plan)))
    return {place: {key: {**entry, **more} for key, entry in found.items()}}


def created_by(creator: Creator) -> Plan:
    """A bucket that nobody has created yet."""
    planned = one(Action.CREATE, "fresh")
    return plan_of(replace(planned, wanted=replace(planned.wanted, creator=creator)))


KEPT = plan_of(keeping())
REFERRED = plan_of(one(Action.IMPORT, "theirs", import_mode=ImportMode.REFERENCE))
ADOPTED = plan_of(one(Action.IMPORT, "photos", import_mode=ImportMode.ADOPT))
NEW = created_by(Creator.DEPLOYMENT)


@pytest.mark.parametrize("plan", [KEPT, REFERRED, ADOPTED, NEW, plan_of()])
def test_the_same_decisions_need_no_other_synth(plan: Plan) -> None:
    """Whatever was decided before, if nothing has to be carried out."""
    assert list(find_new_decisions(plan, locked_by(plan))) == []


def owned_by_this_stack() -> Planned:
    """A reference whose resource belongs to the stack by now."""
    (planned,) = REFERRED.resources
    owner = replace(planned.preferred.owner, ownership=Ownership.THIS_STACK)
    return replace(planned, preferred=replace(planned.preferred, owner=owner))


@pytest.mark.parametrize(
    ("plan", "locked", "names"),
    [
        pytest.param(KEPT, {}, ["uploads"], id="no lock file"),
        pytest.param(KEPT, {PLACE: {}}, ["uploads"], id="no entry"),
        pytest.param(KEPT, locked_by(KEPT, "111122223333/us-east-1"), ["uploads"], id="elsewhere"),
        pytest.param(KEPT, locked_by(KEPT, "999988887777/eu-central-1"), ["uploads"], id="account"),
        pytest.param(KEPT, locked_by(KEPT, action="import"), ["uploads"], id="another decision"),
        pytest.param(KEPT, locked_by(KEPT, fallbacks=[]), ["uploads"], id="other fallbacks"),
        pytest.param(KEPT, locked_by(KEPT, stack="Web"), ["uploads"], id="another stack"),
        pytest.param(KEPT, locked_by(KEPT, logical_id="Old"), ["uploads"], id="another id"),
        pytest.param(KEPT, locked_by(KEPT, content="empty"), ["uploads"], id="data has come"),
        pytest.param(KEPT, {PLACE: {f"{BUCKET} uploads": None}}, ["uploads"], id="damaged entry"),
        pytest.param(
            REFERRED, locked_by(REFERRED, **{"import": "adopt"}), ["theirs"], id="adopted before"
        ),
        pytest.param(
            plan_of(owned_by_this_stack()), locked_by(REFERRED), ["theirs"], id="owned by now"
        ),
        pytest.param(
            plan_of(migration()), locked_by(plan_of(migration())), ["Waitlist-prod"], id="a copy"
        ),
        pytest.param(
            created_by(Creator.APPLY),
            locked_by(created_by(Creator.APPLY)),
            ["fresh"],
            id="to be created",
        ),
        pytest.param(
            plan_of(one(Action.STOP, "lost")),
            locked_by(plan_of(one(Action.STOP, "lost"))),
            ["lost"],
            id="a stop",
        ),
        pytest.param(
            plan_of(keeping(), guard=(threat("orders"),)), locked_by(KEPT), ["orders"], id="a loss"
        ),
        pytest.param(plan_of(keeping(), keeping("more")), locked_by(KEPT), ["more"], id="one more"),
    ],
)
def test_anything_new_needs_another_synth(
    plan: Plan, locked: LockedDecisions, names: list[str]
) -> None:
    """What is decided otherwise, has to be carried out, stops, or would be lost."""
    assert list(find_new_decisions(plan, locked)) == names


def test_words_with_other_figures_are_nothing_new() -> None:
    """The plan tells them as they are now, and a template does not rest on them."""
    locked = locked_by(KEPT, reason="it holds 9 objects", warnings=["a twin of 9 objects"])
    assert list(find_new_decisions(KEPT, locked)) == []


def test_an_allowed_loss_and_entries_of_others_are_nothing_new() -> None:
    """A person said yes to it, and another stage is none of this deployment's business."""
    plan = plan_of(keeping(), guard=(threat("orders", allowed=True),))
    locked = {PLACE: {**locked_by(KEPT)[PLACE], **locked_by(plan_of(keeping("other")))[PLACE]}}
    assert list(find_new_decisions(plan, locked)) == []


@pytest.mark.parametrize(
    ("locked", "stacks", "may"),
    [
        ({}, None, False),
        ({PLACE: {}}, None, True),
        (locked_by(KEPT), None, True),
        (locked_by(NEW), None, True),
        (locked_by(plan_of(migration())), None, False),
        (locked_by(KEPT, action="stop"), {"App"}, False),
        (locked_by(KEPT, action="migrate"), {"Web"}, True),
        (locked_by(KEPT, action="resume", stack=None), {"Web"}, False),
        ({PLACE: {"x": None}}, {"Web"}, False),
    ],
)
def test_a_run_that_cannot_do_is_not_made(
    locked: LockedDecisions, stacks: set[str] | None, may: bool
) -> None:
    """Where the file says that something is to be copied, or stops, in one of the stacks."""
    assert may_hold(locked, stacks) is may


THEIRS = "arn:aws:dynamodb:eu-central-1:444455556666:table/older"


@pytest.mark.parametrize(
    ("action", "change", "is_told"),
    [
        (Action.CREATE, {}, True),
        (Action.MIGRATE, {}, True),
        (Action.KEEP, {}, False),
        (Action.IMPORT, {}, False),
        (Action.STOP, {}, False),
        (Action.CREATE, {"fallbacks": ["other"]}, False),
        (Action.CREATE, {"source": "older"}, False),
        (Action.CREATE, {"source": None}, False),
        (Action.CREATE, {"action": "create"}, False),
    ],
)
def test_a_source_of_the_lock_file_that_nobody_looked_at_is_named(
    action: Action, change: dict[str, Any], is_told: bool
) -> None:
    """Unless nothing begins, or the app declares other fallbacks by now."""
    planned = one(action, "fresh")
    planned = replace(planned, wanted=replace(planned.wanted, fallbacks=("older",)))
    plan = plan_of(planned)
    locked = locked_by(plan, **{"action": "migrate", "source": THEIRS, **change})
    assert [*find_unread_sources(plan, locked)] == ([("fresh", THEIRS)] if is_told else [])
    assert [*find_unread_sources(plan, {PLACE: dict.fromkeys(locked[PLACE], 1)})] == []
