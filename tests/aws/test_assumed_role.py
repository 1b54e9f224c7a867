"""A role is assumed for a session, again before it expires, and a refusal says what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from dataware.aws import AssumedRole
from dataware.aws.assumed_role import _refusal
from dataware.core.errors import AuthenticationError
from dataware.embedded import EmbeddedAws
from support.accounts import open_account
from support.servers import FaultProxy, Forward, Reply, Seen

ONE, OWN = "111111111111", "000000000000"
ROLE = AssumedRole(f"arn:aws:iam::{ONE}:role/plan", "fleet")


def test_a_role_is_another_account_beside_the_own_one(aws_server: EmbeddedAws) -> None:
    """Neither session takes the credentials of the other."""
    own = open_account(region="eu-west-1")
    there = own.assume(ROLE, "us-east-1")
    assert (there.account, there.region, own.account) == (ONE, "us-east-1", OWN)
    assert there.for_region("eu-west-1").account == ONE
    assert own.for_region("us-east-1").account == OWN
    assert open_account(region="eu-west-1", role=ROLE).account == ONE


def test_nothing_is_asked_before_the_credentials_are_needed(fault_proxy: FaultProxy) -> None:
    """The role and its external id go to STS once, and its answer holds for every client."""
    account = open_account(region="eu-west-1", role=ROLE)
    assert fault_proxy.count() == 0
    assert account.account == ONE
    account.client("dynamodb").list_tables()
    (asked,) = [one for one in fault_proxy.seen if one.operation == "AssumeRole"]
    assert b"ExternalId=fleet" in asked.body
    assert b"RoleSessionName=dataware" in asked.body


def test_a_role_is_assumed_again_before_it_expires(fault_proxy: FaultProxy) -> None:
    """Role chaining lasts an hour at most, and a copy may last longer."""

    def expiring(seen: Seen, forward: Forward) -> Reply:
        soon = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = forward(seen).body
        begin, end = body.index(b"<Expiration>") + 12, body.index(b"</Expiration>")
        return Reply.of(
            200, body[:begin] + soon.encode() + body[end:], {"content-type": "text/xml"}
        )

    fault_proxy.add(expiring, operation="AssumeRole", times=1)
    account = open_account(region="eu-west-1", role=ROLE)
    assert account.account == ONE
    assert fault_proxy.count("AssumeRole") == 1
    account.client("dynamodb").list_tables()
    assert fault_proxy.count("AssumeRole") == 2
    account.client("dynamodb").list_tables()
    assert fault_proxy.count("AssumeRole") == 2


def test_without_credentials_no_role_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said that there are none, and no other way in is tried."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AuthenticationError, match="no usable AWS credentials"):
        open_account(region="eu-west-1", role=ROLE).keys()


USER = "User: arn:aws:iam::000000000000:user/me is not authorized to perform: sts:AssumeRole on "
ARN = f"resource: {ROLE.arn}"


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("AccessDenied", USER + ARN, "its trust policy must allow these credentials"),
        (
            "AccessDenied",
            f"{USER}{ARN} with an explicit deny in a service control policy",
            "an explicit deny in a service control policy forbids sts:AssumeRole: change that",
        ),
        ("RegionDisabledException", "STS is not activated in this region", "activate STS"),
        ("ValidationError", "1 validation error", "1 validation error"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(code: str, message: str, said: str) -> None:
    """A service control policy and a trust policy want different people."""
    answer = {"Error": {"Code": code, "Message": message}}
    error = _refusal(ROLE, ClientError(answer, "AssumeRole"))
    assert str(error).startswith(f"cannot assume role {ROLE.arn} ({code}): ")
    assert said in str(error)


def test_models_are_read_once_for_all_sessions(aws_server: EmbeddedAws) -> None:
    """Ten accounts are not ten times the reading of the same files."""
    first, second = open_account(region="eu-west-1"), open_account(region="eu-west-1")
    loaders = {
        id(one._login.session._session.get_component("data_loader")) for one in (first, second)
    }
    assert len(loaders) == 1
