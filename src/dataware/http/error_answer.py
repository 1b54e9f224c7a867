"""What it means that a service said no: one value, one table, for every way to AWS; pure.

S3 answers in XML, DynamoDB in JSON, and the SDK in exceptions. Each is read into an `ErrorAnswer`;
`MEANINGS` says what its code means, and from that follows whether another try may help
(`judge`), which error people see (`to_error`), and whether only one key is concerned
(`skip_of`). Sources: Amazon S3 API Reference, "Error responses"; Amazon DynamoDB Developer Guide,
"Error handling with DynamoDB"; AWS "Common error types" of each API reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

# The documents come from the service itself, and expat resolves no external entities.
from xml.etree.ElementTree import ParseError, fromstring

from dataware.core.copier import SkipReason
from dataware.core.errors import (
    AuthenticationError,
    DatawareError,
    LookupFailedError,
    NotFoundError,
    WriteDeniedError,
)
from dataware.core.model import Problem
from dataware.core.ports import Judgement, Response
from dataware.http.absence import is_bare, says_absent
from dataware.http.denial import Denial


class Meaning(Enum):
    """What a code means, whichever service answers with it."""

    DENIED = auto()
    CLOSED = auto()
    """Denied to everybody: the whole resource or account is closed."""
    EXPIRED = auto()
    REJECTED = auto()
    """The credentials are not accepted."""
    SKEWED = auto()
    """The clock of this machine is wrong."""
    MISDIRECTED = auto()
    """The bucket is in another region, and the answer did not lead there."""
    THROTTLED = auto()
    TRANSIENT = auto()
    GONE = auto()
    """One key, version or upload is not there any more."""
    ARCHIVED = auto()
    TOO_LARGE = auto()
    INVALID_ITEM = auto()
    """The service does not take this very item; its message says why."""


_CODES: Mapping[Meaning, tuple[str, ...]] = {
    Meaning.DENIED: (
        "401",  # answers to HEAD have no body, and so only a status
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "Forbidden",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
    ),
    Meaning.CLOSED: ("AllAccessDisabled", "NotSignedUp"),
    Meaning.EXPIRED: (
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRefreshRequired",
    ),
    Meaning.REJECTED: (
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ),
    Meaning.SKEWED: ("RequestInTheFuture", "RequestTimeTooSkewed"),
    Meaning.MISDIRECTED: (
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "PermanentRedirect",
    ),
    Meaning.THROTTLED: (
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    ),
    Meaning.TRANSIENT: (
        "BadDigest",
        "ConditionalRequestConflict",
        "InternalError",
        "InternalServerError",
        "OperationAborted",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "TemporaryRedirect",  # a new bucket whose name is not known everywhere yet
        "TransactionConflictException",
        "TransactionInProgressException",
    ),
    Meaning.GONE: ("NoSuchKey", "NoSuchUpload", "NoSuchVersion"),
    # A read or a copy of an archived object that is not restored (GetObject, CopyObject).
    Meaning.ARCHIVED: ("InvalidObjectState", "ObjectNotInActiveTierError"),
    Meaning.TOO_LARGE: ("ItemCollectionSizeLimitExceededException",),
    Meaning.INVALID_ITEM: ("ValidationException",),
}
MEANINGS: Mapping[str, Meaning] = {
    code: meaning for meaning, codes in _CODES.items() for code in codes
}
"""The meaning of each code; one that is not here says nothing but its name."""

GET_CREDENTIALS = (
    "give credentials with --profile, the AWS_ variables or `aws configure` / `aws sso login`"
)
RENEW = "renew them (`aws sso login`, or fetch new ones) and run the same command again"
_AUTH_HINTS: Mapping[Meaning, str] = {
    Meaning.EXPIRED: f"the AWS credentials{{whose}} have expired; {RENEW}",
    Meaning.REJECTED: f"AWS does not accept the credentials{{whose}}; {GET_CREDENTIALS}",
    Meaning.SKEWED: "the clock of this machine is wrong; set it and run the same command again",
}
_SKIPS: Mapping[Meaning | None, tuple[SkipReason, str]] = {
    Meaning.GONE: (SkipReason.CHANGED, "it changed or was deleted since it was listed"),
    Meaning.ARCHIVED: (SkipReason.ARCHIVED, "it is archived: restore it first"),
    Meaning.TOO_LARGE: (SkipReason.TOO_LARGE, "its collection is full"),
}
_INVALID_ITEMS: tuple[tuple[str, SkipReason, str], ...] = (
    ("item size", SkipReason.TOO_LARGE, "it is larger than the target allows"),
    ("index", SkipReason.FAILED, "it does not fit an index of the target"),
    ("key", SkipReason.FAILED, "its key does not fit the target's schema"),
    ("", SkipReason.FAILED, "the target refused it (ValidationException)"),
)
"""Words in the message that DynamoDB refuses an item with, and what they mean for it."""

_WRITES = frozenset({"BatchWriteItem", "DeleteItem", "PutItem"})
_COPIES = frozenset({"CopyObject", "UploadPartCopy"})
"""Operations on two buckets, whose answers do not say which of them is not there."""

_EVERY_KEY = frozenset({*_AUTH_HINTS, Meaning.CLOSED, Meaning.MISDIRECTED})


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error answer to an operation; `code` is the status where the answer names none.

    `condition` is the precondition that failed, where S3 names it, and `whose` says with whose
    credentials was asked, where that is known.
    """

    operation: str
    code: str
    status: int
    message: str = ""
    condition: str = ""
    whose: str = ""

    @property
    def meaning(self) -> Meaning | None:
        """What the code means; None for one that is not known."""
        return MEANINGS.get(self.code)

    @property
    def is_named(self) -> bool:
        """Whether the answer names its error, as every answer of a JSON service does."""
        return self.code != str(self.status)

    @property
    def is_denied(self) -> bool:
        """Whether a permission may be the matter."""
        if self.meaning is None:
            return self.status in (401, 403)
        return self.meaning in (Meaning.DENIED, Meaning.CLOSED)

    @property
    def is_gone(self) -> bool:
        """Whether one key, version or upload is not there any more."""
        return self.meaning is Meaning.GONE

    @property
    def concerns_one_item(self) -> bool:
        """Whether a batch was refused for one of its items, so that the others can be written."""
        return self.meaning in (Meaning.TOO_LARGE, Meaning.INVALID_ITEM)

    @property
    def concerns_every_key(self) -> bool:
        """Whether a copy of any other key would end in the same way."""
        return self.meaning in _EVERY_KEY or self.code == "NoSuchBucket"

    @property
    def auth_hint(self) -> str | None:
        """What is wrong with the caller and what to do; None where it is not the matter."""
        hint = _AUTH_HINTS.get(self.meaning) if self.meaning else None
        return hint and hint.format(whose=f" {self.whose}" if self.whose else "")

    @property
    def says_absent(self) -> bool:
        """Whether the service says that what was asked for is not there; no status does."""
        return says_absent(self.operation, self.code, self.message)

    def judge(self) -> Judgement:
        """Whether another try may help."""
        meaning, status = self.meaning, self.status
        if meaning is Meaning.THROTTLED or status in (429, 503):
            return Judgement.THROTTLED
        # A clock is corrected by the transport; what is refused meanwhile is asked again.
        if meaning in (Meaning.TRANSIENT, Meaning.SKEWED) or status == 408:
            return Judgement.RETRY
        return Judgement.RETRY if status >= 500 and status != 501 else Judgement.FAILED

    def to_problem(self, permission: str | None = None) -> Problem:
        """The question that was not answered; the permission counts only where it is the matter."""
        needed = permission if self.is_denied else None
        need = Denial.of(self.message).clause(needed) if needed else ""
        return Problem(self.operation, self.code, needed, self.message, need=need)

    def to_error(
        self, what: str, permission: str | None = None, *, looking: bool = False
    ) -> DatawareError:
        """The error for people: AuthenticationError, NotFoundError or LookupFailedError.

        A denied write is a WriteDeniedError. `looking` is for a look at something, whose answers
        hold no data: the message is shown, and the bare 404 of a call whose answers have no body
        counts as absence, for the caller to confirm.
        """
        if self.auth_hint is not None:
            return AuthenticationError(f"{self.operation} returned {self.code}: {self.auth_hint}")
        problem = self.to_problem(permission)
        bare = looking and self.status == 404 and is_bare(self.operation, self.code)
        if not self.is_denied and (bare or self.says_absent):
            unsure = not looking and self.operation in _COPIES
            text = f"{what}: {problem}" if unsure else f"{what} does not exist ({problem})"
            return NotFoundError(text, problem)
        if self.is_denied and self.operation in _WRITES:
            return WriteDeniedError(f"{what}: {problem}", problem)
        text = f"cannot access {what}: {problem}" if looking else f"{what}: {problem}"
        detail = f" ({self.message})" if looking and self.message else ""
        return LookupFailedError(f"{text}{detail}", problem)

    def skip_of(self, needed: str) -> tuple[SkipReason, str] | None:
        """Why one key is skipped, with the reason in a clause; None if the code does not say so.

        `needed` names the permissions, for a denial that names none itself.
        """
        meaning = Meaning.GONE if self.status == 412 else self.meaning
        if meaning in _SKIPS:
            return _SKIPS[meaning]
        if meaning is Meaning.INVALID_ITEM:
            message = self.message.casefold()
            return next((kind, why) for word, kind, why in _INVALID_ITEMS if word in message)
        # Errors of the key service come with its name in front (Amazon S3, "Error responses").
        is_key, code = self.code.startswith("KMS."), self.code.removeprefix("KMS.")
        if is_key and "AccessDenied" not in code:
            return SkipReason.LOST_KEY, f"its encryption key is not available ({self.code})"
        if MEANINGS.get(code) is Meaning.DENIED:
            denial = Denial.of(self.message)
            why = denial.clause("the call") if denial.named else f"it needs {needed}"
            return SkipReason.DENIED, f"{self.code}: {why}"
        return None


