"""The lines that tell of a decision, which scripts and people know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataware.core.comparison import PropertyDifference, PropertyVerdict
from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Owner,
    Ownership,
    Wanted,
    absent,
)
from dataware.core.plan import Planned
from dataware.ops.decision_events import report_decision
from support.copying import Events

TYPE = "AWS::S3::Bucket"
GONE = absent("new")
EMPTY = Facts("new", Existence.EXISTS, Content.EMPTY)
FULL = Facts("new", Existence.EXISTS, Content.DATA)
UNSEEN = Facts("new", Existence.EXISTS)
OLD_EMPTY, OLD_FULL = (replace(one, name="old") for one in (EMPTY, FULL))


def told(planned: Planned) -> list[tuple[str, str]]:
    """The codes and texts of what is told."""
    events = Events()
    report_decision(events, planned)
    return [(one.code, one.text()) for one in events]


def bucket(
    action: Action, preferred: Facts, *fallbacks: Facts, rule: int = 1, **more: Any
) -> Planned:
    """A bucket with a decision."""
    wanted = Wanted("App/Uploads", TYPE, "new", ("old",), stack=more.pop("stack", None))
    differences = more.pop("differences", ())
    decision = Decision(action, rule, "because", **more)
    return Planned(wanted, preferred, fallbacks, decision, differences=differences)


@pytest.mark.parametrize(
    ("planned", "codes"),
    [
        (bucket(Action.KEEP, FULL), ["keeping"]),
        (bucket(Action.IMPORT, FULL), ["importing"]),
        (bucket(Action.IMPORT, EMPTY), ["importing-empty"]),
        (bucket(Action.IMPORT, FULL, rule=10), ["referencing"]),
        (bucket(Action.IMPORT, GONE, OLD_FULL, source="old"), ["importing"]),
        (bucket(Action.IMPORT, GONE, OLD_FULL, source="old", rule=10), ["importing"]),
        (bucket(Action.CREATE, GONE), ["creating"]),
        (bucket(Action.CREATE, GONE, OLD_EMPTY), ["fallback-empty", "creating"]),
        (bucket(Action.CREATE, GONE, OLD_FULL), ["creating"]),
        (bucket(Action.CREATE, EMPTY), ["preferred-empty", "using-existing"]),
        (
            bucket(Action.CREATE, EMPTY, OLD_EMPTY),
            ["preferred-empty", "fallback-empty", "creating", "using-existing"],
        ),
        (bucket(Action.CREATE, UNSEEN), ["using-existing"]),
        (bucket(Action.CREATE, UNSEEN, OLD_EMPTY), ["fallback-empty", "using-existing"]),
        (bucket(Action.MIGRATE, GONE, OLD_FULL, source="old"), ["migrating"]),
        (
            bucket(Action.MIGRATE, EMPTY, OLD_FULL, source="old"),
            ["preferred-empty", "migrating-into"],
        ),
        (bucket(Action.MIGRATE, UNSEEN, OLD_FULL, source="old"), ["migrating-into"]),
        (bucket(Action.RESUME, FULL, OLD_FULL, source="old"), ["resuming"]),
        (bucket(Action.STOP, FULL), ["stopped"]),
    ],
)
def test_each_decision_has_its_lines(planned: Planned, codes: list[str]) -> None:
    """In this order, and no other."""
    assert [code for code, _ in told(planned)] == codes


def test_what_is_imported_instead_is_named() -> None:
    """The fallback, not the name that is wanted."""
    ((_, text),) = told(bucket(Action.IMPORT, GONE, OLD_FULL, source="old"))
    assert text.endswith("old")


def test_the_stack_that_owns_it_is_named() -> None:
    """A resource of another stack is only referred to."""
    owned = replace(FULL, owner=Owner(Ownership.OTHER_STACK, "Shop", "Uploads"))
    ((_, text),) = told(bucket(Action.IMPORT, owned, rule=10, import_mode=ImportMode.REFERENCE))
    assert "Shop" in text


def test_notes_come_first_and_warnings_last_and_neither_twice() -> None:
    """A note that is a warning as well is told as one; both say where the app declares it."""
    noted = replace(FULL, notes=("has uploads", "is old"))
    fallback = replace(OLD_FULL, notes=("is slow",))
    planned = bucket(Action.IMPORT, noted, fallback, warnings=("new: is old", "beware"))
    planned = replace(planned, wanted=replace(planned.wanted, where="app.json, Uploads"))
    lines = told(planned)
    assert [code for code, _ in lines] == ["note", "note", "importing", "warning", "warning"]
    assert [text for code, text in lines if code == "note"] == ["new: has uploads", "old: is slow"]
    events = Events()
    report_decision(events, planned)
    assert [one.data.get("where") for one in events[2:]] == ["app.json, Uploads"] * 3


def difference(name: str, verdict: PropertyVerdict, effect: str = "") -> PropertyDifference:
    """A property that is compared so."""
    return PropertyDifference(name, verdict, "a", "b", effect)


def test_what_adoption_leaves_as_it_is_and_what_nobody_compares_is_told() -> None:
    """With the command that tells of the rest."""
    differences = (
        difference("Same", PropertyVerdict.SAME),
        difference("Tags", PropertyVerdict.CHANGES),
        difference("Logging", PropertyVerdict.UNCOMPARED),
        difference("Key", PropertyVerdict.UNKNOWN, "only CloudFormation resolves Ref"),
        difference("Hidden", PropertyVerdict.UNKNOWN),
        difference("Deletes", PropertyVerdict.DELETES, "x"),
    )
    drift = "aws cloudformation detect-stack-drift --stack-name"
    for stack, command in ("App", f"{drift} App"), (None, f"{drift} STACK"):
        first, second, third = told(
            bucket(Action.IMPORT, FULL, differences=differences, stack=stack)
        )
        assert first[1] == (
            "new differs from the app, and adoption leaves it so: Tags is a, declared b"
        )
        assert second[1] == (
            "new is not compared with the app in Logging, Key (only CloudFormation resolves Ref): "
            f"see what differs with `{command}` after the deployment"
        )
        assert third[0] == "importing"
