"""Listings that are spelled otherwise than S3 spells them: read as XML, or refused.

Both readers, that of the copy and that of the verification, see every object, or say that they
cannot read the page; no spelling makes an object invisible.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.aws import ClientSettings, complete_answers
from dataware.core.model import Content
from dataware.core.ports import Judgement, Response
from dataware.kinds.s3_bucket import KIND
from dataware.kinds.s3_bucket.copy.fast_xml import quick_objects
from dataware.kinds.s3_bucket.copy.responses import AnswerReader
from dataware.kinds.s3_bucket.copy.xml import (
    read_objects,
    read_parts,
    read_tags,
    read_uploads,
    read_versions,
)
from dataware.kinds.s3_bucket.verify.listings import read_listing
from dataware.kinds.s3_bucket.verify.listings import read_versions as read_versions_again
from support import buckets
from support.servers import FaultProxy, Forward, Reply, Seen

CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
    b"<Arn>arn:aws:iam::111122223333:user/u</Arn></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def row(key: str, tag: str) -> str:
    """An entry as S3 writes it."""
    return (
        f"<{tag}><Key>{key}</Key><LastModified>2024-05-06T07:08:09.000Z</LastModified>"
        f"<ETag>&quot;0a{key}&quot;</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass>"
        f"</{tag}>"
    )


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as S3 writes it": lambda text: text,
    "a space in the tag": lambda text: text.replace("<Contents>", "<Contents >"),
    "a space in the end": lambda text: text.replace("</Contents>", "</Contents >"),
    "a line break in the tag": lambda text: text.replace("<Contents>", "<Contents\n>"),
    "an attribute": lambda text: text.replace("<Contents>", "<Contents a='>'>"),
    "a namespace": lambda text: text.replace("Contents>", "s3:Contents>"),
    "a namespace everywhere": lambda text: (
        text.replace("</", "</s3:").replace("<", "<s3:").replace("<s3:/s3:", "</s3:")
    ),
    "a comment before": lambda text: "<!-- <Contents> -->" + text,
    "a comment behind the tag": lambda text: text.replace("<Contents>", "<Contents><!-- x -->"),
    "a comment in the key": lambda text: text.replace("<Key>", "<Key><!-- x -->"),
    "a section": lambda text: text.replace("<Key>", "<Key><![CDATA[").replace(
        "</Key>", "]]></Key>"
    ),
    "an instruction": lambda text: "<?go on?>" + text,
    "line breaks": lambda text: text.replace("><", ">\n  <"),
    "a group around": lambda text: f"<Page>{text}</Page>",
    "small letters": lambda text: text.replace("Contents>", "contents>"),
    "another name": lambda text: text.replace("Contents>", "Object>"),
    "another name of the key": lambda text: text.replace("Key>", "Name>"),
    "two keys": lambda text: text.replace("</Key>", "</Key><Key>other</Key>"),
    "a key in the key": lambda text: text.replace("</Key>", "<Key/></Key>"),
    "a group of keys": lambda text: "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>",
}
ENCODINGS = {"UTF-8": "utf-8", "UTF-16": "utf-16", "ISO-8859-1": "latin-1", "utf-8": "utf-8"}
keys = st.lists(st.text("abcé./", min_size=1, max_size=4), min_size=1, max_size=5, unique=True).map(
    sorted
)


def page(rows: str, root: str, encoding: str, count: int | None) -> bytes:
    """A page with these rows."""
    counted = "" if count is None else f"<KeyCount>{count}</KeyCount>"
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><{root} xmlns="{NAMESPACE}" '
        f'xmlns:s3="{NAMESPACE}"><Name>b</Name>{counted}<IsTruncated>false</IsTruncated>'
        f"{rows}</{root}>"
    ).encode(ENCODINGS[encoding])


def seen_by_the_copy(body: bytes) -> list[bytes] | None:
    """The keys that the copier sees; None for a page that it asks for again."""
    answer = AnswerReader(read_objects, quick_objects)
    if answer(Response(200, {}, body)) is not Judgement.DONE:
        return None
    assert answer.value is not None
    return [one.key for one in answer.value.entries]


def seen_by_the_verification(body: bytes) -> list[bytes] | None:
    """The keys that the reader sees; None for a page that it asks for again."""
    try:
        return [one[0] for one in read_listing(body).objects]
    except ValueError:
        return None


@given(
    keys,
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(sorted(ENCODINGS)),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_no_spelling_hides_an_object(
    some: list[str], spelling: str, encoding: str, counted: bool, chance: random.Random
) -> None:
    """Some rows or all are spelled otherwise, in any encoding: all are seen, or the page is not."""
    spelled = [chance.random() < 0.7 for _ in some]
    texts = [row(key, "Contents") for key in some]
    rows = "".join(
        SPELLINGS[spelling](text) if other else text
        for text, other in zip(texts, spelled, strict=True)
    )
    body = page(rows, "ListBucketResult", encoding, len(some) if counted else None)
    all_of_them = [key.encode() for key in some]
    for found in (seen_by_the_copy(body), seen_by_the_verification(body)):
        assert found in (all_of_them, None)
        if spelling == "as S3 writes it":
            assert found == all_of_them


WELL_FORMED = [
    "a space in the tag",
    "a space in the end",
    "a line break in the tag",
    "an attribute",
    "a namespace",
    "a namespace everywhere",
    "a comment before",
    "a comment in the key",
    "a section",
    "an instruction",
    "line breaks",
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("spelling", WELL_FORMED)
def test_what_means_the_same_is_read(spelling: str, encoding: str) -> None:
    """XML that says what S3 says is no reason to refuse a page."""
    rows = "".join(SPELLINGS[spelling](row(key, "Contents")) for key in ("a", "b"))
    body = page(rows, "ListBucketResult", encoding, None)
    assert seen_by_the_copy(body) == seen_by_the_verification(body) == [b"a", b"b"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_row_that_is_commented_out_is_none(spelling: str) -> None:
    """However a row is spelled, within a comment it is no object."""
    if "--" in (text := SPELLINGS[spelling](row("a", "Contents"))):
        return
    body = page(f"<!--{text}-->", "ListBucketResult", "UTF-8", None)
    assert seen_by_the_copy(body) == seen_by_the_verification(body) == []


@pytest.mark.parametrize("root", ["html", "Error", "ListVersionsResult", "Listbucketresult"])
def test_another_document_is_no_listing(root: str) -> None:
    """An unknown root is refused, whatever stands in it."""
    body = page(row("a", "Contents"), root, "UTF-8", 1)
    assert seen_by_the_copy(body) is None
    assert seen_by_the_verification(body) is None


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_count_that_is_not_that_of_the_rows_is_refused(count: int) -> None:
    """A page that counts otherwise than it lists has lost something."""
    rows = row("a", "Contents") + row("b", "Contents")
    body = page(rows, "ListBucketResult", "UTF-8", count)
    assert seen_by_the_copy(body) is None
    assert seen_by_the_verification(body) is None


OTHERS = {
    "Version": ("ListVersionsResult", read_versions, "<VersionId>1</VersionId>"),
    "Upload": ("ListMultipartUploadsResult", read_uploads, "<UploadId>1</UploadId>"),
    "Part": ("ListPartsResult", read_parts, "<PartNumber>1</PartNumber>"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("tag", OTHERS)
def test_no_spelling_hides_a_version_an_upload_or_a_part(tag: str, spelling: str) -> None:
    """The other listings are read by the same rule."""
    root, read, more = OTHERS[tag]
    plain = row("a", "Contents").replace("</Size>", f"</Size>{more}")
    text = SPELLINGS[spelling](plain).replace("Contents", tag)
    answer: AnswerReader[object] = AnswerReader(read)
    judged = answer(Response(200, {}, page(text, root, "UTF-8", None)))
    if judged is Judgement.DONE:
        found = getattr(answer.value, "found", answer.value)
        assert found
    if spelling in WELL_FORMED:
        assert judged is Judgement.DONE


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_hides_a_version_from_the_verification(spelling: str) -> None:
    """The reader's own parser of versions sees what the copier's sees, or refuses."""
    plain = row("a", "Contents").replace("</Size>", "</Size><VersionId>1</VersionId>")
    text = SPELLINGS[spelling](plain).replace("Contents", "Version")
    body = page(text, "ListVersionsResult", "UTF-8", None)
    try:
        found = read_versions_again(body).versions
    except ValueError:
        assert spelling not in WELL_FORMED
        return
    assert [one.key for one in found] == [b"a"]


@pytest.mark.parametrize(
    "tags",
    [
        "",
        "<Tags><Tag><Key>k</Key><Value>v</Value></Tag></Tags>",
        "<Tag><Key>k</Key><Value>v</Value></Tag>",
        "<TagSet/><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet>",
        "<TagSet><More><Tag><Key>k</Key><Value>v</Value></Tag></More></TagSet>",
        "<TagSet><tag><Key>k</Key><Value>v</Value></tag></TagSet>",
    ],
)
def test_tags_of_another_form_are_refused(tags: str) -> None:
    """An object without tags says so by an empty set, and by nothing else."""
    answer = AnswerReader(read_tags)
    body = f"<Tagging>{tags}</Tagging>".encode()
    assert answer(Response(200, {}, body)) is Judgement.RETRY


@pytest.fixture(scope="module")
def server() -> Iterator[FaultProxy]:
    """A server on which each test puts its listing."""
    with FaultProxy("http://127.0.0.1:1", record=False) as proxy:
        yield proxy


def answering(listing: bytes) -> Callable[[Seen, Forward], Reply]:
    """A bucket with this listing, in which no version is older than the current one."""
    others = {
        "HeadBucket": b"",
        "ListObjectsV2": listing,
        "ListObjectVersions": page("", "ListVersionsResult", "UTF-8", None),
    }

    def respond(seen: Seen, _forward: Forward) -> Reply:
        if seen.operation == "GetCallerIdentity":
            return Reply.of(200, CALLER)
        known = seen.operation in others
        return Reply.of(200 if known else 403, others.get(seen.operation, b""))

    return respond


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_makes_a_bucket_look_empty(
    spelling: str, encoding: str, server: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probe, which reads with the SDK, sees data, or says that it could not see."""
    monkeypatch.setattr(complete_answers, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    server.clear()
    text = SPELLINGS[spelling](row("a", "Contents"))
    server.add(answering(page(text, "ListBucketResult", encoding, None)))
    account = buckets.account(client_settings=ClientSettings(first_attempts=1, attempts=1))
    content = KIND.probe(account, "some-bucket").content
    assert content is not Content.EMPTY
    if spelling == "as S3 writes it" and encoding == "UTF-8":
        assert content is Content.DATA
