"""The probe against the embedded AWS, and against answers that no emulator gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dataware.aws.session import Account
from dataware.core.model import Content, Existence, Facts, Ownership, Size
from dataware.embedded import EmbeddedAws
from dataware.kinds.s3_bucket import KIND
from dataware.kinds.s3_bucket.notes import describe_expiry, note_archived
from support import buckets

NAME = "probed-bucket"


@pytest.fixture
def aws(aws_server: EmbeddedAws) -> Account:
    """An account without a bucket."""
    return buckets.account()


@pytest.fixture
def bucket(aws: Account) -> Any:
    """The client of an account with one bucket."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=NAME)
    return s3


def deny(aws: Account, operation: str, code: str = "AccessDenied", status: int = 403) -> None:
    """Let one operation of the account's client be refused."""
    parsed = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}},
    }

    def refuse(**_: object) -> tuple[Any, dict[str, Any]]:
        from botocore.awsrequest import AWSResponse

        return AWSResponse("", status, {}, None), parsed

    aws.client("s3").meta.events.register(f"before-call.s3.{operation}", refuse)


def recorded(aws: Account) -> list[tuple[str, dict[str, Any]]]:
    """Every operation that the account's client is asked from now on, with its headers."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def keep(model: Any, params: dict[str, Any], **_: object) -> None:
        calls.append((model.name, params["headers"]))

    aws.client("s3").meta.events.register_first("before-call.s3", keep)
    return calls


def probe(aws: Account) -> Facts:
    """What the probe sees."""
    return KIND.probe(aws, NAME)


def test_a_name_that_nobody_has_is_absent(aws: Account) -> None:
    """A 404 is the only answer that means "absent"."""
    facts = probe(aws)
    assert (facts.existence, facts.content) == (Existence.ABSENT, Content.EMPTY)
    assert not facts.unseen


def test_an_empty_bucket_is_empty(aws: Account, bucket: Any) -> None:
    """Emptiness is seen, with the settings and an identity."""
    facts = probe(aws)
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.EMPTY)
    assert facts.size == Size(0, 0)
    assert facts.identity
    assert facts.problems == ()
    assert set(facts.settings) == {
        "encryption",
        "public access block",
        "versioning",
        "object lock",
    }


def test_an_object_is_data(aws: Account, bucket: Any) -> None:
    """One object makes data, counted exactly while one page shows them all."""
    bucket.put_object(Bucket=NAME, Key="k", Body=b"12345")
    facts = probe(aws)
    assert facts.content is Content.DATA
    assert facts.size == Size(1, 5)


def test_a_thousand_objects_are_an_estimate(aws: Account, bucket: Any) -> None:
    """What one page does not show is never counted as exact."""
    for number in range(1001):
        bucket.put_object(Bucket=NAME, Key=f"{number:04}", Body=b"")
    assert probe(aws).size == Size(1000, 0, exact=False, at_least=True)


def version(s3: Any) -> None:
    """Turn versioning on."""
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})


def test_an_older_version_is_data(aws: Account, bucket: Any) -> None:
    """A bucket whose objects are all deleted but kept as versions is not empty."""
    version(bucket)
    bucket.put_object(Bucket=NAME, Key="k", Body=b"1")
    bucket.delete_object(Bucket=NAME, Key="k")
    facts = probe(aws)
    assert facts.content is Content.DATA
    assert any("--versions all" in note for note in facts.notes)


def test_older_versions_beside_objects_are_noted(aws: Account, bucket: Any) -> None:
    """Who migrates current objects only is told what stays behind."""
    version(bucket)
    for body in (b"1", b"2"):
        bucket.put_object(Bucket=NAME, Key="k", Body=body)
    assert any("--versions all" in note for note in probe(aws).notes)


def test_a_website_is_noted(aws: Account, bucket: Any) -> None:
    """Who migrates a website is told that redirects of objects stay behind, nobody else is."""
    assert not any("website" in note for note in probe(aws).notes)
    website = {"IndexDocument": {"Suffix": "index.html"}}
    bucket.put_bucket_website(Bucket=NAME, WebsiteConfiguration=website)
    facts = probe(aws)
    assert any("redirects" in note for note in facts.notes)
    assert facts.problems == ()


def test_delete_markers_and_unfinished_uploads_are_no_data(aws: Account, bucket: Any) -> None:
    """They are told of, but nobody's data would be lost with them."""
    version(bucket)
    bucket.delete_object(Bucket=NAME, Key="k")
    bucket.create_multipart_upload(Bucket=NAME, Key="u")
    facts = probe(aws)
    assert facts.content is Content.EMPTY
    assert any("delete markers" in note for note in facts.notes)
    assert any("unfinished uploads" in note for note in facts.notes)


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("ListObjectsV2", "s3:ListBucket"), ("ListObjectVersions", "s3:ListBucketVersions")],
)
def test_a_denied_listing_is_unknown(
    aws: Account, bucket: Any, operation: str, permission: str
) -> None:
    """A denial never means "empty", and the missing permission is named."""
    deny(aws, operation)
    facts = probe(aws)
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    assert permission in {problem.permission for problem in facts.problems}


