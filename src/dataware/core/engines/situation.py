"""The facts on which the choice of an engine rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dataware.core.estimate import Throughput
from dataware.core.model import Size


@dataclass(frozen=True, slots=True)
class EngineSituation:
    """One migration, as far as engines differ.

    `source` and `target` are names for sentences; `size` is None where it was not seen. `recovery`
    says whether point in time recovery of the source is on, None where that was not seen. `is_new`
    says that the target does not exist yet, `is_own` that this migration makes it or has made it,
    `followed` that changes are carried afterwards, `has_role` that a role was named which a service
    may assume, `has_headers` that objects get headers of their own, `exported` that changes are
    read from exports into a bucket, and `relayed` that other credentials read the source. `begun`
    is the name of the engine with which an interrupted migration began. `problems` says of an
    engine what stands against it that no other field tells, a clause each. `charges` and `speed`
    are those of a usual copy, and `verify_charges` what of these its verification reads.
    """

    source: str
    target: str
    size: Size | None
    is_new: bool
    is_own: bool
    same_account: bool = True
    same_region: bool = True
    same_partition: bool = True
    recovery: bool | None = None
    all_versions: bool = False
    followed: bool = False
    has_role: bool = False
    has_headers: bool = False
    exported: bool = False
    relayed: bool = False
    begun: str | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    charges: Mapping[str, float] = field(default_factory=dict)
    verify_charges: Mapping[str, float] = field(default_factory=dict)
    speed: Throughput = field(default=Throughput(1000.0))
