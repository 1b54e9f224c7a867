"""Asking IAM what a caller may do, on a server that enforces it and on answers of every form."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

import boto3
import pytest

from dataware.aws.caller import caller, policy_owner
from dataware.aws.errors import translate_errors
from dataware.aws.permissions import IamDecision, NeededActions, lacks
from dataware.aws.simulate import RESOURCES_AT_ONCE, simulate
from dataware.core.errors import LookupFailedError
from dataware.embedded import EmbeddedAws
from support.accounts import open_account
from support.people import sign_in

LISTING = ("s3:GetBucketTagging", "s3:ListBucket")
OURS = "arn:aws:s3:::ours"
SIMULATING = {
    "Effect": "Allow",
    "Action": ["iam:SimulatePrincipalPolicy", "iam:GetRole"],
    "Resource": ["*"],
}


class FakeIam:
    """IAM with the answers of a test; keeps what it was asked."""

    account, region, partition = "111122223333", "eu-central-1", "aws"

    def __init__(self, *, apart: bool = True, allowed: str = OURS) -> None:
        self.apart, self.allowed = apart, allowed
        self.asked: list[tuple[str, ...]] = []

    def client(self, _service: str) -> FakeIam:
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        return translate_errors(what, permission)

    def get_paginator(self, _operation: str) -> FakeIam:
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        arns = tuple(asked["ResourceArns"])
        self.asked.append(arns)
        return [{"EvaluationResults": [self._result(a, arns)]} for a in asked["ActionNames"]]

    def _result(self, action: str, arns: tuple[str, ...]) -> dict[str, Any]:
        each = [
            {
                "EvalResourceName": arn,
                "EvalResourceDecision": "allowed" if arn == self.allowed else "implicitDeny",
            }
            for arn in arns
        ]
        result = {
            "EvalActionName": action,
            "EvalResourceName": arns[0],
            "EvalDecision": each[0]["EvalResourceDecision"],
        }
        return {**result, "ResourceSpecificResults": each} if self.apart else result


@pytest.mark.parametrize("apart", [True, False], ids=["told apart", "first only"])
def test_every_action_on_every_resource_is_answered(apart: bool) -> None:
    """Also by a service that answers for the first resource alone, however many there are."""
    others = [f"arn:aws:s3:::b{n}" for n in range(RESOURCES_AT_ONCE + 3)]
    iam: Any = FakeIam(apart=apart)
    need = NeededActions(LISTING, (*others, OURS))
    answers = simulate(iam, "arn:aws:iam::111122223333:user/me", [need])
    assert answers.keys() == set(need.pairs())
    assert {arn for (_, arn), access in answers.items() if access is IamDecision.ALLOWED} == {OURS}
    assert max(map(len, iam.asked)) == RESOURCES_AT_ONCE


def test_a_user_learns_what_is_missing(
    auth_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under enforced IAM exactly the one action that no policy allows is missing."""
    del auth_server
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [OURS]}],
    }
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, {**policy, "Statement": [*policy["Statement"], SIMULATING]}, "asking")
        account = open_account()
        me = caller(account)
        owner = policy_owner(account, me.arn)
        assert owner == me.arn
        (lack,) = lacks(simulate(account, owner, [NeededActions(LISTING, (OURS,))]))
    assert (lack.action, lack.resources) == ("s3:GetBucketTagging", (OURS,))
    assert lack.access is IamDecision.MISSING


def test_who_may_not_ask_gets_the_permission_to_ask_with(
    auth_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A denied simulation is no answer, and names what it needs."""
    del auth_server
    nothing = {"Version": "2012-10-17", "Statement": [{**SIMULATING, "Action": ["iam:GetRole"]}]}
    with monkeypatch.context() as signed_in:
        sign_in(signed_in, nothing, "silent")
        account = open_account()
        with pytest.raises(LookupFailedError, match="iam:SimulatePrincipalPolicy"):
            simulate(account, caller(account).arn, [NeededActions(LISTING, (OURS,))])


def test_a_session_is_led_back_to_its_role_with_its_path(aws_server: EmbeddedAws) -> None:
    """The path of a role stands in no session's ARN, so the role is asked for."""
    account = open_account()
    iam = boto3.client("iam", endpoint_url=aws_server.endpoint)
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="Deep", Path="/a/b/", AssumeRolePolicyDocument=json.dumps(trust))
    session = "arn:aws:sts::000000000000:assumed-role/Deep/me"
    assert policy_owner(account, session) == "arn:aws:iam::000000000000:role/a/b/Deep"
    other = "arn:aws:sts::000000000000:assumed-role/Unknown/me"
    assert policy_owner(account, other) == "arn:aws:iam::000000000000:role/Unknown"
    assert policy_owner(account, "arn:aws:iam::000000000000:root") is None


def test_the_clock_of_aws_is_seen(aws_server: EmbeddedAws) -> None:
    """The server of this machine has this machine's clock."""
    me = caller(open_account())
    assert me.account == aws_server.account
    assert abs(me.ahead) < 5


def test_the_origin_of_credentials_is_told(aws_server: EmbeddedAws) -> None:
    """Keys in variables do not expire by themselves."""
    del aws_server
    origin = open_account().origin()
    assert (origin.source, origin.temporary, origin.expires) == (
        "environment variables",
        False,
        None,
    )


def test_temporary_credentials_say_when_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end that a tool put into the variables is taken over, in UTC."""
    for name, value in {
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
        "SESSION_TOKEN": "x",
        "REGION": "eu-central-1",
        "CREDENTIAL_EXPIRATION": "2126-01-02T03:04:05+01:00",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    origin = open_account().origin()
    assert origin.temporary
    assert f"{origin.expires:%Y-%m-%d %H:%M}" == "2126-01-02 02:04"