def test_our_bucket_that_denies_us_is_ours(aws: Account, bucket: Any) -> None:
    """A 403 on a name that our own list shows is a denial, not a stranger."""
    deny(aws, "HeadBucket", "403")
    facts = probe(aws)
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    assert facts.owner.ownership is Ownership.UNMANAGED
    assert [problem.permission for problem in facts.problems] == ["s3:ListBucket"]


def nothing(_aws: Account) -> None:
    """Deny nothing more."""


@pytest.mark.parametrize(
    "listing", [nothing, lambda aws: deny(aws, "ListBuckets")], ids=["not listed", "list denied"]
)
def test_a_stranger_s_bucket_is_foreign_and_left_alone(
    aws: Account, listing: Callable[[Account], None]
) -> None:
    """A 403 on a name that our list does not show is another account's: nothing more is asked."""
    deny(aws, "HeadBucket", "403")
    listing(aws)
    asked: list[str] = []
    aws.client("s3").meta.events.register(
        "before-parameter-build.s3", lambda model, **_: asked.append(model.name)
    )
    facts = probe(aws)
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    assert facts.owner.ownership is Ownership.FOREIGN
    assert "s3:ListAllMyBuckets" in {problem.permission for problem in facts.problems}
    assert asked == ["HeadBucket", "ListBuckets"]


@pytest.mark.parametrize(
    ("account", "ownership"),
    [("000000000000", Ownership.UNMANAGED), ("111122223333", Ownership.FOREIGN)],
)
def test_a_name_of_an_account_is_nobody_else_s(
    aws: Account, account: str, ownership: Ownership
) -> None:
    """In the namespace of an account and region a denial is no stranger, unlisted as it is."""
    deny(aws, "HeadBucket", "403")
    facts = KIND.probe(aws, f"logs-{account}-us-east-1-an")
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    assert facts.owner.ownership is ownership


def test_a_bucket_of_another_account_is_foreign(aws: Account, aws_server: EmbeddedAws) -> None:
    """The emulator refuses another account's bucket as S3 does."""
    import boto3

    boto3.client(
        "s3",
        endpoint_url=aws_server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="111122223333",
        aws_secret_access_key="test",
    ).create_bucket(Bucket=NAME)
    assert probe(aws).owner.ownership is Ownership.FOREIGN


def test_a_failing_service_leaves_everything_unknown(aws: Account) -> None:
    """Server errors mean neither "absent" nor "foreign"."""
    deny(aws, "HeadBucket", "InternalError", 500)
    facts = probe(aws)
    assert facts.existence is Existence.UNKNOWN
    assert facts.owner.ownership is not Ownership.FOREIGN
    assert facts.problems


def test_every_call_names_the_owner(aws: Account, bucket: Any) -> None:
    """Every call on a bucket carries the account that must own it."""
    calls = recorded(aws)
    probe(aws)
    assert len(calls) > 6
    for name, headers in calls:
        if name != "ListBuckets":
            assert headers["x-amz-expected-bucket-owner"] == aws.account, name


