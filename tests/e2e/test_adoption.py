"""Before a stack adopts a resource it is compared with its template, and after that once more.

CloudFormation's import compares nothing and changes nothing (AWS CloudFormation User Guide, "Import
AWS resources into a CloudFormation stack automatically"); the embedded AWS does the same. What is
looked at in the end is looked at by boto3.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dataware.cli.deployment.cdk_cli import Cdk
from support.assemblies import assembly, opted_in, prepare_project
from support.cli import run, saved
from support.log_events import put_events
from support.recipes import dataware_deploy, owner, stopped
from support.servers import FaultProxy, xml_error
from support.worlds import KEYS, client, items_of, make_bucket, make_table, varied_items

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
LOG_GROUP = "AWS::Logs::LogGroup"
DAY = 24 * 3600 * 1000
EXPIRY = {"TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}}


def lifetime(days: int) -> dict[str, Any]:
    """Properties of a bucket whose objects live for some days."""
    rule = {"Status": "Enabled", "ExpirationInDays": days}
    return {"LifecycleConfiguration": {"Rules": [rule]}}


def declared(cfn_type: str, name: str, *fallbacks: str, **properties: Any) -> dict[str, Any]:
    """A resource of a template that opts in."""
    named = {
        TABLE: "TableName",
        BUCKET: "BucketName",
        "AWS::ECR::Repository": "RepositoryName",
        LOG_GROUP: "LogGroupName",
    }
    resource = {
        "Type": cfn_type,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {**properties, named[cfn_type]: name},
    }
    return opted_in(resource, *fallbacks)


def table(name: str = "orders", *fallbacks: str, **more: Any) -> dict[str, Any]:
    """A table of a template."""
    return declared(TABLE, name, *fallbacks, BillingMode="PAY_PER_REQUEST", **{**KEYS, **more})


@pytest.fixture(autouse=True)
def project(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty AWS, and a CDK project whose command line writes down what it is asked."""
    monkeypatch.chdir(tmp_path)
    return prepare_project()


def has_lifecycle(bucket: str) -> bool:
    """Whether a bucket has lifecycle rules, as the service says."""
    s3 = client("s3")
    try:
        return bool(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])
    except s3.exceptions.ClientError:
        return False


def test_a_shorter_lifetime_of_objects_stops_until_it_is_declared_or_allowed() -> None:
    """Nothing is adopted; a longer lifetime than the live one is no loss."""
    make_bucket("uploads", [{"Key": f"a/{n}", "Body": b"x"} for n in range(3)])
    text = stopped(dataware_deploy(Uploads=declared(BUCKET, "uploads", **lifetime(30))), 24)
    assert "objects expire after 30 days (0 of its 3 objects are that old now)" in text
    assert "--allow-loss Uploads" in text
    assert owner("uploads") is None

    client("s3").put_bucket_lifecycle_configuration(
        Bucket="uploads",
        LifecycleConfiguration={
            "Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 60}}]
        },
    )
    for days in (30, 59):
        stopped(dataware_deploy(Uploads=declared(BUCKET, "uploads", **lifetime(days))), 24)
    assert dataware_deploy(Uploads=declared(BUCKET, "uploads", **lifetime(60))).code == 0
    assert owner("uploads") == "App"


@pytest.mark.parametrize("name", ["Uploads", "App/Uploads"])
def test_what_is_allowed_to_be_deleted_is_adopted_and_told(name: str) -> None:
    """The plan says what will go; the name of another resource allows nothing."""
    make_bucket("uploads", [{"Key": "a", "Body": b"x"}])
    app = {"Uploads": declared(BUCKET, "uploads", **lifetime(30))}
    assembly(Path("prepared"), App=app)
    other = run("plan", "prepared", "--allow-loss", "Other")
    assert other.code == 3
    assert "--allow-loss Other allows nothing" in other.out
    ran = run("plan", "prepared", "--allow-loss", name, "--out", "plan.json")
    assert ran.code == 0, ran
    assert "uploads loses data once its stack is updated: objects expire after 30 days" in ran.out
    assert "allows nothing" not in ran.out
    (resource,) = saved(Path("plan.json"))["resources"]
    assert resource["wanted"]["allow_loss"] is True
    (difference,) = resource["differences"]
    assert (difference["property"], difference["verdict"]) == (
        "LifecycleConfiguration",
        "deletes data",
    )
    assert run("apply", "plan.json").code == 0
    assert run("apply", "prepared", "--allow-loss", name, "--yes").code == 0
    assert dataware_deploy("--allow-loss", name, **app).code == 0
    assert owner("uploads") == "App"


def test_an_empty_resource_loses_nothing() -> None:
    """There is no data that a lifetime could delete."""
    make_bucket("uploads", [])
    assert dataware_deploy(Uploads=declared(BUCKET, "uploads", **lifetime(30))).code == 0
    assert owner("uploads") == "App"


