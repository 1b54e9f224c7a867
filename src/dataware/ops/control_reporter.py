"""Tells what people asked of a migration while it runs: in its own lines, and in lines about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from shlex import quote
from typing import Any

from dataware.core.events import event
from dataware.core.ports import Emit
from dataware.core.run_control import RunControl


def describe_pause(control: RunControl) -> str:
    """Since when a migration is paused, and by whom; empty if it is not."""
    if control.paused_at is None:
        return ""
    since = datetime.fromtimestamp(control.paused_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"since {since} from {control.by}" if control.by else f"since {since}"


def describe_control(control: RunControl, target: str) -> str:
    """What is asked of a migration, for a line about it; empty where nothing is."""
    if control.is_paused:
        return f"paused {describe_pause(control)}, `dataware resume {quote(target)}` continues it"
    if control.max_rate is not None:
        return f"held at {control.max_rate:,.10g}/s by `dataware throttle`"
    return ""


class ControlReporter:
    """Tells people what was asked of the run that they look at; for any thread."""

    def __init__(self, emit: Emit, words: Mapping[str, object]) -> None:
        """Report by `emit`; `describe_effect` says what a pause does now, where that is special."""
        self._emit = emit
        self._words = words
        self.describe_effect: Callable[[], str] = str

    def __call__(self, before: RunControl, now: RunControl) -> None:
        """Tell what is another than before."""
        name = quote(str(self._words["name"]))
        if now.paused_at != before.paused_at:
            code = "paused" if now.is_paused else "resumed"
            self._report(code, since=describe_pause(now), resume=name, effect=self._explain(name))
        if now.max_rate != before.max_rate:
            code = "unthrottled" if now.max_rate is None else "throttled"
            self._report(code, rate=f"{now.max_rate or 0:,.10g}", unit=self._words.get("unit", ""))

    def _explain(self, name: str) -> str:
        """What a pause does, and what ends it."""
        if special := self.describe_effect():
            return f"{special}; `dataware resume {name}` ends the pause"
        return f"{self._words['name']} gets nothing more until `dataware resume {name}`"

    def _report(self, code: str, **words: Any) -> None:
        self._emit(event(code, **{**words, **self._words}))
