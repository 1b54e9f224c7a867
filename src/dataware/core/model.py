"""What dataware knows about a resource, as frozen values.

This module may not do I/O and knows no service. "Unknown" is a value of its own everywhere: what
was not seen is never taken for absent or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Existence(StrEnum):
    """Whether a resource of that name is there; the value is the plan's JSON word."""

    ABSENT = "no"
    EXISTS = "yes"
    UNKNOWN = "unknown"


class Content(StrEnum):
    """Whether a resource holds data."""

    EMPTY = "empty"
    DATA = "data"
    UNKNOWN = "unknown"


class Ownership(StrEnum):
    """Who owns a resource, seen from the stack that declares it."""

    THIS_STACK = "this stack"
    MOVED = "this stack under another logical id"
    OTHER_STACK = "another stack"
    UNMANAGED = "no stack"
    FOREIGN = "another account"
    UNKNOWN = "unknown"


class MarkerState(StrEnum):
    """What the durable record of a migration into a resource says."""

    NONE = "none"
    RUNNING = "running"
    COMPLETE = "complete"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What is done with a resource."""

    KEEP = "keep"
    IMPORT = "import"
    CREATE = "create"
    MIGRATE = "migrate"
    RESUME = "resume"
    STOP = "stop"


class ImportMode(StrEnum):
    """How a stack takes in what exists: as its own resource, or from outside."""

    ADOPT = "adopt"
    REFERENCE = "reference"


class OnError(StrEnum):
    """What an unanswered question counts as.

    SAFE counts it as "no data" as long as that can strand and overwrite nothing, and stops
    otherwise; NO_DATA counts it so everywhere; STOP always stops.
    """

    SAFE = "safe"
    NO_DATA = "no-data"
    STOP = "stop"


class OnFallbackData(StrEnum):
    """What happens when only a fallback holds data."""

    MIGRATE = "migrate"
    IMPORT = "import"


class OnConflict(StrEnum):
    """Which side wins where the target holds something of its own under a key of the source."""

    SOURCE = "source"
    TARGET = "target"
    STOP = "stop"


class Creator(StrEnum):
    """Who creates a missing resource: `dataware apply`, or the deployment of the app's stack."""

    APPLY = "apply"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a resource; `stack` and `logical_id` name the CloudFormation owner, if any.

    Two stacks of one name in two regions are two stacks, which `stack_id` (the ARN) tells apart.
    `alias` is a second name to which the stack answers.
    """

    ownership: Ownership
    stack: str | None = None
    logical_id: str | None = None
    stack_id: str | None = None
    alias: str | None = None

    @property
    def environment(self) -> tuple[str, str] | None:
        """Account and region of the stack, from its ARN; None without one.

        Source: Service Authorization Reference, "Resource types defined by AWS CloudFormation"
        (``arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID``).
        """
        parts = (self.stack_id or "").split(":")
        return (parts[4], parts[3]) if len(parts) > 5 else None


UNMANAGED = Owner(Ownership.UNMANAGED)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A resource of a stack: half deleted in vain, or unsettled beside what failed or goes on."""

    type: str
    physical_id: str
    is_half_deleted: bool = field(default=False, compare=False)
    is_unsettled: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """What can be read at an address: URL and size in bytes, None where nothing is there."""

    address: str
    url: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """The record of a migration into a resource.

    `source`, `run` and `identity` are None without a record; `identity` is the target's identity
    (see `Facts.identity`) at the time the migration began; `created` says that the run created
    the target itself; `heartbeat_age` is in seconds, measured by the service's clock; `problem`
    says why a record is unknown; `batches` that the run may write without conditions; `removal` is
    the command by which a person deletes the record.
    """

    state: MarkerState
    source: str | None = None
    run: str | None = None
    identity: str | None = None
    created: bool = False
    alive: bool = False
    heartbeat_age: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    batches: bool = False
    removal: str = ""

    @property
    def shown_run(self) -> str:
        """The id that people see: of the command's run, else of the migration."""
        return str(self.detail.get("command_run") or self.run or "")


NO_MARKER = Marker(MarkerState.NONE)


def precision(size: Mapping[str, Any]) -> str:
    """The word before a figure, from the JSON of a size or an estimate; empty if it is exact."""
    if size.get("at_least"):
        return "more than "
    return "" if size.get("exact", True) else "about "


@dataclass(frozen=True, slots=True)
class Size:
    """How much a resource holds. `exact` is False for figures the service only estimates.

    `at_least` says that no more was counted, and there is more.
    """

    items: int
    bytes: int
    exact: bool = True
    at_least: bool = False

    def to_json(self) -> dict[str, Any]:
        """The size as in plan files and lock files."""
        more = {"at_least": True} if self.at_least else {}
        return {"items": self.items, "bytes": self.bytes, "exact": self.exact, **more}

    @property
    def precision(self) -> str:
        """The word before the figure: "", "about " or "more than "."""
        return precision(self.to_json())

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing that a usual copy carries, for certain."""
        return self.exact and not self.items


@dataclass(frozen=True, slots=True)
class Setting:
    """One protective setting of a resource; a higher `rank` protects more."""

    rank: int
    label: str


NOT_ASKED = "NotAsked"
"""Stands for the error code where nobody could be asked; the problem's `detail` says why."""

