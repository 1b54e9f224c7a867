"""Verification against the embedded AWS: what counts as the same, and on which evidence."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from typing import Any

import pytest

from dataware.aws.session import Account
from dataware.core.reader import Evidence, KeyFingerprint
from dataware.embedded import EmbeddedAws
from dataware.kinds.s3_bucket import make_reader
from dataware.kinds.s3_bucket.verify import reader as reader_module
from dataware.kinds.s3_bucket.verify.reader import BucketReader
from support import buckets
from support.buckets import place
from support.readers import read_entries

PART = 5 * 1024**2


@pytest.fixture
def aws(aws_server: EmbeddedAws) -> Account:
    """An account with two empty buckets."""
    account = buckets.account()
    for name in ("one-bucket", "two-bucket"):
        account.client("s3").create_bucket(Bucket=name)
    return account


def put(aws: Account, bucket: str, key: str = "key", **more: Any) -> None:
    """Put an object."""
    aws.client("s3").put_object(Bucket=bucket, Key=key, **{"Body": b"data", **more})


def put_in_parts(aws: Account, bucket: str, *bodies: bytes, **more: Any) -> None:
    """Upload an object in parts."""
    s3 = aws.client("s3")
    where = {"Bucket": bucket, "Key": "key"}
    upload = s3.create_multipart_upload(**where, **more)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})


def verdict(aws: Account, *, deep: bool = False) -> Evidence | None:
    """What the readers say of the one key that both buckets have."""
    readers = [
        make_reader(aws, place(aws, name), all_versions=False, deep=deep)
        for name in ("one-bucket", "two-bucket")
    ]
    (mine,), (theirs,) = (list(read_entries(reader, "")) for reader in readers)
    if mine.digest == theirs.digest:
        return Evidence.CONTENT
    return readers[0].same(mine, readers[1], theirs)


@pytest.mark.parametrize("deep", [False, True])
def test_equal_objects_are_equal_by_content(aws: Account, deep: bool) -> None:
    """An ETag of the content, or the content itself, proves equality."""
    put(aws, "one-bucket")
    put(aws, "two-bucket")
    assert verdict(aws, deep=deep) is Evidence.CONTENT


@pytest.mark.parametrize(
    "other",
    [
        {"Body": b"atad"},
        {"Body": b"longer"},
        {"StorageClass": "STANDARD_IA"},
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_differences_are_seen(aws: Account, other: dict[str, Any], deep: bool) -> None:
    """Other bytes, another size or another storage class are a difference."""
    put(aws, "one-bucket")
    put(aws, "two-bucket", **other)
    assert verdict(aws, deep=deep) is None


def test_parts_without_a_checksum_rest_on_metadata_or_on_the_bytes(aws: Account) -> None:
    """Where no hash compares, the evidence is weaker and says so, unless the bytes are read."""
    put(aws, "one-bucket", Body=b"x" * 30)
    put_in_parts(aws, "two-bucket", b"x" * 10, b"x" * 20)
    assert verdict(aws) is Evidence.METADATA
    assert verdict(aws, deep=True) is Evidence.CONTENT
    put_in_parts(aws, "two-bucket", b"x" * 10, b"y" * 20)
    assert verdict(aws) is Evidence.METADATA
    assert verdict(aws, deep=True) is None


@pytest.mark.parametrize("other", [{"Metadata": {"a": "1"}}, {"ContentType": "text/html"}])
def test_lost_attributes_are_a_difference(aws: Account, other: dict[str, Any]) -> None:
    """Where a closer look is taken, headers and metadata have to be equal, too."""
    put(aws, "one-bucket", Body=b"x" * 30, **other)
    put_in_parts(aws, "two-bucket", b"x" * 30)
    assert verdict(aws) is None


def test_lost_tags_are_a_difference(aws: Account) -> None:
    """Where a closer look is taken, tags have to be equal, too."""
    put(aws, "one-bucket", Body=b"x" * 30, Tagging="a=1")
    put_in_parts(aws, "two-bucket", b"x" * 30)
    assert verdict(aws) is None


class Head(BucketReader):
    """A reader whose objects have the headers that a test gives."""

    def __init__(self, aws: Account, name: str, **headers: str) -> None:
        super().__init__(aws, place(aws, name), deep=False)
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def _head(self, key: str, version: object) -> dict[str, str]:
        return {"content-length": "1", "etag": '"e"', **self._headers}

    def _tags(self, key: str, version: object) -> list[tuple[str, str]]:
        return []


CRC = "x-amz-checksum-crc32"
TYPE = "x-amz-checksum-type"
KMS = {"x-amz-server-side-encryption": "aws:kms"}


@pytest.mark.parametrize(
    ("mine", "theirs", "evidence"),
    [
        ({"etag": '"a"'}, {"etag": '"b"'}, None),
        ({"etag": '"a"', **KMS}, {"etag": '"b"'}, Evidence.METADATA),
        ({"etag": '"a-2"'}, {"etag": '"b"'}, Evidence.METADATA),
        ({"etag": '"a"', CRC: "1", TYPE: "FULL_OBJECT"}, {CRC: "1"}, Evidence.CONTENT),
        ({"etag": '"a-2"', CRC: "1", TYPE: "FULL_OBJECT"}, {CRC: "2"}, None),
        ({"etag": '"a-2"', CRC: "1-2", TYPE: "COMPOSITE"}, {CRC: "2"}, Evidence.METADATA),
        ({"etag": '"a-2"', CRC: "1"}, {CRC: "2"}, Evidence.METADATA),
        ({"etag": '"a-2"', CRC: "1"}, {"x-amz-checksum-sha1": "2"}, Evidence.METADATA),
    ],
)
def test_evidence(
    aws: Account, mine: dict[str, str], theirs: dict[str, str], evidence: Evidence | None
) -> None:
    """Only hashes of the same sort over the whole content are compared as content."""
    entries = [KeyFingerprint(b"key", digest, "key", conclusive=False) for digest in (b"1", b"2")]
    one, two = Head(aws, "one-bucket", **mine), Head(aws, "two-bucket", **theirs)
    assert one.same(entries[0], two, entries[1]) is evidence


class Contents(Head):
    """A reader whose one object has the headers and the bytes that a test gives."""

    def __init__(self, aws: Account, name: str, body: bytes, **headers: str) -> None:
        super().__init__(aws, name, **headers)
        self._body = body
        self.reads = 0

    def _read(self, key: str, version: object) -> Iterator[bytes]:
        self.reads += 1
        yield from (self._body[start : start + 3] for start in range(0, len(self._body), 3))


MD5 = md5(b"content", usedforsecurity=False).hexdigest()
PLAIN, SEALED, PARTS = {"etag": f'"{MD5}"'}, {"etag": '"f00"', **KMS}, {"etag": '"f01-2"'}
KMS_OF_OTHER_KEY = {"etag": '"f02"', "x-amz-server-side-encryption": "aws:kms:dsse"}


@pytest.mark.parametrize(
    ("mine", "theirs", "reads"),
    [
        (PLAIN, SEALED, (0, 1)),
        (SEALED, PLAIN, (1, 0)),
        (PARTS, SEALED, (1, 1)),
        (SEALED, KMS_OF_OTHER_KEY, (1, 1)),
        (PLAIN, PARTS, (0, 1)),
    ],
)
@pytest.mark.parametrize("body", [b"content", b"c0ntent", b"content "])
def test_another_encryption_is_settled_by_the_bytes(
    aws: Account, mine: dict[str, str], theirs: dict[str, str], reads: tuple[int, int], body: bytes
) -> None:
    """Under KMS no ETag is a digest: equal bytes are equal, others differ, by the fewest reads.

    Without the wish the evidence is size and metadata, and nothing is read.
    """
    entries = [KeyFingerprint(b"key", digest, "key", conclusive=False) for digest in (b"1", b"2")]
    one, two = (
        Contents(aws, "one-bucket", b"content", **mine),
        Contents(aws, "two-bucket", body, **theirs),
    )
    if theirs is PLAIN:
        one, two = (
            Contents(aws, "one-bucket", body, **mine),
            Contents(aws, "two-bucket", b"content", **theirs),
        )
    assert one.same(entries[0], two, entries[1]) is Evidence.METADATA
    assert (one.reads, two.reads) == (0, 0)
    one.reads_unsettled = True
    expected = Evidence.CONTENT if body == b"content" else None
    assert one.same(entries[0], two, entries[1]) is expected
    assert (one.reads, two.reads) == reads


def test_present_entries_are_found_by_key(aws: Account) -> None:
    """A key is found only where exactly it is present."""
    put(aws, "one-bucket", "a/b")
    put(aws, "one-bucket", "a/bc")
    reader = make_reader(aws, place(aws, "one-bucket", "a/"), all_versions=False, deep=False)
    known = list(read_entries(reader, ""))
    gone = KeyFingerprint(b"nothing", b"", "nothing")
    assert reader.find([*known, gone]) == {entry.key: entry for entry in known}
    assert [entry.label for entry in known] == ["a/b", "a/bc"]


KEYS = [f"{day:02}/{n:03} é+%" for day in range(6) for n in range(20)]


@pytest.fixture
def many(aws: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """A bucket that is worth many parts, with versions; twice under a prefix."""
    monkeypatch.setattr(reader_module, "PART_OBJECTS", 8)
    monkeypatch.setattr(reader_module, "SAMPLED", 5)
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket="one-bucket", VersioningConfiguration={"Status": "Enabled"})
    for key in KEYS:
        put(aws, "one-bucket", f"p/{key}")
    for key in KEYS[::10]:
        put(aws, "one-bucket", f"p/{key}", Body=b"again")
    put(aws, "one-bucket", "a")
    put(aws, "one-bucket", "q")
    return aws


@pytest.mark.parametrize("all_versions", [False, True])
@pytest.mark.parametrize("prefix", ["", "p/", "p/03/"])
def test_parts_cover_a_bucket_in_order(many: Account, prefix: str, all_versions: bool) -> None:
    """Together the parts are the whole listing, each key once and in order, whatever the cuts."""
    reader = make_reader(
        many, place(many, "one-bucket", prefix), all_versions=all_versions, deep=False
    )
    parts = reader.parts()
    whole = list(read_entries(reader, ""))
    expected = sorted([*(f"p/{key}" for key in KEYS), "a", "q"], key=str.encode)
    assert [prefix + each.key.decode() for each in whole] == [
        key for key in expected if key.startswith(prefix)
    ]
    assert len(parts) > (1 if prefix == "p/03/" else 3)
    assert [each for part in parts for each in read_entries(reader, part)] == whole


def test_many_readers_get_more_parts_which_cover_a_bucket_all_the_same(many: Account) -> None:
    """Where a machine is content with few, workers are given more; each key is read once."""
    reader = make_reader(many, place(many, "one-bucket"), all_versions=False, deep=False)
    reader.most_parts = 3
    few = reader.parts()
    reader.most_parts = 12
    parts = reader.parts()
    assert len(few) < len(parts)
    keys = [each.key.decode() for each in read_entries(reader, *parts)]
    assert keys == sorted([*(f"p/{key}" for key in KEYS), "a", "q"], key=str.encode)


@pytest.mark.parametrize("all_versions", [False, True])
def test_a_part_goes_on_after_any_key(many: Account, all_versions: bool) -> None:
    """After a key, whether it is there or not, come exactly the keys behind it, up to the end."""
    reader = make_reader(
        many, place(many, "one-bucket", "p/"), all_versions=all_versions, deep=False
    )
    part = reader.parts()[1]
    keys = [each.key for each in read_entries(reader, part)]
    for after in (keys[0], keys[-2], keys[2][:-1]):
        pages = reader.pages(part, after.hex())
        found = [record[0] for page in pages for record in page.records]
        assert found == [key for key in keys if key > after]
