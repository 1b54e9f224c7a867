"""Manifests and reports of jobs: every key comes back, whatever it holds and however it is cut."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import LookupFailedError
from dataware.kinds.s3_bucket.batch import manifest
from dataware.kinds.s3_bucket.batch.manifest import (
    ManifestRow,
    ManifestWriter,
    decode_key,
    encode_key,
)
from dataware.kinds.s3_bucket.batch.report import (
    ReportFile,
    ReportTotals,
    read_report_manifest,
    read_report_rows,
    record_report,
)
from dataware.state.journal import FileJournal
from support.batch_reports import hostile_keys, read_manifest, report_manifest, write_report
from support.copying import MemoryJournal

KEYS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60)
HOSTILE_KEYS = st.one_of(KEYS, st.text("a,\"\n\r\t%+ /\\'é\0", min_size=1, max_size=12))


class Parts:
    """Keeps parts in memory; its ETag is that of an upload in parts."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def put(self, number: int, body: bytes) -> None:
        """Parts come in order."""
        assert number == len(self.parts) + 1
        self.parts.append(body)

    def complete(self) -> str:
        """What S3 would answer."""
        return f"{hashlib.md5(b''.join(self.parts)).hexdigest()}-{len(self.parts)}"

    @property
    def body(self) -> bytes:
        """The whole object."""
        return b"".join(self.parts)


def cut(body: bytes, size: int) -> Iterator[bytes]:
    """A body in pieces."""
    return (body[at : at + size] for at in range(0, len(body), size))


def written(rows: Sequence[ManifestRow], *, versions: bool = False) -> Parts:
    """The manifest of some rows."""
    parts = Parts()
    writer = ManifestWriter(parts, "source", versions=versions)
    for row in rows:
        writer.add(row)
    writer.complete()
    return parts


@given(st.lists(HOSTILE_KEYS, min_size=1, max_size=30), st.integers(1, 40))
def test_every_key_of_a_manifest_comes_back(keys: list[str], size: int) -> None:
    """In the order of writing, wherever the pieces are cut, and for any reader of CSV."""
    rows = [ManifestRow(key.encode()) for key in keys]
    body = written(rows).body
    assert list(read_manifest(cut(body, size))) == rows
    plain = list(csv.reader(io.StringIO(body.decode(), newline="")))
    assert [unquote_plus(cells[1]) for cells in plain] == keys
    assert {cells[0] for cells in plain} == {"source"}


@given(HOSTILE_KEYS)
def test_a_key_is_encoded_as_in_a_form(key: str) -> None:
    """Slashes stay, spaces become plus signs, and nothing is left that a CSV would quote."""
    text = encode_key(key.encode())
    assert decode_key(text).decode() == key
    assert not set(text) & set(',"\n\r ')
    assert text.count("/") == key.count("/")


def test_a_manifest_has_no_header_and_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """All parts but the last one have the same size, and a row may lie in two of them."""
    monkeypatch.setattr(manifest, "PART_BYTES", 100)
    rows = [ManifestRow(key) for key in hostile_keys(200)]
    parts = written(rows)
    assert {len(part) for part in parts.parts[:-1]} == {100}
    assert 0 < len(parts.parts[-1]) <= 100
    assert parts.body.startswith(b"source,")
    assert list(read_manifest(parts.parts)) == rows


class Nowhere:
    """Takes parts, and keeps none."""

    def put(self, _number: int, _body: bytes) -> None:
        """Forget it."""

    def complete(self) -> str:
        """Nobody asks."""
        return ""


def write_many(count: int) -> None:
    """A manifest of so many keys."""
    writer = ManifestWriter(Nowhere(), "source")
    for key in hostile_keys(count):
        writer.add(ManifestRow(key))
    writer.complete()


def read_many(count: int) -> None:
    """A manifest of so many keys, which is made as it is read."""
    lines = (b"source," + encode_key(key).encode() + b"\n" for key in hostile_keys(count))
    rows = read_manifest(lines)
    assert all(row.key == key for row, key in zip(rows, hostile_keys(count), strict=True))


def report_many(count: int) -> None:
    """A report of so many rows, which is made as it is read, into a journal on disk."""
    digest = hashlib.md5(usedforsecurity=False)
    for line in write_report((key, "") for key in hostile_keys(count)):
        digest.update(line)
    with TemporaryDirectory() as folder:
        journal = FileJournal(Path(folder, "target.journal"))
        file = ReportFile("reports", "results/0.csv", digest.hexdigest())
        rows = write_report((key, "") for key in hostile_keys(count))
        assert record_report(journal, [file], lambda _file: rows) == (count, 0)
        journal.close()


