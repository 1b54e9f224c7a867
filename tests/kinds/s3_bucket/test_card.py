"""The card's pure parts: names, ARNs, and the settings that a template declares."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder
from dataware.core.model import Location, Setting, Size
from dataware.core.ports import Judgement
from dataware.kinds.s3_bucket import KIND
from dataware.kinds.s3_bucket.copy.multipart import MOST_PARTS, part_ranges
from dataware.kinds.s3_bucket.copy.requests import Bucket, S3Request
from dataware.kinds.s3_bucket.settings import SETTINGS, declared_settings

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@pytest.mark.parametrize("name", ["abc", "a" * 63, "spaceport-uploads.prod-1", "1a2"])
def test_valid_names_pass(name: str) -> None:
    """What S3 accepts is accepted."""
    assert KIND.names.check(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("ab", "a" * 64, "Upper-case", "under_score", "-abc", "abc-", "a..b", "192.168.5.4"),
        *("xn--bucket", "sthree-a", "amzn-s3-demo-x", "a-s3alias", "a--ol-s3", "a--x-s3", ""),
        "line\n",
    ],
)
def test_invalid_names_are_told(name: str) -> None:
    """What S3 refuses is refused before anything is asked of it."""
    assert KIND.names.check(name)


@pytest.mark.parametrize("name", ["Legacy_Photos_2013", "a" * 255, "UPPER", "a..b", "-abc_"])
def test_buckets_of_before_2018_are_known_by_their_names(name: str) -> None:
    """They stand, and cannot be renamed; a new one cannot have such a name."""
    assert KIND.names.find_problem(name) is None
    assert KIND.names.check(name)


@pytest.mark.parametrize("name", ["ab", "a" * 256, "a b", "a/b", "a--x-s3", "a-s3alias", "é-b"])
def test_no_bucket_ever_had_such_a_name(name: str) -> None:
    """It is refused before anything is asked."""
    assert KIND.names.find_problem(name)


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"VersioningConfiguration": {"Status": "enabled"}}, "did you mean Enabled"),
        ({"LifecycleConfiguration": {"Rules": [{"Status": "On"}]}}, "Rules.Status cannot be On"),
    ],
)
def test_a_word_that_s3_does_not_know_is_told(properties: dict[str, Any], says: str) -> None:
    """It would be refused only when the bucket is made."""
    assert says in str(KIND.template.check_properties(properties))
    assert (
        KIND.template.check_properties({"VersioningConfiguration": {"Status": {"Ref": "S"}}})
        is None
    )


def test_requests_to_an_old_name_have_it_in_the_path() -> None:
    """A host name has neither capitals nor underscores (User Guide, path-style requests)."""
    place = Location("Legacy_Photos_2013", "1" * 12, "us-east-1")
    request = Bucket.of(place).request("GET", lambda _answer: Judgement.DONE, S3Request(key=b"a b"))
    assert request.path == "/Legacy_Photos_2013/a%20b"


def test_arns_are_the_bucket_and_its_objects() -> None:
    """Bucket and objects have ARNs of their own, in the caller's partition."""
    assert KIND.access.arns("b-1", "1", "cn-north-1", "aws-cn") == (
        "arn:aws-cn:s3:::b-1",
        "arn:aws-cn:s3:::b-1/*",
    )


def test_a_bucket_without_properties_is_encrypted_and_closed() -> None:
    """New buckets get SSE-S3 and all four public access blocks."""
    assert declared_settings({}) == {
        "encryption": Setting(1, "SSE-S3"),
        "public access block": Setting(4, "on"),
        "versioning": Setting(0, "off"),
        "object lock": Setting(0, "off"),
    }


def encrypted(algorithm: Any) -> dict[str, Any]:
    """Properties with a default encryption."""
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}}


