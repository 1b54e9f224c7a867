"""Writes and reads a manifest and a report of hostile keys; prints seconds and peak memory.

Usage: PYTHONPATH=tests python -m tests.bench.manifests [KEYS]
"""

from __future__ import annotations

import hashlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dataware.kinds.s3_bucket.batch.manifest import ManifestRow, ManifestWriter
from dataware.kinds.s3_bucket.batch.report import ReportFile, record_report
from dataware.state.journal import FileJournal
from support.batch_reports import hostile_keys, read_manifest, write_report

CHUNK = 1 << 20
MOST_MEGABYTES = 150
"""What no step may hold at once, whatever the number of keys."""

FAILS_EACH = 100


class FileSink:
    """Puts the parts of a manifest into a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def put(self, _number: int, body: bytes) -> None:
        """One after another."""
        self._file.write(body)

    def complete(self) -> str:
        """Nobody asks for the ETag."""
        self._file.close()
        return ""


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file as it comes over a wire."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def measure(name: str, work: Callable[[], object]) -> None:
    """Do some work; say how long it took, and the most memory that this process ever had."""
    began = time.monotonic()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(f"{name}: {time.monotonic() - began:.0f} s, {peak} MB at most\n")
    sys.stdout.flush()
    assert peak <= MOST_MEGABYTES, f"{name}: {peak} MB"


def main(count: int) -> None:
    """All four steps, in a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder:
        manifest, report = Path(folder, "manifest.csv"), Path(folder, "report.csv")

        def write() -> None:
            writer = ManifestWriter(FileSink(manifest), "source")
            for key in hostile_keys(count):
                writer.add(ManifestRow(key))
            writer.complete()

        def read() -> None:
            rows = read_manifest(chunks_of(manifest))
            for key, row in zip(hostile_keys(count), rows, strict=True):
                assert row == (key, None)

        digest = hashlib.md5(usedforsecurity=False)

        def prepare() -> None:
            tasks = (
                (key, "" if at % FAILS_EACH else "AccessDenied")
                for at, key in enumerate(hostile_keys(count))
            )
            with report.open("wb") as file:
                for line in write_report(tasks):
                    digest.update(line)
                    file.write(line)

        def record() -> None:
            journal = FileJournal(Path(folder, "target.journal"))
            file = ReportFile("reports", "results/0.csv", digest.hexdigest())
            totals = record_report(journal, [file], lambda _file: chunks_of(report))
            assert totals == (count - -(-count // FAILS_EACH), -(-count // FAILS_EACH))
            journal.close()

        measure(f"manifest of {count:,} keys written", write)
        measure(f"manifest of {count:,} keys read back and compared", read)
        measure(f"report of {count:,} rows made", prepare)
        measure(f"report of {count:,} rows read into the journal", record)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
