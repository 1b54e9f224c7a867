"""The errors that dataware shows to people.

    DatawareError              exit 1
    ├── InputError               exit 1   an argument, a file or a setting is wrong
    │   ├── NotRecordedError  exit 1   nothing is on record under a name
    │   ├── AppError          exit 1   the user's own app ended with an error
    │   └── AuthenticationError           exit 1   credentials or clock: AWS hears no question
    ├── ServiceError          exit 1   a service did not do what was asked
    │   ├── NotFoundError           exit 1   the named thing does not exist
    │   ├── HalfMadeError           exit 1   what was to be created is there, but not whole
    │   └── LookupFailedError          exit 1   access denied, throttled for good, time-out
    ├── Difference             exit 2   both sides were compared and differ
    ├── Refused                exit 3   a stop rule, a changed fact, or another run's lock
    │   └── Conflict           exit 3   the target has its own under a key, and that was to stop
    └── Incomplete             exit 4   not done, but the next run resumes here

The text of an error is one sentence that says what, where, why and what to do. Whatever ends a run
that has begun to change something ends it as Incomplete, unless going on could lose data.
"""

from __future__ import annotations

from dataware.core.model import Problem


class DatawareError(Exception):
    """Base of every error that is shown as one sentence; `exit_code` is the command's."""

    exit_code = 1

    @property
    def public(self) -> str:
        """The sentence for records and messages, which may leave the machine: without any key."""
        return str(self)


class InputError(DatawareError):
    """An argument, a file or a setting cannot be used as it is."""


class NotRecordedError(InputError):
    """Nothing is on record under a name; `similar` is what is, and may have been meant."""

    def __init__(self, message: str, similar: str | None = None) -> None:
        super().__init__(message)
        self.similar = similar


class AppError(InputError):
    """The app of a project did not end well; `output` is what it wrote to standard error."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class AuthenticationError(InputError):
    """AWS does not let the caller in: no credentials, refused or expired ones, a wrong clock."""


class ServiceError(DatawareError):
    """A service did not do what was asked; `problem` names the call and its error code."""

    def __init__(self, message: str, problem: Problem | None = None) -> None:
        super().__init__(message)
        self.problem = problem

    @property
    def code(self) -> str:
        """The error code that the service answered; empty where it answered none."""
        return self.problem.code if self.problem is not None else ""


class NotFoundError(ServiceError):
    """The service says that the named thing does not exist."""


class HalfMadeError(ServiceError):
    """A creation began, failed on the way, and left the resource behind without all it needs."""


class LookupFailedError(ServiceError):
    """The service did not answer a question: denied, unreachable, or failing for good."""

    @property
    def lacks_permission(self) -> bool:
        """Whether a permission is missing, which the next try does not have either."""
        return self.problem is not None and self.problem.permission is not None


class WriteDeniedError(LookupFailedError):
    """Writing is denied, for the reason that is the text.

    `attempts` writes were made, if that is known; `copied` is how many items or objects the target
    holds nevertheless, and `beside` how many of them were written together with what was denied.
    """

    def __init__(self, message: str, problem: Problem | None = None, attempts: int = 0) -> None:
        super().__init__(message, problem)
        self.attempts = attempts
        self.copied = self.beside = 0


class SidesDifferError(DatawareError):
    """Two sides were compared and are not the same."""

    exit_code = 2


class RefusedError(DatawareError):
    """Going on could lose data, so nothing (more) is changed."""

    exit_code = 3


class ConflictError(RefusedError):
    """The target holds something of its own under a key, which the text names: the run stops."""

    @property
    def public(self) -> str:
        """The same without the key, which is a part of the data."""
        return (
            "source and target hold different data under the same key, and --on-conflict is stop; "
            "the output names the key"
        )


class IncompleteError(DatawareError):
    """The work is not finished; running the same command again continues it."""

    exit_code = 4


def to_go_on(error: Exception) -> str:
    """Why a run that has begun ended, with what to do to go on."""
    is_ours = isinstance(error, DatawareError)
    text = str(error) if is_ours else f"unexpected error, {type(error).__name__}: {error}"
    if "run the same command again" in text:
        return text
    where = "" if is_ours else ", or with --debug to see where it was"
    is_denied = isinstance(error, LookupFailedError) and error.lacks_permission
    first = f"{how_to_allow(text)}, then " if is_denied else ""
    return f"{text}; {first}run the same command again to resume{where}"


def how_to_allow(why: str) -> str:
    """What to do about a denial that an error has told, as the start of a sentence."""
    if "explicit deny" in why:
        return "change that policy"
    return "allow it (`dataware iam-policy` prints what a run needs)"
