"""`iam-policy --for` one command: enough for it, and nothing that it never does."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contract.benches import BENCHES
from dataware.core.follow import cutover_loop
from dataware.core.phases import PolicyUse
from dataware.embedded import EmbeddedAws
from support.assemblies import assembly, opted_in, prepare_project
from support.cli import (
    BUCKET,
    KEYED_BY_PK,
    TABLE,
    ended,
    launch,
    run,
    toml_resource,
    write_toml,
)
from support.people import sign_in
from support.s3_batch import BatchServer
from support.servers import FaultProxy, Seen
from support.worlds import (
    KEYS,
    client,
    enable_recovery,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    varied_items,
)

ACTIONS = {name: actions for bench in BENCHES.values() for name, actions in bench.actions.items()}
ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}
"""AWS Security Token Service API Reference, GetCallerIdentity: "No permissions are required"."""

BY_AWS = frozenset(
    {"s3:GetObjectTagging", "s3:PutObjectTagging", "s3:GetObjectAnnotation"}
    | {"s3:PutObjectAnnotation", "cloudformation:TagResource", "dynamodb:CreateTable"}
    | {"dynamodb:DescribeContributorInsights", "dynamodb:DescribeKinesisStreamingDestination"}
    | {"dynamodb:TagResource", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable"}
    | {"dynamodb:UpdateTimeToLive", "s3:CreateBucket", "s3:PutBucketObjectLockConfiguration"}
    | {"s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning"}
    | {"s3:PutEncryptionConfiguration"}
)
"""What S3 checks on CopyObject, and what CloudFormation calls in the caller's name."""

BY_CDK = frozenset({"sts:AssumeRole"})
ON_DIFFERENCES = frozenset({"dynamodb:BatchGetItem", "s3:GetObject"})
OF_LARGE_OBJECTS = frozenset({"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"})
ON_CONFLICTS = frozenset({"dynamodb:PutItem"})
INTO_WHAT_EXISTS = frozenset({"dynamodb:BatchWriteItem"})
BY_RESTORE = frozenset(
    {"dynamodb:RestoreTableToPointInTime", "dynamodb:DeleteItem", "dynamodb:GetItem"}
    | {"dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:GetResourcePolicy"}
    | {"dynamodb:PutResourcePolicy", "dynamodb:UpdateContributorInsights"}
    | {"dynamodb:EnableKinesisStreamingDestination"}
)
"""Of a table that a restore makes, because it is large."""

ON_FAILURE = frozenset({"cloudformation:DescribeStackEvents", "cloudformation:DescribeEvents"})

OF_OTHER_STACKS = frozenset({"cloudformation:DescribeStacks", "cloudformation:ListStackResources"})

COPIES = BY_AWS | ON_DIFFERENCES | OF_LARGE_OBJECTS | ON_CONFLICTS
RARELY: dict[PolicyUse, frozenset[str]] = {
    PolicyUse.PLAN: OF_OTHER_STACKS,
    PolicyUse.VERIFY: ON_DIFFERENCES | BY_AWS,
    PolicyUse.MIGRATE: COPIES | INTO_WHAT_EXISTS,
    PolicyUse.APPLY: COPIES | BY_RESTORE | INTO_WHAT_EXISTS | ON_FAILURE | OF_OTHER_STACKS,
    PolicyUse.DEPLOY: COPIES | BY_RESTORE | INTO_WHAT_EXISTS | ON_FAILURE | BY_CDK,
}
"""What a use may need and does not in this test."""

UNSEEN_BY_EMULATOR = "ssm:GetParametersByPath"
"""The emulator's IAM takes every path of parameters for "*"."""

USES = [use for use in PolicyUse if use not in {PolicyUse.ALL, PolicyUse.FOLLOW, PolicyUse.UNDO}]
READS = ("Get", "List", "Describe", "Scan", "BatchGet")
RESTORES = "RestoreTableToPointInTime"
"""It makes another table, and leaves the one that it is allowed on as it is."""


def declared(of_type: str, **properties: Any) -> dict[str, Any]:
    """A resource that a stack may adopt."""
    return {"Type": of_type, "DeletionPolicy": "RetainExceptOnCreate", "Properties": properties}


def table(name: str, **more: Any) -> dict[str, Any]:
    """A table of a template."""
    billing = {"BillingMode": "PAY_PER_REQUEST", "TableName": name}
    return declared("AWS::DynamoDB::Table", **billing, **KEYS, **more)


def bucket(name: str) -> dict[str, Any]:
    """A bucket of a template."""
    return declared("AWS::S3::Bucket", BucketName=name)


