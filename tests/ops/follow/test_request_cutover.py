"""A cut-over that is asked of a follow elsewhere: what the terminal says while it waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dataware.core.errors import IncompleteError
from dataware.core.model import Marker, MarkerState
from dataware.core.run_control import RunControl
from dataware.ops.follow import request_cutover
from dataware.ops.follow.cutover_run import CutoverSettings
from dataware.ops.follow.request_cutover import CutoverRequester
from dataware.state.marker_value import ASKED, CONTROL
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
