"""The parameters of records: a value counts only right after what its writer had seen.

Parameter Store has no condition for overwriting. But each write makes the next version, versions
never change, and the last 100 of them can be read by number (AWS Systems Manager User Guide,
"Working with parameter versions in Parameter Store"). So every value says after which version it
was written. A write that was slow, repeated, or overtaken by another one is not the next version
after what its writer had seen; it is passed over by everyone, whenever it arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any, Protocol, TypeVar, runtime_checkable

from dataware.core.answer_time import read_answer_time
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import MarkerState, Problem
from dataware.core.ports import Aws, Clock
from dataware.state.holder import has_ended
from dataware.state.marker_value import (
    ASKED,
    HEARD_AT,
    ROOT,
    MarkerValue,
    NewerValueError,
    decode,
    encode,
    target_of,
)

T = TypeVar("T")
READ, LIST, WRITE = "ssm:GetParameter", "ssm:GetParametersByPath", "ssm:PutParameter"
DELETE = "ssm:DeleteParameter"
NO_SUCH_VERSION = "ParameterVersionNotFound"


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A value that counts: its version, the service's time when it was read, its age then."""

    value: MarkerValue
    version: int
    at: float
    age: float

    def alive(self, alive_seconds: float) -> bool:
        """Whether the run that wrote it still works on the target."""
        running = self.value.state is MarkerState.RUNNING and not self.value.released
        return running and self.age < alive_seconds and not has_ended(self.value.token)


@dataclass(frozen=True, slots=True)
class StoredParameter:
    """What a parameter holds: the value that counts, if one does, and the newest version.

    Without a parameter the newest version is 0.
    """

    stored: StoredValue | None
    newest: int


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """The answer to a write: the parameter's new version, and the service's time."""

    version: int
    at: float


@runtime_checkable
class Finisher(Protocol):
    """An account in which looks are given up at once when a person asks to stop, but for these."""

    def finish(self, call: Callable[[], T]) -> T:
        """What `call` returns, which is given a moment with all its calls."""
        ...


