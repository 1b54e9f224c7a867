"""Quick readers: they say what the strict ones say, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.ports import Judgement, Response
from dataware.kinds.s3_bucket.copy.fast_xml import quick_copied, quick_objects
from dataware.kinds.s3_bucket.copy.responses import AnswerReader
from dataware.kinds.s3_bucket.copy.xml import read_copied, read_objects

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
DATE = "2024-05-06T07:08:09.000Z"
OWNER = "<Owner><ID>7c</ID><DisplayName>a b</DisplayName></Owner>"
RESTORED = (
    "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
    f"<RestoreExpiryDate>{DATE}</RestoreExpiryDate></RestoreStatus>"
)
COPIED = (
    f"{DECLARATION}<CopyObjectResult{NAMESPACE}><LastModified>{DATE}</LastModified>"
    "<ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag>"
    "<ChecksumType>FULL_OBJECT</ChecksumType><ChecksumCRC64NVME>AAA=</ChecksumCRC64NVME>"
    "</CopyObjectResult>"
)


def maybe(*texts: str) -> st.SearchStrategy[str]:
    """One of the texts, or nothing."""
    return st.sampled_from(["", *texts])


def element(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """An element with a text."""
    return values.map(lambda value: f"<{name}>{escape(value)}</{name}>")


usual_keys = st.text("abz019-._~/%+()", min_size=1, max_size=8)
odd_keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
etags = st.sampled_from(["&quot;0a-1&quot;", '"0a"', "0a", "&#34;0a&#34;", "&quot;0a", "", "&amp;"])
entries = st.tuples(
    element("Key", usual_keys | odd_keys),
    element("LastModified", st.sampled_from([DATE, ""])),
    etags.map(lambda text: f"<ETag>{text}</ETag>"),
    maybe("<ChecksumAlgorithm>CRC32</ChecksumAlgorithm>", "<ChecksumAlgorithm/>"),
    maybe("<ChecksumType>FULL_OBJECT</ChecksumType>"),
    element("Size", st.integers(0, 10**13).map(str) | st.sampled_from(["", "x", "9" * 5000])),
    maybe(OWNER),
    maybe("<StorageClass>GLACIER</StorageClass>", "<StorageClass></StorageClass>", "<New>1</New>"),
    maybe(RESTORED, RESTORED.replace("false", "true"), "<!-- -->", "\n  "),
)
orders = st.permutations(range(9)) | st.just(range(9))
contents = st.builds(
    lambda parts, order: f"<Contents>{''.join(parts[at] for at in order)}</Contents>",
    entries,
    orders,
)
listings = st.builds(
    lambda start, listed, between, end: (
        f"{DECLARATION}<ListBucketResult{NAMESPACE}>{start}{between.join(listed)}{end}"
    ),
    st.sampled_from(
        [
            "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>",
            "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
            "<IsTruncated>true</IsTruncated>",
            "<KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>",
            "<Prefix>&lt;Contents&gt;</Prefix><!-- <IsTruncated>",
            "<Nested>",
            "",
        ]
    ),
    st.lists(contents, max_size=3),
    maybe("\n", "<CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>", "<!-- ", "x"),
    st.sampled_from(
        [
            "</ListBucketResult>",
            "<IsTruncated>false</IsTruncated></ListBucketResult>",
            " --></ListBucketResult>",
            "</Nested><IsTruncated>false</IsTruncated></ListBucketResult>",
            "",
        ]
    ),
)


def usual_page(count: int) -> str:
    """A page as S3 writes it."""
    listed = "".join(
        f"<Contents><Key>a+b%2B{number}</Key><LastModified>{DATE}</LastModified>"
        f"<ETag>&quot;0a&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
        f"<ChecksumType>FULL_OBJECT</ChecksumType><Size>{number}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for number in range(count)
    )
    return (
        f"{DECLARATION}<ListBucketResult{NAMESPACE}><Name>b</Name><Prefix></Prefix>"
        f"<KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>"
        f"<IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"
    )


def both(read: Callable[..., Any], quick: Callable[..., Any], body: bytes) -> None:
    """Check that an answer means the same with the quick reader and without it."""
    strict, fast = AnswerReader(read), AnswerReader(read, quick)
    response = Response(200, {}, body)
    assert strict(response) is fast(response)
    assert strict.value == fast.value
    told = quick(body)
    assert told is None or told == strict.value


def damaged(text: str) -> st.SearchStrategy[bytes]:
    """Documents that lost, doubled or changed a piece."""
    body = text.encode()
    places = st.tuples(st.integers(0, len(body)), st.integers(0, len(body))).map(sorted)
    inserted = st.sampled_from(
        [b"", b"<", b">", b"&", b"<!--", b"]]>", b"</Contents>", b"\x00", b"9"]
    )
    return st.builds(
        lambda place, piece, twice: (
            body[: place[0]] + piece + (body[place[0] :] if twice else body[place[1] :])
        ),
        places,
        inserted,
        st.booleans(),
    )


@given(listings)
def test_a_listing_means_what_the_parser_says(text: str) -> None:
    """Whatever elements, orders, escapes and places a page has, both readers agree."""
    both(read_objects, quick_objects, text.encode())


@given(damaged(usual_page(3)))
def test_a_damaged_listing_never_passes_for_a_shorter_one(body: bytes) -> None:
    """What is torn, doubled or changed is read as the strict reader reads it, or not at all."""
    both(read_objects, quick_objects, body)


@given(damaged(COPIED))
def test_a_damaged_answer_to_a_copy_is_no_success(body: bytes) -> None:
    """The quick reader takes no answer for a success that the strict one does not take."""
    both(read_copied, quick_copied, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"<Error><Code>InternalError</Code></Error>",
        f"<CopyObjectResult{NAMESPACE}></CopyObjectResult>".encode(),
        f"<CopyObjectResult{NAMESPACE}><ETag></ETag></CopyObjectResult>".encode(),
        f"<CopyObjectResult{NAMESPACE}><ETag>&quot;&quot;</ETag></CopyObjectResult>".encode(),
        f"{COPIED}{COPIED}".encode(),
    ],
)
def test_an_answer_without_an_etag_is_no_success(body: bytes) -> None:
    """An empty 200 and a 200 with an error inside are never a finished copy."""
    assert quick_copied(body) is None
    assert AnswerReader(read_copied, quick_copied)(Response(200, {}, body)) is not Judgement.DONE


def test_what_s3_writes_is_read_quickly() -> None:
    """The usual forms do not fall back, which would cost the speed and nothing else."""
    page = quick_objects(usual_page(1000).encode())
    assert page is not None
    assert [one.key for one in page.entries] == [b"a b+%d" % number for number in range(1000)]
    assert page.entries[7] == page.entries[7]._replace(size=7, etag="0a", checksum="CRC64NVME")
    assert quick_copied(COPIED.encode()) == "9b2cf535f27731c974343645a3985328"
