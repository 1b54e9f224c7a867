"""How a follow of a source would hear of its changes, told before anything is started; pure.

A type fills it in from what it sees of the source and from what a person allows (`FeedOptions`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dataware.calc.measures import duration


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What a person says of a follow: `enable` allows to switch a feed of the source on.

    `export_to` is the bucket and prefix of exports, and `deep` says that objects are read whole.
    """

    enable: bool = False
    export_to: str = ""
    deep: bool = False


@dataclass(frozen=True, slots=True)
class FollowForecast:
    """Where the changes of `source` would come from.

    `feed` names the feed, and is empty where both sides are compared instead. `enables` says that
    the follow switches it on, which changes the source, and `consent` is the option that would
    allow that. Changes are kept for `retention_seconds`, None where nothing keeps them. Each of
    `blind_spots` is something that the follow does not see. `problem` says why none of this is
    known, or why it would be refused.
    """

    source: str
    feed: str = ""
    way: str = "compares both sides again and again, which costs two reads of everything each time"
    enables: bool = False
    consent: str = ""
    retention_seconds: int | None = None
    blind_spots: tuple[str, ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """The forecast as in the plan file."""
        return {
            "source": self.source,
            "feed": self.feed,
            "enables": self.enables,
            "consent": self.consent,
            "retention_seconds": self.retention_seconds,
            "blind_spots": list(self.blind_spots),
            "problem": self.problem,
        }

    def describe_making(self, noun: str, seconds: int | None) -> str:
        """What it means that a service first makes the target, by a restore or an import.

        Empty where the feed keeps changes for longer than that takes; `seconds` is None where
        no time is promised.
        """
        kept = self.retention_seconds
        if kept is None or self.problem or (seconds is not None and seconds < kept):
            return ""
        takes = "has no promised time" if seconds is None else f"takes about {duration(seconds)}"
        return (
            f"the {noun} {takes}, and the {self.feed} keeps changes for {duration(kept)}: leave "
            "the command running; after a longer break both sides are compared in full"
        )

    def list_texts(self) -> Iterator[str]:
        """The forecast in sentences, for people."""
        if self.problem:
            yield f"cannot tell how a follow would read changes of {self.source}: {self.problem}"
            return
        yield self._describe_feed()
        for spot in self.blind_spots:
            yield f"a follow does not see {spot}"

    def _describe_feed(self) -> str:
        seconds = self.retention_seconds
        span = "" if seconds is None else f"which keeps changes for {duration(seconds)}"
        if self.enables:
            text = f"a follow switches on a {self.feed} of {self.source}"
            return f"{text}, {span}; this changes {self.source}"
        if self.feed:
            return ", ".join(
                filter(None, (f"a follow reads the {self.feed} of {self.source}", span))
            )
        text = f"a follow of {self.source} {self.way}"
        if not self.consent:
            return f"{text}, and changes nothing of it"
        return f"{text}; {self.consent} switches on a stream instead, which changes {self.source}"
