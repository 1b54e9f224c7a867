"""The verifying reader: segments, cursors and keyed reads on the embedded AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.reader import Evidence, KeyFingerprint
from dataware.embedded import EmbeddedAws
from dataware.kinds.dynamodb_table.verify.reader import MAX_PARTS, MIN_PARTS, TableReader
from support.dynamo import account, everything, make_table, place, put
from support.readers import read_entries
from support.servers import FaultProxy, Forward, Reply, Seen, json_error


def entry(name: str) -> KeyFingerprint:
    """An entry with a key that nobody needs to hold."""
    label = json.dumps({"pk": {"S": name}}, separators=(",", ":"), ensure_ascii=False)
    return KeyFingerprint(label.encode(), b"", label)


@pytest.fixture
def table(aws_server: EmbeddedAws) -> list[dict[str, Any]]:
    """The table ``tab`` of 230 items."""
    aws = account()
    make_table(aws, "tab")
    put(aws, "tab", [{"pk": {"S": f"é {i}"}, "v": {"N": str(i)}} for i in range(230)])
    return everything(aws, "tab")


def test_the_parts_cover_the_table_once(table: list[dict[str, Any]]) -> None:
    """Every item is in exactly one part, with its key as compact JSON for a label."""
    reader = TableReader(account(), place("tab"), all_versions=False, deep=False)
    entries = list(read_entries(reader))
    assert sorted(each.label for each in entries) == sorted(
        f'{{"pk":{{"S":"{item["pk"]["S"]}"}}}}' for item in table
    )
    assert all(each.conclusive for each in entries)


def digests(entries: list[KeyFingerprint]) -> dict[bytes, bytes]:
    """What stands under each key."""
    return {each.key: each.digest for each in entries}


def in_small_pages(proxy: FaultProxy, limit: int = 7) -> None:
    """Make scans come back in small pages."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        return forward(seen.with_body(json.dumps({**seen.json(), "Limit": limit}).encode()))

    proxy.add(fault, operation="Scan")


def test_a_part_goes_on_after_any_of_its_pages(
    table: list[dict[str, Any]], fault_proxy: FaultProxy
) -> None:
    """A cursor brings exactly what comes after its page, and the last page has none."""
    in_small_pages(fault_proxy)
    reader = TableReader(account(), place("tab"))
    part = reader.parts()[0]
    pages = list(reader.pages(part))
    assert len(pages) > 2
    assert pages[-1].cursor is None
    for number, page in enumerate(pages[:-1], 1):
        assert page.cursor is not None
        rest = [item for each in reader.pages(part, page.cursor) for item in each.records]
        assert rest == [item for each in pages[number:] for item in each.records]


@pytest.mark.parametrize("flaw", [slice(0, -1), slice(0, -30), slice(5, None)])
def test_a_torn_page_is_asked_for_again(
    table: list[dict[str, Any]], fault_proxy: FaultProxy, flaw: slice
) -> None:
    """A page that lost its end or its beginning is never taken for a shorter one."""
    torn: list[Seen] = []

    def tear(seen: Seen, forward: Forward) -> Reply:
        reply = forward(seen)
        if torn:
            return reply
        torn.append(seen)
        return Reply.of(200, reply.body[flaw])

    fault_proxy.add(tear, operation="Scan")
    reader = TableReader(account(), place("tab"))
    entries = list(read_entries(reader))
    assert len(entries) == len(table)
    assert torn


def test_a_record_is_the_item_as_it_was_sent(table: list[dict[str, Any]]) -> None:
    """Both forms of a record agree with its entry; what is found by key means the same."""
    reader = TableReader(account(), place("tab"))
    record = next(
        record for part in reader.parts() for page in reader.pages(part) for record in page.records
    )
    entry = reader.entry(record)
    assert (entry.sent, entry.digest) == (
        reader.digest_raw(record),
        reader.digest_canonical(record),
    )
    assert reader.find([entry])[entry.key].digest == entry.digest


