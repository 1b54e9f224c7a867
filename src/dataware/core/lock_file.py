"""The lock file, `dataware.lock.json`: decisions that are committed with the app; pure.

An entry is written from a plan (`lock_entries`) and read by a synth (`parse_entry`), so that a
template rests on what was decided, and no AWS call is made for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Action, Content, Decision, Existence, ImportMode, Size
from dataware.core.plan import COPYING, Plan, Planned

FILE = "dataware.lock.json"
VERSION = 1
CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>)( |$)", re.MULTILINE)
"""What a merge leaves in a file where both sides have changed the same lines."""

LockedDecisions = Mapping[str, Mapping[str, Any]]
"""The entries of a lock file, by account and region."""


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
    what has to be copied; `has_data` is about the preferred name. `report_decision` reports a
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
    report_decision: Callable[[], None] | None = field(default=None, compare=False)
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
    """An entry as `lock_entries` writes it. Raises InputError."""
    try:
        mode = data["import"]
        decision = Decision(
            action=Action(data["action"]),
            rule=data["rule"],
            reason=data["reason"],
            source=data["source"],
            import_mode=ImportMode(mode) if mode else None,
            warnings=tuple(data["warnings"]),
            by_id=data.get("by_id", False) is True,
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


def check_merged(text: str, path: object) -> None:
    """Raise InputError for the text of a lock file in which a merge has left its markers."""
    if CONFLICT.search(text):
        raise InputError(
            f"{path} has conflict markers of a merge: take either side of it whole, and write it "
            "again with `dataware plan --lock`"
        )


def parse_environments(document: object, path: object) -> dict[str, Any]:
    """The decisions in the document of a lock file. Raises InputError for another document."""
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise InputError(f"{path} is not a lock file of version {VERSION}: move it away")
    entries = document.get("environments")
    if not isinstance(entries, dict) or not all(isinstance(one, dict) for one in entries.values()):
        raise InputError(
            f"{path} is damaged: environments is not a table of tables; move it away, and write "
            "it again with `dataware plan --lock`"
        )
    return dict(entries)


def lock_document(environments: LockedDecisions) -> dict[str, Any]:
    """The document that `parse_environments` reads."""
    return {"version": VERSION, "environments": environments}


def lock_key(cfn_type: str, preferred: str) -> str:
    """The key under which the lock file holds the decision on a resource."""
    return f"{cfn_type} {preferred}"


def lock_entries(plan: Plan) -> dict[str, dict[str, Any]]:
    """The plan's decisions as entries of `dataware.lock.json`, by type and preferred name.

    An entry says what the template rests on, and no time, so that a committed file changes only
    when something was decided or seen differently.
    """
    return {lock_key(p.wanted.type, p.wanted.preferred): _lock_entry(p) for p in plan.resources}


def _lock_entry(planned: Planned) -> dict[str, Any]:
    wanted, decision = planned.wanted, planned.decision
    return {
        "action": decision.action.value,
        "rule": decision.rule,
        "reason": decision.reason,
        "import": decision.import_mode.value if decision.import_mode else None,
        "source": decision.source,
        "fallbacks": list(wanted.fallbacks),
        "exists": planned.preferred.existence.value,
        "owner": planned.preferred.owner.ownership.value,
        "stack": wanted.stack,
        "logical_id": wanted.logical_id,
        "warnings": list(decision.warnings),
        **({"by_id": True} if decision.by_id else {}),
        **_physical_id(planned),
        **_content(planned),
    }


def _content(planned: Planned) -> dict[str, Any]:
    """What the preferred resource holds where that may change the decision, and what is to copy."""
    decision, preferred, source = planned.decision, planned.preferred, planned.source
    if decision.action in COPYING and source is not None and source.size is not None:
        return {"content": preferred.content.value, "size": source.size.to_json()}
    if preferred.holds_data or not planned.wanted.fallbacks:
        return {}
    beside = [facts.name for facts in planned.fallbacks if facts.holds_data]
    return {"content": preferred.content.value, **({"beside": beside} if beside else {})}


def _physical_id(planned: Planned) -> dict[str, str]:
    """The id by which a stack refers to the resource, where that is not its name."""
    source = planned.decision.source
    facts = next((f for f in planned.fallbacks if f.name == source), planned.preferred)
    return {"physical_id": facts.physical_id} if facts.physical_id else {}
