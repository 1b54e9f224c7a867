"""One row of the decision table, and the short words in which rows are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dataware.core.model import Action, Content, Existence, MarkerState, Ownership
from dataware.core.situation import Fallback, Situation


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One row: the conditions on columns (a missing column allows everything) and the answer.

    `because` and `warning` are sentences with the words that `dataware.core.rules` knows;
    `reference` and `adopt` fix the import mode; `no_overwrite` forbids to replace anything.
    """

    rule: int
    action: Action
    because: str
    when: Mapping[str, frozenset[StrEnum]] = field(default_factory=dict)
    reference: bool = False
    adopt: bool = False
    no_overwrite: bool = False
    warning: str = ""

    def fits(self, situation: Situation) -> bool:
        """Whether every condition of the row holds."""
        return all(getattr(situation, column) in allowed for column, allowed in self.when.items())


ABSENT, EXISTS, UNSEEN = Existence.ABSENT, Existence.EXISTS, Existence.UNKNOWN
HIDDEN, EMPTY, DATA = Content.UNKNOWN, Content.EMPTY, Content.DATA
RUNNING, COMPLETE = MarkerState.RUNNING, MarkerState.COMPLETE
STOP, KEEP, IMPORT, CREATE = Action.STOP, Action.KEEP, Action.IMPORT, Action.CREATE
MIGRATE, RESUME = Action.MIGRATE, Action.RESUME
OURS, THEIRS = Ownership.THIS_STACK, Ownership.OTHER_STACK
WITH_DATA = (Fallback.DATA, Fallback.LATER)
"""Some fallback holds data."""


def when(**columns: StrEnum | tuple[StrEnum, ...]) -> dict[str, frozenset[StrEnum]]:
    """Conditions on columns; a tuple allows any of its values."""
    return {
        column: frozenset(value if isinstance(value, tuple) else (value,))
        for column, value in columns.items()
    }
