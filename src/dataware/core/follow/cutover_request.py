"""What a person asks of a follow that goes on elsewhere, as it travels through the marker.

    where it is typed                    the marker                    the follow
    asks ───────────────────────────────> asked.cutover
                                                                       compares, carries
                                          hook: freeze, token <─────── "frozen" counts
    runs --freeze, answers the token ───> asked.cutover
                                                                       drains, verifies
                                          complete, or the outcome <── switches, or goes back

No command travels: each runs where it was typed. The follow alone decides, because it has the lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOPIC = "cutover"
"""The name of this request among those that a run may be asked."""

WATCH_SECONDS = 60.0
"""For how long the source is watched after the switch where nothing else is said."""


@dataclass(frozen=True, slots=True)
class CutoverRequest:
    """A request to cut over.

    `beat` grows while the process that asks is alive. `is_open` says that nothing postpones it
    there, `by_hand` that a person has stopped the writers, so that no command is run. `answered` is
    the token of the command that was run last, and `failure` why that failed. `withdrawn` says that
    the person does not ask any more, and `enable_undo` that a feed of the target may be switched
    on. After the switch whoever writes to the source is named for `watch` seconds. `token_digest`
    is that of the approval that is waited for there, if any.
    """

    id: str
    host: str
    freeze_limit: float
    by_hand: bool = False
    is_open: bool = True
    beat: int = 0
    answered: str = ""
    failure: str = ""
    withdrawn: bool = False
    enable_undo: bool = False
    watch: float = WATCH_SECONDS
    token_digest: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON object in the marker."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, raw: object) -> CutoverRequest | None:
        """The request of a JSON object; None where there is none that this version can read."""
        if not isinstance(raw, Mapping):
            return None
        try:
            return cls(
                str(raw["id"]),
                str(raw["host"]),
                float(raw["freeze_limit"]),
                bool(raw["by_hand"]),
                bool(raw["is_open"]),
                int(raw["beat"]),
                str(raw["answered"]),
                str(raw["failure"]),
                bool(raw["withdrawn"]),
                bool(raw["enable_undo"]),
                # Versions before this one ask without.
                float(raw.get("watch", WATCH_SECONDS)),
                str(raw.get("token_digest", "")),
            )
        except (KeyError, TypeError, ValueError):
            return None
