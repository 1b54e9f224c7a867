"""What every use case is given: the ports, and the settings of a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import EngineName
from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.kind import Kind
from dataware.core.model import Location, OnConflict, Wanted
from dataware.core.object_headers import NO_HEADERS, ObjectHeaders
from dataware.core.ports import Aws, Clock, Emit, Journal, Journals, Lease, Markers, StopRequest
from dataware.ops.run_bounds import AT_ONCE, RunBounds

if TYPE_CHECKING:
    from dataware.core.follow.cutover_ports import CutoverRecords
    from dataware.core.follow.feed import FollowStates
    from dataware.migrate.lease_term import LeaseTerm
    from dataware.migrate.worker_group import WorkerHandle
    from dataware.migrate.worker_task import WorkerTask
    from dataware.verify.run import TaskRunner


class TargetToMake(NamedTuple):
    """A resource to create: the preferred one of what is wanted."""

    kind: Kind
    wanted: Wanted


class CreationWatch(Protocol):
    """Hears what becomes of targets that are created together; for any thread."""

    def report_made(self, wanted: Wanted) -> None:
        """A target is there, and stays whatever becomes of the others."""
        ...

    def report_failed(self, wanted: Wanted, error: BaseException) -> None:
        """A target cannot be created."""
        ...

    def await_recorded(self, wanted: Sequence[Wanted]) -> None:
        """Wait until it is on record which resources these targets are, or they are given up."""
        ...


class MadeTarget(Protocol):
    """A target that is there, maybe still in the holding stack that made it."""

    def let_go(self) -> None:
        """It is recorded, so the stack may go; does not wait until it is gone."""
        ...

    def await_end(self) -> None:
        """Wait until the target belongs to no holding stack. Raises why it still does."""
        ...


class HoldingStacks(Protocol):
    """Creates resources by CloudFormation and leaves them without an owner."""

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """Create resources by as few stacks as possible, and tell `watch` of each at once.

        Those that are `filled` as soon as they are there are not taken away because of others. A
        stack is removed once its targets are recorded. Raises ServiceError where one stays.
        """
        ...

    def release(self, kind: Kind, name: str) -> bool:
        """Remove what a killed run left of an earlier creation; whether that made the resource.

        The resource stays. Raises HalfMadeError for one whose creation failed on the way.
        """
        ...


class Workers(Protocol):
    """Starts processes that help to copy and to compare."""

    @property
    def cores(self) -> int:
        """How many processes can run at the same time here."""
        ...

    def start(
        self, assignment: WorkerTask, journal: Journal, term: LeaseTerm | None = None
    ) -> WorkerHandle:
        """Start one; while it lives, `journal` stays locked where the system can do that.

        Like this process it sends nothing beyond the `term` of the lock.

        Raises Incomplete when the system starts no more processes.
        """
        ...

    def task_runner(self, pair: ComparisonSpec, threads: TaskRunner) -> TaskRunner:
        """What carries the tasks of a comparison out, with `threads` where they are few."""
        ...


class MoveContext(Protocol):
    """Makes the context of another region, with the records, journals and stacks that lie there."""

    def __call__(self, context: Context, region: str) -> Context:
        """The same run, elsewhere."""
        ...


class EnterAccount(Protocol):
    """Makes the context of another account, in the region of the first."""

    def __call__(self, context: Context, account: str) -> Context:
        """The same run, elsewhere. Raises DatawareError where no credentials fit."""
        ...


class MakeCutoverRecords(Protocol):
    """Makes the records of a cut-over under a held lock."""

    def __call__(
        self,
        marked: tuple[str, str, str],
        lease: Lease,
        publish: Callable[[Mapping[str, Any]], None],
        send_heartbeat: Callable[[], None],
    ) -> CutoverRecords:
        """The records of what is `marked`: kind, target and run."""
        ...


@dataclass(frozen=True, slots=True)
class CopySettings:
    """How a copy is made.

    `max_rate` is in items or objects a second, `max_share` a fraction (0 to 1] of provisioned
    capacity; `allow_skipped` lets a run be complete though keys were skipped, and `allow_partial`
    lets a copy begin that leaves out what its kind names; the sizes are in
    bytes; `readers` and `writers` bound what is under way at once (None: as the kind is best
    copied), `bytes_in_flight` its memory; `processes` copy together (None: as many as there is use
    for). `follow` carries what changes after the copy, and `enable_feed` allows to switch on what
    reports changes in the source; `export_to` is the bucket, with a prefix, into which changes are
    exported. An `engine` is what a person asks for, with a `service_role`
    that it may assume. Of a run of several migrations `max_parallel` go on at once, and share these
    bounds. `object_headers` go with every object that is written, and with `requester_pays`
    requests to both buckets say that the caller pays for them.
    """

    on_conflict: OnConflict | None = None
    all_versions: bool = False
    allow_skipped: bool = False
    allow_partial: bool = False
    deep: bool = False
    max_rate: float | None = None
    max_share: float | None = None
    multipart_threshold: int = 5 * 1024**3
    part_size: int = 512 * 1024**2
    readers: int | None = None
    writers: int | None = None
    bytes_in_flight: int = 64 * 1024**2
    processes: int | None = None
    max_parallel: int = AT_ONCE
    follow: bool = False
    enable_feed: bool = False
    export_to: str = ""
    engine: EngineName | None = None
    service_role: str | None = None
    object_headers: ObjectHeaders = NO_HEADERS
    requester_pays: bool = False


@dataclass(frozen=True, slots=True)
class ComparisonSpec:
    """Both sides of a comparison, and how it is made; a value that travels.

    With `reads_unsettled` the content is read where neither ETags nor checksums settle equality.
    """

    type_name: str
    source: Location
    target: Location
    all_versions: bool = False
    deep: bool = False
    reads_unsettled: bool = False

    @staticmethod
    def of(kind: Kind, order: CopyOrder, *, deep: bool = False) -> ComparisonSpec:
        """The comparison that follows a copy, which knows what the copy made of the ETags."""
        return ComparisonSpec(
            kind.cfn_type,
            order.source,
            order.target,
            order.all_versions,
            deep,
            order.headers.hides_content_hash,
        )


class NoJournals:
    """The journals of a place where nothing is copied."""

    def open(self, kind: str, target: str) -> Journal:
        """Refuse."""
        raise RefusedError(f"nothing is copied into {target} ({kind}) from here")

    def read(self, _kind: str, _target: str) -> Iterable[Mapping[str, Any]]:
        """There are none."""
        return ()


class OpenProfile(Protocol):
    """Opens the account of another profile, which only reads."""

    def __call__(self, profile: str) -> Aws:
        """The control plane of its account, the same each time. Raises InputError without it."""
        ...


def _refuse_profile(profile: str) -> Aws:
    raise LookupFailedError(f"the profile {profile} cannot be used here")


def _refuse_account(context: Context, account: str) -> Context:
    raise LookupFailedError(
        f"the credentials are those of account {context.aws.account}, not of {account}"
    )


@dataclass(frozen=True, slots=True)
class Context:
    """The outside, as one argument.

    Without `workers` this process copies and compares alone. `bounds` are shared by all migrations
    of the run. Without `follow_states` nothing is followed, and without `cutover_records` nothing
    is cut over. `command_run` is the id of the record that the command leaves. `enter` makes the
    context of another account, and raises DatawareError where no credentials fit;
    `open_profile` opens the account of a profile that reads a source, and `source_profile` is the
    one that reads those of an app; `source_region` is the region that it names, if it does.
    """

    aws: Aws
    markers: Markers
    clock: Clock
    emit: Emit
    hold: HoldingStacks
    journals: Journals = field(default_factory=NoJournals)
    follow_states: FollowStates | None = None
    cutover_records: MakeCutoverRecords | None = None
    stop: StopRequest = field(default=lambda: False)
    strict: bool = False
    workers: Workers | None = None
    bounds: RunBounds = field(default_factory=RunBounds)
    command_run: str | None = None
    move: MoveContext = field(
        default=lambda context, region: replace(context, aws=context.aws.for_region(region))
    )
    enter: EnterAccount = _refuse_account
    open_profile: OpenProfile = _refuse_profile
    source_profile: str = ""
    source_region: str = ""

    def in_environment(self, account: str | None, region: str | None) -> Context:
        """The same context where a stack goes; what it leaves open is as it is here.

        Raises DatawareError where no credentials fit the account.
        """
        is_own_account = account in {None, self.aws.account}
        there = self if is_own_account else self.enter(self, str(account))
        return there.in_region(region or self.aws.region)

    def in_region(self, region: str) -> Context:
        """The same context in another region of the account, where other records lie."""
        return self if region == self.aws.region else self.move(self, region)


def aws_of(context: Context, place: Location) -> Aws:
    """The control plane of the place's region, which expects the place's owner."""
    aws = context.open_profile(place.profile) if place.profile else context.aws
    there = reach(aws, place)
    return there if place.owner == aws.account else there.expecting(place.owner)


def reach(aws: Aws, place: Location) -> Aws:
    """The control plane of the place's region, which says who pays where that is asked for."""
    there = aws.for_region(place.region)
    return there.as_requester() if place.requester_pays else there
