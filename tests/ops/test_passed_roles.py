"""No policy that is printed passes a role to a service that is not meant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dataware.cli.policy import policy_of
from dataware.core.engines.card import EngineName
from dataware.core.model import Wanted
from dataware.core.passed_roles import PASS_ROLE
from dataware.core.phases import PolicyUse
from dataware.kinds import kinds_by_type, load

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