SEVERAL, ESTIMATED, NOT_SHOWN = "SeveralOfThatName", "OnlyEstimated", "NotShown"
"""Codes of several things of a name, an estimate, and what another account hides; see `detail`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A question that a service did not answer.

    `call` is the API operation, `code` the service's error code, `permission` the IAM action that
    would allow it (None when permission is not the matter), and `need` says in a clause what the
    service finds missing beside it. `consequence` says in a clause what is not known without the
    answer, unless existence or content; `decides` is False where no decision rests on it.
    """

    call: str
    code: str
    permission: str | None = None
    detail: str = ""
    consequence: str = ""
    decides: bool = True
    need: str = ""

    def __str__(self) -> str:
        """The problem in one clause, with the permission that would fix it."""
        if self.code == NOT_ASKED:
            return f"{self.call} was not asked, because {self.detail}"
        if self.code in (SEVERAL, ESTIMATED, NOT_SHOWN):
            return self.detail
        need = self.need or (f"it needs {self.permission}" if self.permission else "")
        return f"{self.call} returned {self.code}{f'; {need}' if need else ''}"

    def meaning(self, consequence: str, *, decides: bool = False) -> Problem:
        """The same problem, with what is not known for lack of an answer."""
        return replace(self, consequence=consequence, decides=decides)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a probe saw under one name.

    `identity` (a table's id, a bucket's creation date) changes with a resource made anew. `schema`
    is the key schema in words, empty for kinds without one, None when not seen. `physical_id` is
    what CloudFormation calls it, None where that is its name; `alike` are those of several of one
    name. It lives in `account` and `region` (None where not seen), and in `other_regions`, too.
    `obstacle` is why it cannot be used; `is_estimate` says that its content is a guess.
    """

    name: str
    existence: Existence = Existence.UNKNOWN
    content: Content = Content.UNKNOWN
    owner: Owner = UNMANAGED
    marker: Marker = NO_MARKER
    schema: str | None = ""
    size: Size | None = None
    identity: str | None = None
    physical_id: str | None = None
    alike: tuple[str, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    account: str | None = None
    region: str | None = None
    other_regions: tuple[str, ...] = ()
    obstacle: str = ""
    is_estimate: bool = False

    @property
    def unseen(self) -> bool:
        """Whether any question that a decision rests on went unanswered."""
        return (
            self.existence is Existence.UNKNOWN
            or (self.existence is Existence.EXISTS and self.content is Content.UNKNOWN)
            or self.owner.ownership is Ownership.UNKNOWN
            or self.marker.state is MarkerState.UNKNOWN
        )

    @property
    def holds_data(self) -> bool:
        """Whether data was seen under this name."""
        return self.existence is Existence.EXISTS and self.content is Content.DATA

    @property
    def holds_history_alone(self) -> bool:
        """Whether all its data is older versions, which only a copy of all versions carries."""
        return self.holds_data and self.size is not None and self.size.is_zero


def absent(name: str) -> Facts:
    """The facts of a name under which nothing exists."""
    return Facts(name, Existence.ABSENT, Content.EMPTY)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource as an app declares it.

    `id` names it for people (a construct path); `type` is the CloudFormation type; `properties` are
    CloudFormation properties; `stack` and `logical_id` place it in a stack (None for a
    `dataware.toml`); `unresolved` lists the properties that refer to other resources; `where` names
    file and place; `account` and `region` are where it is meant to be (None: the run's); `retained`
    says that CloudFormation keeps it when it leaves its stack; `computed_by` is the function that
    gives the preferred name; `allow_loss` allows what its adoption deletes; `names_id` says that
    its name is its id, `is_written` that a template declares it in any case; `effects` are of
    others on its data; no file holds what is `hidden`; `cdk_stack` is what CDK calls its stack.
    """

    id: str
    type: str
    preferred: str
    fallbacks: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    stack: str | None = None
    logical_id: str | None = None
    on_error: OnError = OnError.SAFE
    on_fallback_data: OnFallbackData = OnFallbackData.MIGRATE
    import_mode: ImportMode = ImportMode.ADOPT
    creator: Creator = Creator.APPLY
    unresolved: tuple[str, ...] = ()
    retained: bool = True
    where: str = field(default="", compare=False)
    account: str | None = None
    region: str | None = None
    computed_by: str = ""
    allow_loss: bool = False
    names_id: bool = False
    is_written: bool = field(default=False, compare=False)
    effects: tuple[str, ...] = field(default=(), compare=False)
    hidden: tuple[str, ...] = ()
    cdk_stack: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a resource, by which rule, and why.

    `source` is the name data is copied from (migrate, resume) or the fallback that is imported;
    `import_mode` is None where nothing is imported; `no_overwrite` asks that no write may replace
    anything in the target; `by_id` that a change set of its own takes it in, by its physical id.
    """

    action: Action
    rule: int
    reason: str
    source: str | None = None
    import_mode: ImportMode | None = None
    no_overwrite: bool = False
    warnings: tuple[str, ...] = ()
    by_id: bool = False

    def stop(self, rule: int, reason: str) -> Decision:
        """The same resource stopped by a rule: nothing is copied from it, and nothing imported."""
        stopped = replace(self, action=Action.STOP, rule=rule, reason=reason)
        return replace(stopped, source=None, import_mode=None, by_id=False)


@dataclass(frozen=True, slots=True)
class Location:
    """One side of a copy: a resource by name, with the part of it that is meant.

    `name` is what service calls take (a name or an ARN); `prefix` selects keys of a bucket;
    `owner` is the account that must own it; `region` is where it lives. `requester_pays` says with
    every request to S3 that the caller pays for it. It is read with the credentials of `profile`,
    and with those of the run where that is empty. `access_point` is the ARN by which it is reached,
    if `name` is an alias of one.
    """

    name: str
    owner: str
    region: str
    prefix: str = ""
    requester_pays: bool = False
    profile: str = ""
    access_point: str = ""
