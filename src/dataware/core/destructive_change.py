"""What an update of a stack would lose: a resource with data (rule 19), or data in it (rule 24)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dataware.core.model import Content

RULE = 19
DELETES_RULE = 24
"""The rule of a resource that stays, and whose template deletes data in it."""


class Loss(StrEnum):
    """How a stack would lose a resource; the value stands in plans and never changes meaning."""

    LEAVES = "leaves"
    MOVES = "moves"
    RENAMED = "renamed"
    REPLACED = "replaced"
    DELETES = "deletes"


@dataclass(frozen=True, slots=True)
class DestructiveChange:
    """A resource that an update of its stack would lose.

    `outcome` is what would happen, as a clause after "it would"; `recipe` keeps the data. `content`
    is what a look at it said, and `allowed` that a person said yes to the loss. `key` tells its
    outermost stack from others of the app, and `region` is that of a stack outside of the run's.
    """

    stack: str
    logical_id: str
    type: str
    noun: str
    name: str
    loss: Loss
    outcome: str
    recipe: str
    content: Content = Content.UNKNOWN
    allowed: bool = False
    key: str = ""
    region: str | None = None

    @property
    def reason(self) -> str:
        """What holds data, and what would happen to it, in one clause."""
        holds = "holds data" if self.content is Content.DATA else "may hold data (not readable)"
        stack = f"{self.stack} in {self.region}" if self.region else self.stack
        return f"{self.noun} {self.logical_id} of stack {stack} {holds} and would {self.outcome}"

    @property
    def rule(self) -> int:
        """The rule by which it is a stop."""
        return DELETES_RULE if self.loss is Loss.DELETES else RULE

    @property
    def names(self) -> frozenset[str]:
        """What a person may call it: its logical id, also behind the name of its stack."""
        return frozenset({self.logical_id, f"{self.stack}/{self.logical_id}"})

    @property
    def address(self) -> str:
        """STACK/LOGICAL_ID by what tells the stack from others of the app."""
        root, slash, nested = self.stack.partition("/")
        return f"{self.key or root}{slash}{nested}/{self.logical_id}"

    def to_json(self) -> dict[str, Any]:
        """The threat as in the plan file."""
        return {
            "stack": self.stack,
            "region": self.region,
            "logical_id": self.logical_id,
            "type": self.type,
            "name": self.name,
            "loss": self.loss.value,
            "content": self.content.value,
            "rule": self.rule,
            "reason": self.reason,
            "recipe": self.recipe,
            "allowed": self.allowed,
        }
