"""Reads `dataware.lock.json`: decisions that were made earlier and committed with the app.

This module reads one file and nothing else: a synth whose decisions all stand in the lock file
makes no AWS call and imports no AWS SDK.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Action, Content, Decision, Existence, ImportMode, Size
from dataware.core.plan import COPYING, lock_key

FILE = "dataware.lock.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Environment:
    """The account and region that a stack goes to."""

    account: str
    region: str

    def __str__(self) -> str:
        """The key of the environment in the lock file."""
        return f"{self.account}/{self.region}"


@dataclass(frozen=True, slots=True)
class LockEntry:
    """A decision with what the template needs to know beside it.

    `exists` is about the preferred name at the time of the decision. `stack` and `logical_id`
    are those of the declaration that was decided on, None for a declaration outside of stacks.
    `physical_id` is that of the resource that is referenced, None where that is its name. `size` is
    what has to be copied; `has_data` is about the preferred name. `announce` tells people of a
    decision that was made just now. `is_current` is false where data may have come since and nobody
    could look again. `beside` are the names that hold data while the preferred one holds none.
    """

    preferred: str
    decision: Decision
    exists: bool = False
    fallbacks: tuple[str, ...] = ()
    stack: str | None = None
    logical_id: str | None = None
    physical_id: str | None = None
    size: Size | None = None
    has_data: bool = True
    announce: Callable[[], None] | None = field(default=None, compare=False)
    is_current: bool = True
    beside: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the decision holds whatever has been written under the fallback names since.

        What is to be copied has been copied by the next deployment, and beside what is empty data
        may have arrived.
        """
        decided = self.decision.action not in {*COPYING, Action.CREATE}
        return not self.fallbacks or (decided and self.has_data)

    @property
    def stranded(self) -> tuple[str, ...]:
        """The names whose data this decision leaves beside an empty resource."""
        acts = self.decision.action in {*COPYING, Action.STOP}
        return () if acts or self.referenced in self.beside else self.beside

    @property
    def unread_names(self) -> tuple[str, ...]:
        """The names under which data may lie by now beside what this stack leaves empty."""
        created = self.decision.action is Action.CREATE
        empty = self.decision.action is Action.KEEP and not self.has_data
        return self.fallbacks if not self.is_current and (created or empty) else ()

    @property
    def referenced(self) -> str | None:
        """The name that the stack refers to; None if it declares the resource as its own.

        What does not exist yet is declared even where imports are references, because somebody
        has to create it; what this stack owns has no import mode, and stays declared for ever.
        """
        if self.decision.import_mode is not ImportMode.REFERENCE:
            return None
        if self.decision.action is Action.IMPORT:
            return self.decision.source or self.preferred
        return self.preferred if self.exists else None


@dataclass(frozen=True, slots=True)
class LockFile:
    """The content of a lock file, by environment and key."""

    environments: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def entry(self, environment: Environment, kind: Kind, preferred: str) -> LockEntry | None:
        """The entry of one resource, None if there is none. Raises InputError for a damaged one.

        It may have been written for another type that declares the same kind of thing.
        """
        entries = self.environments.get(str(environment), {})
        for cfn_type in (kind.cfn_type, *kind.all_types):
            if (data := entries.get(lock_key(cfn_type, preferred))) is not None:
                return parse_entry(preferred, data)
        return None

    @property
    def only_environment(self) -> Environment | None:
        """The environment of a lock file that knows exactly one."""
        if len(self.environments) != 1:
            return None
        account, _, region = next(iter(self.environments)).partition("/")
        return Environment(account, region)


def parse_entry(preferred: str, data: Mapping[str, Any]) -> LockEntry:
    """An entry as `dataware.core.plan.lock_entries` writes it. Raises InputError."""
    try:
        mode = data["import"]
        decision = Decision(
            action=Action(data["action"]),
            rule=data["rule"],
            reason=data["reason"],
            source=data["source"],
            import_mode=ImportMode(mode) if mode else None,
            warnings=tuple(data["warnings"]),
        )
        return LockEntry(
            preferred,
            decision,
            exists=data["exists"] == Existence.EXISTS,
            fallbacks=tuple(data["fallbacks"]),
            stack=data["stack"],
            logical_id=data["logical_id"],
            physical_id=data.get("physical_id"),
            size=Size(**data["size"]) if data.get("size") else None,
            has_data=data.get("content", Content.DATA) == Content.DATA,
            beside=tuple(data.get("beside", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{FILE}: the entry of {preferred} is damaged ({error!r}); "
            "write it again with `dataware plan --lock`"
        ) from error


def read_lock(folder: Path | None = None) -> LockFile:
    """The lock file in `folder` (the current one); an empty lock if there is no file."""
    path = (folder or Path.cwd()) / FILE
    try:
        state = path.stat()
    except FileNotFoundError:
        return LockFile()
    return _parse_lock(path, state.st_mtime_ns, state.st_size)


# One synth asks once for every construct; size and time of change tell one file from the next.
@lru_cache(maxsize=4)
def _parse_lock(path: Path, _changed: int, _size: int) -> LockFile:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path} cannot be read as a lock file ({error}): if a merge left conflict markers in "
            "it, take either side whole; then write it again with `dataware plan --lock`"
        ) from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise InputError(f"{path} is no lock file of version {VERSION}: move it away")
    environments = data.get("environments")
    if not isinstance(environments, dict) or not all(
        isinstance(entries, dict) for entries in environments.values()
    ):
        raise InputError(f"{path} has no environments: write it again with `dataware plan --lock`")
    return LockFile(environments)