def test_a_new_time_to_live_stops_with_the_number_of_items_that_have_expired() -> None:
    """Items whose time has passed go as soon as it is turned on; the live one is no loss."""
    items = list(varied_items(9))
    for number, item in enumerate(items):
        item["until"] = {"N": str(int(time.time()) + (-60 if number < 4 else 10**6))}
    make_table("orders", items)
    text = stopped(dataware_deploy(Orders=table(**EXPIRY)), 24)
    assert "items expire by until" in text
    assert "4 of its 9 items have expired already" in text
    client("dynamodb").update_time_to_live(
        TableName="orders", TimeToLiveSpecification=EXPIRY["TimeToLiveSpecification"]
    )
    assert dataware_deploy(Orders=table(**EXPIRY)).code == 0
    assert owner("orders") == "App"


def test_a_lifecycle_policy_of_images_stops() -> None:
    """Images that a policy would delete are there now."""
    ecr = client("ecr")
    ecr.create_repository(repositoryName="app/web")
    ecr.put_image(repositoryName="app/web", imageManifest='{"schemaVersion": 2}')
    rule = (
        '{"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection": {"tagStatus": '
        '"any", "countType": "imageCountMoreThan", "countNumber": 5}}]}'
    )
    policy = {"LifecyclePolicy": {"LifecyclePolicyText": rule}}
    assembly(Path("prepared"), App={"Web": declared("AWS::ECR::Repository", "app/web", **policy)})
    assert "images beyond the newest 5 are deleted" in stopped(run("plan", "prepared"), 24)
    ecr.put_lifecycle_policy(repositoryName="app/web", lifecyclePolicyText=rule)
    assert run("plan", "prepared").code == 0
    ran = dataware_deploy(Web=declared("AWS::ECR::Repository", "app/web", **policy))
    assert ran.code == 0, ran
    assert owner("app/web") == "App"
    assert len(ecr.list_images(repositoryName="app/web")["imageIds"]) == 1


def test_a_shorter_retention_of_logs_stops_until_it_is_declared_or_allowed() -> None:
    """A retention where there is none deletes, too; with that of the live group it is adopted."""
    logs, now = client("logs"), int(time.time() * 1000)
    logs.create_log_group(logGroupName="/app/web")
    put_events(logs, "/app/web", [now - 12 * DAY, now])
    for days in (7, 30):
        text = stopped(
            dataware_deploy(Web=declared(LOG_GROUP, "/app/web", RetentionInDays=days)), 24
        )
        assert f"events are deleted after {days} days" in text
        assert ("its oldest is 12 days old" in text) is (days == 7)
        assert ("none of its events is that old now" in text) is (days == 30)
    logs.put_retention_policy(logGroupName="/app/web", retentionInDays=30)
    stopped(dataware_deploy(Web=declared(LOG_GROUP, "/app/web", RetentionInDays=14)), 24)
    assert owner("/app/web") is None
    assert dataware_deploy(Web=declared(LOG_GROUP, "/app/web", RetentionInDays=30)).code == 0
    assert owner("/app/web") == "App"
    (event, _) = logs.filter_log_events(logGroupName="/app/web")["events"]
    assert event["timestamp"] == now - 12 * DAY


def test_logs_that_may_be_deleted_are_adopted_with_their_events() -> None:
    """Import deletes nothing; what the shorter retention would take is told beforehand."""
    logs, now = client("logs"), int(time.time() * 1000)
    logs.create_log_group(logGroupName="/app/web")
    put_events(logs, "/app/web", [now - 12 * DAY, now])
    app = {"Web": declared(LOG_GROUP, "/app/web", RetentionInDays=7)}
    ran = dataware_deploy("--allow-loss", "Web", **app)
    assert "/app/web loses data once its stack is updated: events are deleted after 7" in ran.out
    assert owner("/app/web") == "App"
    assert len(logs.filter_log_events(logGroupName="/app/web")["events"]) == 2
    ran = run("deploy", "--yes", "--allow-loss", "Web")
    assert "RetentionInDays is not set, declared 7" in ran.out
    assert ran.lines[-1] == "⚠️  Deployed, but /app/web is not as the app declares it"


OTHER_KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


def test_what_cannot_become_what_is_declared_is_not_adopted() -> None:
    """Other keys are a stop: the resource is declared as it is, or another one beside it."""
    make_table("orders", varied_items(9))
    before = items_of("orders")
    text = stopped(dataware_deploy(Orders=table(**OTHER_KEYS)), 23)
    assert "KeySchema is" in text
    assert "declare what it has, or make it the fallback of another name" in text
    assert owner("orders") is None
    beside = table("orders-new", "orders")
    assert dataware_deploy(New=beside).code == 0
    assert items_of("orders-new") == before
    assert dataware_deploy(New=beside, Orders=table()).code == 0
    assert (owner("orders"), items_of("orders")) == ("App", before)


