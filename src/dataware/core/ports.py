"""What the inside asks of the outside, as protocols.

Everything that touches a network, a disk, a clock or a person is one of these; a test passes a
fake. This module holds no behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from dataware.core.events import Event
from dataware.core.model import Deployed, Marker, Owner, Upload
from dataware.core.run_control import RunControl

T = TypeVar("T")


class Emit(Protocol):
    """Takes each event as it happens; for any thread."""

    def __call__(self, happened: Event, /) -> None:
        """Report it, or keep it."""
        ...


class StopRequest(Protocol):
    """Whether a person asked to stop."""

    def __call__(self) -> bool:
        """True from then on."""
        ...


class Judgement(Enum):
    """What an answer means: success, worth another try, a request to slow down, or a failure."""

    DONE = auto()
    RETRY = auto()
    THROTTLED = auto()
    FAILED = auto()


class Response(NamedTuple):
    """An HTTP answer. Header names are lower case; `body` is complete and undecoded.

    `whose` tells of a refusal whose credentials asked, such as "of profile prod".
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whose: str = ""


class Request(NamedTuple):
    """An HTTP request before it is signed.

    `service` is the signing name (``s3``, ``dynamodb``); `path` and `query` are percent-encoded
    by the caller, exactly as they go over the wire; `judge` tells what an answer means, so that
    the transport knows no service; it may look at headers and body. `shared` are headers, by
    lower-case name, that go with many requests: the same object each time is prepared once.
    `headers` are those of this request alone.
    """

    service: str
    method: str
    path: str
    judge: Callable[[Response], Judgement]
    query: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""
    region: str | None = None
    shared: Mapping[str, str] = MappingProxyType({})


class Permit(Protocol):
    """Says before each request whether it may be sent at all."""

    @property
    def current(self) -> bool:
        """Whether requests may be sent now."""
        ...

    def hear(self, date: str) -> None:
        """Take the time in an answer, as its header ``Date`` has it."""
        ...

    async def wait(self) -> None:
        """Wait until requests may be sent. Raises the reason if they may not any more."""
        ...


class Wire(Protocol):
    """The hot path: signs a request, sends it as its `permit` lets it, and gives the response."""

    permit: Permit | None

    @property
    def retries(self) -> int:
        """How many requests were sent again so far, for whatever reason."""
        ...

    async def send(self, request: Request) -> Response:
        """Send, and retry what `request.judge` says is worth another try.

        Returns the first answer judged DONE or FAILED. Raises LookupFailedError when throttling,
        time-outs or server errors outlast the budget.
        """
        ...

    async def close(self) -> None:
        """Release connections and threads."""
        ...


class PlainRequest(NamedTuple):
    """An HTTP request to an address of its own, which carries its authorization in its headers."""

    method: str
    url: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class PlainHttp(Protocol):
    """HTTP that is not signed, for services with a protocol of their own, such as registries.

    A GET or HEAD that is redirected is followed; to another host it goes without its authorization.
    Nothing is sent without the `permit`, if there is one. Each call raises OSError where no
    complete answer arrived; whether to try again is for the caller.
    """

    async def send(self, request: PlainRequest, permit: Permit | None = None) -> Response:
        """Send a request once."""
        ...

    async def relay(
        self,
        source: PlainRequest,
        target: PlainRequest,
        take: Callable[[bytes], None],
        permit: Permit | None = None,
    ) -> tuple[Response, Response | None]:
        """Send the body of the answer to `source` as the body of `target`, piece by piece.

        `take` sees each piece before it is sent. The second answer is None, and nothing was sent,
        where the first is no 200.
        """
        ...


