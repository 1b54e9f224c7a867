"""What the values of a template rest on and the template does not say; pure.

Every answer is a value, or the error that says what would make it known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NOT_ASKED = "AWS is not asked here"


class NotKnownError(Exception):
    """A value that a run cannot know; its text says why, and what would make it known."""


def _raise_unknown(name: str) -> Any:
    raise NotKnownError(f"{name} is not known, because {NOT_ASKED}")


def _take_default(name: str, definition: Mapping[str, Any]) -> Any:
    if "Default" in definition:
        return definition["Default"]
    raise NotKnownError(f"parameter {name} has no value: pass --parameter {name}=VALUE")


def _know_no_output(logical_id: str, name: str) -> str:
    raise NotKnownError(
        f"output {name} of nested stack {logical_id} is known only once it is deployed"
    )


@dataclass(frozen=True, slots=True)
class ValueLookups:
    """Who answers: each takes a name, and raises NotKnownError for what it does not know.

    `pseudo` answers for pseudo parameters such as ``AWS::Region``, `parameter` for a parameter with
    its definition, `stored` for SSM parameters, `exported` for exports of other stacks, and
    `output` for an output of a nested stack, by the logical id of that stack and its own name.
    """

    pseudo: Callable[[str], str] = _raise_unknown
    parameter: Callable[[str, Mapping[str, Any]], Any] = _take_default
    stored: Callable[[str], str] = _raise_unknown
    exported: Callable[[str], str] = _raise_unknown
    output: Callable[[str, str], str] = _know_no_output