def test_denied_settings_are_problems_and_no_settings(aws: Account, bucket: Any) -> None:
    """A setting that was not seen is not compared, and does not hide the content."""
    deny(aws, "GetBucketEncryption")
    facts = probe(aws)
    assert facts.content is Content.EMPTY
    assert "encryption" not in facts.settings
    assert [problem.permission for problem in facts.problems] == ["s3:GetEncryptionConfiguration"]


def test_archived_objects_are_foreseen(aws: Account, bucket: Any) -> None:
    """By what the first page shows, as far as they are not restored."""
    for number in range(12):
        storage = "GLACIER" if number < 3 else "STANDARD"
        bucket.put_object(Bucket=NAME, Key=f"{number:02}", Body=b"", StorageClass=storage)
    said = "3 of 12 objects are archived and will be skipped; restore them first"
    assert said in probe(aws).notes


@pytest.mark.parametrize(
    ("listed", "more", "said"),
    [
        ([{"StorageClass": "DEEP_ARCHIVE"}] * 2, True, ["2 of the first 2 objects are archived"]),
        ([{"StorageClass": "GLACIER"}], False, ["1 of 1 objects is archived"]),
        (
            [{"StorageClass": "GLACIER", "RestoreStatus": {"RestoreExpiryDate": "2030-01-01"}}],
            False,
            [],
        ),
        (
            [{"StorageClass": "GLACIER", "RestoreStatus": {"IsRestoreInProgress": True}}],
            False,
            ["1 of 1 objects is archived"],
        ),
        ([{"StorageClass": "GLACIER_IR"}, {}], False, []),
    ],
)
def test_only_what_cannot_be_read_counts_as_archived(
    listed: list[dict[str, Any]], more: bool, said: list[str]
) -> None:
    """Instant retrieval and restored copies can be read."""
    notes = list(note_archived(listed, more=more))
    assert [note.partition(" and will")[0] for note in notes] == said


def test_what_a_bucket_does_with_new_objects_is_noted(aws: Account, bucket: Any) -> None:
    """Copied objects are new ones: they are notified of, and expire."""
    assert not any("copied" in note for note in probe(aws).notes)
    bucket.put_bucket_lifecycle_configuration(
        Bucket=NAME,
        LifecycleConfiguration={
            "Rules": [
                {"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}},
                {"ID": "b", "Status": "Disabled", "Prefix": "", "Expiration": {"Days": 9}},
            ]
        },
    )
    topic = aws.client("sns").create_topic(Name="t")["TopicArn"]
    bucket.put_bucket_notification_configuration(
        Bucket=NAME,
        NotificationConfiguration={
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    notes = probe(aws).notes
    assert "its lifecycle expires objects after 1 day, also copied ones" in notes
    assert "it sends event notifications, also for objects that are copied into it" in notes


def test_a_bucket_that_only_moves_objects_expires_none() -> None:
    """Transitions, and rules that are off, delete nothing."""
    moving = {"Status": "Enabled", "Transitions": [{"Days": 1}]}
    marker = {"Status": "Enabled", "Expiration": {"ExpiredObjectDeleteMarker": True}}
    dated = {"Status": "Enabled", "Expiration": {"Date": "2030-01-01"}}
    assert list(describe_expiry({"Rules": [moving, marker]})) == []
    assert list(describe_expiry({"Rules": [moving, dated]})) == [
        "its lifecycle expires objects from a date on, also copied ones"
    ]


def test_what_is_not_allowed_to_be_seen_of_it_decides_nothing(aws: Account, bucket: Any) -> None:
    """A denial is a question left open."""
    deny(aws, "GetBucketNotificationConfiguration")
    deny(aws, "GetBucketLifecycleConfiguration")
    facts = probe(aws)
    assert {problem.permission for problem in facts.problems} == {
        "s3:GetBucketNotification",
        "s3:GetLifecycleConfiguration",
    }
    assert not facts.unseen
