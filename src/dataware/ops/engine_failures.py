"""What an engine reports that it did not bring: into the journal, and out of it for people.

A report decides nothing, because both sides are compared whatever it says; it explains what that
finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from dataware.core.engines.port import FAILED_KEYS, FailedItem
from dataware.core.ports import Journal
from dataware.core.printable import escape_key, escape_unprintable
from dataware.verify.verdict import Verdict

REPORT = "engine-report"
"""A record of the journal: a report was read to its end."""

CHUNK = 500
"""Keys in one record."""

NAMED = 3
"""Keys that a line for people names."""

LONGEST_WHY = 200


def record_failures(
    journal: Journal, failures: Iterable[FailedItem], check: Callable[[], None]
) -> None:
    """Write every item of a report into the journal, unless that was done; `check` ends a run."""
    if any(one.get("type") == REPORT for one in journal.records()):
        return
    count, rest = 0, iter(failures)
    while chunk := [_to_json(one) for one in islice(rest, CHUNK)]:
        check()
        journal.append({"type": FAILED_KEYS, "keys": chunk})
        count += len(chunk)
    journal.append({"type": REPORT, "failed": count})


def describe_failures(journal: Journal) -> str:
    """Some of what the journal has of reports, with the reasons; empty where it has nothing."""
    named = islice(_read_failures(journal), NAMED)
    return ", ".join(f"{key} ({why})" for key, why in named)


def count_reported(journal: Journal, verdict: Verdict) -> int:
    """How many of the keys that differ are in a report."""
    differing = {escape_key(one.raw_key) for one in verdict.listed}
    if not differing:
        return 0
    return len(differing.intersection(key for key, _ in _read_failures(journal)))


def _read_failures(journal: Journal) -> Iterator[tuple[str, str]]:
    """Each key that a report names, with the reason."""
    for record in journal.records():
        for one in record.get("keys", ()) if record.get("type") == FAILED_KEYS else ():
            if "key" in one:
                yield str(one["key"]), str(one.get("why") or "no reason given")


def _to_json(failure: FailedItem) -> Mapping[str, Any]:
    named = {} if failure.key is None else {"key": escape_key(failure.key)}
    return {**named, "why": escape_unprintable(failure.why[:LONGEST_WHY])}
