"""The card that a resource type fills in, and the protocols of what it brings along.

A new resource type is one module under `dataware.kinds` that ends in a `KIND`. Core, the copy
engine and the use cases read nothing but this card; an ability that is None is never planned.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.core.estimate import Throughput
from dataware.core.model import Facts, OnConflict, Setting, Size
from dataware.core.ports import Aws, Clock, Wire


class SkipReason(StrEnum):
    """Why one key was not copied; the value stands in reports and never changes meaning."""

    CONFLICT = "conflict"
    ARCHIVED = "archived"
    DENIED = "denied"
    LOST_KEY = "lost-key"
    CHANGED = "source-changed"
    TOO_LARGE = "too-large"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SkippedKey:
    """A key that was left behind: `key` as people write it, `why` in a clause."""

    key: str
    trouble: SkipReason
    why: str


class CopyOutcome(NamedTuple):
    """What became of a unit: `copied` were written now, `same` were already there.

    `tally` is that of both, digested as the source sent them, where a copier has their content.
    """

    copied: int = 0
    same: int = 0
    bytes: int = 0
    left: tuple[SkippedKey, ...] = ()
    tally: MultisetDigest = NO_RECORDS


class Unit(NamedTuple):
    """The smallest piece of writing (a batch of items, one object).

    `items` counts items or objects, `bytes` bounds what is in flight, `write_units` is what the
    target's capacity is charged (0 where the service has no such notion).
    """

    payload: Any
    items: int
    bytes: int
    write_units: float = 0.0


@dataclass(frozen=True, slots=True)
class UnitPage:
    """Units that were read together; `cursor` resumes after them, None ends the partition.

    `same` counts what the target already holds as it should be, `left` what cannot be carried,
    `read_units` what the source's capacity was charged.
    """

    units: tuple[Unit, ...]
    cursor: str | None
    same: int = 0
    left: tuple[SkippedKey, ...] = ()
    read_units: float = 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Provisioned capacity in units a second; None for what has no such limit."""

    read: float | None = None
    write: float | None = None


PageBound = Callable[[], int | None]
"""How many items or objects a page should hold at most from now on; None for as many as fit."""


def no_page_bound() -> int | None:
    """A page may hold as many as fit."""
    return None


class Copier(Protocol):
    """Copies one resource into another; every method may be called again after a crash."""

    async def size(self) -> Size:
        """How much there is to copy; exact when that costs one request, else an estimate."""
        ...

    async def rates(self) -> Rates:
        """Provisioned read capacity of the source and write capacity of the target."""
        ...

    async def partitions(self) -> Sequence[str]:
        """Disjoint parts that cover the source; opaque, frozen in the journal at the start."""
        ...

    def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage]:
        """The pages of a partition, from its start or after a cursor; the last has no cursor.

        A run goes on after the last page that was written whole, so a copy that is held back asks
        for small pages by `bound`; a page may exceed it by less than one unit.
        An error ends the iterator by raising; it never looks like the end of the data.
        """
        ...

    async def write(self, unit: Unit) -> CopyOutcome:
        """Write a unit. Returns only when every key of it is accounted for."""
        ...


@dataclass(frozen=True, slots=True)
class Location:
    """One side of a copy: a resource by name, with the part of it that is meant.

    `name` is what service calls take (a name or an ARN); `prefix` selects keys of a bucket;
    `owner` is the account that must own it; `region` is where it lives.
    """

    name: str
    owner: str
    region: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """Everything that tells one copy from another.

    `exclusive` says that the run created the target itself and nobody else writes to it, so
    batches without conditions are safe. `multipart_threshold` and `part_size` are in bytes.
    """

    source: Location
    target: Location
    on_conflict: OnConflict | None = None
    exclusive: bool = False
    all_versions: bool = False
    multipart_threshold: int = 5 * 1024**3
    part_size: int = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class CopyTools:
    """What a copier works with."""

    aws: Aws
    wire: Wire
    clock: Clock


@dataclass(frozen=True, slots=True)
class FingerprintPage:
    """What a reader got in one call; `cursor` goes on after it, None ends the part.

    Records are opaque. Those of an `ordered` kind are tuples that begin with the key, and equal
    ones stand for equal content; it needs no cursors, because it goes on after any key.
    """

    records: Sequence[Any]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFingerprint:
    """One key with the fingerprint of what stands under it.

    Two entries with equal `digest` are the same. Where digests differ and `conclusive` is False
    on either side, only `Reader.same` can tell. `key` orders as the service lists it. `sent`
    digests the record as it was sent, for a kind that may send equal records in several ways.
    """

    key: bytes
    digest: bytes
    label: str
    conclusive: bool = True
    sent: bytes = b""


class Evidence(StrEnum):
    """What an equality rests on."""

    CONTENT = "content"
    METADATA = "size and metadata"


