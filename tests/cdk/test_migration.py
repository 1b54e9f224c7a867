"""`DataMigration` as a template: the state machine, the roles, the order, and its refusals."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk.apps import ACCOUNT, BUCKET, KEY, REGION, TABLE, entry, make_stack, resources, write_lock
from dataware.cdk import DataAwareTable
from dataware.cdk.migration import DataMigration
from dataware.cdk.pending_copy import PendingCopy
from dataware.core.stack_template import OWN
from dataware.embedded import EmbeddedAws
from dataware.handler.is_complete import GRACE_SECONDS
from dataware.kinds import load
from support.deployments import make_machine
from support.worlds import client

RECORDS = f"arn:{{}}:ssm:{REGION}:{ACCOUNT}:parameter/dataware/markers"


def table_stack() -> Stack:
    """A migration from ``old-one`` into a table of the same stack."""
    stack = make_stack()
    table = dynamodb.Table(stack, "Table", table_name="new-one", partition_key=KEY)
    DataMigration(stack, "Copy", source="dynamodb://old-one", target=table)
    return stack


@cache
def of_tables() -> dict[str, Any]:
    """The resources of `table_stack`."""
    return resources(table_stack())


@cache
def of_buckets() -> dict[str, Any]:
    """The resources of a migration between prefixes of buckets."""
    stack = make_stack()
    DataMigration(
        stack,
        "Copy",
        source="s3://old-one/a/",
        target="s3://new-one/b/",
        source_owner="999988887777",
        on_conflict="target",
        all_versions=True,
        allow_skipped=True,
        max_rate=50,
        total_timeout=Duration.minutes(30),
        environment={"HTTPS_PROXY": "proxy"},
    )
    return resources(stack)


def only(found: dict[str, Any], cfn_type: str, word: str = "") -> dict[str, Any]:
    """The properties of the one resource of a type that has the word in its logical id."""
    (one,) = [
        resource for id, resource in found.items() if resource["Type"] == cfn_type and word in id
    ]
    return dict(one["Properties"])


def definition(found: dict[str, Any]) -> dict[str, Any]:
    """The migration's state machine, with the references in it taken for text."""
    machine = only(found, "AWS::StepFunctions::StateMachine")
    _, parts = machine["DefinitionString"]["Fn::Join"]
    text = "".join(part if isinstance(part, str) else "ARN" for part in parts)
    return dict(json.loads(text))


def granted(found: dict[str, Any], role: str) -> list[tuple[list[str], list[str]]]:
    """What a role may do: actions and resources, with references taken for ``{}``."""
    document = only(found, "AWS::IAM::Policy", role)["PolicyDocument"]
    return [
        (_list(one["Action"]), [_text(arn) for arn in _list(one["Resource"])])
        for one in document["Statement"]
    ]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(arn: Any) -> str:
    if isinstance(arn, str):
        return arn
    if "Fn::Join" in arn:
        parts = arn["Fn::Join"][1]
        return "".join(part if isinstance(part, str) else "{}" for part in parts)
    return "{}"


