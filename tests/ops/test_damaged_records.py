"""A record that is damaged in whatever way is a row of its own, and hides no other."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.events import Event
from dataware.core.model import Marker, MarkerState
from dataware.ops.context import Context
from dataware.ops.follow.after_switch import find_switched
from dataware.ops.follow.cut_over import find_followed
from dataware.ops.follow.follow_names import find_recorded
from dataware.ops.follow.reached_goal import find_undone
from dataware.ops.follow.undo import find_undoable
from dataware.ops.forget import find_record
from dataware.ops.status import check_seen, runs_on_record, status, with_journal
from dataware.report.jsonlines import JsonRenderer
from dataware.report.plain import PlainRenderer
from dataware.report.runs import runs_text
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder
from support.parameters import FakeParameters
from support.world import World

KIND = "dynamodb-table"
DETAIL: dict[str, Any] = {
    **{"phase": "copying", "done": 45, "total": 100, "exact": True, "unit": "item"},
    **{"rate": 2300.4, "seconds_left": 24, "retries": 3, "throttled": 12, "reason": "SlowDown"},
    **{"stale": 4, "identity": "an id", "checkpoint": "x", "verified": 7},
    "failure": {"exit_code": 4, "reason": "stopped"},
    "engine": {
        **{
            "name": "bulk",
            "token": "t",
            "bucket": "b",
            "attempt": 1,
            "asked_at": 5,
            "failed": True,
        },
        **{"restore_times": [1], "manifest": {"key": "k"}, "execution": "e", "read": False},
    },
}
WRONG: tuple[Any, ...] = (
    *(None, True, "", "text", 7, -1, 0.5, 10**400, 10**17, -(10**17), [], {}, ["x"], {"x": 1}),
    *([[[[]]]], float("nan"), float("inf"), "\ud800", "\x1b[2J\n"),
)


def nodes(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every part of a record."""
    yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from nodes(part, (*path, name))


def put_at(value: Any, path: tuple[str, ...], part: Any) -> Any:
    """The record with something else at a path."""
    if not path:
        return part
    return {**value, path[0]: put_at(value[path[0]], path[1:], part)}


def holder(name: str) -> Holder:
    """A process elsewhere."""
    return Holder(name, f"a boot of {name}", 7, "1")


@pytest.fixture
def store() -> FakeParameters:
    """A Parameter Store with a good record before and one behind the one that is damaged."""
    made = FakeParameters()
    for target in ("first", "middle", "second"):
        begun = Marker(MarkerState.RUNNING, "old", "run", detail=DETAIL)
        ParameterMarkers(made, made.clock, holder("host")).begin(KIND, target, begun)
    return made


def shown(store: FakeParameters) -> list[str]:
    """What `status` says in every form; the states of the rows."""
    markers = ParameterMarkers(store, store.clock, holder("reader"))
    texts, plain = io.StringIO(), io.StringIO()
    renderers = (JsonRenderer(texts), PlainRenderer(plain, signs=False))

    def emit(happened: Event) -> None:
        for renderer in renderers:
            renderer(happened)

    context = replace(World().context(), markers=markers, emit=emit)
    status(context)
    runs = [with_journal(context, run) for run in runs_on_record(context)]
    for width in (60, 300):
        assert list(runs_text(runs, width))
    lines = [json.loads(line) for line in texts.getvalue().splitlines()]
    names = {line["data"]["name"] for line in lines}
    assert {"first", "second"} <= names
    if any(run.state == "unknown" for run in runs):
        with pytest.raises(LookupFailedError):
            check_seen(runs)
    return [run.state for run in runs]


def damage(store: FakeParameters, text: str) -> None:
    """Put a text in place of the record in the middle."""
    store.stored[f"/dataware/markers/{KIND}/middle"]["Value"] = text


def test_any_part_may_be_of_a_wrong_type(store: FakeParameters) -> None:
    """Each part of a record by each wrong value, alive and ended, in text and in JSON."""
    good: Mapping[str, Any] = json.loads(store.stored[f"/dataware/markers/{KIND}/middle"]["Value"])
    for path in nodes(good):
        for wrong in WRONG:
            damage(store, json.dumps(put_at(good, path, wrong)))
            assert len(shown(store)) in (2, 3), (path, wrong)
            try:
                ParameterMarkers(store, store.clock, holder("reader")).get(KIND, "middle")
            except LookupFailedError as error:
                assert "cannot read" in str(error) or "newer version" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 2000 + "]" * 2000,
        '{"version":2,"detail":' + "[" * 1500 + "]" * 1500 + "}",
        '{"a":' * 700 + "1" + "}" * 700,
        "7",
        '"text"',
    ],
)
def test_what_is_no_record_is_a_row_that_says_so(store: FakeParameters, text: str) -> None:
    """Nested thousands deep, cut short, or something else altogether."""
    damage(store, text)
    assert sorted(shown(store)) == ["running", "running", "unknown"]


def test_a_detail_that_is_nested_deep_is_unreadable(store: FakeParameters) -> None:
    """What can be read once may not be shown again further inside."""
    good = json.loads(store.stored[f"/dataware/markers/{KIND}/middle"]["Value"])
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    damage(store, json.dumps(put_at(good, ("detail", "phase"), deep)))
    assert "unknown" in shown(store)
    damage(store, json.dumps(good | {"detail": good["detail"] | {"own": deep}}))
    assert "unknown" in shown(store)


@pytest.mark.parametrize(
    "ask", [find_followed, find_recorded, find_switched, find_undoable, find_undone]
)
def test_nothing_is_concluded_from_a_record_that_cannot_be_read(
    store: FakeParameters, ask: Callable[[Context, str], object]
) -> None:
    """Whether it was followed or cut over is unknown, so nobody hears that it was not."""
    damage(store, '{"version":2}')
    markers = ParameterMarkers(store, store.clock, holder("reader"))
    with pytest.raises(LookupFailedError, match="cannot read the marker"):
        ask(replace(World().context(), markers=markers), "middle")


def test_a_record_that_cannot_be_read_can_be_forgotten(store: FakeParameters) -> None:
    """It is what its own line says to do."""
    damage(store, '{"version":2}')
    markers = ParameterMarkers(store, store.clock, holder("reader"))
    found = find_record(replace(World().context(), markers=markers), "middle")
    assert found.marker.state is MarkerState.UNKNOWN
