"""The machinery of the benchmarks: what it measures with must not lose count itself."""

from __future__ import annotations

import importlib
import json
import pkgutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import bench
from tests.bench import contenders
from tests.bench.buckets import VirtualBucket, key_of
from tests.bench.chart import picture
from tests.bench.fidelity.compare import of_items
from tests.bench.http import Question
from tests.bench.jobs import prepare_bucket
from tests.bench.measure import Run
from tests.bench.names import SOURCE, TARGET
from tests.bench.page import DOCS
from tests.bench.race import attempt
from tests.bench.result import Bar, Goal, Result
from tests.bench.tables import VirtualTable
from tests.bench.world import World, world

_NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def copied(key: str, source: str = SOURCE, *extra: str) -> bytes:
    """A copy as a client sends it."""
    lines = (f"PUT /{TARGET}/{key} HTTP/1.1", "Host: bench", *extra)
    return "\r\n".join((*lines, f"X-Amz-Copy-Source: {source}/{key}", "", "")).encode()


def listed(bucket: VirtualBucket, name: str, query: str = "") -> list[str]:
    """All keys of a listing, page after page."""
    keys, more = [], ""
    while True:
        ask = f"GET /{name}?list-type=2{query}{more} HTTP/1.1".encode()
        answer = bucket.answer(Question(ask))
        assert answer is not None
        page = ET.fromstring(answer.body)
        keys += [one.text or "" for one in page.iter(f"{_NS}Key")]
        token = page.findtext(f"{_NS}NextContinuationToken")
        if token is None:
            return keys
        more = f"&continuation-token={token}"


@pytest.mark.parametrize(
    "name", [one.name for one in pkgutil.walk_packages(bench.__path__, f"{bench.__name__}.")]
)
def test_every_part_can_be_imported(name: str) -> None:
    """Nothing else runs the benchmarks, so that what is renamed is easily missed in them."""
    importlib.import_module(name)


@given(
    size=st.integers(0, 30),
    after=st.text("dat/0123.b", max_size=14),
    prefix=st.sampled_from(["", "data/", "data/0000000", "x"]),
    limit=st.integers(1, 7),
)
def test_a_virtual_listing_is_that_of_its_keys(
    size: int, after: str, prefix: str, limit: int
) -> None:
    """Whatever it begins after, the listing holds each later key with the prefix once, in order."""
    bucket = VirtualBucket(SOURCE, TARGET, size)
    keys = map(key_of, range(size))
    wanted = [key for key in keys if key > after and key.startswith(prefix)]
    query = f"&start-after={after}&prefix={prefix}&max-keys={limit}"
    assert listed(bucket, SOURCE, query) == wanted


def test_the_responder_counts_a_copy_once_and_the_quick_way_as_the_slow_one() -> None:
    """The ledger knows what was copied, what twice, and refuses what the source does not hold."""
    bucket = VirtualBucket(SOURCE, TARGET, 10)
    assert bucket.quick(copied(key_of(3))) is not None
    assert listed(bucket, TARGET) == [key_of(3)]
    assert bucket.quick(copied(key_of(3), SOURCE, "If-None-Match: *")) is None
    for odd in (copied(key_of(10)), copied(key_of(4), "other"), copied("data/4.bin")):
        assert bucket.quick(odd) is None
        answer = bucket.answer(Question(odd.removesuffix(b"\r\n\r\n")))
        assert answer is not None
        assert answer.status == 404
    assert bucket.quick(copied(key_of(3))) is not None
    report = bucket.ledger.report()
    assert (report["written"], report["twice"], report["wrong"]) == (1, 1, 3)


def test_the_responder_takes_a_batch_only_as_the_source_holds_it() -> None:
    """A batch that was put together anew counts if its values are the same, else it is wrong."""
    table = VirtualTable(SOURCE, TARGET, 100)
    head = b"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.BatchWriteItem"
    verbatim = table.batch(range(25))
    anew = json.dumps(json.loads(table.batch(range(25, 50)))).encode()
    altered = table.batch(range(50, 51)).replace(b"12.5", b"12.6")
    for body in (verbatim, anew, altered):
        assert table.answer(Question(head, body)) is not None
    report = table.ledger.report()
    assert (report["written"], report["wrong"], report["reread"]) == (50, 1, 2)


def test_a_run_up_to_a_moment_has_only_what_was_taken_until_then() -> None:
    """Time and CPU time up to the last write leave out what came after it."""
    run = Run(10.0, 5.0, 1, started=100.0, samples=((101.0, 1.0), (104.0, 2.0), (109.0, 4.5)))
    early, late = run.until(102.5), run.until(200.0)
    assert (early.seconds, early.cpu) == (2.5, 1.5)
    assert (late.seconds, late.cpu) == (10.0, 5.0)


def test_results_survive_their_publication() -> None:
    """What is kept as data is the result again, and its picture is well-formed."""
    result = Result("a <title>", ("what", "seconds"), [["x", "1.0"]], [Goal("g", "1", None)])
    result.bars = [Bar("dataware & co", 2.0, ours=True), Bar("other", 1.0)]
    assert Result.from_json(json.loads(json.dumps(result.to_json()))).markdown() == (
        result.markdown()
    )
    bars = ET.fromstring(picture([result])).iter("{http://www.w3.org/2000/svg}rect")
    assert [bar.get("class") for bar in bars] == ["ours", "other"]


def test_published_figures_are_those_of_the_page() -> None:
    """Every row of docs/benchmarks.json stands in docs/benchmarks.md."""
    data = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    page = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    assert data["results"]
    for entry in data["results"].values():
        entry.pop("measured")
        assert Result.from_json(entry).markdown() in page


@pytest.fixture(scope="module")
def bench() -> Iterator[World]:
    """The servers of the benchmarks."""
    with world() as one:
        yield one


@pytest.mark.xdist_group("bench")
class TestBench:
    """One tiny race and one report, of dataware alone."""

    def test_a_race_measures_a_copy_that_lost_nothing(self, bench: World) -> None:
        """An attempt has the time, the CPU time and the memory of dataware's own run."""
        ours = contenders.of_buckets(bench)[0]

        def prepare(_: object, count: int) -> None:
            prepare_bucket(bench, count, existing=True)

        made = attempt(bench, ours, 20, prepare)
        assert bench.responder.report()["written"] == 20
        assert 0 < made.copied.seconds <= made.whole.seconds
        assert 0 < made.copied.cpu <= made.whole.cpu
        assert made.whole.rss > 10_000_000

    def test_dataware_keeps_every_item(self, bench: World, tmp_path: Path) -> None:
        """All thirty items arrive with the values that they have in the source."""
        ours = contenders.of_tables(bench)[0]
        (kept,) = of_items(bench, [ours]).kept
        assert (kept.status, kept.gone, kept.lost.total()) == (0, [], 0)
        assert len(kept.changed) == 30
