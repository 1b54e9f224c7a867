"""What S3 answers mean; pure.

Only a complete document of the expected sort is a success. An error inside a 200, an empty body
or a torn document is worth another try, and never looks like an empty bucket or a finished copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

# The documents come from the service itself, and expat resolves no external entities.
from xml.etree.ElementTree import Element, ParseError, fromstring

from dataware.core.absence import says_absent
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import Problem
from dataware.core.ports import Judgement, Response

T = TypeVar("T")

_SLOWER = {
    "SlowDown",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
}
_AGAIN = {
    "BadDigest",
    "ConditionalRequestConflict",
    "InternalError",
    "OperationAborted",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    # A new bucket whose name is not known everywhere yet.
    "TemporaryRedirect",
}
GONE = frozenset({"NoSuchKey", "NoSuchUpload", "NoSuchVersion"})
"""The codes by which S3 says that an object, a version or an upload is not there any more."""

_NO_WAY_IN = {
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "IllegalLocationConstraintException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "NotSignedUp",
    "PermanentRedirect",
    "SignatureDoesNotMatch",
}


ARCHIVED_CODES = frozenset({"InvalidObjectState", "ObjectNotInActiveTierError"})
"""Errors of a read or a copy of an archived object that is not restored (Amazon S3 API Reference,
GetObject and CopyObject)."""

DENIED_CODES = frozenset(
    {"401", "403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedAccess"}
)
"""Errors that a permission may be the matter of; answers to HEAD have only a status."""


class MalformedResponseError(Exception):
    """A document that is not what was asked for, or not all of it."""


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error answer; `condition` is the precondition that failed, where S3 names it."""

    status: int
    code: str
    message: str = ""
    condition: str = ""


class S3RequestError(Exception):
    """A request that failed for good; the caller decides what that means for its key."""

    def __init__(self, call: str, fault: ErrorAnswer) -> None:
        super().__init__(f"{call} answered {fault.code}")
        self.call = call
        self.fault = fault

    @property
    def says_absent(self) -> bool:
        """Whether S3 says that what was asked for is not there; a status alone says nothing."""
        return says_absent(self.call, self.fault.code)

    def surface(self, what: str, permission: str | None = None) -> NoReturn:
        """Raise it as an error for people: NotFoundError or LookupFailedError."""
        denied = self.fault.status == 403
        problem = Problem(
            self.call, self.fault.code, permission if denied else None, self.fault.message
        )
        error = NotFoundError if self.says_absent else LookupFailedError
        raise error(f"{what}: {problem}", problem) from self


def refuse_all(rejected: S3RequestError, bucket: str) -> None:
    """Raise an error for people when an answer concerns every key, and not just one."""
    if rejected.fault.code in _NO_WAY_IN or rejected.fault.code == "NoSuchBucket":
        rejected.surface(f"bucket {bucket}")


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def texts(element: Element) -> dict[str, str]:
    """The children of an element as text, by name; of several equal ones the first counts."""
    found: dict[str, str] = {}
    for child in element:
        found.setdefault(local(child), child.text or "")
    return found


def document(body: bytes) -> Element:
    """The root of a complete document; raises Garbled."""
    try:
        return fromstring(body)  # noqa: S314 - see the import
    except (ParseError, LookupError) as error:  # an encoding of a garbled name is a LookupError
        raise MalformedResponseError(str(error)) from error


def fault_of(response: Response) -> ErrorAnswer:
    """The error that an answer tells of; answers to HEAD have a status only."""
    try:
        root = document(response.body)
    except MalformedResponseError:
        return ErrorAnswer(response.status, str(response.status))
    said = texts(root) if local(root) == "Error" else {}
    code = said.get("Code") or str(response.status)
    return ErrorAnswer(response.status, code, said.get("Message", ""), said.get("Condition", ""))


def judge_fault(response: Response) -> Judgement:
    """What an answer means that is no success."""
    code = fault_of(response).code
    if code in _SLOWER or response.status in {429, 503}:
        return Judgement.THROTTLED
    if (
        code in _AGAIN
        or response.status == 408
        or (response.status >= 500 and response.status != 501)
    ):
        return Judgement.RETRY
    return Judgement.FAILED


def judge_plain(response: Response) -> Judgement:
    """What an answer means whose status says everything (HEAD, DELETE)."""
    return Judgement.DONE if response.status in {200, 204} else judge_fault(response)


def judge_range(length: int) -> Callable[[Response], Judgement]:
    """A judge of ranged reads that takes `length` bytes and nothing else for a success."""

    def judge(response: Response) -> Judgement:
        if response.status not in {200, 206}:
            return judge_fault(response)
        return Judgement.DONE if len(response.body) == length else Judgement.RETRY

    return judge


class AnswerReader(Generic[T]):
    """A judge of documents that keeps what the good one said.

    `read` takes the root element and raises Garbled for anything but a whole, fitting document.
    `quick` may tell the same from the body at once; None means that `read` has to decide.
    """

    __slots__ = ("_quick", "_read", "value")

    def __init__(
        self, read: Callable[[Element], T], quick: Callable[[bytes], T | None] | None = None
    ) -> None:
        self._read = read
        self._quick = quick
        self.value: T | None = None

    def __call__(self, response: Response) -> Judgement:
        """Judge one answer."""
        self.value = None
        if response.status != 200:
            return judge_fault(response)
        if self._quick is not None:
            self.value = self._quick(response.body)
        if self.value is None:
            return self._judge(response)
        return Judgement.DONE

    def _judge(self, response: Response) -> Judgement:
        try:
            root = document(response.body)
            if local(root) == "Error":
                return judge_fault(response)
            self.value = self._read(root)
        except MalformedResponseError:
            return Judgement.RETRY
        return Judgement.DONE