class ParameterStore:
    """Reads and writes the records of one account and region."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self._aws = aws
        self.clock = clock

    def look(self, name: str) -> StoredParameter:
        """What a parameter holds now. Raises LookupFailedError."""
        try:
            parameter, now = self._get(name)
        except NotFoundError:
            return StoredParameter(None, 0)
        return self._counting(parameter, now)

    def every(self) -> Iterator[tuple[Mapping[str, Any], float]]:
        """Every parameter as it is listed, with the service's time. Raises LookupFailedError."""
        pages = self._ssm().get_paginator("get_parameters_by_path")
        with self._aws.translate_errors("the migration markers", LIST):
            listed = [
                (parameter, self._service_time(page))
                for page in pages.paginate(Path=ROOT, Recursive=True, MaxResults=10)
                for parameter in page["Parameters"]
            ]
        yield from listed

    def read_listed(self, parameter: Mapping[str, Any], now: float) -> StoredParameter:
        """What a listed parameter holds. Raises LookupFailedError."""
        return self._counting(parameter, now)

    def write(self, name: str, value: MarkerValue, after: int) -> WriteAnswer:
        """Write a value; it counts if the answered version is the one right after `after`."""
        return self._put(name, replace(value, after=after), overwrite=True)

    def finish(self, call: Callable[[], T]) -> T:
        """What `call` returns that ends a run, whose looks are answered also after a stop."""
        return self._aws.finish(call) if isinstance(self._aws, Finisher) else call()

    def create(self, name: str, value: MarkerValue) -> WriteAnswer | None:
        """Write a first value; None if there is a parameter."""
        try:
            return self._put(name, replace(value, after=0), overwrite=False)
        except LookupFailedError as error:
            if error.code != "ParameterAlreadyExists":
                raise
            return None

    def read_whole(self, name: str) -> tuple[Mapping[str, Any], float]:
        """A parameter as it is stored, whatever it holds, and its age. Raises NotFoundError."""
        parameter, now = self._get(name)
        return parameter, age_of(parameter, now)

    def delete(self, name: str) -> None:
        """Delete a parameter with all of its versions; harmless if it is gone, as a first try that
        had no answer leaves it. Raises LookupFailedError.
        """
        with suppress(NotFoundError), self._aws.translate_errors(f"the marker {name}", DELETE):
            self._ssm().delete_parameter(Name=name)

    def _put(self, name: str, value: MarkerValue, *, overwrite: bool) -> WriteAnswer:
        with self._aws.translate_errors(f"the marker {name}", WRITE):
            answer = self._ssm().put_parameter(
                Name=name, Value=encode(value), Type="String", Tier="Standard", Overwrite=overwrite
            )
        return WriteAnswer(int(answer["Version"]), self._service_time(answer))

    def _counting(self, parameter: Mapping[str, Any], now: float) -> StoredParameter:
        """The newest version that counts, going back from a parameter as it was read."""
        name, newest = parameter["Name"], int(parameter["Version"])
        version = newest
        while True:
            stored = _decode_parameter(name, parameter, now)
            if self._counts(name, stored):
                return StoredParameter(stored, newest)
            version -= 1
            if version == 0:
                return StoredParameter(None, newest)
            parameter, now = self._version(name, version)

    def _counts(self, name: str, stored: StoredValue) -> bool:
        """Whether nothing was written between a value and what its writer had seen.

        A value of the former format does not say that; it counts, but not behind a value that does,
        because then it comes from a run that is long over.
        """
        if stored.value.after is not None:
            return stored.value.follows(stored.version)
        if stored.version == 1:
            return True
        try:
            parameter, now = self._version(name, stored.version - 1)
        except LookupFailedError as error:
            if error.code == NO_SUCH_VERSION:
                return True
            raise
        return _decode_parameter(name, parameter, now).value.after is None

    def _version(self, name: str, version: int) -> tuple[Mapping[str, Any], float]:
        """An earlier version of a parameter. Raises LookupFailedError, also if it is not kept."""
        try:
            return self._get(f"{name}:{version}")
        except NotFoundError as error:
            raise LookupFailedError(str(error), error.problem) from error

    def _get(self, name: str) -> tuple[Mapping[str, Any], float]:
        with self._aws.translate_errors(f"the marker {name}", READ):
            answer = self._ssm().get_parameter(Name=name)
        return answer["Parameter"], self._service_time(answer)

    def _service_time(self, answer: Mapping[str, Any]) -> float:
        """The service's time of an answer; this machine's only where the answer has none."""
        return read_answer_time(answer, self.clock.now())

    def _ssm(self) -> Any:
        return self._aws.client("ssm")


def age_of(parameter: Mapping[str, Any], now: float) -> float:
    """The seconds since a parameter was written."""
    return max(0.0, now - float(parameter["LastModifiedDate"].timestamp()))


def _decode_parameter(name: str, parameter: Mapping[str, Any], now: float) -> StoredValue:
    try:
        value = decode(parameter["Value"])
    except ValueError as error:
        text = _unreadable(name, error)
        raise LookupFailedError(
            text, Problem("GetParameter", "UnreadableMarker", None, text)
        ) from error
    # Who asks something of a run writes its value again, which is no heartbeat of that run.
    asked_after = now - value.detail.get(ASKED, {}).get(HEARD_AT, now)
    age = max(age_of(parameter, now), asked_after)
    return StoredValue(value, int(parameter["Version"]), now, age)


def _unreadable(name: str, error: ValueError) -> str:
    """Why a value cannot be read, and what to do."""
    if isinstance(error, NewerValueError):
        return (
            f"the marker {name} was written by a newer version of dataware ({error}): upgrade"
            " dataware"
        )
    return (
        f"this version of dataware cannot read the marker {name} ({error}): use the one that wrote "
        f"it, or if no migration runs, `dataware forget {quote(target_of(name))}`"
    )
