"""Headers of objects: which keys and combinations S3 takes, and which win."""

from __future__ import annotations

import pytest

from dataware.core.object_headers import ENCRYPTIONS, ObjectHeaders, is_kms_key

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI = "mrk-1234abcd12ab34cd56ef1234567890ab"


@pytest.mark.parametrize("name", [KEY, MULTI, "alias/aws/s3", "alias/my_key"])
def test_a_key_is_named_by_id_alias_or_arn(name: str) -> None:
    """Each of the four identifiers of AWS KMS, in every partition."""
    word = name if name.startswith("alias/") else f"key/{name}"
    assert is_kms_key(name)
    for partition in ("aws", "aws-cn", "aws-us-gov"):
        assert is_kms_key(f"arn:{partition}:kms:eu-west-1:111122223333:{word}")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "my-key",
        KEY[:-1],
        f"key/{KEY}",
        "alias/",
        f"arn:aws:kms:eu-west-1:1111:key/{KEY}",
        "arn:aws:s3:::bucket",
        f"{KEY}\nx-amz-acl: public-read",
    ],
)
def test_what_is_no_key_is_said_to_be_none(name: str) -> None:
    """A wrong key is told of before anything is sent; a line break never gets into a header."""
    assert not is_kms_key(name)
    if name:
        assert "is not a KMS key" in str(ObjectHeaders("aws:kms", name).problem())


@pytest.mark.parametrize("encryption", ["", "AES256"])
def test_a_key_needs_an_encryption_by_kms(encryption: str) -> None:
    """S3 would refuse every object."""
    assert "needs the encryption aws:kms" in str(ObjectHeaders(encryption, KEY).problem())


def test_only_an_encryption_by_kms_hides_the_digest_of_the_content() -> None:
    """The ETag of what S3 encrypts with keys of its own is an MD5 digest."""
    hiding = [one for one in ENCRYPTIONS if ObjectHeaders(one).hides_content_hash]
    assert hiding == ["aws:kms", "aws:kms:dsse"]


def test_a_key_is_never_taken_over_with_another_encryption() -> None:
    """What is given wins as a whole, and fills up what is not given."""
    before = ObjectHeaders("aws:kms", KEY, "private")
    assert ObjectHeaders("AES256").over(before) == ObjectHeaders("AES256", "", "private")
    assert ObjectHeaders(acl="bucket-owner-read").over(before) == ObjectHeaders(
        "aws:kms", KEY, "bucket-owner-read"
    )
    assert ObjectHeaders().over(before) == before
