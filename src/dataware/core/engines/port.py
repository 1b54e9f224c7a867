"""What an engine brings that makes a full target, or fills one that the run made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from dataware.core.copier import CopyOrder
from dataware.core.model import Location
from dataware.core.ports import Clock, Journal

Record = Mapping[str, Any]
"""What a record keeps of an engine: JSON, from which another run goes on with the same work."""

ERRORS = "errors"
"""What a creator's counts call the items that it was given and did not bring."""

NO_COUNTS: Mapping[str, int] = MappingProxyType({})


WORK = "work"
"""Where a record has the figures of a service's work, while it goes on."""


class WorkFigures(NamedTuple):
    """What a service says of work that goes on: its status, and what it counts, as far as it does.

    `done` includes what has `failed`; `running` is what is under way. `items` is about how many
    items or objects are done, of about `of`, where something else is counted.
    """

    state: str = ""
    done: int = 0
    total: int = 0
    failed: int = 0
    running: int = 0
    items: int = 0
    of: int = 0


NO_FIGURES = WorkFigures()


class CreatorWords(NamedTuple):
    """What people read of a creator's work: `noun` and `done` in sentences, else event codes.

    `stays` says in a clause what a stop leaves of the request, and `prepares` has the codes for
    what comes before it: begun, under way, done. What `ends_early` is ended with its migration,
    where that is given up.
    """

    noun: str
    done: str
    begins: str
    resumes: str
    progress: str
    ends: str
    stays: str
    ends_early: bool = False
    prepares: tuple[str, str, str] | None = None


class CreationProgress(NamedTuple):
    """How far a target is: whether it is there, and whether the work has ended.

    `problem` says in a clause what went wrong; with `failed` the work has to be asked for again,
    else the target has what it brought. It is `unknown` where its service does not know the work:
    because that has just been asked for, or is gone. `counts` go to the journal.
    """

    exists: bool
    done: bool
    problem: str = ""
    failed: bool = False
    counts: Mapping[str, int] = NO_COUNTS
    figures: WorkFigures = NO_FIGURES
    unknown: bool = False


class Preparation(NamedTuple):
    """What was made ready before a target is asked for: the record with it, and if that is all.

    `problem` says why it failed, so that the next run makes it again, and `refusal` why the target
    cannot be made at all. It is `unknown` as work is.
    """

    record: Record
    ready: bool = True
    problem: str = ""
    refusal: str = ""
    figures: WorkFigures = NO_FIGURES
    unknown: bool = False


FAILED_KEYS = "engine-failed"
"""The record of a journal that has keys which an engine reports that it did not bring."""


class FailedItem(NamedTuple):
    """Something that a service did not bring, with its key where it says which, and why."""

    key: bytes | None
    why: str


class TargetCreator(Protocol):
    """Makes a target that is full already, or fills one, by a service of AWS that goes on alone."""

    @property
    def words(self) -> CreatorWords:
        """What people read of it."""
        ...

    def find_problem(self, source: Location, properties: Mapping[str, Any]) -> str:
        """What stands against it, in a clause; empty if nothing does. Raises LookupFailedError."""
        ...

    def find_request(
        self, source: Location, target: Location, since: float, before: Record
    ) -> Record | None:
        """What to ask for and to keep on record first; None while it cannot be asked for yet.

        Changes of the source up to `since` should be in it. `before` is the record of an earlier
        run, whose request may have got through. Raises RefusedError and LookupFailedError.
        """
        ...

    def prepare(self, record: Record, source: Location) -> Preparation:
        """One step before the target is asked for; again is harmless. Raises LookupFailedError."""
        ...

    def begin(
        self, record: Record, source: Location, target: Location, properties: Mapping[str, Any]
    ) -> Record:
        """Ask for the target, again is harmless; the record with what it is called.

        Raises IncompleteError where it is not known whether the request got through, and any
        other error where it has not.
        """
        ...

    def look(self, record: Record, target: Location) -> CreationProgress:
        """How far it is. Raises RefusedError where something else stands under that name."""
        ...

    def read_failures(self, record: Record, target: Location) -> Iterator[FailedItem]:
        """What it reports that it was given and did not bring. Raises LookupFailedError."""
        ...

    def repair(self, target: Location, properties: Mapping[str, Any]) -> Sequence[str]:
        """Set what the service does not bring along, as declared; the names of what was set.

        Raises IncompleteError where something is not as declared afterwards.
        """
        ...

    def cancel(self, record: Record) -> bool:
        """End what can be ended, again is harmless; whether nothing goes on that can be.

        Raises LookupFailedError.
        """
        ...

    def list_parts(self, record: Record) -> Sequence[str]:
        """What stands in the account only because of the work, by name."""
        ...

    def clean(self, record: Record) -> None:
        """Remove what only the work needed; harmless if it is gone. Raises LookupFailedError."""
        ...

    def describe(self, record: Record) -> str:
        """Of when the target's data is, for people."""
        ...


class JobProgress(NamedTuple):
    """How far a job is with filling a target; `problem` says why it ended early.

    It `waits` while it does nothing until it is confirmed, and is `unknown` where its service does
    not know it: because it has just been made, or is gone. `done` includes what has `failed`, and
    `of` is about how many items or objects there are, where it counts parts of them.
    """

    done: int
    total: int
    ended: bool
    problem: str = ""
    state: str = ""
    waits: bool = False
    failed: int = 0
    running: int = 0
    of: int = 0
    unknown: bool = False

    @property
    def figures(self) -> WorkFigures:
        """The same, as a record has it; parts of about equal size stand for their items."""
        items = self.of * self.done // self.total if self.total else 0
        counts = (self.done, self.total, self.failed, self.running)
        return WorkFigures(self.state, *counts, items, self.of)


class CopyJob(Protocol):
    """Copies into a target that the run made, by a service of AWS that goes on by itself."""

    def plan(self, run: str, target: Location, before: Record) -> Record:
        """What to keep on record before anything is asked for; another one after a failed try."""
        ...

    def list_work(
        self, record: Record, order: CopyOrder, clock: Clock, check: Callable[[], None]
    ) -> Record:
        """Write down what is to be copied; the record with that. `check` raises what ends a run."""
        ...

    def begin(self, record: Record, order: CopyOrder) -> Record:
        """Ask for it, again is harmless; the record with what it is called."""
        ...

    def still_fits(self, record: Record, order: CopyOrder, check: Callable[[], None]) -> bool:
        """Whether the target holds what it held before the work was listed."""
        ...

    def confirm(self, record: Record) -> None:
        """Let it begin; again is harmless. Raises LookupFailedError."""
        ...

    def cancel(self, record: Record) -> bool:
        """End what was asked for, again is harmless; whether nothing goes on any more.

        Raises LookupFailedError.
        """
        ...

    def list_parts(self, record: Record) -> Sequence[str]:
        """What stands in the account only because of it, by name."""
        ...

    def look(self, record: Record) -> JobProgress:
        """How far it is. Raises LookupFailedError."""
        ...

    def read_result(
        self, record: Record, journal: Journal, check: Callable[[], None]
    ) -> tuple[int, int]:
        """Read what became of it into the journal: how many were copied, and how many not."""
        ...

    def clean(self, record: Record) -> None:
        """Remove what only the work needed; harmless if it is gone."""
        ...