@pytest.mark.parametrize(
    ("properties", "name", "setting"),
    [
        (encrypted("aws:kms"), "encryption", Setting(2, "SSE-KMS")),
        (encrypted("aws:kms:dsse"), "encryption", Setting(3, "DSSE-KMS")),
        (encrypted({"Ref": "Algorithm"}), "encryption", None),
        ({"BucketEncryption": {"Ref": "X"}}, "encryption", None),
        (
            {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS[:3], "true")},
            "public access block",
            Setting(3, "3 of 4 on"),
        ),
        ({"PublicAccessBlockConfiguration": {}}, "public access block", Setting(0, "off")),
        ({"PublicAccessBlockConfiguration": {"Ref": "X"}}, "public access block", None),
        ({"VersioningConfiguration": {"Status": "Enabled"}}, "versioning", Setting(2, "on")),
        (
            {"VersioningConfiguration": {"Status": "Suspended"}},
            "versioning",
            Setting(1, "suspended"),
        ),
        ({"VersioningConfiguration": {"Status": {"Ref": "X"}}}, "versioning", None),
        ({"ObjectLockEnabled": True}, "object lock", Setting(1, "on")),
        ({"ObjectLockEnabled": {"Ref": "X"}}, "object lock", None),
    ],
)
def test_declared_settings(properties: dict[str, Any], name: str, setting: Setting | None) -> None:
    """A template's words rank as the service's do; what it computes is left out."""
    assert declared_settings(properties).get(name) == setting


def test_answers_rank_as_templates_do() -> None:
    """The same setting has the same rank, whether it is declared or found."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    answers: dict[str, dict[str, Any]] = {
        "encryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}},
        "public access block": {"PublicAccessBlockConfiguration": dict.fromkeys(BLOCKS, True)},
        "versioning": {"Status": "Enabled"},
        "object lock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
    }
    ranks = {setting.name: setting.rank(answers[setting.name]).rank for setting in SETTINGS}
    assert ranks == {"encryption": 2, "public access block": 4, "versioning": 2, "object lock": 1}
    assert {setting.rank({}) for setting in SETTINGS} == {Setting(0, "off")}


@given(st.integers(1, 50 * 1024**4), st.integers(1, 5 * 1024**3))
def test_parts_cover_an_object_exactly(size: int, part_size: int) -> None:
    """Parts touch without gap or overlap, and there are never more than S3 takes."""
    part_size = max(part_size, size // 500)
    ranges = part_ranges(size, part_size)
    assert len(ranges) <= MOST_PARTS
    assert (ranges[0][0], ranges[-1][1]) == (0, size - 1)
    assert all(one[1] + 1 == two[0] for one, two in pairwise(ranges))


def test_parts_grow_where_there_would_be_too_many() -> None:
    """The largest object still fits into the parts that S3 allows."""
    ranges = part_ranges(50 * 1024**4, 5 * 1024**2)
    assert len(ranges) <= MOST_PARTS
    assert ranges[-1][1] == 50 * 1024**4 - 1


def test_the_default_threshold_is_what_one_copy_takes() -> None:
    """CopyObject takes objects of up to 5 GiB."""
    place = Location("b", "1", "r")
    assert CopyOrder(place, place).multipart_threshold == 5 * 1024**3


@pytest.mark.parametrize(("items", "puts"), [(0, 0), (1, 5), (1000, 1004), (1001, 1009)])
def test_charges_are_a_copy_of_each_object_and_the_pages_of_four_listings(
    items: int, puts: float
) -> None:
    """Source and target are listed once for the copy and once for the verification."""
    assert KIND.require_copying().charges(Size(items, 10**9)) == {"s3.put": puts}


def test_actions_on_objects_are_granted_on_objects_only() -> None:
    """A policy says what AWS checks: listing is of the bucket, reading of its objects."""
    bucket, objects = KIND.access.arns("b-1", "1", "eu-central-1", "aws")
    for action, arn in (("s3:ListBucket", bucket), ("s3:PutObject", objects)):
        assert [one for one in (bucket, objects) if KIND.access.governs(action, one)] == [arn]
    named = {action for some in KIND.access.phases.values() for action in some}
    odd = {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}
    for action in named:
        about_objects = "Object" in action and "ObjectLock" not in action
        assert KIND.access.governs(action, objects) is (about_objects or action in odd), action
