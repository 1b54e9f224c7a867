"""What custom resources of CDK would delete of the data of others, by comparison alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dataware.core.custom_deletions import find_custom_deletions, join_threats
from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.expand import expand
from dataware.core.guard import AppIndex, threats
from dataware.core.model import Deployed
from dataware.core.stack_template import DeclaredResource, StackTemplate, read_declared
from dataware.kinds import kinds

BUCKET, TABLE, REPOSITORY = "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::ECR::Repository"
EMPTIES, DEPLOYS = "Custom::S3AutoDeleteObjects", "Custom::CDKBucketDeployment"
INDEX = AppIndex({kind.cfn_type: kind for kind in kinds()})
FULL = AppIndex(INDEX.kinds, copied=frozenset({("s3-bucket", "media")}))
TAG = [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]
HELD = {
    "Media": Deployed(BUCKET, "media"),
    "Empty": Deployed(EMPTIES, "1"),
    "Files": Deployed(DEPLOYS, "2"),
}


def bucket(*, tagged: bool = True) -> dict[str, Any]:
    """A bucket that is retained."""
    properties = {"BucketName": "media", **({"Tags": TAG} if tagged else {})}
    policies = dict.fromkeys(("DeletionPolicy", "UpdateReplacePolicy"), "Retain")
    return {"Type": BUCKET, "Properties": properties, **policies}


def emptying(target: Any = None) -> dict[str, Any]:
    """What empties the bucket once it is removed."""
    return {"Type": EMPTIES, "Properties": {"BucketName": target or {"Ref": "Media"}}}


def files(target: Any = None, **properties: Any) -> dict[str, Any]:
    """A deployment of files into the bucket."""
    named = {"DestinationBucketName": target or {"Ref": "Media"}}
    return {"Type": DEPLOYS, "Properties": {**named, **properties}}


def stack(resources: Mapping[str, Any]) -> StackTemplate:
    """A stack of a template."""
    return read_declared("App", expand({"Resources": resources}, INDEX.kinds))


def lost(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    held: Mapping[str, Deployed] = HELD,
    index: AppIndex = INDEX,
) -> list[DestructiveChange]:
    """The threats of an update."""
    was: Mapping[str, DeclaredResource] = stack(before).resources
    found = threats(index, stack(now), was, held)
    return join_threats(found, find_custom_deletions(index, stack(now), was, held))


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        (emptying(), {"Moved": emptying()}, "all objects, which CDK deletes when Empty leaves"),
        (emptying("media"), {"Empty": emptying("other")}, "when Empty leaves"),
        (emptying(), {"Empty": {**emptying(), "Type": "Custom::Other"}}, "when Empty leaves"),
        (emptying("other"), {}, None),
        (emptying(), {"Empty": emptying()}, None),
        (emptying(), {"Empty": emptying("media")}, None),
        (emptying({"Fn::GetAtt": ["Media", "Name"]}), {}, "when Empty leaves"),
    ],
    ids=["moved", "aimed elsewhere", "another type", "of another", "stays", "by name", "attribute"],
)
def test_what_empties_a_bucket_may_leave_only_once_its_tag_has_left(
    before: Any, now: Any, outcome: str | None
) -> None:
    """CDK's handler deletes all that the bucket holds, unless the tag is gone by then."""
    found = lost({"Media": bucket(), "Empty": before}, {"Media": bucket(), **now})
    assert [one.loss for one in found] == ([Loss.DELETES] if outcome else [])
    assert all(outcome in one.outcome for one in found if outcome)
    untagged = {"Media": bucket(tagged=False), **now}
    assert lost({"Media": bucket(), "Empty": before}, untagged) == []


def test_a_fallback_that_is_retained_is_lost_if_it_is_emptied_as_it_leaves() -> None:
    """A policy that keeps the bucket keeps nothing that is in it."""
    before = {"Media": bucket(), "Empty": emptying()}
    assert [one.loss for one in lost(before, {}, index=FULL)] == [Loss.DELETES]
    assert [one.loss for one in lost(before, {})] == [Loss.DELETES]
    assert lost({"Media": bucket(), "Empty": emptying("other")}, {}, index=FULL) == []


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({}, files(), "every object that Files does not deploy itself"),
        ({}, files(Prune="false"), None),
        ({}, files(Prune=False), None),
        ({}, files("other"), None),
        (files(Prune=False), files(Prune=True), "every object that Files"),
        (files(), files(), None),
        (files(), files(DestinationBucketKeyPrefix="/"), None),
        (files(), files(DestinationBucketKeyPrefix="web/"), "every object under web/ that Files"),
        (files(), {}, None),
        (files(RetainOnDelete=False), {}, "every object, because Files leaves it"),
        (files(RetainOnDelete=True), {}, None),
    ],
)
def test_a_deployment_of_files_deletes_what_it_does_not_bring(
    before: Any, now: Any, words: str | None
) -> None:
    """One that is new, or prunes another prefix, is a loss; one that did so before is none."""
    was = {"Media": bucket(), **({"Files": before} if before else {})}
    held = HELD if before else {"Media": HELD["Media"]}
    found = lost(was, {"Media": bucket(), **({"Files": now} if now else {})}, held)
    assert [words in one.outcome for one in found if words] == ([True] if words else [])
    assert bool(found) is bool(words)


