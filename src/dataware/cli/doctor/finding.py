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
    observation: str
    do: str = ""
    unchecked: bool = False

    @property
    def text(self) -> str:
        """The finding in one sentence."""
        return f"{self.observation}; {self.do}" if self.do else self.observation


def fine(text: str) -> Finding:
    """As it should be."""
    return Finding(FindingStatus.FINE, text)


def note(text: str, do: str = "") -> Finding:
    """Something to know; nothing has to be done."""
    return Finding(FindingStatus.NOTE, text, do)


def warning(text: str, do: str = "") -> Finding:
    """Something that may fail, or that was not seen."""
    return Finding(FindingStatus.WARNING, text, do)


def not_checked(why: str, do: str = "") -> Finding:
    """Something into which it was not possible to look."""
    return Finding(FindingStatus.WARNING, why, do, unchecked=True)


def failure(text: str, do: str) -> Finding:
    """Something that will fail."""
    return Finding(FindingStatus.FAILURE, text, do)