def peak_of(work: Callable[[int], None], count: int) -> int:
    """The most memory that some work has held at once."""
    tracemalloc.start()
    try:
        work(count)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("work", [write_many, read_many, report_many])
def test_ten_times_as_many_keys_take_no_more_memory(
    work: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that 10,000,000 of them need what 2,000 need; `tests.bench.manifests` has the numbers."""
    monkeypatch.setattr(manifest, "PART_BYTES", 50_000)
    work(100)  # what is imported and compiled once
    few, many = peak_of(work, 2_000), peak_of(work, 20_000)
    assert many < few * 1.2 + 20_000, (few, many)


def test_all_rows_have_a_version_or_none() -> None:
    """A job would read a missing cell as the key's current version."""
    rows = [ManifestRow(b"a", "v1"), ManifestRow(b"a", "v2")]
    parts = written(rows, versions=True)
    assert list(read_manifest([parts.body])) == rows
    writer = ManifestWriter(Parts(), "source")
    with pytest.raises(ValueError, match="either every row"):
        writer.add(rows[0])
    with pytest.raises(ValueError, match="needs a row"):
        writer.complete()
    assert ManifestWriter(Parts(), "b", versions=True).fields == ["Bucket", "Key", "VersionId"]


def test_the_examples_of_the_user_guide_are_read() -> None:
    """The number is the status of HTTP, on whichever side of the code it stands."""
    message = '"Lambda returned function error: {""errorMessage"":""Task timed out""}"'
    body = (
        f"awsexamplebucket1,image_14975,,failed,200,PermanentFailure,{message}\n"
        "awsexamplebucket1,image_1,v7,succeeded,,200,Successful\n"
    ).encode()
    one, other = read_report_rows([body])
    assert (one.succeeded, one.code, one.status) == (False, "PermanentFailure", "200")
    assert one.message.endswith('{"errorMessage":"Task timed out"}')
    assert (other.key, other.version, other.succeeded) == (b"image_1", "v7", True)


@given(st.lists(st.tuples(HOSTILE_KEYS, st.booleans()), max_size=30), st.integers(1, 40))
def test_every_row_of_a_report_comes_back(tasks: list[tuple[str, bool]], size: int) -> None:
    """Whatever the key and the message hold, and wherever the pieces are cut."""
    rows = [(key.encode(), "AccessDenied" if failed else "") for key, failed in tasks]
    read = list(read_report_rows(cut(b"".join(write_report(rows)), size)))
    assert [(row.key, row.code) for row in read] == rows
    assert [row.succeeded for row in read] == [not failed for _, failed in tasks]


def test_a_report_is_summed_up_in_the_journal_once() -> None:
    """A run that goes on reads only the files that are not recorded to their end."""
    rows = [
        (key, "AccessDenied" if at % 4 == 0 else "") for at, key in enumerate(hostile_keys(4000))
    ]
    bodies = {
        f"results/{at}.csv": b"".join(write_report(rows[at * 2000 : at * 2000 + 2000]))
        for at in range(2)
    }
    files = read_report_manifest(report_manifest("reports", bodies.items()))
    journal, fetched = MemoryJournal(), []

    def fetch(file: ReportFile) -> Iterator[bytes]:
        fetched.append(file.key)
        if len(fetched) == 2:
            raise LookupFailedError("the line went dead")
        return cut(bodies[file.key], 1000)

    with pytest.raises(LookupFailedError, match="went dead"):
        record_report(journal, files, fetch)
    assert record_report(journal, files, fetch) == ReportTotals(3000, 1000)
    assert fetched == ["results/0.csv", "results/1.csv", "results/1.csv"]
    failed = [one for record in journal.records() for one in record.get("keys", ())]
    assert len(failed) == 1000
    assert {one["code"] for one in failed} == {"AccessDenied"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:-40],
        lambda body: body + b"b,k,,x,1,,\n",
        lambda body: body + b'b,"' + b"k" * (1 << 21) + b'"\n',
    ],
)
def test_a_report_that_is_not_whole_is_refused(damage: object) -> None:
    """Its checksum tells, and nothing is recorded as read to its end."""
    body = b"".join(write_report([(key, "") for key in hostile_keys(30)]))
    (file,) = read_report_manifest(report_manifest("reports", [("results/0.csv", body)]))
    journal = MemoryJournal()
    with pytest.raises(LookupFailedError, match=r"results/0\.csv of the job's report"):
        record_report(journal, [file], lambda _file: [damage(body)])  # type: ignore[operator]
    assert not [one for one in journal.records() if one.get("type") == "batch-file"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"Format": "other", "Results": []}', b"{}"])
def test_what_is_no_report_is_told(body: bytes) -> None:
    """In one sentence."""
    with pytest.raises(LookupFailedError, match="report of the job cannot be read"):
        read_report_manifest(body)
