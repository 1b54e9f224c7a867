"""What answers of S3 mean: only a whole document of the right sort is a success."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

import botocore.session
import pytest

from dataware.core.ports import Judgement, Response
from dataware.http.error_answer import MEANINGS, Meaning
from dataware.kinds.s3_bucket.copy import xml as documents
from dataware.kinds.s3_bucket.copy.responses import (
    AnswerReader,
    MalformedResponseError,
    document,
    judge_plain,
    judge_range,
)

Read = Callable[[Element], Any]
NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
LISTING = f"""<ListBucketResult {NS}><EncodingType>url</EncodingType><KeyCount>2</KeyCount>
<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>
<Contents><Key>a+b%2Bc</Key><Size>3</Size><ETag>&quot;e&quot;</ETag></Contents>
<Contents><Key>%00%0A</Key><Size>0</Size><ETag>"f-2"</ETag><StorageClass>GLACIER</StorageClass>
<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><RestoreStatus><IsRestoreInProgress>false
</IsRestoreInProgress></RestoreStatus></Contents></ListBucketResult>""".replace("\n", "")
WHOLE: dict[str, tuple[Read, str]] = {
    "ListObjectsV2": (documents.read_objects, LISTING),
    "ListObjectVersions": (
        documents.read_versions,
        f"<ListVersionsResult {NS}><IsTruncated>false</IsTruncated></ListVersionsResult>",
    ),
    "CopyObject": (
        documents.read_copied,
        f"<CopyObjectResult {NS}><ETag>e</ETag></CopyObjectResult>",
    ),
    "UploadPartCopy": (
        documents.read_part,
        f"<CopyPartResult {NS}><ETag>e</ETag></CopyPartResult>",
    ),
    "CompleteMultipartUpload": (
        documents.read_completed,
        f"<CompleteMultipartUploadResult {NS}><ETag>e</ETag></CompleteMultipartUploadResult>",
    ),
    "CreateMultipartUpload": (
        documents.read_upload_id,
        f"<InitiateMultipartUploadResult {NS}><UploadId>u</UploadId>"
        "</InitiateMultipartUploadResult>",
    ),
    "ListMultipartUploads": (
        documents.read_uploads,
        f"<ListMultipartUploadsResult {NS}><IsTruncated>false</IsTruncated>"
        "</ListMultipartUploadsResult>",
    ),
    "ListParts": (
        documents.read_parts,
        f"<ListPartsResult {NS}><IsTruncated>false</IsTruncated></ListPartsResult>",
    ),
    "GetObjectTagging": (documents.read_tags, f"<Tagging {NS}><TagSet/></Tagging>"),
}


def error(code: str, more: str = "") -> bytes:
    """The document of an error."""
    return f"<Error><Code>{code}</Code>{more}</Error>".encode()


@pytest.mark.parametrize("call", WHOLE)
def test_only_a_whole_document_is_a_success(call: str) -> None:
    """Every proper beginning of a document is asked for again, and so is any other document."""
    read, text = WHOLE[call]
    answer = AnswerReader(read)
    whole = text.encode()
    assert answer(Response(200, {}, whole)) is Judgement.DONE
    assert answer.value is not None
    for end in range(len(whole)):
        assert answer(Response(200, {}, whole[:end])) is Judgement.RETRY
        assert answer.value is None
    for other in (b"<html><body>proxy</body></html>", b"<Other/>"):
        assert answer(Response(200, {}, other)) is Judgement.RETRY


@pytest.mark.parametrize(
    ("status", "body", "judgement"),
    [
        (200, error("InternalError"), Judgement.RETRY),
        (200, error("SlowDown"), Judgement.THROTTLED),
        (200, error("AccessDenied"), Judgement.FAILED),
        (500, b"", Judgement.RETRY),
        (502, b"<html>", Judgement.RETRY),
        (501, error("NotImplemented"), Judgement.FAILED),
        (503, b"", Judgement.THROTTLED),
        (429, b"", Judgement.THROTTLED),
        (408, b"", Judgement.RETRY),
        (400, error("RequestTimeout"), Judgement.RETRY),
        (400, error("ExpiredToken"), Judgement.FAILED),
        (307, error("TemporaryRedirect"), Judgement.RETRY),
        (409, error("ConditionalRequestConflict"), Judgement.RETRY),
        (412, error("PreconditionFailed"), Judgement.FAILED),
        (403, error("AccessDenied"), Judgement.FAILED),
        (404, error("NoSuchKey"), Judgement.FAILED),
    ],
)
def test_errors_are_told_apart(status: int, body: bytes, judgement: Judgement) -> None:
    """What may pass is tried again, what asks for patience slows down, the rest is final."""
    assert AnswerReader(documents.read_copied)(Response(status, {}, body)) is judgement


@pytest.mark.parametrize(("status", "done"), [(200, True), (204, True), (404, False)])
def test_a_status_can_say_everything(status: int, done: bool) -> None:
    """HEAD and DELETE have no document to read."""
    assert (judge_plain(Response(status, {}, b"")) is Judgement.DONE) is done


def test_a_range_is_whole_or_read_again() -> None:
    """Bytes are compared only when all of them are there."""
    judge = judge_range(3)
    assert judge(Response(206, {}, b"abc")) is Judgement.DONE
    assert judge(Response(206, {}, b"ab")) is Judgement.RETRY
    assert judge(Response(412, {}, b"")) is Judgement.FAILED


def test_a_listing_is_read_as_it_is_written() -> None:
    """In listings a plus sign is a space; keys are bytes; classes and restores are kept."""
    page = documents.read_objects(document(LISTING.encode()))
    first, second = page.entries
    assert (first.key, first.size, first.etag, first.storage_class) == (
        b"a b+c",
        3,
        "e",
        "STANDARD",
    )
    assert (second.key, second.etag, second.storage_class) == (b"\x00\n", "f-2", "GLACIER")
    assert (second.checksum, second.restored) == ("CRC32", True)
    assert page.more == {"continuation-token": "t"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<KeyCount>2<", "<KeyCount>3<"),
        ("<IsTruncated>true</IsTruncated>", ""),
        ("<IsTruncated>true<", "<IsTruncated>maybe<"),
        ("<NextContinuationToken>t</NextContinuationToken>", ""),
        ("<Size>3</Size>", ""),
        ("<Size>3<", "<Size>three<"),
        ("ListBucketResult", "ListVersionsResult"),
    ],
)
def test_a_listing_that_contradicts_itself_is_no_listing(old: str, new: str) -> None:
    """A page that lost something never passes for a shorter one."""
    assert old in LISTING
    with pytest.raises(MalformedResponseError):
        documents.read_objects(document(LISTING.replace(old, new).encode()))


def test_versions_keep_their_order_and_markers() -> None:
    """Delete markers stand between the versions where the service put them."""
    text = (
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
        "<NextVersionIdMarker>v</NextVersionIdMarker>"
        "<Version><Key>k</Key><VersionId>3</VersionId><Size>1</Size><ETag>e</ETag></Version>"
        "<DeleteMarker><Key>k</Key><VersionId>2</VersionId></DeleteMarker>"
        "<Version><Key>k</Key><VersionId>null</VersionId><Size>1</Size><ETag>e</ETag></Version>"
        "</ListVersionsResult>"
    )
    page = documents.read_versions(document(text.encode()))
    assert [(one.version, one.marker) for one in page.entries] == [
        ("3", False),
        ("2", True),
        ("null", False),
    ]
    assert page.more == {"key-marker": b"k", "version-id-marker": "v"}
    with pytest.raises(MalformedResponseError):
        documents.read_versions(document(text.replace("NextKeyMarker", "Other").encode()))


def test_uploads_and_parts_are_read() -> None:
    """Unfinished uploads are known by key and id, their parts by number and size."""
    uploads = (
        "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k"
        "</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker><Upload><Key>k</Key>"
        "<UploadId>u</UploadId></Upload></ListMultipartUploadsResult>"
    )
    page = documents.read_uploads(document(uploads.encode()))
    assert page.entries == ((b"k", "u"),)
    assert page.more == {"key-marker": b"k", "upload-id-marker": "u"}
    parts = (
        "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>7</PartNumber>"
        "<Size>5</Size></Part></ListPartsResult>"
    )
    assert documents.read_parts(document(parts.encode())) == {7: 5}
    for read, text in ((documents.read_uploads, uploads), (documents.read_parts, parts)):
        broken = text.replace("UploadId>", "Other>").replace("Size>", "Other>")
        with pytest.raises(MalformedResponseError):
            read(document(broken.encode()))
    with pytest.raises(MalformedResponseError):
        documents.read_uploads(document(uploads.replace("NextKeyMarker", "N").encode()))
    with pytest.raises(MalformedResponseError):
        documents.read_tags(document(b"<Tagging><TagSet><Tag/></TagSet></Tagging>"))


def test_the_codes_of_archived_objects_are_those_of_the_service_model() -> None:
    """A second source: the errors of reading and copying that botocore's model calls archived."""
    model = botocore.session.get_session().get_service_model("s3")
    archived = {
        shape.name
        for operation in ("CopyObject", "GetObject", "HeadObject", "UploadPartCopy")
        for shape in model.operation_model(operation).error_shapes
        if re.search("archived|active tier|glacier", shape.documentation, re.IGNORECASE)
    }
    assert archived == {code for code, meaning in MEANINGS.items() if meaning is Meaning.ARCHIVED}
