"""The stack of the workers: its parts, and that it grants nothing beyond one migration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.model import Location
from dataware.kinds import load
from dataware.ops.map_engine.template import (
    CODE,
    WorkersLocation,
    make_comparison_template,
    make_template,
)

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
ACCOUNT, REGION = "111122223333", "eu-central-1"
PLACE = WorkersLocation(ACCOUNT, REGION, "aws", "0123456789ab")
LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:dataware-map-0123456789ab"


def template_of(kind: str, *, all_versions: bool = False) -> dict[str, Any]:
    """The resources for one migration from ``old`` to ``new``."""
    old, new = (Location(name, ACCOUNT, REGION) for name in ("old", "new"))
    order = CopyOrder(old, new, all_versions=all_versions)
    document: dict[str, Any] = json.loads(make_template(load(kind), order, PLACE))
    return dict(document["Resources"])


def statements_of(resources: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """What a role may do."""
    (policy,) = resources[role]["Properties"]["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


@pytest.mark.parametrize("kind", [TABLE, BUCKET])
def test_workers_may_touch_their_two_sides_and_their_record_alone(kind: str) -> None:
    """No resource is left open, and a key of a customer is used through its service only."""
    resources = template_of(kind)
    service = "dynamodb" if kind == TABLE else "s3"
    for statement in statements_of(resources, "CopyRole"):
        for arn in statement["Resource"]:
            assert arn.split(":")[2] in {service, "ssm", "logs", "kms"}
            if arn.startswith("arn:aws:kms"):
                via = statement["Condition"]["StringLike"]["kms:ViaService"]
                assert via == [f"{service}.{REGION}.amazonaws.com*"]
    written = {
        action
        for statement in statements_of(resources, "CopyRole")
        if any("old" in arn for arn in statement["Resource"])
        for action in statement["Action"]
    }
    assert not any("Put" in action or "Delete" in action for action in written)
    slug = load(kind).names.slug
    record = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/dataware/markers/{slug}/new"
    assert ["ssm:GetParameter"] in [
        one["Action"] for one in statements_of(resources, "CopyRole") if record in one["Resource"]
    ]


def test_all_versions_take_more() -> None:
    """Beside the rest, as in a policy for the command."""

    def actions(*, all_versions: bool) -> set[str]:
        resources = template_of(BUCKET, all_versions=all_versions)
        return {a for one in statements_of(resources, "CopyRole") for a in one["Action"]}

    assert actions(all_versions=True) > actions(all_versions=False)


def test_the_state_machine_starts_its_own_children_only() -> None:
    """As AWS's page on policies for a Distributed Map has it, scoped to this run's names."""
    resources = template_of(TABLE)
    granted = {
        action: one["Resource"]
        for one in statements_of(resources, "RunRole")
        for action in one["Action"]
    }
    states = f"arn:aws:states:{REGION}:{ACCOUNT}"
    assert granted["lambda:InvokeFunction"] == [LAMBDA]
    assert granted["states:StartExecution"] == [f"{states}:stateMachine:dataware-map-0123456789ab"]
    assert granted["states:StopExecution"] == [f"{states}:execution:dataware-map-0123456789ab/*"]
    objects = f"arn:aws:s3:::dataware-map-{ACCOUNT}-0123456789ab/*"
    assert granted["s3:PutObject"] == granted["s3:GetObject"] == [objects]


def test_batches_come_from_the_bucket_and_results_go_there() -> None:
    """By the fields that AWS documents; a failed batch ends no other one."""
    resources = template_of(TABLE)
    code = resources["Work"]["Properties"]["Code"]
    assert code == {"S3Bucket": PLACE.bucket, "S3Key": CODE}
    definition = json.loads(resources["Machine"]["Properties"]["DefinitionString"])
    state = definition["States"]["Shards"]
    assert state["ItemReader"]["Parameters"] == {"Bucket": PLACE.bucket, "Key.$": "$.shards"}
    assert state["ItemBatcher"]["BatchInput"] == {"job.$": "$.job"}
    assert state["ItemBatcher"]["MaxItemsPerBatchPath"] == "$.batch"
    assert state["ResultWriter"]["Resource"] == "arn:aws:states:::s3:putObject"
    assert state["ToleratedFailurePercentage"] == 100
    assert state["MaxConcurrencyPath"] == "$.job.workers"
    work = state["ItemProcessor"]["States"]["Work"]
    assert work["Resource"] == LAMBDA
    assert "Lambda.TooManyRequestsException" in work["Retry"][0]["ErrorEquals"]


def test_names_fit_into_what_aws_allows() -> None:
    """64 characters of a function, 63 of a bucket."""
    assert len(PLACE.stack) <= 64
    assert len(PLACE.bucket) <= 63


@pytest.mark.parametrize("kind", [TABLE, BUCKET])
def test_workers_that_only_compare_may_write_nothing(kind: str) -> None:
    """They read both sides, under keys of the customer, too, and look at no record."""
    old, new = (Location(name, ACCOUNT, REGION) for name in ("old", "new"))

    def actions_of(*, all_versions: bool) -> set[str]:
        order = CopyOrder(old, new, all_versions=all_versions)
        document = json.loads(make_comparison_template(load(kind), order, PLACE))
        statements = statements_of(document["Resources"], "CopyRole")
        return {action for one in statements for action in one["Action"]}

    actions = actions_of(all_versions=False)
    assert "kms:Decrypt" in actions
    assert not any(action.startswith("ssm:") for action in actions)
    names = {action.partition(":")[2] for action in actions if not action.startswith("logs:")}
    reads = ("Get", "List", "Describe", "Scan", "BatchGet", "Decrypt")
    assert [name for name in names if not name.startswith(reads)] == []
    assert (actions_of(all_versions=True) > actions) is (kind == BUCKET)
