"""What the record of a migration says of the engine that began it."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.core.engines.card import ENGINE
from dataware.core.model import Marker, MarkerState


def find_begun_work(marker: Marker) -> Mapping[str, object]:
    """The part of an unfinished record that names a service's work; empty without one."""
    engine = marker.detail.get(ENGINE) if marker.state is MarkerState.RUNNING else None
    return {ENGINE: engine} if engine else {}