def test_what_import_leaves_is_told_until_it_is_as_declared() -> None:
    """No tick at the end: versioning is declared, and import does not turn it on."""
    make_bucket("uploads", [{"Key": "a", "Body": b"x"}])
    versions = {"VersioningConfiguration": {"Status": "Enabled"}}
    app = {"Uploads": declared(BUCKET, "uploads", **versions)}
    ran = dataware_deploy(**app)
    assert "uploads differs from the app, and adoption leaves it so" in ran.out
    assert owner("uploads") == "App"
    s3 = client("s3")
    assert "Status" not in s3.get_bucket_versioning(Bucket="uploads")
    ran = run("deploy", "--yes")
    assert "VersioningConfiguration is never on, declared Enabled" in ran.out
    assert "`cdk deploy App --revert-drift`" in ran.out
    assert ran.lines[-1] == "⚠️  Deployed, but uploads is not as the app declares it"

    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    ran = run("deploy", "--yes")
    assert ran.lines[-1] == "✅ Deployed: uploads holds data"


def test_a_configuration_that_cannot_be_read_is_told(fault_proxy: FaultProxy) -> None:
    """A bucket whose lifecycle is not seen is not adopted beside a declared lifetime."""
    make_bucket("uploads", [{"Key": "a", "Body": b"x"}])
    assert not has_lifecycle("uploads")
    fault_proxy.add(xml_error("AccessDenied", 403), operation="GetBucketLifecycleConfiguration")
    assembly(Path("prepared"), App={"Uploads": declared(BUCKET, "uploads", **lifetime(30))})
    assert "objects expire after 30 days" in stopped(run("plan", "prepared"), 24)
    versions = {"VersioningConfiguration": {"Status": "Enabled"}}
    fault_proxy.add(xml_error("AccessDenied", 403), operation="GetBucketVersioning")
    assembly(Path("prepared"), App={"Uploads": declared(BUCKET, "uploads", **versions)})
    text = "uploads is not compared with its template in VersioningConfiguration"
    ran = run("plan", "prepared")
    assert ran.code == 0, ran
    assert text in ran.out
    assert text in stopped(run("plan", "prepared", "--strict"), 14)


def test_a_later_deployment_says_what_it_has_changed_of_what_was_adopted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once, and by its properties: the line before said that they differ."""
    make_bucket("uploads", [{"Key": "a", "Body": b"x"}])
    versions = {"VersioningConfiguration": {"Status": "Enabled"}}
    assert dataware_deploy(Uploads=declared(BUCKET, "uploads", **versions)).code == 0
    s3, enabled = client("s3"), {"Status": "Enabled"}

    def deploy_as_declared(*_given: Any) -> None:
        s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration=enabled)

    for way in ("deploy", "deploy_assembly"):
        monkeypatch.setattr(Cdk, way, deploy_as_declared)
    ran = run("deploy", "--yes")
    assert ran.code == 0, ran
    changed = "The deployment brought uploads in line with the app (VersioningConfiguration is "
    assert f"{changed}never on, declared Enabled)" in ran.out
    assert ran.lines[-1] == "✅ Deployed: uploads holds data"
    assert "in line with the app" not in run("deploy", "--yes").out


def test_what_is_not_compared_is_told_with_the_command_that_tells() -> None:
    """Before the adoption, and in the saved plan; what is hidden by a function is as well."""
    make_bucket("uploads", [{"Key": "a", "Body": b"x"}])
    logging = {"LoggingConfiguration": {"LogFilePrefix": "log/"}}
    key = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": {"Fn::GetAtt": ["Key", "Arn"]}}}
    hidden = {"BucketEncryption": {"ServerSideEncryptionConfiguration": [key]}}
    app = {"Uploads": declared(BUCKET, "uploads", **logging), "Key": {"Type": "AWS::KMS::Key"}}
    assembly(Path("prepared"), App=app)
    ran = run("plan", "prepared", "--out", "plan.json")
    assert ran.code == 0, ran
    assert (
        "uploads is not compared with the app in LoggingConfiguration: see what differs with "
        "`cdk drift App` after the deployment"
    ) in ran.out
    (resource,) = saved(Path("plan.json"))["resources"]
    (difference,) = resource["differences"]
    assert difference["verdict"] == "not compared"
    assembly(Path("prepared"), App={**app, "Uploads": declared(BUCKET, "uploads", **hidden)})
    assert "uploads is not compared with the app in" not in run("plan", "prepared").out


def test_what_an_import_by_id_leaves_is_told_after_the_deployment() -> None:
    """A user pool is in its stack before the deployment, as it was, and still differs from it."""
    pool = client("cognito-idp").create_user_pool(PoolName="users-prod")["UserPool"]["Id"]
    users = opted_in(
        {
            "Type": "AWS::Cognito::UserPool",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"UserPoolName": "users-prod", "DeletionProtection": "ACTIVE"},
        }
    )
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "first"}}
    ran = dataware_deploy(Users=users, News=topic)
    assert ran.code == 0, ran
    assert "Stack App has adopted Cognito user pool: users-prod" in ran.out
    assert "users-prod was adopted and still differs from the app" in ran.out
    assert owner(pool) == "App"
    topic["Properties"] = {"DisplayName": "second"}
    again = dataware_deploy(Users=users, News=topic)
    assert "Keeping the stack's own Cognito user pool" in again.out
    assert len(client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]) == 1
