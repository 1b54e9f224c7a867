"""What CDK has uploaded is found by its address, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from dataware.aws.uploads import find_upload
from dataware.core.errors import LookupFailedError
from support.stubbed import StubbedAws

ADDRESS = "s3://assets-${AWS::AccountId}-${AWS::Region}/a/0123.json"
BUCKET, KEY = "assets-111122223333-eu-central-1", "a/0123.json"


@pytest.mark.parametrize(
    ("listed", "size"), [([], None), ([(f"{KEY}.old", 7)], None), ([(KEY, 60_000)], 60_000)]
)
def test_only_what_stands_under_the_very_key_counts(
    listed: list[tuple[str, int]], size: int | None
) -> None:
    """The place is filled in where CDK leaves it open; a listing also shows longer keys."""
    aws = StubbedAws("s3")
    contents = [{"Key": key, "Size": length} for key, length in listed]
    asked = {"Bucket": BUCKET, "Prefix": KEY, "MaxKeys": 1}
    aws.stubber.add_response("list_objects_v2", {"Contents": contents}, asked)
    upload = find_upload(aws, ADDRESS)  # type: ignore[arg-type] # the part of the port it uses
    assert upload.size == size
    assert upload.address == f"s3://{BUCKET}/{KEY}"
    assert upload.url == f"https://s3.eu-central-1.amazonaws.com/{BUCKET}/{KEY}"


def test_what_may_not_be_listed_is_told_with_the_permission() -> None:
    """It is never taken for not uploaded."""
    aws = StubbedAws("s3")
    aws.stubber.add_client_error("list_objects_v2", "AccessDenied", "no")
    with pytest.raises(LookupFailedError, match="s3:ListBucket"):
        find_upload(aws, ADDRESS)  # type: ignore[arg-type] # the part of the port it uses