def test_finding_by_key_answers_what_is_there(table: list[dict[str, Any]]) -> None:
    """More than a hundred keys, twins and absent ones: exactly the present items come back."""
    reader = TableReader(account(), place("tab"))
    present = list(read_entries(reader))
    found = reader.find([*present, entry("absent"), present[0]])
    assert {key: each.digest for key, each in found.items()} == digests(present)


def test_unprocessed_keys_are_asked_again(
    table: list[dict[str, Any]], fault_proxy: FaultProxy
) -> None:
    """Keys that a batch leaves out are asked again until all are answered."""

    def partly(seen: Seen, forward: Forward) -> Reply:
        ((name, wanted),) = seen.json()["RequestItems"].items()  # type: ignore[attr-defined]
        keys = wanted["Keys"]
        kept = {"RequestItems": {name: {**wanted, "Keys": keys[:40]}}}
        reply = forward(seen.with_body(json.dumps(kept).encode()))
        left = {name: {**wanted, "Keys": keys[40:]}} if keys[40:] else {}
        answer = {**json.loads(reply.body), "UnprocessedKeys": left}
        return Reply.of(200, json.dumps(answer).encode())

    fault_proxy.add(partly, operation="BatchGetItem")
    waits: list[float] = []
    reader = TableReader(account(), place("tab"), sleep=waits.append)
    present = list(read_entries(reader))
    found = reader.find(present)
    assert {key: each.digest for key, each in found.items()} == digests(present)
    assert len(waits) == 2 + 2


def test_keys_that_are_never_processed_end_in_an_error(
    table: list[dict[str, Any]], fault_proxy: FaultProxy
) -> None:
    """What is not read is never taken for absent."""

    def never(seen: Seen, _forward: Forward) -> Reply:
        answer = {"Responses": {}, "UnprocessedKeys": seen.json()["RequestItems"]}
        return Reply.of(200, json.dumps(answer).encode())

    fault_proxy.add(never, operation="BatchGetItem")
    reader = TableReader(account(), place("tab"), sleep=lambda _seconds: None)
    with pytest.raises(LookupFailedError, match="UnprocessedKeys"):
        reader.find([entry("a")])


def test_a_denied_scan_is_an_error(table: list[dict[str, Any]], fault_proxy: FaultProxy) -> None:
    """A part that cannot be read raises and names the permission; it never looks empty."""
    fault_proxy.add(json_error("AccessDeniedException"), operation="Scan")
    reader = TableReader(account(), place("tab"))
    with pytest.raises(LookupFailedError, match="dynamodb:Scan"):
        list(read_entries(reader, reader.parts()[0]))


def test_a_missing_table_is_not_there(aws_server: EmbeddedAws) -> None:
    """Verifying against nothing says so."""
    with pytest.raises(NotFoundError):
        TableReader(account(), place("nobody")).parts()


@pytest.mark.parametrize(
    ("size", "parts"), [(0, MIN_PARTS), (10 * 64 * 1024**2, 10), (10**13, MAX_PARTS)]
)
def test_the_number_of_parts_is_bounded(size: int, parts: int, fault_proxy: FaultProxy) -> None:
    """Large tables are read in more parts, within bounds."""
    body = json.dumps({"Table": {"TableSizeBytes": size, "KeySchema": []}}).encode()
    fault_proxy.add(lambda _seen, _forward: Reply.of(200, body), operation="DescribeTable")
    reader = TableReader(account(), place("tab"))
    assert len(reader.parts()) == parts
    reader.most_parts = 200
    assert len(reader.parts()) == (200 if parts == MAX_PARTS else parts)


def test_digests_are_conclusive() -> None:
    """A closer look repeats what the digests say."""
    reader = TableReader(None, place("tab"))  # type: ignore[arg-type]  # asks nothing
    one, two = KeyFingerprint(b"k", b"1", "k"), KeyFingerprint(b"k", b"2", "k")
    assert reader.same(one, reader, one) is Evidence.CONTENT
    assert reader.same(one, reader, two) is None
