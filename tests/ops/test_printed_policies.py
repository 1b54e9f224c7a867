"""What the printed policies grant beside the resources: roles for services, looks at sources."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dataware.cli.policy import RECORDS, policy_of
from dataware.core.engines.card import EngineName
from dataware.core.model import Wanted
from dataware.core.passed_roles import PASS_ROLE
from dataware.core.phases import PolicySide, PolicyUse
from dataware.kinds import kinds_by_type, load
from dataware.state.parameter_store import READ

AWS: Any = SimpleNamespace(account="111122223333", region="eu-central-1", partition="aws")
ROLE = "arn:aws:iam::111122223333:role/jobs"
WANTED = [
    Wanted(cfn_type, cfn_type, "app-prod", ("app",))
    for cfn_type in sorted(kinds_by_type())
    if load(cfn_type).template.has_name
]


@pytest.fixture(autouse=True)
def one_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where buckets are is asked of no service here."""
    monkeypatch.setattr("dataware.cli.policy._regions_of", lambda *_: {"eu-central-1"})


def passed_by(use: PolicyUse, **options: Any) -> dict[str, list[str]]:
    """The services by role, of each statement that passes one."""
    found = {}
    for statement in policy_of(AWS, WANTED, use=use, **options)["Statement"]:
        if any("PassRole" in action or "*" in action for action in statement["Action"]):
            assert statement["Action"] == [PASS_ROLE]
            services = statement["Condition"]["StringEquals"]["iam:PassedToService"]
            found.update(dict.fromkeys(statement["Resource"], services))
    return found


@pytest.mark.parametrize("use", [PolicyUse.PLAN, PolicyUse.APPLY, PolicyUse.DEPLOY])
def test_who_reads_the_sources_of_a_plan_sees_whose_they_are_and_whether_they_are_whole(
    use: PolicyUse,
) -> None:
    """Else the plan stops; and nothing of the target is granted, nor any write."""
    policy = policy_of(AWS, WANTED, use=use, side=PolicySide.SOURCE)
    granted = {
        (action, arn)
        for one in policy["Statement"]
        for action in one["Action"]
        for arn in one["Resource"]
    }
    where = {"partition": "aws", "region": AWS.region, "account": AWS.account}
    assert (READ, RECORDS.format(**where)) in granted
    assert ("cloudformation:DescribeStackResources", "*") in granted
    assert (
        "dynamodb:DescribeTable",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/app",
    ) in granted
    assert [arn for _, arn in granted if "app-prod" in arn] == []
    words = ("Put", "Create", "Delete", "Update", "Write", "Tag", "Start")
    assert [one for one, _ in granted if one.partition(":")[2].startswith(words)] == []
    by_hand = policy_of(AWS, WANTED, use=PolicyUse.MIGRATE, side=PolicySide.SOURCE)
    assert RECORDS.format(**where) not in str(by_hand)


def test_an_engine_hands_its_roles_to_its_own_services() -> None:
    """Workers to Lambda and Step Functions, the role of a job to S3 Batch Operations."""
    workers = passed_by(PolicyUse.APPLY, engine=EngineName.MAP)
    assert workers["arn:aws:iam::111122223333:role/dataware-map-*"] == [
        "lambda.amazonaws.com",
        "states.amazonaws.com",
    ]
    jobs = passed_by(PolicyUse.APPLY, batch_role=ROLE)
    assert jobs[ROLE] == ["batchoperations.s3.amazonaws.com"]


@pytest.mark.parametrize("use", list(PolicyUse))
def test_every_role_that_is_passed_is_a_role_and_has_its_services(use: PolicyUse) -> None:
    """Whatever the use; and a type that passes a role says to whom."""
    for role, services in passed_by(use, engine=EngineName.MAP, batch_role=ROLE).items():
        assert ":role/" in role
        assert all(one.endswith(".amazonaws.com") for one in services)
    for kind in kinds_by_type().values():
        passes = any(PASS_ROLE in actions for actions in kind.access.phases.values())
        assert passes == bool(kind.access.passes_to)
