"""How a migration is rehearsed: into a scratch resource that is made for it, and removed again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.errors import InputError
from dataware.core.model import Location
from dataware.core.ports import Aws

WORD = "rehearsal"
TAG = "dataware-rehearsal"
"""The tag of a scratch resource; its value is the name, so that nothing inherits it unseen."""

DIGEST_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a scratch resource of a type is made, and removed with all that it holds.

    `properties` are those of the real target that it takes over: what decides how it is written to
    and what that costs, and nothing that others hear of, or that keeps it from being removed. Its
    name has up to `longest_name` characters; others than `allowed` become hyphens. `read_tags`
    gives the tags of one, and `remove` returns once it is gone; both raise ServiceError.
    """

    properties: tuple[str, ...]
    longest_name: int
    allowed: str
    read_tags: Callable[[Aws, str], Mapping[str, str]]
    remove: Callable[[Aws, str], None]

    def choose_properties(self, described: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The properties of the scratch resource `name`, of those that the real target has."""
        chosen = {one: described[one] for one in self.properties if one in described}
        return {**chosen, "Tags": [{"Key": TAG, "Value": name}]}

    def is_marked(self, aws: Aws, name: str) -> bool:
        """Whether a resource says itself that a rehearsal has made it. Raises ServiceError."""
        return self.read_tags(aws, name).get(TAG) == name

    def name_scratch(self, source: Location, target: Location) -> str:
        """The name of the scratch resource for a pair: the same each time, and of no other pair."""
        facts = [(one.owner, one.region, one.name, one.prefix) for one in (source, target)]
        digest = hashlib.sha256(repr(facts).encode()).hexdigest()
        ending = f"-{WORD}-{digest[:DIGEST_LENGTH]}"
        plain = re.sub(f"[^{self.allowed}]", "-", target.name.rpartition("/")[2])
        return plain[: self.longest_name - len(ending)].rstrip(".-") + ending


def require_rehearsal(rehearsal: Rehearsal | None, noun: str) -> Rehearsal:
    """How a type is rehearsed. Raises InputError for one that is not."""
    if rehearsal is None:
        raise InputError(
            f"dataware cannot rehearse the migration of a {noun}; run the same command without "
            "--rehearse"
        )
    return rehearsal
