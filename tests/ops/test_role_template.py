"""The template of the role that plans: the same in every account, and reads alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.ops.role_template import KnownEnvironments, make_role_template

HOME, OTHER, TRUSTED = "111111111111", "222222222222", "333333333333"
PLACES = KnownEnvironments(HOME, {HOME, OTHER}, {"eu-west-1", "us-east-1"})
TABLE = f"arn:aws:dynamodb:eu-west-1:{HOME}:table/orders"


def template(*resources: str, actions: tuple[str, ...] = ("dynamodb:Scan",)) -> dict[str, Any]:
    """The template of a policy for some resources."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return make_role_template({"Version": "2012-10-17", "Statement": [statement]}, PLACES, TRUSTED)


def statements(of: dict[str, Any]) -> list[dict[str, Any]]:
    """What the role may do."""
    (policy,) = of["Resources"]["Role"]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def resources(*arns: str) -> list[Any]:
    """The resources of the first statement."""
    found: list[Any] = statements(template(*arns))[0]["Resource"]
    return found


def test_the_role_trusts_the_account_that_was_named_and_no_other() -> None:
    """By a parameter, so that a StackSet can name another one."""
    made = template(TABLE)
    assert made["Parameters"]["TrustedAccount"]["Default"] == TRUSTED
    trust = made["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (principal,) = [one["Principal"] for one in trust]
    assert principal == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${TrustedAccount}:root"}}


def test_no_account_and_no_region_of_the_app_stands_in_it() -> None:
    """Each instance reads what lies in its own account, in every region."""
    assert resources(TABLE) == [
        {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:*:${AWS::AccountId}:table/orders"}
    ]
    buckets = [f"arn:aws:s3:::files-{account}-us-east-1" for account in (HOME, OTHER)]
    assert resources(*buckets) == [
        {"Fn::Sub": "arn:${AWS::Partition}:s3:::files-${AWS::AccountId}-*"}
    ], "those of two environments are one"
    assert resources("*") == ["*"]


def test_what_belongs_to_an_account_of_nobody_in_the_app_stays() -> None:
    """A fallback by its ARN is the same table wherever it is read from."""
    partner = "arn:aws:dynamodb:eu-west-1:999999999999:table/orders"
    assert resources(partner) == [partner]


def test_data_under_a_key_is_read_through_its_service_alone() -> None:
    """No call to KMS itself, and none where nothing with data is read."""
    made = template(TABLE, actions=("dynamodb:Scan", "ssm:GetParameter"))
    (decrypt,) = [one for one in statements(made) if one["Action"] == ["kms:Decrypt"]]
    via = decrypt["Condition"]["StringLike"]["kms:ViaService"]
    assert via == ["dynamodb.*.amazonaws.com*"]
    alone = statements(template("*", actions=("cloudformation:DescribeStacks",)))
    assert len(alone) == 1


def test_a_policy_that_no_role_can_hold_is_refused() -> None:
    """IAM counts the characters, and says so only once it is deployed."""
    with pytest.raises(InputError, match="a role takes 10,240"):
        template(*(f"{TABLE}-{number}" for number in range(200)))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40))
def test_a_name_means_itself_whatever_is_in_it(name: str) -> None:
    """What looks like a reference of CloudFormation is text."""
    (found,) = resources(f"arn:aws:ssm:eu-west-1:{HOME}:parameter/{name}")
    text = found["Fn::Sub"]
    for known in PLACES.accounts:
        name = name.replace(known, "${AWS::AccountId}")
    for variable in re.findall(r"\$\{([^!][^}]*)\}", text):
        assert variable in {"AWS::Partition", "AWS::AccountId"}, text
    assert json.dumps(text)
