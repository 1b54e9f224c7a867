"""The identity that every run has to keep: planned = copied + already there + left behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from dataware.calc.multiset_digest import MultisetDigest
from dataware.migrate.copy_state import CopyState
from dataware.state import FileJournal
from support.killing import journals


def check_identity(records: Iterable[Mapping[str, Any]], planned: int) -> CopyState:
    """Every planned key is accounted for exactly once, and every partition was read to its end."""
    progress = CopyState.of(kept := list(records))
    assert progress.finished, "a run that ended has no partition left"
    check_sums(kept, planned)
    counts = progress.counts
    assert counts.copied + counts.same + counts.skipped == planned, counts
    assert counts.tally.records in (0, counts.copied + counts.same), "a tally is of everything"
    return progress


def check_tally(progress: CopyState, sent: Iterable[bytes]) -> None:
    """What is copied or the same are exactly these items, as they were sent, each of them once."""
    digests = (sha256(item).digest()[:16] for item in sent)
    assert progress.counts.tally == MultisetDigest.of(digests)


def check_sums(records: Iterable[Mapping[str, Any]], planned: int) -> CopyState:
    """No key is counted twice, and every key that counts as left behind is named with a reason."""
    progress = CopyState.of(kept := list(records))
    assert progress.counts.done <= planned, progress.counts
    named = [left for record in kept for left in record.get("skipped_keys", ())]
    assert all(left["key"] and left["reason"] and left["detail"] for left in named)
    assert len(named) == sum(record.get("skipped", 0) for record in checkpoints(kept))
    return progress


def checkpoints(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The checkpoints among records."""
    return [record for record in records if record.get("type") == "checkpoint"]


def journal_of(home: Path) -> list[Mapping[str, Any]]:
    """The records of the one journal that commands have left in the home of a test."""
    (path,) = journals(home)
    journal = FileJournal(path)
    try:
        return list(journal.records())
    finally:
        journal.close()
