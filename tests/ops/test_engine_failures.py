"""Reports of what an engine did not bring, in the journal: once, by key, and safe to print."""

from __future__ import annotations

import pytest

from dataware.core.engines.port import FailedItem
from dataware.core.errors import IncompleteError
from dataware.core.reader import KeyFingerprint
from dataware.ops.engine_failures import (
    CHUNK,
    LONGEST_WHY,
    REPORT,
    count_reported,
    describe_failures,
    record_failures,
)
from dataware.verify.merge import DifferenceKind
from dataware.verify.verdict import Verdict
from support.copying import MemoryJournal


def nothing() -> None:
    """Nobody ends the run."""


def verdict_of(*keys: bytes) -> Verdict:
    """A comparison that found these keys missing."""
    verdict = Verdict()
    for key in keys:
        label = key.decode("utf-8", "backslashreplace")
        verdict.note(DifferenceKind.MISSING, KeyFingerprint(key, b"", label))
    return verdict


def test_a_report_is_written_once_in_chunks() -> None:
    """However many keys it has; a second reading changes nothing."""
    journal = MemoryJournal()
    failures = [FailedItem(b"k%d" % number, "why") for number in range(CHUNK + 1)]
    for _ in range(2):
        record_failures(journal, iter(failures), nothing)
    sizes = [len(one["keys"]) for one in journal.records() if "keys" in one]
    assert sizes == [CHUNK, 1]
    assert [one["failed"] for one in journal.records() if one["type"] == REPORT] == [CHUNK + 1]


def test_a_run_that_ends_in_between_reads_the_report_again() -> None:
    """What it had written names no key twice for people."""
    journal, calls = MemoryJournal(), []

    def end() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise IncompleteError("stopped")

    failures = [FailedItem(b"k%d" % number, "why") for number in range(CHUNK + 1)]
    with pytest.raises(IncompleteError):
        record_failures(journal, iter(failures), end)
    record_failures(journal, iter(failures), nothing)
    assert count_reported(journal, verdict_of(b"k0", b"k500", b"other")) == 2


def test_what_is_told_of_a_report_breaks_no_line() -> None:
    """Keys and reasons are somebody else's text; what has no key is not named."""
    journal = MemoryJournal()
    assert describe_failures(journal) == ""
    failures = [
        FailedItem(None, "no key"),
        FailedItem(b"a\nb\xff", "x\ny" * LONGEST_WHY),
        FailedItem(b"empty", ""),
    ]
    record_failures(journal, failures, nothing)
    told = describe_failures(journal)
    assert told.isprintable()
    assert told.startswith("a\\nb\\xff (x\\ny")
    assert told.endswith("empty (no reason given)")
    assert len(told) < 2 * LONGEST_WHY
    assert count_reported(journal, verdict_of(b"a\nb\xff")) == 1
    assert count_reported(journal, verdict_of()) == 0