class Aws(Protocol):
    """The control plane of one account and region."""

    @property
    def account(self) -> str:
        """The twelve digits of the caller's account."""
        ...

    @property
    def region(self) -> str:
        """The region, such as ``eu-central-1``."""
        ...

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""
        ...

    def for_region(self, region: str) -> Aws:
        """The control plane of a region of the same credentials, be it this one."""
        ...

    def client(self, service: str) -> Any:
        """A shared, thread-safe boto3 client. S3 clients send the expected bucket owner."""
        ...

    def fetch(self, service: str, call: str, read: Callable[[bytes], T], **arguments: Any) -> T:
        """What `read` makes of the undecoded body of a successful answer, for readers of much.

        `call` is a method of the client (``list_objects_v2``). Signing, retries and errors are
        the client's own, so use it under `translate_errors`. A body that is truncated, does not
        match its checksum, or on which `read` raises ValueError is asked for again;
        LookupFailedError in the end.
        """
        ...

    def pause(self, seconds: float) -> None:
        """Wait between two calls. Raises Incomplete as soon as a person asks to stop."""
        ...

    def expecting(self, bucket_owner: str) -> Aws:
        """The same caller and region, where buckets are expected to be another account's.

        S3 refuses a request whose expected owner does not own the bucket (Amazon S3 User Guide,
        "Verifying bucket ownership with bucket owner condition").
        """
        ...

    def as_requester(self) -> Aws:
        """The same caller and region, where every request to S3 says that the caller pays for it.

        Without that S3 refuses requests to a bucket whose owner lets requesters pay (Amazon S3 User
        Guide, "Using Requester Pays buckets").
        """
        ...

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """Translate the SDK's errors; `permission` is what a denied call needs."""
        ...

    def owner_of(self, types: Collection[str], physical_id: str) -> Owner:
        """The CloudFormation owner as OTHER_STACK with stack and logical id, or UNMANAGED.

        `types` are all that declare such a resource. Only stacks of this account and region are
        found. Deleted stacks and retained, released resources count as UNMANAGED, and so do the
        holding stacks of dataware itself. Raises LookupFailedError.
        """
        ...

    def stack_resources(self, stack: str) -> Mapping[str, Deployed]:
        """What a stack, by name or id, has now, by logical id; empty without it. Raises
        LookupFailedError.

        What the stack let go, or never made, is left out.
        """
        ...

    def stack_template(self, stack: str) -> Mapping[str, Any] | str:
        """The template a stack was deployed with, as a document or as the text of YAML.

        Raises LookupFailedError, and NotFoundError without the stack.
        """
        ...

    def stack_parameters(self, stack: str) -> Mapping[str, str]:
        """The parameters of a stack, empty if it does not exist. Raises LookupFailedError."""
        ...

    def stack_id(self, stack: str) -> str | None:
        """The id of a stack; None if it does not exist. Raises LookupFailedError."""
        ...

    def stack_status(self, stack: str) -> str | None:
        """The status of a stack; None if it does not exist. Raises LookupFailedError."""
        ...

    def stack_outputs(self, stack: str) -> Mapping[str, str]:
        """The outputs of a stack, empty if it does not exist. Raises LookupFailedError."""
        ...

    def find_upload(self, address: str) -> Upload:
        """What CDK has uploaded under an address of an assembly.

        Raises LookupFailedError, and NotFoundError without the bucket.
        """
        ...

    def exported_values(self) -> Mapping[str, str]:
        """The exports of all stacks of the account and region. Raises LookupFailedError."""
        ...

    def stored_parameter(self, name: str) -> str | None:
        """The value of an SSM parameter; None for a secret, which is not read.

        Raises LookupFailedError, and NotFoundError without it.
        """
        ...

    def plain_http(self) -> PlainHttp:
        """What speaks HTTP to addresses outside of the API, by the proxies that are set."""
        ...

    def wire(self, on_throttle: Callable[[str], None]) -> Wire:
        """A new transport; `on_throttle` is called with the reason of every throttled answer."""
        ...


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait without holding a thread."""
        ...


class Journal(Protocol):
    """The fine-grained memory of one migration on this machine."""

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Every whole record, in the order of writing."""
        ...

    def restart(self) -> None:
        """Forget every record, because what they tell of is void."""
        ...

    def append(self, *records: Mapping[str, Any]) -> None:
        """Write records; they are on disk when this returns. Raises Incomplete when it cannot."""
        ...

    def close(self) -> None:
        """Flush and release the file."""
        ...


class Journals(Protocol):
    """The journals of this machine, by the name of a kind and that of a target."""

    def open(self, kind: str, target: str) -> Journal:
        """Begin a journal, or go on with it. Raises Refused while another run has it."""
        ...

    def read(self, kind: str, target: str) -> Iterable[Mapping[str, Any]]:
        """What a journal says, also while a run has it open; nothing without one."""
        ...


class Markers(Protocol):
    """The durable records of migrations, one per target, outside of this machine."""

    def get(self, kind: str, target: str) -> Marker:
        """The record of `target`; NO_MARKER if there is none. Raises LookupFailedError."""
        ...

    def begin(
        self, kind: str, target: str, marker: Marker, expected: Marker | None = None
    ) -> Lease:
        """Write "running" and take the lock. Raises Refused while another run is alive.

        With `expected`, the record as it was read, also if it says something else by now.
        """
        ...

    def amend(self, kind: str, target: str, run: str | None, detail: Mapping[str, Any]) -> None:
        """Replace the progress of a complete migration. Raises RefusedError where it is another."""
        ...

    def remove(
        self, kind: str, target: str, expected: Marker, keep: Callable[[Mapping[str, Any]], None]
    ) -> None:
        """Delete the record that was `expected`, after `keep` has it. Raises RefusedError."""
        ...

    def all(self) -> list[tuple[str, str, Marker]]:
        """Every record as (kind, target, marker). Raises LookupFailedError.

        One that cannot be read hides no other: it is unknown, and its `problem` says why.
        """
        ...


class Lease(Protocol):
    """A held lock on a target, kept alive by `send_heartbeat`."""

    @property
    def control(self) -> RunControl:
        """What people ask of the run, as of the last heartbeat."""
        ...

    @property
    def unsettled_seconds(self) -> float:
        """For how long something may arrive yet that an earlier run sent without conditions."""
        ...

    @property
    def service_time(self) -> float:
        """The time of AWS, in seconds since the epoch; a machine's own may be wrong."""
        ...

    def delay_next_run(self, seconds: float) -> None:
        """Say from the next write on that something may arrive until `seconds` from now."""
        ...

    def send_heartbeat(self, detail: Mapping[str, Any]) -> None:
        """Renew the heartbeat and store progress. Raises Refused when the lock is lost."""
        ...

    def complete(self, detail: Mapping[str, Any]) -> None:
        """Write "complete" and release the lock."""
        ...

    def release(self, detail: Mapping[str, Any]) -> None:
        """Leave the record at "running", but let the next run in at once."""
        ...
