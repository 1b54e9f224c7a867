"""What named parts of buckets hold: nothing found is a mistake that says what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from dataware.core.errors import InputError, LookupFailedError, RefusedError
from dataware.core.kind import Kind
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.core.reader import FingerprintPage
from dataware.kinds import load
from dataware.ops.named_resources import (
    address_of,
    check_part,
    describe_empty,
    holds_history,
    warn_of_slashes,
)
from support.copying import Events

BUCKET, TABLE = load("AWS::S3::Bucket"), load("AWS::DynamoDB::Table")
AWS = cast("Aws", None)
ARN = "arn:aws:s3:eu-central-1:111122223333:accesspoint/a"


def place(prefix: str = "", name: str = "uploads") -> Location:
    """A part of a bucket."""
    return Location(name, "111122223333", "eu-central-1", prefix)


class Listing:
    """A bucket that shows some pages of current objects, and some of all versions."""

    def __init__(self, current: list[int], every: list[int] | Exception | None = None) -> None:
        self.current, self.every = current, current if every is None else every
        self.asked: list[bool] = []

    def make(self, _aws: Aws, there: Location, *, all_versions: bool, deep: bool) -> Any:
        """A reader of it."""
        assert there.prefix == "in/"
        assert not deep
        self.asked.append(all_versions)
        pages = self.every if all_versions else self.current

        class Reader:
            def pages(self, part: str) -> Iterator[FingerprintPage]:
                """Pages of so many records."""
                assert part == ""
                if isinstance(pages, Exception):
                    raise pages
                for records in pages:
                    yield FingerprintPage([b"record"] * records)

        return Reader()

    @property
    def kind(self) -> Kind:
        """The card of buckets, read so."""
        reader = cast("Any", self.make)
        return replace(BUCKET, copying=replace(BUCKET.require_copying(), reader=reader))


@pytest.mark.parametrize(
    ("kind", "there", "address"),
    [
        (BUCKET, place(), "s3://uploads"),
        (BUCKET, place("in/"), "s3://uploads/in/"),
        (TABLE, place(name="Orders"), "dynamodb://Orders"),
        (BUCKET, place("in/", ARN), ARN),
    ],
)
def test_a_place_is_written_as_people_write_it(kind: Kind, there: Location, address: str) -> None:
    """An ARN as it is."""
    assert address_of(kind, there) == address


@pytest.mark.parametrize("all_versions", [False, True])
def test_a_part_that_holds_anything_on_any_page_is_fine(all_versions: bool) -> None:
    """Pages may be empty; the first record is enough."""
    listing = Listing([0, 0, 1, 5])
    check_part(listing.kind, AWS, place("in/"), all_versions=all_versions)
    assert listing.asked == [all_versions]


def test_a_whole_bucket_and_what_is_not_copied_are_not_looked_into() -> None:
    """An empty source is no mistake by itself."""
    listing = Listing([])
    check_part(listing.kind, AWS, place(), all_versions=False)
    check_part(load("AWS::SQS::Queue"), AWS, place("in/"), all_versions=False)
    assert listing.asked == []


def test_a_part_of_nothing_is_a_mistake() -> None:
    """Also of all versions, which are not looked for twice."""
    for all_versions, asked in (False, [False, True]), (True, [True]):
        listing = Listing([0])
        with pytest.raises(InputError, match="s3://uploads/in/ holds nothing"):
            check_part(listing.kind, AWS, place("in/"), all_versions=all_versions)
        assert listing.asked == asked


def test_a_part_of_older_versions_alone_is_refused_with_the_way_on() -> None:
    """A copy of current objects would end well, and take nothing."""
    with pytest.raises(RefusedError) as refused:
        check_part(Listing([], [1]).kind, AWS, place("in/"), all_versions=False)
    text = str(refused.value)
    assert text.startswith(
        "nothing was changed, because s3://uploads/in/ holds only older versions"
    )
    assert "--versions all" in text
    check_part(Listing([], [1]).kind, AWS, place("in/"), all_versions=True)


def test_who_may_not_list_versions_is_told_that_nothing_is_there() -> None:
    """But who may not list at all hears of that."""
    denied = LookupFailedError("denied")
    with pytest.raises(InputError, match="holds nothing"):
        check_part(Listing([], denied).kind, AWS, place("in/"), all_versions=False)
    with pytest.raises(LookupFailedError):
        check_part(Listing([], denied).kind, AWS, place("in/"), all_versions=True)
    assert not holds_history(None, AWS, place("in/"))
    assert not holds_history(cast("Any", Listing([1], [0]).make), AWS, place("in/"))


@pytest.mark.parametrize(
    ("prefix", "told"),
    [
        ("2026/*.jpg", "a prefix is text, not a pattern, so leave the * out: s3://uploads/2026/"),
        ("a?b", "so leave the ? out: s3://uploads/a"),
        ("[ab]c", "so leave the [ab] out: s3://uploads/"),
        ("x/{a,b}", "so leave the {a,b} out: s3://uploads/x/"),
        ("/in/", "few keys begin with /, so leave it out: s3://uploads/in/"),
        ("a%20b", "a prefix is written as it is, without escapes: s3://uploads/a b"),
        ("{a}", "check the prefix, its case, and whether it ends with /"),
        ("100%", "check the prefix, its case, and whether it ends with /"),
        ("in/", "check the prefix, its case, and whether it ends with /"),
    ],
)
def test_what_may_be_wrong_with_a_prefix_is_told(prefix: str, told: str) -> None:
    """With what to write instead."""
    text = describe_empty(BUCKET, place(prefix))
    assert text.startswith(f"s3://uploads/{prefix} holds nothing: no key of the S3 bucket uploads")
    assert f"begins with {prefix}; " in text
    assert text.endswith(told)


@pytest.mark.parametrize(
    ("prefixes", "told"),
    [
        (("in/", "out/"), ""),
        (("in", "out"), ""),
        (("", "out/"), ""),
        (("", ""), ""),
        (("in/", "out"), "the key in/NAME becomes outNAME"),
        (("in", "out/"), "the key in/NAME becomes out//NAME"),
        (("in", ""), "the key in/NAME becomes /NAME"),
        (("", "out"), "the key NAME becomes outNAME"),
    ],
)
def test_prefixes_of_which_one_ends_between_folders_are_warned_of(
    prefixes: tuple[str, str], told: str
) -> None:
    """By what becomes of a key."""
    events = Events()
    source, target = (place(prefix, name) for prefix, name in zip(prefixes, "ab", strict=True))
    warn: Callable[..., None] = warn_of_slashes
    warn(events, BUCKET, source, target)
    assert len(events) == bool(told)
    for one in events:
        assert one.data["name"] == "b"
        assert told in one.text()
