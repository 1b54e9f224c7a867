"""Comparing a live resource with its template, by the cards of every adopted type."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.comparison import (
    LiveConfiguration,
    PropertyDifference,
    PropertyVerdict,
    compare_configuration,
    list_uncompared,
    matches,
)
from dataware.core.model import Problem
from dataware.kinds import load
from dataware.kinds.s3_bucket.lifecycle import from_api

BUCKET, TABLE, GLOBAL = "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"
REPOSITORY, LOG_GROUP = "AWS::ECR::Repository", "AWS::Logs::LogGroup"


def compared(
    cfn_type: str, live: dict[str, Any], declared: dict[str, Any], **unread: Problem
) -> dict[str, PropertyDifference]:
    """The differences by property."""
    card = load(cfn_type).comparison
    assert card is not None
    found = compare_configuration(card, LiveConfiguration(live, unread), declared)
    return {one.name: one for one in found}


def verdicts(cfn_type: str, live: dict[str, Any], declared: dict[str, Any]) -> dict[str, str]:
    """The verdict on each property."""
    return {name: one.verdict for name, one in compared(cfn_type, live, declared).items()}


days = st.integers(1, 4000)
rules = st.fixed_dictionaries(
    {"Status": st.sampled_from(["Enabled", "Enabled", "Disabled"])},
    optional={
        "Id": st.text("abc", max_size=2),
        "Prefix": st.sampled_from(["", "a/", "a/b", "b"]),
        "TagFilters": st.lists(
            st.fixed_dictionaries({"Key": st.sampled_from("xy"), "Value": st.just("1")}),
            max_size=2,
        ),
        "ObjectSizeGreaterThan": st.integers(1, 9).map(str),
        "ObjectSizeLessThan": st.integers(1, 9),
        "ExpirationInDays": days | days.map(str),
        "ExpirationDate": st.sampled_from(["2030-01-01", "2031-01-01T00:00:00Z"]),
        "NoncurrentVersionExpirationInDays": days,
        "NoncurrentVersionExpiration": st.fixed_dictionaries(
            {"NoncurrentDays": days}, optional={"NewerNoncurrentVersions": st.integers(1, 9)}
        ),
        "ExpiredObjectDeleteMarker": st.booleans(),
        "AbortIncompleteMultipartUpload": st.fixed_dictionaries({"DaysAfterInitiation": days}),
        "Transitions": st.lists(
            st.fixed_dictionaries({"StorageClass": st.just("GLACIER"), "TransitionInDays": days}),
            max_size=2,
        ),
    },
)
lifecycles = st.fixed_dictionaries({"Rules": st.lists(rules, max_size=3)})
buckets = st.fixed_dictionaries(
    {},
    optional={
        "LifecycleConfiguration": lifecycles,
        "VersioningConfiguration": st.fixed_dictionaries(
            {"Status": st.sampled_from(["Enabled", "Suspended"])}
        ),
        "ObjectLockEnabled": st.booleans() | st.sampled_from(["true", "false"]),
        "PublicAccessBlockConfiguration": st.dictionaries(
            st.sampled_from(["BlockPublicAcls", "IgnorePublicAcls"]), st.booleans()
        ),
        "Tags": st.lists(
            st.fixed_dictionaries({"Key": st.sampled_from("pq"), "Value": st.text(max_size=2)})
        ),
    },
)
names = st.sampled_from(["id", "at", "by"])
keys = st.lists(
    st.fixed_dictionaries({"AttributeName": names, "KeyType": st.sampled_from(["HASH", "RANGE"])}),
    min_size=1,
    max_size=2,
)
indexes = st.lists(
    st.fixed_dictionaries(
        {
            "IndexName": st.sampled_from(["one", "two"]),
            "KeySchema": keys,
            "Projection": st.fixed_dictionaries({"ProjectionType": st.just("ALL")}),
        }
    ),
    max_size=2,
)
expiries = st.fixed_dictionaries(
    {"Enabled": st.booleans() | st.sampled_from(["true", "false"]), "AttributeName": names}
)
tables = st.fixed_dictionaries(
    {"KeySchema": keys},
    optional={
        "LocalSecondaryIndexes": indexes,
        "GlobalSecondaryIndexes": indexes,
        "TimeToLiveSpecification": expiries,
        "BillingMode": st.sampled_from(["PROVISIONED", "PAY_PER_REQUEST"]),
        "DeletionProtectionEnabled": st.booleans() | st.sampled_from(["true", "false"]),
    },
)
image_rules = st.fixed_dictionaries(
    {
        "rulePriority": st.integers(1, 9),
        "selection": st.fixed_dictionaries(
            {
                "tagStatus": st.sampled_from(["any", "untagged"]),
                "countType": st.sampled_from(["imageCountMoreThan", "sinceImagePushed"]),
                "countNumber": st.integers(1, 99),
            }
        ),
        "action": st.just({"type": "expire"}),
    }
)
policies = st.lists(image_rules, min_size=1, max_size=3).map(
    lambda found: {"LifecyclePolicyText": json.dumps({"rules": found})}
)
repositories = st.fixed_dictionaries(
    {},
    optional={
        "LifecyclePolicy": policies,
        "ImageTagMutability": st.sampled_from(["MUTABLE", "IMMUTABLE"]),
        "EncryptionConfiguration": st.fixed_dictionaries(
            {"EncryptionType": st.sampled_from(["AES256", "KMS"])}
        ),
    },
)
log_groups = st.fixed_dictionaries(
    {},
    optional={
        "RetentionInDays": st.integers(1, 3653) | st.integers(1, 3653).map(str),
        "LogGroupClass": st.sampled_from(["STANDARD", "INFREQUENT_ACCESS"]),
        "KmsKeyId": st.text("abc", min_size=1, max_size=2),
        "DeletionProtectionEnabled": st.booleans() | st.sampled_from(["true", "false"]),
    },
)
CONFIGURATIONS = {
    BUCKET: buckets,
    TABLE: tables,
    GLOBAL: tables,
    REPOSITORY: repositories,
    LOG_GROUP: log_groups,
}


@given(st.sampled_from(sorted(CONFIGURATIONS)), st.data())
def test_equal_configurations_are_the_same(cfn_type: str, data: st.DataObject) -> None:
    """A resource that is as its template says has nothing but properties that are the same."""
    configuration: Any = data.draw(CONFIGURATIONS[cfn_type])
    found = verdicts(cfn_type, configuration, json.loads(json.dumps(configuration)))
    assert set(found.values()) <= {PropertyVerdict.SAME}


def earliest(lifecycle: dict[str, Any], key: str, tags: set[str], size: int) -> float:
    """After how many days a lifecycle deletes an object: written without the code under test."""
    ends = [float("inf")]
    for rule in lifecycle.get("Rules", []):
        wanted = {tag["Key"] for tag in rule.get("TagFilters", [])}
        applies = (
            rule["Status"] == "Enabled"
            and key.startswith(rule.get("Prefix", ""))
            and wanted <= tags
            and size > int(rule.get("ObjectSizeGreaterThan", -1))
            and size < int(rule.get("ObjectSizeLessThan", 10**9))
        )
        if applies and "ExpirationInDays" in rule:
            ends.append(float(rule["ExpirationInDays"]))
    return min(ends)


@given(lifecycles, lifecycles, st.sampled_from(["a/b1", "a/c", "b1", "z"]), st.data())
def test_a_lifecycle_that_deletes_an_object_earlier_is_never_a_mere_change(
    live: dict[str, Any], declared: dict[str, Any], key: str, data: st.DataObject
) -> None:
    """Whatever object would go earlier than it goes now: the lifecycle deletes data."""
    tags, size = data.draw(st.sets(st.sampled_from("xy"))), data.draw(st.integers(0, 12))
    if earliest(declared, key, tags, size) < earliest(live, key, tags, size):
        found = verdicts(
            BUCKET, {"LifecycleConfiguration": live}, {"LifecycleConfiguration": declared}
        )
        assert found == {"LifecycleConfiguration": PropertyVerdict.DELETES}


@given(st.none() | expiries, expiries)
def test_a_time_to_live_that_is_new_is_never_a_mere_change(
    live: dict[str, Any] | None, declared: dict[str, Any]
) -> None:
    """Items that nothing deletes now would go."""
    on = str(declared["Enabled"]).lower() == "true"
    had = live is not None and str(live["Enabled"]).lower() == "true"
    covered = had and live is not None and live["AttributeName"] == declared["AttributeName"]
    has = {} if live is None else {"TimeToLiveSpecification": live}
    found = verdicts(TABLE, has, {"TimeToLiveSpecification": declared})
    deletes = found["TimeToLiveSpecification"] is PropertyVerdict.DELETES
    assert deletes is (on and not covered)


@given(st.none() | policies, policies)
def test_a_lifecycle_policy_that_deletes_is_never_a_mere_change(
    live: dict[str, Any] | None, declared: dict[str, Any]
) -> None:
    """An expiring rule is the same as what is there, keeps more, or deletes."""
    has = {} if live is None else {"LifecyclePolicy": live}
    verdict = verdicts(REPOSITORY, has, {"LifecyclePolicy": declared})["LifecyclePolicy"]
    assert verdict is not PropertyVerdict.FIXED
    if live is None:
        assert verdict is PropertyVerdict.DELETES


@pytest.mark.parametrize(
    ("live", "declared", "verdict"),
    [
        ({"ExpirationInDays": 90}, {"ExpirationInDays": 30}, PropertyVerdict.DELETES),
        ({"ExpirationInDays": 30}, {"ExpirationInDays": 90}, PropertyVerdict.CHANGES),
        ({"ExpirationInDays": 30}, {"ExpirationInDays": "30"}, PropertyVerdict.SAME),
        ({"ExpirationInDays": 30}, {"ExpirationInDays": {"Ref": "Days"}}, PropertyVerdict.DELETES),
        (
            {"ExpirationInDays": 30, "Prefix": "a"},
            {"ExpirationInDays": 30},
            PropertyVerdict.DELETES,
        ),
        (
            {"ExpirationInDays": 30},
            {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
            PropertyVerdict.CHANGES,
        ),
        (
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 9, "NewerNoncurrentVersions": 3}},
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 9}},
            PropertyVerdict.DELETES,
        ),
    ],
)
def test_lifetimes_of_objects(
    live: dict[str, Any], declared: dict[str, Any], verdict: PropertyVerdict
) -> None:
    """A shorter lifetime, or one that only CloudFormation knows, deletes; a longer one does not."""
    has, wants = (
        {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", **rule}]}}
        for rule in (live, declared)
    )
    assert verdicts(BUCKET, has, wants) == {"LifecycleConfiguration": verdict}


def test_rules_of_the_api_are_those_of_a_template() -> None:
    """Both filters, the older prefix, dates and transitions have one meaning."""
    api = [
        {
            "ID": "x",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
            "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)},
            "Transitions": [{"Days": 3, "StorageClass": "GLACIER"}],
        },
        {"Status": "Enabled", "Prefix": "b/", "Expiration": {"Days": 7}},
    ]
    template = {
        "Rules": [
            {"Status": "Enabled", "Prefix": "b/", "ExpirationInDays": 7},
            {
                "Status": "Enabled",
                "Prefix": "a/",
                "TagFilters": [{"Key": "k", "Value": "v"}],
                "ExpirationDate": "2030-01-01T00:00:00Z",
                "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": "3"}],
            },
        ]
    }
    found = verdicts(
        BUCKET,
        {"LifecycleConfiguration": {"Rules": from_api(api)}},
        {"LifecycleConfiguration": template},
    )
    assert found == {"LifecycleConfiguration": PropertyVerdict.SAME}


KEY = [{"AttributeName": "id", "KeyType": "HASH"}]
INDEX = [{"IndexName": "by", "KeySchema": KEY, "Projection": {"ProjectionType": "ALL"}}]


@pytest.mark.parametrize(
    ("cfn_type", "live", "declared"),
    [
        (TABLE, {"KeySchema": KEY}, {"KeySchema": [{**KEY[0], "AttributeName": "no"}]}),
        (TABLE, {"LocalSecondaryIndexes": INDEX}, {}),
        (TABLE, {}, {"LocalSecondaryIndexes": INDEX}),
        (GLOBAL, {}, {"LocalSecondaryIndexes": INDEX}),
        (
            TABLE,
            {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]},
            {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}]},
        ),
        (BUCKET, {}, {"ObjectLockEnabled": True}),
        (BUCKET, {"ObjectLockEnabled": True}, {"ObjectLockEnabled": "false"}),
        (REPOSITORY, {"EncryptionConfiguration": {"EncryptionType": "KMS"}}, {}),
        (REPOSITORY, {}, {"EncryptionConfiguration": {"EncryptionType": "KMS"}}),
    ],
)
def test_what_only_a_new_resource_has_cannot_change(
    cfn_type: str, live: dict[str, Any], declared: dict[str, Any]
) -> None:
    """Keys, local indexes, the type of an attribute, object lock and encryption of images."""
    assert set(verdicts(cfn_type, live, declared).values()) == {PropertyVerdict.FIXED}


@pytest.mark.parametrize(
    ("cfn_type", "live", "declared"),
    [
        (TABLE, {"BillingMode": "PROVISIONED"}, {"BillingMode": "PAY_PER_REQUEST"}),
        (TABLE, {}, {"GlobalSecondaryIndexes": INDEX}),
        (BUCKET, {}, {"VersioningConfiguration": {"Status": "Enabled"}}),
        (BUCKET, {"Tags": [{"Key": "a", "Value": "1"}]}, {"Tags": [{"Key": "a", "Value": "2"}]}),
        (REPOSITORY, {"ImageTagMutability": "MUTABLE"}, {"ImageTagMutability": "IMMUTABLE"}),
    ],
)
def test_what_an_update_brings_in_line_will_change(
    cfn_type: str, live: dict[str, Any], declared: dict[str, Any]
) -> None:
    """It is told, and stops nothing."""
    assert set(verdicts(cfn_type, live, declared).values()) == {PropertyVerdict.CHANGES}


def test_what_a_template_does_not_say_is_left_alone() -> None:
    """CloudFormation compares what a template sets, and AWS or other people may set more."""
    live: dict[str, Any] = {
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 1}]},
    }
    found = verdicts(BUCKET, live, {"Tags": live["Tags"][:1], "VersioningConfiguration": None})
    assert found == {"Tags": PropertyVerdict.SAME}


def test_what_could_not_be_read_is_unknown_or_deletes() -> None:
    """A declared lifetime beside one that is not seen may delete anything."""
    denied = Problem("GetX", "AccessDenied", "s3:GetX")
    declared = {
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 1}]},
    }
    found = compared(
        BUCKET, {}, declared, VersioningConfiguration=denied, LifecycleConfiguration=denied
    )
    assert found["VersioningConfiguration"].verdict is PropertyVerdict.UNREAD
    assert found["LifecycleConfiguration"].verdict is PropertyVerdict.DELETES
    assert "AccessDenied" in found["LifecycleConfiguration"].live


def test_a_function_may_be_what_is_there() -> None:
    """What only CloudFormation resolves is no difference; what it hides is unknown."""
    assert matches({"a": [1, True]}, {"a": [{"Ref": "X"}, "true"]})
    assert not matches([1], [1, 2])
    found = verdicts(TABLE, {"KeySchema": KEY}, {"KeySchema": {"Fn::If": ["C", KEY, KEY]}})
    assert found == {"KeySchema": PropertyVerdict.UNKNOWN}
    versions = {"VersioningConfiguration": {"Fn::If": ["C", {}, {}]}}
    assert verdicts(BUCKET, {}, versions) == {"VersioningConfiguration": PropertyVerdict.UNKNOWN}


def test_replicas_that_a_template_does_not_name_would_be_deleted() -> None:
    """More of them are a mere change; settings are those of the replica in the own region."""
    live = {"Replicas": [{"Region": "eu-west-1"}, {"Region": "us-east-1"}]}
    for regions, verdict in (
        (["us-east-1"], PropertyVerdict.DELETES),
        (["us-east-1", "eu-west-1"], PropertyVerdict.SAME),
        (["us-east-1", "eu-west-1", "eu-west-3"], PropertyVerdict.CHANGES),
    ):
        declared = {"Replicas": [{"Region": region} for region in regions]}
        assert verdicts(GLOBAL, live, declared) == {"Replicas": verdict}
    unknown = {"Replicas": [{"Region": {"Ref": "Other"}}]}
    assert verdicts(GLOBAL, live, unknown) == {"Replicas": PropertyVerdict.UNKNOWN}


def test_a_global_table_is_compared_in_its_own_region() -> None:
    """The settings of other replicas are those of other tables."""
    card = load(GLOBAL).comparison
    assert card is not None
    on, off = ({"PointInTimeRecoveryEnabled": one} for one in (True, False))
    replicas = [
        {"Region": "eu-west-1", "PointInTimeRecoverySpecification": off},
        {"Region": "us-east-1", "PointInTimeRecoverySpecification": on, "TableClass": "STANDARD"},
    ]
    declared = card.in_region({"Replicas": replicas}, "us-east-1")
    assert declared["PointInTimeRecoverySpecification"] == on
    assert card.in_region({"Replicas": {"Ref": "X"}}, "us-east-1") == {"Replicas": {"Ref": "X"}}
    found = verdicts(GLOBAL, {"Replicas": [{"Region": "us-east-1"}]}, dict(declared))
    assert found["PointInTimeRecoverySpecification"] is PropertyVerdict.CHANGES
    assert found["TableClass"] is PropertyVerdict.SAME


@pytest.mark.parametrize(
    ("live", "declared", "verdict"),
    [
        ({"RecoveryPeriodInDays": 35}, {"RecoveryPeriodInDays": "7"}, PropertyVerdict.CHANGES),
        ({"RecoveryPeriodInDays": 35}, {}, PropertyVerdict.SAME),
    ],
)
def test_the_period_of_recovery_is_compared_where_it_is_declared(
    live: dict[str, Any], declared: dict[str, Any], verdict: PropertyVerdict
) -> None:
    """That it is on does not say for how long."""
    on = {"PointInTimeRecoveryEnabled": True}
    name = "PointInTimeRecoverySpecification"
    assert verdicts(TABLE, {name: {**on, **live}}, {name: {**on, **declared}}) == {name: verdict}


def test_a_key_of_kms_is_compared_by_its_id() -> None:
    """An alias may be the very key."""
    live = {"SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": "arn:aws:kms:x:1:key/a-b"}}
    for key, verdict in (
        ("a-b", PropertyVerdict.SAME),
        ("c-d", PropertyVerdict.CHANGES),
        ("alias/mine", PropertyVerdict.SAME),
    ):
        declared = {"SSESpecification": {"SSEEnabled": "true", "KMSMasterKeyId": key}}
        assert verdicts(TABLE, live, declared) == {"SSESpecification": verdict}


def test_what_nobody_compares_is_listed() -> None:
    """Whole properties, and parts of those that are compared; what is left out is not declared."""
    card = load(BUCKET).comparison
    declared = {
        "BucketName": "uploads",
        "NotificationConfiguration": {"EventBridgeConfiguration": {}},
        "LoggingConfiguration": {"Ref": "AWS::NoValue"},
        "WebsiteConfiguration": None,
        "LifecycleConfiguration": {"TransitionDefaultMinimumObjectSize": "x", "Rules": []},
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    found = list_uncompared(card, declared, {"BucketName"})
    assert [(one.name, one.verdict) for one in found] == [
        ("NotificationConfiguration", PropertyVerdict.UNCOMPARED),
        (
            "LifecycleConfiguration.TransitionDefaultMinimumObjectSize",
            PropertyVerdict.UNCOMPARED,
        ),
    ]
    bare = list_uncompared(None, {"Name": "/a", "Value": "x"}, {"Name"})
    assert [one.name for one in bare] == ["Value"]
