"""A cut-over that is asked of a follow elsewhere: what the terminal says while it waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dataware.core.errors import (
    IncompleteError,
    LookupFailedError,
    RefusedError,
    ServiceError,
    SidesDifferError,
)
from dataware.core.follow.approval import Approval
from dataware.core.follow.cutover import CutoverRecord, CutoverState
from dataware.core.model import Marker, MarkerState
from dataware.core.run_control import RunControl
from dataware.ops.follow import request_cutover
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.request_cutover import CutoverRequester
from dataware.state.marker_value import ASKED, CONTROL, HOOK
from support.world import World

WORDS = {"kind": "dynamodb-table", "source": "old", "name": "new"}


@dataclass
class AskedMarkers:
    """The record of a follow elsewhere, which is paused for two looks and then gone."""

    looks: list[Marker]
    asked: list[str] = field(default_factory=list)

    def get(self, kind: str, target: str) -> Marker:
        """The record as it is at this look."""
        assert (kind, target) == ("dynamodb-table", "new")
        return self.looks.pop(0)

    def ask(self, kind: str, target: str, topic: str, request: Mapping[str, Any] | None) -> None:
        """Keep the topic."""
        assert (kind, target) == ("dynamodb-table", "new")
        assert request is not None
        self.asked.append(topic)


class OpenGate:
    """The CutoverGate and FreezeHooks ports of somebody who waits for nothing."""

    def is_requested(self) -> bool:
        """Always."""
        return True

    def is_open(self, now: float) -> bool:
        """Always."""
        return True

    def freeze(self) -> None:
        """No command."""

    def thaw(self) -> None:
        """No command."""


def test_a_cut_over_that_waits_for_the_end_of_a_pause_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else whoever typed it sees a line that does not change, and no reason."""
    world, gate = World(), OpenGate()
    context = world.context()
    monkeypatch.setattr(type(context.aws), "pause", lambda _aws, _seconds: None, raising=False)
    paused = RunControl(paused_at=1_764_450_000.0, by="laptop").to_json()
    alive = Marker(MarkerState.RUNNING, "old", "run-1", alive=True, detail={"holder": "far"})
    waits = replace(alive, detail={"holder": "far", ASKED: {CONTROL: paused}})
    markers = AskedMarkers([waits, waits, alive, replace(alive, alive=False)])
    requester = CutoverRequester(context, markers, WORDS, CutoverSettings(gate, gate, 300.0, 60.0))
    assert not requester.request()
    lines = [one.text() for one in world.events if one.code in {"note", "paused", "resumed"}]
    assert lines == [
        "Asked the follow on far to cut over; its commands run here",
        "Paused since 2025-11-29 21:00 UTC from laptop: new gets nothing more until "
        "`dataware resume new`",
        "Ended the pause: old → new",
    ]


def test_a_cut_over_that_the_follow_gave_up_ends_with_its_reason() -> None:
    """The terminal that asked ends as the one that follows."""
    world, gate = World(), OpenGate()
    requester = CutoverRequester(
        world.context(), AskedMarkers([]), WORDS, CutoverSettings(gate, gate, 300.0, 60.0)
    )
    outcome = {"id": requester._request.id, "given_up": "gave up the cut-over, because of a gap"}
    detail = {"holder": "far", request_cutover.OUTCOME: outcome}
    requester._markers = AskedMarkers(
        [Marker(MarkerState.RUNNING, "old", "run-1", alive=True, detail=detail)]
    )
    with pytest.raises(IncompleteError, match="because of a gap"):
        requester.request()


class TalkingMarkers:
    """The record of a follow elsewhere, which changes with the time that passes."""

    def __init__(self, look: Callable[[float, Mapping[str, Any]], Marker]) -> None:
        self.look = look
        self.asked: dict[str, Any] = {}
        self.now = 0.0

    def get(self, _kind: str, _target: str) -> Marker:
        """The record now; each look takes a second."""
        self.now += 1.0
        return self.look(self.now, self.asked)

    def ask(self, _kind: str, _target: str, topic: str, request: Mapping[str, Any] | None) -> None:
        """Keep what is asked."""
        self.asked[topic] = request


def talk(
    monkeypatch: pytest.MonkeyPatch,
    look: Callable[[float, Mapping[str, Any]], Marker],
    **settings: Any,
) -> tuple[World, TalkingMarkers, CutoverRequester]:
    """A terminal that asks such a follow."""
    world, gate = World(), OpenGate()
    context = world.context()
    monkeypatch.setattr(type(context.aws), "pause", lambda _aws, _seconds: None, raising=False)
    markers = TalkingMarkers(look)
    wanted = CutoverSettings(gate, gate, 300.0, **{"watch_seconds": 60.0, **settings})
    return world, markers, CutoverRequester(context, markers, WORDS, wanted, lambda: markers.now)


