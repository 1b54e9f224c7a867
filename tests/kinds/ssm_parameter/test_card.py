"""The card of SSM parameters."""

from __future__ import annotations

import pytest

from dataware.core.model import Content, Existence
from dataware.embedded import EmbeddedAws
from dataware.kinds.ssm_parameter import KIND, check_name, probe
from support.dynamo import account
from support.servers import FaultProxy, json_error


def test_a_parameter_that_exists_has_data(aws_server: EmbeddedAws) -> None:
    """A parameter cannot be empty."""
    aws = account()
    aws.client("ssm").put_parameter(Name="/app/a", Value="v", Type="String")
    assert probe(aws, "/app/a").holds_data
    assert probe(aws, "/app/b").existence is Existence.ABSENT


def test_a_secret_is_not_decrypted(fault_proxy: FaultProxy) -> None:
    """The probe never asks for the value of a secure string."""
    aws = account()
    aws.client("ssm").put_parameter(Name="/app/a", Value="v", Type="SecureString")
    fault_proxy.clear()
    assert probe(aws, "/app/a").holds_data
    assert [seen.json() for seen in fault_proxy.seen] == [
        {"Name": "/app/a", "WithDecryption": False}
    ]


def test_denied_is_unknown(fault_proxy: FaultProxy) -> None:
    """Access denied never means absent."""
    fault_proxy.add(json_error("AccessDeniedException"), operation="GetParameter")
    facts = probe(account(), "/app/a")
    assert (facts.existence, facts.content) == (Existence.UNKNOWN, Content.UNKNOWN)
    assert [problem.permission for problem in facts.problems] == ["ssm:GetParameter"]


@pytest.mark.parametrize("name", ["/a/b", "a", "/app/x.y_z-1", "/" + "/".join("abcdefghijklmno")])
def test_good_names_pass(name: str) -> None:
    """Paths and plain names are accepted."""
    assert check_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a//b",
        "a/b",
        "/a/",
        "a b",
        "ssm/x",
        "/AWS/x",
        "x" * 1012,
        "/" + "/".join("abcdefghijklmnop"),
    ],
)
def test_bad_names_are_told_what_is_wrong(name: str) -> None:
    """Empty parts, strange characters, reserved prefixes and excess are refused."""
    assert check_name(name)


def test_the_arn_has_one_slash() -> None:
    """The name's leading slash is part of the ARN, not doubled."""
    expected = ("arn:aws:ssm:us-east-1:123456789012:parameter/app/a",)
    assert KIND.access.arns("/app/a", "123456789012", "us-east-1", "aws") == expected
    assert KIND.access.arns("app/a", "123456789012", "us-east-1", "aws") == expected