def resources_for(use: PolicyUse) -> dict[str, Any]:
    """A stack with data to migrate into names of this use, and with what it adopts."""
    return {
        "Table": opted_in(table(f"{use}-table"), "old-table"),
        "Bucket": opted_in(bucket(f"{use}-bucket"), "old-bucket"),
        "KeptTable": opted_in(table("kept-table"), "no-table"),
        "KeptBucket": opted_in(bucket("kept-bucket"), "no-bucket"),
    }


def pairs_of(use: PolicyUse) -> list[tuple[str, str]]:
    """Both sides of both copies."""
    return [
        ("dynamodb://old-table", f"dynamodb://{use}-table"),
        ("s3://old-bucket", f"s3://{use}-bucket"),
    ]


def commands_for(use: PolicyUse, app: Path) -> list[tuple[object, ...]]:
    """What is typed with the policy of a use."""
    if use in {PolicyUse.MIGRATE, PolicyUse.VERIFY}:
        return [(use, *pair) for pair in pairs_of(use)]
    return [("deploy", "--yes", "--", "--all")] if use is PolicyUse.DEPLOY else [(use, app)]


@pytest.fixture
def proxy(
    auth_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """An account that enforces IAM, with data under old names, behind what records requests."""
    monkeypatch.chdir(tmp_path)
    for name in ("old-table", "kept-table"):
        make_table(name, varied_items(30))
    for name in ("old-bucket", "kept-bucket"):
        make_bucket(name, [{"Key": str(number), "Body": b"x"} for number in range(5)])
    with FaultProxy(auth_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def prepare_app(use: PolicyUse) -> Path:
    """The app of a use, beside a stack that is deployed and would be changed."""
    prepare_project()
    other = table("deployed", Tags=[{"Key": "colour", "Value": "blue"}])
    client("cloudformation").create_stack(
        StackName="Other", TemplateBody=json.dumps({"Resources": {"T": table("deployed")}})
    )
    stacks = {"App": resources_for(use), "Other": {"T": other}}
    assembly(Path("prepared"), **stacks)
    return assembly(**stacks)


def actions_of(seen: Seen) -> tuple[str, ...]:
    """The IAM actions that a request needs."""
    service = seen.headers["authorization"].split("/")[3]
    return ACTIONS.get(seen.operation, (f"{service}:{seen.operation}",))


def granted_by(policy: Mapping[str, Any]) -> set[str]:
    """All actions that a policy allows on anything."""
    return {action for one in policy["Statement"] for action in one["Action"]}


@pytest.mark.parametrize("use", USES)
def test_the_policy_for_a_command_is_what_the_command_calls(
    use: PolicyUse, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it alone the command does its whole work, and each of its actions has a use."""
    app = prepare_app(use)
    if use is PolicyUse.MIGRATE:
        make_table(f"{use}-table")
        make_bucket(f"{use}-bucket")
    if use is PolicyUse.VERIFY:
        make_table(f"{use}-table", varied_items(30))
        make_bucket(f"{use}-bucket", [{"Key": str(n), "Body": b"x"} for n in range(5)])
    policy = json.loads(run("iam-policy", app, "--for", use).out)
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, policy)
        proxy.clear()
        for command in commands_for(use, app):
            ran = run(*command)
            assert ran.code == 0, ran
            denied = [line for line in ran.lines if "denied" in line.lower()]
            assert [line for line in denied if UNSEEN_BY_EMULATOR not in line] == []
    called = {action for seen in proxy.seen for action in actions_of(seen)} - ALWAYS_ALLOWED
    assert called - granted_by(policy) == set()
    assert granted_by(policy) - called - RARELY[use] == set()
    if use is not PolicyUse.PLAN:
        assert items_of(f"{use}-table") == items_of("old-table")
        assert objects_of(f"{use}-bucket") == objects_of("old-bucket")


@pytest.mark.parametrize("use", [PolicyUse.PLAN, PolicyUse.VERIFY])
def test_the_policy_of_what_only_reads_writes_nothing(
    use: PolicyUse, aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where every version of an object is asked for."""
    monkeypatch.chdir(tmp_path)
    app = assembly(App=resources_for(use))
    policy = json.loads(run("iam-policy", app, "--for", use, "--versions", "all").out)
    verbs = {action.partition(":")[2] for action in granted_by(policy)}
    assert verbs
    assert {verb for verb in verbs if not verb.startswith(READS)} == set()


WRITES_OF_AN_UNDO = {
    *("AbortMultipartUpload", "DeleteItem", "DeleteObject", "PutItem", "PutObject"),
    *("PutObjectAnnotation", "PutObjectTagging"),
}


def test_no_policy_allows_to_write_to_a_fallback_but_the_one_asked_for_by_name(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source is only read, also where delete markers are copied; an undo writes the way back."""
    monkeypatch.chdir(tmp_path)
    app = assembly(App=resources_for(PolicyUse.ALL))
    for use in PolicyUse:
        policy = json.loads(run("iam-policy", app, "--for", use, "--versions", "all").out)
        on_sources = {
            action.partition(":")[2]
            for one in policy["Statement"]
            if any("old-" in arn for arn in one["Resource"])
            for action in one["Action"]
        }
        writes = {verb for verb in on_sources if not verb.startswith(READS)}
        allowed = WRITES_OF_AN_UNDO if use is PolicyUse.UNDO else set()
        assert writes - {RESTORES} == allowed, use


OF_STREAMS = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
"""The emulator's IAM takes every stream for "*", too."""

RARELY_FOLLOWED = COPIES | ON_CONFLICTS | INTO_WHAT_EXISTS | OF_OTHER_STACKS


@pytest.mark.parametrize("scheme", ["dynamodb", "s3"])
def test_a_follow_a_pause_and_a_cut_over_need_no_more_than_their_policy(
    scheme: str, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it alone changes and deletes are carried, also where the source has a stream."""
    use = PolicyUse.FOLLOW
    monkeypatch.setattr(cutover_loop, "LEAST_SETTLE_SECONDS", 1.0)
    dynamodb, s3 = client("dynamodb"), client("s3")
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    dynamodb.update_table(TableName="old-table", StreamSpecification=stream)
    make_table(f"{use}-table")
    make_bucket(f"{use}-bucket")
    app = prepare_app(use)
    policy = json.loads(run("iam-policy", app, "--for", use).out)
    kind = {"dynamodb": "table", "s3": "bucket"}[scheme]
    look: Any = {"table": items_of, "bucket": objects_of}[kind]
    first = next(iter(items_of("old-table").values()))["pk"]
    streams = sorted(one for one in granted_by(policy) if one in OF_STREAMS)
    assert {
        arn.partition(":table/")[2]
        for one in policy["Statement"]
        for arn in one["Resource"]
        if set(one["Action"]) & OF_STREAMS
    } == {"old-table/stream/*", "no-table/stream/*"}
    everywhere = {"Effect": "Allow", "Action": [UNSEEN_BY_EMULATOR, *streams], "Resource": ["*"]}
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, {**policy, "Statement": [*policy["Statement"], everywhere]})
        proxy.clear()
        follow = launch(
            "migrate", *(f"{scheme}://{one}-{kind}" for one in ("old", use)), "--follow"
        )
        try:
            name = f"{use}-{kind}"
            await_so(lambda: bool(follow.poll()) or "following" in run("status", name).out)
            assert follow.poll() is None, ended(follow)
            dynamodb.delete_item(TableName="old-table", Key={"pk": first})
            s3.delete_object(Bucket="old-bucket", Key="1")
            s3.put_object(Bucket="old-bucket", Key="0", Body=b"changed")
            assert run("throttle", f"{use}-{kind}", "100").code == 0
            await_so(lambda: look(f"{use}-{kind}") == look(f"old-{kind}"))
        finally:
            follow.send_signal(signal.SIGINT)
            ran = ended(follow)
        assert run("cutover", f"{use}-{kind}", "--frozen", "--watch", "1s").code == 0
    assert ran.code == 4, ran
    assert "denied" not in ran.out.lower() + ran.err.lower()
    called = {action for seen in proxy.seen for action in actions_of(seen)} - ALWAYS_ALLOWED
    assert called - granted_by(policy) == set()
    of_kind = {one for one in granted_by(policy) if one.startswith((scheme, "ssm"))}
    assert of_kind - called - RARELY_FOLLOWED == set()
    go_back(scheme, app, proxy, monkeypatch)


def go_back(scheme: str, app: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo the cut-over with the policy of an undo alone, which is what that calls."""
    kind = {"dynamodb": "table", "s3": "bucket"}[scheme]
    name, old = f"{PolicyUse.FOLLOW}-{kind}", f"old-{kind}"
    if kind == "bucket":
        versions = {"Status": "Enabled"}
        client("s3").put_bucket_versioning(Bucket=old, VersioningConfiguration=versions)
        client("s3").put_object(Bucket=name, Key="0", Body=b"since")
        client("s3").delete_object(Bucket=name, Key="2")
    else:
        first, second = sorted(items_of(name).values(), key=str)[:2]
        changed = {**first, "since": {"S": "the switch"}}
        client("dynamodb").put_item(TableName=name, Item=changed)
        client("dynamodb").delete_item(TableName=name, Key={"pk": second["pk"]})
    policy = json.loads(run("iam-policy", app, "--for", PolicyUse.UNDO).out)
    streams = sorted(one for one in granted_by(policy) if one in OF_STREAMS)
    everywhere = {"Effect": "Allow", "Action": [UNSEEN_BY_EMULATOR, *streams], "Resource": ["*"]}
    with monkeypatch.context() as signed_in:
        whole = {**policy, "Statement": [*policy["Statement"], everywhere]}
        sign_in(signed_in, whole, "undoer")
        proxy.clear()
        ran = run("undo", name, "--frozen", "--yes")
    assert ran.code == 0, ran
    look: Any = {"table": items_of, "bucket": objects_of}[kind]
    assert look(name) == look(old)
    called = {action for seen in proxy.seen for action in actions_of(seen)} - ALWAYS_ALLOWED
    assert called - granted_by(policy) == set()
    of_kind = {one for one in granted_by(policy) if one.startswith((scheme, "ssm"))}
    rarely = BY_AWS | OF_LARGE_OBJECTS | {"s3:ListBucketMultipartUploads"}
    assert of_kind - called - rarely == set()


ROLE = "arn:aws:iam::000000000000:role/batch"
OF_PROXY = {"POST": "s3:CreateJob", "GET": "s3:DescribeJob"}
"""What a request to S3 Control needs, unless it is about the status of a job."""


def test_a_job_takes_what_its_policy_grants_and_nothing_beside(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it alone a bucket is filled by a job, and what the job needed is removed again."""
    app = write_toml(Path("dataware.toml"), toml_resource(BUCKET, "new-bucket", "old-bucket"))
    policies = [
        json.loads(run("iam-policy", app, "--for", "apply", *more).out)
        for more in ((), ("--batch-role", ROLE))
    ]
    added = granted_by(policies[1]) - granted_by(policies[0])
    with BatchServer(proxy.endpoint) as batch, FaultProxy(batch.endpoint) as control:
        monkeypatch.setattr(BatchServer, "_s3", client("s3"))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", control.endpoint)
        with monkeypatch.context() as signed_in:
            sign_in(signed_in, policies[1])
            proxy.clear()
            ran = run("apply", app, "--yes", "--engine", "batch", "--batch-role", ROLE)
        assert ran.code == 0, ran
        called = {action for seen in proxy.seen for action in actions_of(seen)}
        called |= {
            "s3:UpdateJobStatus" if "/status" in seen.path else OF_PROXY[seen.method]
            for seen in control.seen
        }
    assert called - granted_by(policies[1]) - ALWAYS_ALLOWED == set()
    # Jobs are listed by who gives a migration up, where a killed run has not noted the id of one.
    assert added - called == {"iam:PassRole", "s3:ListJobs"}
    on = {arn for one in policies[1]["Statement"] for arn in one["Resource"] if "batch" in arn}
    (work,) = {arn.partition("/")[0] for arn in on if "dataware-batch-" in arn}
    assert on == {ROLE, work, f"{work}/*"}
    assert objects_of("new-bucket") == objects_of("old-bucket")
    names = [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
    assert [name for name in names if name.startswith("dataware-batch-")] == []


def test_a_restore_takes_what_its_policy_grants(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it alone a table is restored, and set up as it is declared."""
    declared_too = """DeletionProtectionEnabled = true
StreamSpecification = { StreamViewType = "KEYS_ONLY" }
Tags = [{ Key = "team", Value = "space" }]
PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled = true }
TimeToLiveSpecification = { AttributeName = "expires", Enabled = true }"""
    properties = f"{KEYED_BY_PK}\n{declared_too}"
    resource = toml_resource(TABLE, "new-table", "old-table", properties=properties)
    app = write_toml(Path("dataware.toml"), resource)
    enable_recovery("old-table")
    policy = json.loads(run("iam-policy", app, "--for", "apply").out)
    # The emulator's IAM does not see on which table these are allowed.
    unseen = [f"dynamodb:{one}" for one in (RESTORES, "ListTagsOfResource", "TagResource")]
    assert set(unseen) <= granted_by(policy)
    everywhere = {"Effect": "Allow", "Action": unseen, "Resource": ["*"]}
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, {**policy, "Statement": [*policy["Statement"], everywhere]})
        proxy.clear()
        ran = run("apply", app, "--yes", "--engine", "restore")
    assert ran.code == 0, ran
    called = {action for seen in proxy.seen for action in actions_of(seen)} - ALWAYS_ALLOWED
    assert "dynamodb:RestoreTableToPointInTime" in called
    assert "dynamodb:UpdateTimeToLive" in called
    assert called - granted_by(policy) == set()
    assert items_of("new-table") == items_of("old-table")


def await_so(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 240
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)
