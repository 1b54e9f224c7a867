"""Values that may not be read: not in an error, not in a traceback, not in a representation.

Services repeat what they refuse ("Value '…' at 'secretString' failed to satisfy constraint"), so
where values are sent or read, nothing of an answer's own words is passed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from dataware.core.errors import (
    AuthenticationError,
    IncompleteError,
    LookupFailedError,
    NotFoundError,
    WriteDeniedError,
)
from dataware.core.model import Problem
from dataware.core.ports import Aws

E = TypeVar("E", bound=BaseException)


class HiddenValue:
    """A value that shows itself to nobody who prints it; `reveal` gives it to a service."""

    __slots__ = ("_value",)

    def __init__(self, value: str | bytes) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "HiddenValue()"

    def reveal(self) -> str | bytes:
        """The value itself."""
        return self._value


@contextmanager
def hide_values(aws: Aws, what: str, permission: str, *, writes: bool = False) -> Iterator[None]:
    """Translate errors as `Aws.translate_errors` does, without any word of the service's.

    Raises WriteDeniedError where something that `writes` is denied. Nothing hangs on the error
    either: neither its cause nor its context.
    """
    hidden: BaseException | None = None
    try:
        with aws.translate_errors(what, permission):
            yield
    except (AuthenticationError, IncompleteError) as error:
        hidden = type(error)(str(error))
    except (LookupFailedError, NotFoundError) as error:
        hidden = _hide(error, what, permission, writes=writes)
    except Exception as error:
        call = permission.partition(":")[2]
        hidden = LookupFailedError(f"{what}: {call} failed ({type(error).__name__})")
    if hidden is not None:
        raise _alone(hidden)


def _hide(
    error: LookupFailedError | NotFoundError, what: str, permission: str, *, writes: bool
) -> BaseException:
    call = permission.partition(":")[2]
    if error.problem is None:
        return type(error)(f"{what}: {call} failed")
    problem: Problem = replace(error.problem, detail="")
    if isinstance(error, NotFoundError):
        return NotFoundError(f"{what} does not exist ({problem})", problem)
    denied = writes and error.lacks_permission
    return (WriteDeniedError if denied else LookupFailedError)(f"{what}: {problem}", problem)


def _alone(error: E) -> E:
    """The error without what it came from."""
    error.__cause__ = error.__context__ = None
    error.__suppress_context__ = True
    return error
