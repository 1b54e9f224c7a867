"""A large template is uploaded for as long as it is needed, into a bucket of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import ANY

from dataware.aws.template_upload import TemplateUpload, list_arns
from dataware.core.errors import LookupFailedError
from support.stubbed import StubbedAws

BUCKET = "dataware-import-111122223333-eu-central-1"
PLACE = {"Bucket": BUCKET, "ExpectedBucketOwner": StubbedAws.account}
WHERE = {"LocationConstraint": StubbedAws.region}
MADE = {"Bucket": BUCKET, "CreateBucketConfiguration": WHERE}
PUT = {**PLACE, "Key": "App.json", "Body": b"{}", "ServerSideEncryption": "AES256"}


@pytest.fixture
def aws() -> Iterator[StubbedAws]:
    """An account whose every answer the test gives, and which hears no other call."""
    there = StubbedAws("s3")
    yield there
    there.stubber.assert_no_pending_responses()


def upload(aws: StubbedAws) -> TemplateUpload:
    """The upload for a stack."""
    return TemplateUpload(aws, "App")  # type: ignore[arg-type]


@pytest.mark.parametrize("is_left", [False, True])
def test_it_is_put_and_taken_away(aws: StubbedAws, is_left: bool) -> None:
    """Also into the bucket that a killed run has left."""
    if is_left:
        aws.stubber.add_client_error("create_bucket", "BucketAlreadyOwnedByYou")
    else:
        aws.stubber.add_response("create_bucket", {}, MADE)
    aws.stubber.add_response("put_object", {}, PUT)
    aws.stubber.add_response("delete_object", {}, {**PLACE, "Key": "App.json"})
    aws.stubber.add_response("delete_bucket", {}, PLACE)
    there = upload(aws)
    url = there.put("{}")
    assert url == f"https://s3.eu-central-1.amazonaws.com/{BUCKET}/App.json"
    there.remove()


def test_a_region_that_is_the_default_is_not_named(
    aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 refuses it there."""
    monkeypatch.setattr(aws, "region", "us-east-1", raising=False)
    name = BUCKET.replace("eu-central-1", "us-east-1")
    aws.stubber.add_response("create_bucket", {}, {"Bucket": name})
    aws.stubber.add_response("put_object", {}, {**PUT, "Bucket": name})
    assert upload(aws).put("{}").startswith("https://s3.us-east-1.amazonaws.com/")


def test_nothing_is_touched_in_the_bucket_of_somebody_else(aws: StubbedAws) -> None:
    """The name may be taken, and then there is nothing to take away."""
    aws.stubber.add_client_error("create_bucket", "BucketAlreadyExists")
    there = upload(aws)
    with pytest.raises(LookupFailedError, match="BucketAlreadyExists"):
        there.put("{}")
    there.remove()


@pytest.mark.parametrize(
    ("code", "stays"), [("BucketNotEmpty", False), ("NoSuchBucket", False), ("AccessDenied", True)]
)
def test_a_bucket_that_another_import_uses_stays(aws: StubbedAws, code: str, stays: bool) -> None:
    """Only what is in nobody's use and cannot be removed is an error."""
    aws.stubber.add_response("create_bucket", {}, MADE)
    aws.stubber.add_response("put_object", {}, {**PUT, "Body": ANY})
    aws.stubber.add_response("delete_object", {})
    aws.stubber.add_client_error("delete_bucket", code)
    there = upload(aws)
    there.put("{}")
    if not stays:
        there.remove()
        return
    with pytest.raises(LookupFailedError, match="s3:DeleteBucket"):
        there.remove()


def test_a_policy_names_the_bucket_alone() -> None:
    """And what is put into it."""
    bucket = "arn:aws-cn:s3:::dataware-import-1-cn-north-1"
    assert list_arns("1", "cn-north-1", "aws-cn") == (bucket, f"{bucket}/*")
