"""The card of an engine: what carries the data of a migration, where, and within which limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dataware.core.engines.situation import EngineSituation
from dataware.core.estimate import Prices
from dataware.core.model import Size
from dataware.core.phases import PolicySide
from dataware.core.ports import Aws

if TYPE_CHECKING:
    from dataware.core.engines.port import CopyJob, TargetCreator


ENGINE = "engine"
"""What a record calls the engine that carries its migration, with what that has to know; nothing
where this machine copies."""

REFUSED = "refused"
"""What a record calls the engine that was refused before it began: nothing is copied yet."""

LEFTOVERS, PARTS = "leftovers", "parts"
"""What a record calls what an engine could not remove, also once its migration is complete, and how
each of these is called in words."""


class EngineName(StrEnum):
    """What a person calls an engine; the value stands in plans and records."""

    LOCAL = "local"
    MAP = "map"
    RESTORE = "restore"
    EXPORT_IMPORT = "export-import"
    BULK = "bulk"
    BATCH = "batch"


def takes_profile(engine: EngineName | None) -> bool:
    """Whether an engine that is asked for may have a source that another profile reads."""
    return engine in {None, EngineName.LOCAL, EngineName.EXPORT_IMPORT}


class VerificationCost(NamedTuple):
    """What of a cost is the verification: seconds, and dollars for its reads and its workers."""

    seconds: int
    usd: float


@dataclass(frozen=True, slots=True)
class EngineCost:
    """Seconds (None where AWS bounds them by nothing) and dollars.

    `at_least` says that a price is missing, or that what is charged for is larger than the
    resource. `verification` is the part that an engine takes which verifies as well.
    """

    seconds: int | None
    usd: float
    at_least: bool = False
    verification: VerificationCost | None = None


@dataclass(frozen=True, slots=True)
class EngineNeed:
    """Something that has to hold: in the words of the table, and why it is missed in a clause."""

    text: str
    holds: Callable[[EngineSituation], bool]
    why_not: Callable[[EngineSituation], str]


class GrantPlace(NamedTuple):
    """Where permissions are granted."""

    account: str
    region: str
    partition: str


Grant: TypeAlias = tuple[str, tuple[str, ...]]
"""A resource by its ARN, and the actions that are allowed on it."""


@dataclass(frozen=True, slots=True)
class EngineScope:
    """Actions, and the resource on which IAM checks them.

    The resource is an ARN with fields for `partition`, `account`, `region`, and the ARNs of the
    `source` and the `target`. `sides` are those whose credentials need it: both in one, and each
    of a copy with `--source-profile`.
    """

    resource: str
    actions: tuple[str, ...]
    sides: tuple[PolicySide, ...] = (PolicySide.BOTH, PolicySide.TARGET)


def list_actions(scopes: Iterable[EngineScope]) -> tuple[str, ...]:
    """Every action of some scopes, each once."""
    return tuple(dict.fromkeys(action for scope in scopes for action in scope.actions))


@dataclass(frozen=True, slots=True)
class EngineCard:
    """What is true of an engine whatever it carries.

    It fits where all `needs` hold, and is picked where it `is_better` (`when` says so in words).
    `why_asked` says in a clause why one that fits is left to whoever asks for it; `elsewhere` that
    it may be picked where the source is in another region, so that the caller needs its `scopes`.
    `instead` is what to do while dataware does not drive it (empty: it does). `creator` makes the
    target (or, where it `loads`, fills what the run has made), and `copy_job` fills it with a role
    that the service assumes, for engines that do; `passes_to` are the services that get a role.
    `relayed_creator` is a `creator` for a source that other credentials read, and is given those of
    the target and of the source; it is left to whoever asks for it (`why_asked_of_profile`).
    `pause` says in a clause what `dataware pause` does to its work, as far as it is another thing
    than that nothing is copied.
    `limits` and `permissions` are a clause and an action each, beside those of a usual copy;
    `grants` scopes those actions for one target, by its name, for an engine that needs a role, and
    `scopes` those of an engine that only runs when it is asked for.
    `proven` says by what it was shown to work, `time` and `money` on what its figures rest, and
    `formula` how they are made.
    """

    name: EngineName
    summary: str
    runs_on: str
    needs: tuple[EngineNeed, ...]
    when: str
    is_better: Callable[[EngineSituation], bool]
    estimate: Callable[[EngineSituation, Size, Prices], EngineCost]
    limits: tuple[str, ...]
    proven: str
    time: str
    money: str
    formula: tuple[str, str]
    permissions: tuple[str, ...] = ()
    grants: Callable[[str, GrantPlace], Iterable[Grant]] | None = None
    scopes: tuple[EngineScope, ...] = ()
    passes_to: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    instead: str = ""
    why_asked: str = ""
    why_asked_of_profile: str = ""
    elsewhere: bool = False
    pause: str = ""
    creator: Callable[[Aws], TargetCreator] | None = None
    relayed_creator: Callable[[Aws, Aws], TargetCreator] | None = None
    loads: bool = False
    copy_job: Callable[[Aws, str], CopyJob] | None = None

    @property
    def is_built(self) -> bool:
        """Whether dataware drives it."""
        return not self.instead


NOT_BOUNDED = "not bounded: AWS promises no time"
"""What is said of the minutes of an engine of which nobody knows them."""

ON_A_MODEL = "proven on a model, not on AWS"

GIGABYTE = 1024**3
"""Bytes of a gigabyte as AWS charges for it."""


def price_of(prices: Prices, unit: str) -> float:
    """Dollars for a billed unit; one without a price counts as free."""
    return prices.usd.get(unit, 0.0)