def alive(**detail: Any) -> Marker:
    """A follow that goes on."""
    detail = {"holder": "far", **detail}
    return Marker(MarkerState.RUNNING, "old", "run-1", alive=True, detail=detail)


def switched(state: CutoverState, strays: int = 0) -> Marker:
    """Both sides are switched."""
    record = CutoverRecord(state, frozen_seconds=12.34, strays=strays).to_json()
    return Marker(MarkerState.COMPLETE, "old", "run-1", detail={"cutover": record})


def test_the_watch_that_was_asked_for_reaches_the_follow_and_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever writes late in that time is told where it was typed, too."""

    def look(now: float, asked: Mapping[str, Any]) -> Marker:
        if now < 5:
            return alive()
        assert asked["cutover"]["watch"] == 90.0
        return switched(CutoverState.REVERSIBLE, strays=2 if now > 80 else 0)

    world, markers, requester = talk(monkeypatch, look, watch_seconds=90.0)
    with pytest.raises(SidesDifferError, match="2 keys of old changed after the switch"):
        requester.request()
    assert 90 <= markers.now <= 100
    (told,) = [one for one in world.events if one.code == "cut-over"]
    assert (told.data["seconds"], told.data["frozen_seconds"]) == ("12.3 s", 12.3)


@pytest.mark.parametrize(("watch", "waited"), [(0.0, 5), (20.0, 305)])
def test_a_follow_that_died_after_the_switch_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, watch: float, waited: float
) -> None:
    """The record says "switched" until the source was read once; the freeze's limit ends it.

    Where no watch is asked for, nobody reads the source, and nothing is waited for.
    """
    _, markers, requester = talk(
        monkeypatch,
        lambda now, _: alive() if now < 3 else switched(CutoverState.SWITCHED),
        watch_seconds=watch,
    )
    assert requester.request()
    assert waited - 5 <= markers.now <= waited + 5


def test_an_approval_that_is_waited_for_opens_the_gate_of_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before that the follow is asked, and told to wait."""
    opened: list[bool] = []

    def look(now: float, asked: Mapping[str, Any]) -> Marker:
        if "cutover" in asked:
            opened.append(asked["cutover"]["is_open"])
        if now > 40:
            return switched(CutoverState.REVERSIBLE)
        given = dict(asked)
        if now > 20:
            token = shown_token(world)
            assert Approval("run-1", token).fits(asked["cutover"]["token_digest"])
            given["approval"] = Approval("run-1", token).to_json("desk")
        return alive(**{ASKED: given})

    world, _, requester = talk(monkeypatch, look, watch_seconds=0.0, await_approval=True)
    assert requester.request()
    assert opened[0] is False
    assert opened[-1] is True
    assert "Approved on desk" in [one.text() for one in world.events]


def shown_token(world: World) -> str:
    """The token that the terminal shows."""
    (line,) = [one.text() for one in world.events if "--approve" in one.text()]
    return line.rpartition(" ")[2].rstrip("`")


def test_a_request_that_is_withdrawn_ends_once_the_follow_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a target that was completed without a switch is refused."""
    _, _, requester = talk(monkeypatch, lambda _now, asked: alive(**{ASKED: dict(asked)}))
    requester._context = replace(requester._context, stop=lambda: True)
    with pytest.raises(IncompleteError, match="withdrew the cut-over"):
        requester.request()
    _, _, requester = talk(monkeypatch, lambda _now, _asked: switched(CutoverState.COPYING))
    with pytest.raises(RefusedError, match="completed without a switch"):
        requester.request()


def test_the_commands_run_where_they_were_typed_and_their_end_travels_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A record that cannot be read or written for a while is asked again."""

    class Hooks(OpenGate):
        def freeze(self) -> None:
            raise ServiceError("no way")

    def look(now: float, asked: Mapping[str, Any]) -> Marker:
        if now == 2:
            raise LookupFailedError("no answer")
        request = asked.get("cutover") or {}
        if request.get("answered") == "two":
            return switched(CutoverState.REVERSIBLE)
        run, token = ("thaw", "two") if request.get("answered") == "one" else ("freeze", "one")
        return alive(**{HOOK: {"id": request.get("id"), "run": run, "token": token}})

    world, markers, requester = talk(monkeypatch, look, watch_seconds=0.0)
    requester._settings = replace(requester._settings, hooks=Hooks())
    ask, refused = markers.ask, [True]

    def ask_again(*given: Any) -> None:
        if refused:
            refused.clear()
            raise RefusedError("no run is alive")
        ask(*given)

    monkeypatch.setattr(markers, "ask", ask_again)
    assert requester.request()
    assert "freezing" in [one.code for one in world.events]
    assert "Restarted the writers of old" in [one.text() for one in world.events]
