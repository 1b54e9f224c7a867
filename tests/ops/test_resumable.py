"""What has begun and is not complete ends as incomplete, whatever the error was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import (
    AuthenticationError,
    DatawareError,
    IncompleteError,
    InputError,
    LookupFailedError,
    RefusedError,
    ServiceError,
    to_go_on,
)
from dataware.core.model import MarkerState, Problem, Wanted
from dataware.ops.apply import apply_plan
from dataware.ops.context import CopySettings
from dataware.ops.plan import make_plan
from support.world import World, install

FIRST = Wanted("First", "Memory::Box", "new", ("old",))
SECOND = Wanted("Second", "Memory::Box", "other", ("old",))

ERRORS = [
    LookupFailedError("BatchWriteItem returned ThrottlingException after 40 tries in 300 s"),
    LookupFailedError("cannot access table new: ConnectTimeoutError; check the network"),
    LookupFailedError(
        "denied", Problem("BatchWriteItem", "AccessDenied", "dynamodb:BatchWriteItem")
    ),
    ServiceError("the service is out of order"),
    AuthenticationError("the AWS credentials have expired"),
    InputError("the journal is damaged at line 3: move it away"),
    ZeroDivisionError("division by zero"),
]


class Broken(World):
    """A world in which one step fails, until it is cured."""

    broken: tuple[str, Exception] | None = None

    def moment(self, what: str) -> None:
        if self.broken and what.startswith(self.broken[0]):
            raise self.broken[1]
        super().moment(what)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Broken:
    """A world in which the fallback holds nine keys."""
    world = Broken(boxes={"old": {f"k{n}": "v" for n in range(9)}}, identities={"old": 1})
    install(monkeypatch, world)
    return world


def applied(there: World, *wanted: Wanted) -> None:
    """Plan and apply in one go."""
    context = there.context()
    apply_plan(context, make_plan(context, wanted, report=False), CopySettings())


@pytest.mark.parametrize("step", ["write k5", "verify new", "complete"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_ends_a_run_on_record_can_be_resumed(
    error: Exception, step: str, there: Broken
) -> None:
    """While the record says "running" the run is incomplete, says how to go on, and goes on."""
    there.broken = (step, error)
    with pytest.raises(IncompleteError, match="run the same command again") as raised:
        applied(there, FIRST)
    assert str(error) in str(raised.value)
    assert there.markers["new"].state is MarkerState.RUNNING
    there.broken = None
    applied(there, FIRST)
    assert there.boxes["new"] == there.boxes["old"]
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_a_refusal_stays_a_refusal(there: Broken) -> None:
    """What could lose data is never something to repeat."""
    there.broken = ("write k5", RefusedError("the target has its own"))
    with pytest.raises(RefusedError):
        applied(there, FIRST)


@pytest.mark.parametrize("error", [ServiceError("BillingMode is wrong"), InputError("too large")])
def test_what_cloudformation_does_not_create_is_no_matter_of_repeating(
    error: DatawareError, there: Broken
) -> None:
    """The definition has to be changed first, so it is an error and not incomplete."""
    there.broken = ("create", error)
    with pytest.raises(DatawareError) as raised:
        applied(there, FIRST)
    assert raised.value is error


def test_an_outage_while_the_target_is_created_can_be_resumed(there: Broken) -> None:
    """Nobody said no to the definition, so the same command may succeed."""
    there.broken = ("create", LookupFailedError("cannot access stack dataware-holding-1: time-out"))
    with pytest.raises(IncompleteError, match="run the same command again to resume"):
        applied(there, FIRST)


def test_before_anything_is_changed_an_error_is_an_error(there: Broken) -> None:
    """Without a record there is nothing to go on with."""
    there.broken = ("begin", LookupFailedError("cannot access the marker: time-out"))
    with pytest.raises(LookupFailedError):
        applied(there, FIRST)
    assert there.markers == {}


def test_after_a_first_resource_an_error_leaves_the_rest_to_be_resumed(
    there: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two is there: the run as a whole is begun and not complete."""
    begin: Any = there.moment

    def second_fails(what: str) -> None:
        if what == "begin" and "new" in there.boxes:
            raise LookupFailedError("cannot access the marker: time-out")
        begin(what)

    monkeypatch.setattr(there, "moment", second_fails)
    with pytest.raises(IncompleteError, match="run the same command again to resume"):
        applied(there, FIRST, replace(SECOND))
    assert there.markers["new"].state is MarkerState.COMPLETE


def test_the_sentence_says_what_to_do_once() -> None:
    """A reason that says already how to go on is left as it is."""
    said = "renew them and run the same command again"
    assert to_go_on(AuthenticationError(said)) == said
    assert to_go_on(LookupFailedError("x")) == "x; run the same command again to resume"
    denied = Problem("PutParameter", "AccessDeniedException", "ssm:PutParameter")
    then = ", then run the same command again to resume"
    assert to_go_on(LookupFailedError("it needs x", denied)).endswith(f"run needs){then}")
    said = "an explicit deny in a policy forbids x"
    assert to_go_on(LookupFailedError(said, denied)) == f"{said}; change that policy{then}"
    assert to_go_on(ValueError("x")).startswith("unexpected error, ValueError: x; run the same")
