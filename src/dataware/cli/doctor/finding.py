"""What a check finds: one line with a verdict, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingStatus(StrEnum):
    """How a check ended; the value is the event that reports it."""

    FINE = "check-passed"
    NOTE = "check-note"
    WARNING = "check-warning"
    FAILURE = "check-failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was found, and what to do; a FAILURE is something that will fail.

    `unchecked` says that the check could not be made, so that nobody knows what it would find.
    """

    verdict: FindingStatus
    found: str
    do: str = ""
    unchecked: bool = False

    @property
    def text(self) -> str:
        """The finding in one sentence."""
        return f"{self.found}; {self.do}" if self.do else self.found


def fine(found: str) -> Finding:
    """As it should be."""
    return Finding(FindingStatus.FINE, found)


def note(found: str, do: str = "") -> Finding:
    """Something to know; nothing has to be done."""
    return Finding(FindingStatus.NOTE, found, do)


def warning(found: str, do: str = "") -> Finding:
    """Something that may fail, or that was not seen."""
    return Finding(FindingStatus.WARNING, found, do)


def not_checked(why: str, do: str = "") -> Finding:
    """Something into which it was not possible to look."""
    return Finding(FindingStatus.WARNING, why, do, unchecked=True)


def failure(found: str, do: str) -> Finding:
    """Something that will fail."""
    return Finding(FindingStatus.FAILURE, found, do)