class RequestRefusedError(Exception):
    """An error answer that no retry changes; the caller decides what that means for its key."""

    def __init__(self, answer: ErrorAnswer) -> None:
        super().__init__(f"{answer.operation} returned {answer.code}")
        self.answer = answer


def read_error(operation: str, response: Response) -> ErrorAnswer:
    """The error in an answer, in XML or JSON; of answers to HEAD only the status."""
    named = response.headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2]
    members = _members(response.body)
    code = named or members.get("Code") or str(response.status)
    return ErrorAnswer(
        operation,
        code,
        response.status,
        members.get("Message", ""),
        members.get("Condition", ""),
        response.whose,
    )


def read_json_error(
    operation: str, response: Response, document: Mapping[str, object]
) -> ErrorAnswer:
    """The error in the decoded answer of a JSON service; the status where it names none."""
    members, status = _json_members(document), response.status
    code, message = members.get("Code") or str(status), members.get("Message", "")
    return ErrorAnswer(operation, code, status, message, whose=response.whose)


def _members(body: bytes) -> Mapping[str, str]:
    """Code, message and condition of an error; nothing of what is no whole document."""
    try:
        if body.lstrip()[:1] == b"{":
            document = json.loads(body)
            return _json_members(document) if isinstance(document, dict) else {}
        root = fromstring(body)  # noqa: S314 - see the import
    except (ParseError, LookupError, ValueError):  # a garbled encoding's name is a LookupError
        return {}
    if root.tag.rpartition("}")[2] != "Error":
        return {}
    members: dict[str, str] = {}
    for child in root:
        members.setdefault(child.tag.rpartition("}")[2], child.text or "")
    return members


def _json_members(document: Mapping[str, object]) -> Mapping[str, str]:
    code = str(document.get("__type") or document.get("code") or "").rpartition("#")[2]
    return {"Code": code, "Message": str(document.get("message") or document.get("Message") or "")}