def test_the_map_is_distributed_and_its_shards_are_long_lived() -> None:
    """Standard children may run as long as a shard takes; the loop goes on until it has ended."""
    states = definition(of_tables())["States"]
    shards = states["Shards"]
    processor = shards["ItemProcessor"]
    assert processor["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert shards["ItemSelector"] == {"job.$": "$.job", "shard.$": "$$.Map.Item.Value"}
    assert shards["MaxConcurrencyPath"] == "$.job.workers"
    assert only(of_tables(), "Custom::DataMigration")["Workers"] == "10"
    inner = processor["States"]
    assert inner["Ended"]["Default"] == "Work"
    assert inner["Work"]["Next"] == "Ended"
    assert inner["Work"]["Catch"][0]["Next"] == "Lost"
    assert (inner["Lost"]["Next"], inner["Marked"]["Next"]) == ("Marked", "Shard")


def test_a_lost_worker_leaves_its_shard_and_the_error(aws_server: EmbeddedAws) -> None:
    """Step Functions itself puts the error beside whatever the shard was, and nothing else."""
    inner = definition(of_tables())["States"]["Shards"]["ItemProcessor"]["States"]
    states = {name: inner[name] for name in ("Lost", "Marked", "Shard")}
    machine = make_machine({"StartAt": "Lost", "States": states})
    shard = {"partition": "0/1", "cursor": None, "counts": {"copied": 7}, "failed": None}
    lost = {"Error": "Sandbox.Timedout", "Cause": "x" * 5000}
    sfn = client("stepfunctions")
    execution = sfn.start_execution(
        stateMachineArn=machine, input=json.dumps({"job": {}, "shard": shard, "lost": lost})
    )["executionArn"]
    while (found := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.05)
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"]) == {**shard, "failed": "Sandbox.Timedout"}


def test_every_outcome_has_a_state() -> None:
    """Copy, again and done go where they belong, and anything else fails with its cause."""
    states = definition(of_tables())["States"]
    choices = {choice["StringEquals"]: choice["Next"] for choice in states["Outcome"]["Choices"]}
    assert choices == {"copy": "Shards", "verify": "Shards", "again": "Begin", "done": "Done"}
    assert states["Outcome"]["Default"] == "Failed"
    assert (states["Which"]["Default"], states["Which"]["Choices"][0]["Next"]) == ("Begin", "Wait")
    assert states["Look"]["Catch"][0]["Next"] == "GiveUp", "CloudFormation always gets an answer"
    assert states["Failed"]["CausePath"] == "$.cause"
    assert (states["Begin"]["Next"], states["Finish"]["Next"]) == ("Outcome", "Outcome")


def test_the_worker_may_do_what_the_kind_declares_and_no_more() -> None:
    """Reading the source, writing the target, and a look at the record; never "*"."""
    kind = load(TABLE)
    arn = "arn:{{}}:dynamodb:{}:{}:table/{}"
    wanted = {
        arn.format(REGION, ACCOUNT, "old-one"): {"read", "verify"},
        arn.format(REGION, ACCOUNT, "new-one"): {"write", "verify"},
    }
    seen = granted(of_tables(), "DataMigrationsCopyRole")
    for place, phases in wanted.items():
        actions = {action for phase in phases for action in kind.access.phases[phase]}
        assert (sorted(actions), [place]) in seen
    assert (["ssm:GetParameter"], [f"{RECORDS}/dynamodb-table/new-one"]) in seen
    log = (["logs:CreateLogStream", "logs:PutLogEvents"], ["{}"])
    assert log in seen
    assert len(seen) == 4


def test_who_looks_may_not_copy() -> None:
    """The custom resource's own role probes, keeps the record, and starts and sees executions."""
    seen = granted(of_tables(), "DataMigrationsLookRole")
    actions = {action for one, _ in seen for action in one}
    assert "dynamodb:PutItem" not in actions
    assert (["ssm:GetParameter", "ssm:PutParameter"], [f"{RECORDS}/dynamodb-table/new-one"]) in seen
    assert (["ssm:GetParameter"], [f"{RECORDS}/dynamodb-table/old-one"]) in seen
    assert not any("*" in places for _, places in seen)
    starts = granted(of_tables(), "DataMigrationsStart")
    assert [actions for actions, _ in starts] == [
        ["states:StartExecution"],
        ["states:DescribeExecution"],
    ]
    assert not any("*" in places for _, places in starts)


def test_only_what_iam_cannot_scope_is_granted_everywhere() -> None:
    """For buckets that is the list of the account's own buckets."""
    everywhere = [
        action
        for role in ("DataMigrationsLookRole", "DataMigrationsCopyRole")
        for actions, places in granted(of_buckets(), role)
        if "*" in places
        for action in actions
    ]
    assert everywhere == ["s3:ListAllMyBuckets"]


def test_versions_are_granted_where_they_are_copied() -> None:
    """`all_versions` takes more, and only then it is granted; only the target is deleted from."""
    versions = set(load(BUCKET).access.phases["versions"])
    seen = granted(of_buckets(), "DataMigrationsCopyRole")
    assert versions <= {action for actions, _ in seen for action in actions}
    deleted_from = [arn for actions, arns in seen if "s3:DeleteObject" in actions for arn in arns]
    assert deleted_from
    assert all("new-" in arn for arn in deleted_from), deleted_from


def test_no_role_of_ours_has_a_policy_of_aws() -> None:
    """The usual one grants the log groups of the whole account."""
    for role in ("DataMigrationsLookRole", "DataMigrationsCopyRole"):
        assert "ManagedPolicyArns" not in only(of_tables(), "AWS::IAM::Role", role)


def test_the_settings_travel_as_properties() -> None:
    """CloudFormation sees them, so that a change of one is an update."""
    about = only(of_buckets(), "Custom::DataMigration")
    words = ("Type", "Source", "SourcePrefix", "SourceOwner", "Target", "TargetPrefix")
    assert [about[word] for word in words] == [
        "AWS::S3::Bucket", "old-one", "a/", "999988887777", "new-one", "b/",
    ]  # fmt: skip
    assert (about["OnConflict"], about["AllVersions"], about["AllowSkipped"]) == (
        "target",
        "true",
        "true",
    )
    assert float(about["MaxRate"]) == 50
    record = f"{RECORDS}/s3-bucket/new-one"
    names = [
        name for _, places in granted(of_buckets(), "DataMigrationsLookRole") for name in places
    ]
    assert record in names
    assert any(name.startswith(f"{record}-b-.") for name in names)


def test_the_copy_gives_up_before_cloudformation_does() -> None:
    """First the workers' deadline, then that of the watch, then CloudFormation's hour at most."""
    for found in (of_tables(), of_buckets()):
        about = only(found, "Custom::DataMigration")
        watched = int(about["Seconds"]) + GRACE_SECONDS + int(about["Every"])
        assert watched < int(about["ServiceTimeout"]) <= 3600
        assert definition(found)["TimeoutSeconds"] >= int(about["ServiceTimeout"])


def test_the_target_and_the_permissions_come_first() -> None:
    """Nothing is copied into a table that is not there, nor by a role without its policy."""
    found = of_tables()
    (custom,) = [one for one in found.values() if one["Type"] == "Custom::DataMigration"]
    assert any(found[id]["Type"] == TABLE for id in custom["DependsOn"])
    first = " ".join(custom["DependsOn"])
    assert "DataMigrationsStart" in first
    assert "DataMigrationsMap" in first
    for function, policy in (("Look", "LookRoleDefaultPolicy"), ("Work", "CopyRoleDefaultPolicy")):
        (one,) = [
            one
            for one in found.values()
            if one["Properties"].get("Handler") == f"dataware.handler.{function.lower()}.handler"
        ]
        assert policy in " ".join(one["DependsOn"])


def test_the_functions_share_one_log_and_one_asset() -> None:
    """Progress is in one place, goes with the stack, and one upload serves both."""
    functions = [
        one["Properties"] for one in of_buckets().values() if one["Type"] == "AWS::Lambda::Function"
    ]
    assert len(functions) == 2
    (log,) = [one for one in of_buckets().values() if one["Type"] == "AWS::Logs::LogGroup"]
    assert log["DeletionPolicy"] == "Delete"
    assert log["Metadata"][OWN] is True
    assert len({json.dumps(one["Code"]) for one in functions}) == 1
    assert len({json.dumps(one["LoggingConfig"]) for one in functions}) == 1
    assert only(of_buckets(), "Custom::DataMigration")["Environment"] == {"HTTPS_PROXY": "proxy"}


def test_a_key_of_either_side_may_be_used() -> None:
    """A customer's key is granted to whoever reads or writes under it."""
    stack = make_stack()
    key = kms.Key(stack, "Key")
    bucket = s3.Bucket(stack, "New", bucket_name="new-one", encryption_key=key)
    DataMigration(stack, "Copy", source="s3://old-one", target=bucket)
    actions = {a for one, _ in granted(resources(stack), "DataMigrationsCopyRole") for a in one}
    assert {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"} <= actions


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("dynamodb://old-one", "s3://new-one", "both must be of the same kind"),
        ("s3://old-one", "s3://old-one", "are the same place"),
        ("old-one", "s3://new-one", "needs a scheme"),
        ("s3://ol", "s3://new-one", "is not a valid S3 bucket name"),
        ("s3://old-one", f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/new-one", "same kind"),
        (
            "dynamodb://old-one",
            f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/new-one",
            "migrated by the stack of the target",
        ),
    ],
)
def test_what_cannot_be_copied_is_refused_at_synth(source: str, target: str, words: str) -> None:
    """With the path of the construct, so that it is found."""
    with pytest.raises(ValueError, match=words) as refused:
        DataMigration(make_stack(), "Copy", source=source, target=target)
    assert "Demo/Copy" in str(refused.value)


def test_an_unknown_word_is_refused_at_synth() -> None:
    """Not an hour later, in Lambda."""
    with pytest.raises(ValueError, match="maybe"):
        DataMigration(
            make_stack(), "Copy", source="s3://a-one", target="s3://b-one", on_conflict="maybe"
        )


def test_it_is_the_migration_of_a_data_aware_resource() -> None:
    """Where the decision is to migrate it stands in the template, unasked, and later no more."""
    shapes = {}
    for action, rule in (("migrate", 3), ("keep", 6)):
        fields = {"source": "old-one"} if action == "migrate" else {"owner": "this stack"}
        write_lock(
            {f"{TABLE} new-one": entry(action, rule, fallbacks=["old-one"], exists="yes", **fields)}
        )
        stack = make_stack(lookup="never")
        DataAwareTable(
            stack,
            "Table",
            preferred_name="new-one",
            fallback_names=["old-one"],
            partition_key=KEY,
        )
        shapes[action] = {one["Type"] for one in resources(stack).values()}
    assert "Custom::DataMigration" in shapes["migrate"]
    assert shapes["keep"] == {TABLE}


def test_a_copy_is_taken_by_physical_names() -> None:
    """The seam to the constructs: type, source and target; settings are handed on."""
    stack = make_stack()
    copy = PendingCopy(BUCKET, "old-one", "new-one", no_overwrite=True)
    DataMigration.of(stack, "Copy", copy, query_interval=Duration.seconds(30), max_rate=50)
    about = only(resources(stack), "Custom::DataMigration")
    assert (about["Source"], about["Target"]) == ("old-one", "new-one")
    assert about["MaxRate"] == "50"


@cache
def of_followed() -> dict[str, Any]:
    """The resources of a migration that goes on after the deployment."""
    stack = make_stack()
    table = dynamodb.Table(stack, "Table", table_name="new-one", partition_key=KEY)
    DataMigration(stack, "Copy", source="dynamodb://old-one", target=table, follow=True)
    return resources(stack)


def mapping(word: str) -> dict[str, Any]:
    """An event source of the function that carries changes."""
    return only(of_followed(), "AWS::Lambda::EventSourceMapping", word)


def test_a_stream_is_read_only_after_the_copy_and_what_cannot_be_queued_is_named() -> None:
    """Its ARN is an attribute of the custom resource, which answers after the last write."""
    stream = mapping("Stream")
    ((name, attribute),) = [stream["EventSourceArn"]["Fn::GetAtt"]]
    assert of_followed()[name]["Type"] == "Custom::DataMigration"
    assert attribute == "Stream"
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["MaximumRecordAgeInSeconds"] == 20 * 3600
    lost = stream["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert "Lost" in lost


def test_the_queue_keeps_keys_in_groups_for_longer_than_a_call_and_a_minute() -> None:
    """So that no two calls carry the same key, and what a dead call has sent has arrived."""
    (changes,) = [
        one["Properties"]
        for one in of_followed().values()
        if one["Type"] == "AWS::SQS::Queue" and one["Properties"].get("FifoQueue")
    ]
    function = only(of_followed(), "AWS::Lambda::Function", "Carrier")
    assert changes["VisibilityTimeout"] >= function["Timeout"] + 60
    assert changes["MessageRetentionPeriod"] == 14 * 86400
    keys = mapping("Keys")
    assert keys["BatchSize"] == 10
    assert keys["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert function["Handler"] == "dataware.handler.changes.handler"
    assert json.loads(function["Environment"]["Variables"]["SOURCE"]) == {
        "name": "old-one",
        "owner": ACCOUNT,
        "region": REGION,
    }


def test_the_function_may_read_the_source_and_write_the_target_and_nothing_else() -> None:
    """Each permission is scoped to one of the two, but for the list of streams."""
    given = {
        action: arns for actions, arns in granted(of_followed(), "Follower") for action in actions
    }
    assert given["dynamodb:BatchGetItem"][0].endswith(":table/old-one")
    assert given["dynamodb:GetRecords"][0].endswith(":table/old-one/stream/*")
    for action in ("BatchWriteItem", "DeleteItem", "PutItem"):
        assert "old-one" not in str(given[f"dynamodb:{action}"])
    assert [action for action, arns in given.items() if arns == ["*"]] == ["dynamodb:ListStreams"]


def test_a_source_without_a_stream_is_refused_at_synth_unless_one_may_be_switched_on() -> None:
    """The sentence says where to set it; only consent lets the machinery change the source."""
    stack = make_stack()
    old = dynamodb.Table(stack, "Old", table_name="old-one", partition_key=KEY)
    new = dynamodb.Table(stack, "New", table_name="new-one", partition_key=KEY)
    with pytest.raises(ValueError, match="set `stream=` in its own stack"):
        DataMigration(stack, "Refused", source=old, target=new, follow=True)
    DataMigration(stack, "Copy", source=old, target=new, follow=True, enable_stream=True)
    found = resources(stack)
    assert only(found, "Custom::DataMigration")["EnableStream"] == "true"
    actions = [action for some, _ in granted(found, "LookRole") for action in some]
    assert "dynamodb:UpdateTable" in actions
    assert "dynamodb:UpdateTable" not in [
        action for some, _ in granted(of_followed(), "LookRole") for action in some
    ]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"source": "s3://old-one", "target": "s3://new-one", "follow": True}, "bucket cannot be"),
        ({"source": "dynamodb://a-a", "target": "dynamodb://b-b", "enable_stream": True}, "needs"),
        (
            {
                "source": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/old",
                "target": "dynamodb://new",
                "follow": True,
            },
            "another account or region",
        ),
    ],
)
def test_what_no_function_can_follow_is_refused_at_synth(settings: Any, why: str) -> None:
    """It says how it is followed instead."""
    with pytest.raises(ValueError, match=why):
        DataMigration(make_stack(), "Copy", **settings)
