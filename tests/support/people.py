"""Users of an AWS that enforces IAM, made by the root of the account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from support.worlds import client


def sign_in(
    monkeypatch: pytest.MonkeyPatch, policy: Mapping[str, Any], name: str = "migrator"
) -> None:
    """Make a user with exactly this policy, and go on as that user."""
    iam = client("iam")
    iam.create_user(UserName=name)
    set_policy(policy, name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])


def set_policy(policy: Mapping[str, Any], name: str = "migrator") -> None:
    """Give the user this policy and no other; only root may."""
    client("iam").put_user_policy(
        UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy)
    )


def without(policy: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The policy without one action."""
    return {
        **policy,
        "Statement": [
            {**statement, "Action": [each for each in statement["Action"] if each != action]}
            for statement in policy["Statement"]
        ],
    }
