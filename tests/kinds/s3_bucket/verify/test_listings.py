"""Bodies of listings: two ways to read them agree, and torn ones are not read at all."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.s3_bucket.verify.listings import Listed, read_listing, read_versions

keys = st.text(min_size=1, max_size=8).map(str.encode)
etags = st.sampled_from([b"0123456789abcdef", b"0123456789abcdef-3"])
objects = st.lists(
    st.tuples(
        keys,
        etags,
        st.integers(0, 9**15).map(b"%d".__mod__),
        st.sampled_from([b"STANDARD", b"GLACIER"]),
    ),
    max_size=5,
)


def row(one: Listed, *, quote: str = "&quot;", more: str = "") -> str:
    """An object of a listing; `more` is an element that few listings have."""
    key, etag, size, sort = (each.decode() for each in one)
    return (
        f"<Contents><Key>{quote_plus(key, safe='/')}</Key>"
        f"<LastModified>2024-05-06T07:08:09.000Z</LastModified><ETag>{quote}{etag}{quote}</ETag>"
        "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
        f"{more}<Size>{size}</Size><StorageClass>{sort}</StorageClass></Contents>"
    )


def listing(rows: Sequence[str], *, token: str | None = None, more: str = "") -> bytes:
    """The body of a listing of objects."""
    goes_on = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
        f"<Prefix></Prefix><KeyCount>{len(rows)}</KeyCount><EncodingType>url</EncodingType>"
        f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>{goes_on}{more}"
        f"{''.join(rows)}</ListBucketResult>"
    ).encode()


@given(objects, st.booleans())
def test_both_ways_to_read_a_listing_agree(some: list[Listed], goes_on: bool) -> None:
    """Any keys, in the form of S3 and in any other, come out byte for byte."""
    token = "next" if goes_on else None
    quick = read_listing(listing([row(one) for one in some], token=token))
    other = "<Owner><ID>1</ID></Owner>"
    slow = read_listing(listing([row(one, quote='"', more=other) for one in some], token=token))
    assert list(quick.objects) == list(slow.objects) == some
    assert quick.token == slow.token == token


@given(objects.filter(bool), st.data())
def test_a_torn_listing_is_no_listing(some: list[Listed], data: st.DataObject) -> None:
    """A listing cut anywhere is refused."""
    body = listing([row(one) for one in some])
    with pytest.raises(ValueError, match=r".+"):
        read_listing(body[: data.draw(st.integers(0, len(body) - 1))])


@given(objects.filter(bool), st.data())
def test_a_listing_that_lost_something_within_is_no_listing(
    some: list[Listed], data: st.DataObject
) -> None:
    """A row that is gone, or is no row any more, is noticed."""
    rows = [row(one) for one in some]
    at = data.draw(st.integers(0, len(rows) - 1))
    whole = listing(rows).decode()
    broken = data.draw(st.sampled_from(["", "<Contents></Contents>", "<Odd>1</Odd>"]))
    with pytest.raises(ValueError, match=r".+"):
        read_listing(whole.replace(rows[at], broken, 1).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Error><Code>InternalError</Code></Error>",
        b"<html></html>",
        b"<ListBucketResult></ListBucketResult>",
        b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        b"<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>",
        b"<!DOCTYPE a><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
    ],
)
def test_what_is_no_listing_is_refused(body: bytes) -> None:
    """An error, another document, or a listing that does not say whether it goes on."""
    with pytest.raises(ValueError, match=r".+"):
        read_listing(body)


def test_keys_that_are_not_encoded_are_taken_as_they_are() -> None:
    """A service that does not know the encoding writes plain text."""
    plain = row((b"a", b"e", b"1", b"STANDARD")).replace("<Key>a<", "<Key>a+b%20&amp;c<")
    body = listing([plain]).replace(b"<EncodingType>url</EncodingType>", b"")
    assert read_listing(body).objects[0][0] == b"a+b%20&c"


VERSIONS = b"""<ListVersionsResult><EncodingType>url</EncodingType>
<Version><Key>a+b</Key><VersionId>2</VersionId><ETag>"e"</ETag><Size>1</Size></Version>
<DeleteMarker><Key>a+b</Key><VersionId>1</VersionId></DeleteMarker>
<Version><Key>c</Key><VersionId>0</VersionId><ETag>"f"</ETag><Size>2</Size></Version>
<IsTruncated>true</IsTruncated><NextKeyMarker>c%2B</NextKeyMarker>
<NextVersionIdMarker>0</NextVersionIdMarker></ListVersionsResult>"""


def test_versions_and_delete_markers_keep_their_order() -> None:
    """The order of the document is that of the history."""
    page = read_versions(VERSIONS)
    found = [(each.key, each.id, each.listed is None) for each in page.versions]
    assert found == [(b"a b", "2", False), (b"a b", "1", True), (b"c", "0", False)]
    assert page.more == {"KeyMarker": "c+", "VersionIdMarker": "0"}


@pytest.mark.parametrize(
    "gone", [b"<VersionId>1</VersionId>", b"<NextKeyMarker>c%2B</NextKeyMarker>"]
)
def test_versions_without_what_they_need_are_refused(gone: bytes) -> None:
    """An entry without its id, or a page that goes on nowhere, is asked for again."""
    with pytest.raises(ValueError, match="without"):
        read_versions(VERSIONS.replace(gone, b""))