def test_a_deployment_of_files_under_a_new_logical_id_deletes_nothing_more() -> None:
    """CDK makes the logical id of the memory of its function, among others."""
    before = {"Media": bucket(), "Files": files(RetainOnDelete=False)}
    assert lost(before, {"Media": bucket(), "Files2": files(RetainOnDelete=False)}) == []


def test_a_custom_resource_counts_where_it_may_be_and_is_deployed() -> None:
    """A condition that is unknown may hold; what a condition left out is not removed."""
    now = {"Media": bucket(), "Files": {**files(), "Condition": "Never"}}
    held = {"Media": HELD["Media"]}
    assert [one.loss for one in lost({"Media": bucket()}, now, held)] == [Loss.DELETES]
    before = {"Media": bucket(), "Empty": {**emptying(), "Condition": "Never"}}
    assert lost(before, {"Media": bucket()}, held) == []


def owned(*marks: str) -> dict[str, Any]:
    """A bucket with the tags that CDK gives it for deployments of files."""
    tags = [{"Key": f"aws-cdk:cr-owned:{one}", "Value": "true"} for one in marks]
    return {"Type": BUCKET, "Properties": {"BucketName": "media", "Tags": tags}}


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (owned(), owned("50d71f92"), "every object that a new deployment in another stack lacks"),
        (owned(), owned("web/:50d71f92"), "every object under web/ that a new deployment"),
        (owned("50d71f92"), owned("75f7c7a6"), None),
        (owned("50d71f92"), owned(), None),
        (owned("50d71f92"), owned("50d71f92", "web:75f7c7a6"), "under web/"),
        (owned(), {"Type": BUCKET, "Properties": {"Tags": {"Ref": "Tags"}}}, None),
    ],
)
def test_a_new_deployment_of_files_in_another_stack_is_seen_by_the_tag_of_the_bucket(
    before: dict[str, Any], now: dict[str, Any], words: str | None
) -> None:
    """Whether it prunes is not seen here; another name of one that was there is no new one."""
    held = {"Media": Deployed(BUCKET, "media")}
    found = [one for one in lost({"Media": before}, {"Media": now}, held) if one.loss == "deletes"]
    assert [words in one.outcome for one in found if words] == ([True] if words else [])
    assert bool(found) is bool(words)


def test_the_tag_of_a_deployment_in_the_same_stack_is_no_other_one() -> None:
    """What its own template says of it is known."""
    held = {"Media": HELD["Media"]}
    now = {"Media": owned("50d71f92"), "Files": files(Prune=False)}
    assert lost({"Media": owned()}, now, held) == []


def test_images_and_replicas_go_with_what_removes_them() -> None:
    """The same shapes of a repository and of a table of several regions."""
    tags = [{"Key": "aws-cdk:auto-delete-images", "Value": "true"}]
    images = {"Type": REPOSITORY, "Properties": {"RepositoryName": "app", "Tags": tags}}
    removing = {"Type": "Custom::ECRAutoDeleteImages", "Properties": {"RepositoryName": "app"}}
    held = {"Images": Deployed(REPOSITORY, "app"), "Empty": Deployed(f"{removing['Type']}", "1")}
    (found,) = lost({"Images": images, "Empty": removing}, {"Images": images}, held)
    assert "all images" in found.outcome

    table = {"Type": TABLE, "Properties": {"TableName": "orders"}}
    replica = {"TableName": {"Ref": "Orders"}, "Region": "eu-west-1"}
    custom = {"Type": "Custom::DynamoDBReplica", "Properties": replica}
    held = {"Orders": Deployed(TABLE, "orders"), "Eu": Deployed(f"{custom['Type']}", "2")}
    (found,) = lost({"Orders": table, "Eu": custom}, {"Orders": table, "Eu2": custom}, held)
    assert "its replica in eu-west-1" in found.outcome
    kept = {**custom, "Properties": {**replica, "SkipReplicaDeletion": True}}
    assert lost({"Orders": table, "Eu": kept}, {"Orders": table}, held) == []
    assert lost({"Orders": table, "Eu": custom}, {"Orders": table, "Eu": custom}, held) == []
