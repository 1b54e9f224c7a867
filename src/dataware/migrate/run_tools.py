"""What one copy works with, made once and handed on whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dataware.core.ports import Clock, Emit, Journal
from dataware.core.run_control import RunControl, read_no_control
from dataware.migrate.copy_progress import CopyProgress
from dataware.migrate.copy_state import CopyState


def never() -> bool:
    """Nobody asks to stop."""
    return False


def _keep_private(_detail: Mapping[str, object]) -> None:
    """Nobody publishes how far the copy is."""


@dataclass(frozen=True, slots=True)
class RunTools:
    """The tools of one copy, or of one process's part of it.

    `state` is what `journal` says so far, and `progress` counts and reports what is done; `stop`
    turns true once the copy has to end early; `publish` is given how far the copy is, about once a
    second, for the marker; `read_control` tells what people ask of the run.
    """

    journal: Journal
    state: CopyState
    clock: Clock
    emit: Emit
    progress: CopyProgress
    stop: Callable[[], bool] = never
    publish: Callable[[Mapping[str, object]], None] = _keep_private
    read_control: Callable[[], RunControl] = read_no_control