class Reader(Protocol):
    """Reads one side for verification; shares no code with the copier."""

    def parts(self) -> Sequence[str]:
        """Disjoint parts that cover the place and may be read in parallel.

        Those of an `ordered` kind are ranges of keys (`KeyRange.text`), so that both sides can
        read them.
        """
        ...

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """The records of a part, from its start or after a cursor; sorted if `ordered`.

        An error ends the iterator by raising; it never looks like the end of the data. An
        `ordered` kind takes any key, in hexadecimal, for a cursor.
        """
        ...

    def digest_raw(self, record: Any) -> bytes:
        """Sixteen bytes of a record as it was sent: equal ones mean equal records (unordered)."""
        ...

    def digest_canonical(self, record: Any) -> bytes:
        """Sixteen bytes that are equal exactly for records that are equal (unordered)."""
        ...

    def entry(self, record: Any) -> KeyFingerprint:
        """A record as an entry."""
        ...

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present entries under the keys of `keys`, by key (unordered)."""
        ...

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Look closer at two entries whose digests settle nothing; None if they differ."""
        ...


class MakeCopier(Protocol):
    """How a card offers its copier."""

    def __call__(self, tools: CopyTools, order: CopyOrder) -> Copier:
        """A copier for `order`; does no I/O."""
        ...


class MakeReader(Protocol):
    """How a card offers its reader."""

    def __call__(self, aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
        """A reader of `place`; does no I/O. `deep` reads the content itself."""
        ...


@dataclass(frozen=True)
class Kind:
    """A resource type.

    `name` is the word in markers and file names; `noun` ("S3 bucket"), `short` ("bucket") and
    `unit` ("object") are for people; `identifier` is the CloudFormation property that holds the
    physical name; `check_name` tells what is wrong with the name of one that is to be created,
    `check_existing_name` with that of one that stands (the same where it is None),
    `check_properties` with the literal properties of a template; `properties_like` gives those that
    an older one asks for; `scheme` is that of addresses (``s3://…``), None without a copier;
    `batch` is how many units of data one line of progress stands for; `ordered` says that readers
    list in key order, `prefixes` that an address may select keys by prefix. `permissions` maps a
    phase (probe, read, write, verify, create) to IAM actions; `arns` gives the resources that these
    are scoped to, `informing` those actions of the probe on which no decision rests, and `governs`
    tells whether an action is ever checked against one of them. `charges` are the billed units of
    copying a size, by the names of the price table; `speed` is that of a usual copy; `advice` says
    which properties of a target that is to be created would help a copy of that size. `replaced_by`
    names the properties, beside the `identifier`, whose change makes CloudFormation replace the
    resource, and `fixed_parts` gives, by name, the parts of properties that may come and go, and of
    which a change does so, too (the whole value where it is not literal which they are); `stateful`
    is False where a template holds the whole value, so that nothing is lost with the resource.
    `adoptable` is False where CloudFormation cannot import a resource by its name, so that it is
    referenced instead; `renamed_in_place` says that another `identifier` renames the resource and
    replaces nothing, and `unique_names` is False where two resources may have one name, so that
    another one can be created beside the first. `locate` tells in which region a place really is,
    where names belong to no region; it is None for other kinds, and answers None where that cannot
    be seen. `key_schema` reads the schema of a name alone, for kinds whose records have one.
    `types` are the CloudFormation types that declare one and the same thing, such as tables and
    global tables (empty: `cfn_type` alone); they share `name`, and are looked up together where a
    resource is looked for by its type. `readers` parts are read
    (each holds some pages) and `writers` units written at the same time, unless a person says
    otherwise.
    """

    name: str
    cfn_type: str
    noun: str
    short: str
    unit: str
    identifier: str
    check_name: Callable[[str], str | None]
    probe: Callable[[Aws, str], Facts]
    permissions: Mapping[str, tuple[str, ...]]
    arns: Callable[[str, str, str, str], tuple[str, ...]]
    informing: tuple[str, ...] = ()
    governs: Callable[[str, str], bool] = lambda _action, _arn: True
    declared_schema: Callable[[Mapping[str, Any]], str | None] = lambda _properties: ""
    fixed_parts: Callable[[Mapping[str, Any]], Any] = field(default=lambda _properties: None)
    check_existing_name: Callable[[str], str | None] | None = None
    check_properties: Callable[[Mapping[str, Any]], str | None] = lambda _properties: None
    properties_like: Callable[[Facts], Mapping[str, Any]] = field(default=lambda _facts: {})
    declared_settings: Callable[[Mapping[str, Any]], Mapping[str, Setting]] = field(
        default=lambda _properties: {}
    )
    copier: MakeCopier | None = None
    reader: MakeReader | None = None
    scheme: str | None = None
    batch: int = 1
    ordered: bool = True
    prefixes: bool = False
    charges: Callable[[Size], Mapping[str, float]] = field(default=lambda _size: {})
    advice: Callable[[Mapping[str, Any], Size], str | None] = field(
        default=lambda _properties, _size: None
    )
    speed: Throughput = field(default=Throughput(1000.0))
    readers: int = 4
    writers: int = 32
    replaced_by: tuple[str, ...] = ()
    stateful: bool = True
    adoptable: bool = True
    renamed_in_place: bool = False
    unique_names: bool = True
    locate: Callable[[Aws, Location], str | None] | None = None
    key_schema: Callable[[Aws, str], str | None] | None = None
    types: tuple[str, ...] = ()

    def problem_of_name(self, name: str) -> str | None:
        """What is wrong with a name under which something may stand already, or None."""
        return (self.check_existing_name or self.check_name)(name)

    @property
    def all_types(self) -> tuple[str, ...]:
        """Every CloudFormation type that declares this kind of thing."""
        return self.types or (self.cfn_type,)
