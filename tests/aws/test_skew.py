"""The clock of AWS: learnt from a refusal, and signed by from then on."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from dataware.aws.skew import ClockSkew
from dataware.embedded import EmbeddedAws
from support.accounts import open_account


def date(ahead: float) -> str:
    """The date of an answer whose service is ahead of this machine."""
    return formatdate(time.time() + ahead, usegmt=True)


@pytest.mark.parametrize(
    ("ahead", "learnt"), [(0, False), (200, False), (1200, True), (-900, True)]
)
def test_only_minutes_explain_a_refusal(ahead: float, learnt: bool) -> None:
    """A denial at the right time is a denial."""
    skew = ClockSkew()
    assert skew.learn(date(ahead), 0.0) is learnt
    assert skew.seconds == pytest.approx(ahead if learnt else 0.0, abs=2)


def test_what_was_signed_before_it_was_learnt_is_asked_again() -> None:
    """Of many requests under way one learns, and all of them are asked again."""
    skew = ClockSkew()
    assert skew.learn(date(1200), 0.0)
    assert skew.learn(date(1200), 0.0)
    assert not skew.learn(date(1200), skew.seconds)


@pytest.mark.parametrize("said", ["", "yesterday"])
def test_an_answer_without_a_time_teaches_nothing(said: str) -> None:
    """What stands between may answer without a date."""
    assert not ClockSkew().learn(said, 0.0)


@pytest.mark.usefixtures("auth_server")
def test_the_shifted_signatures_are_valid() -> None:
    """A service that checks signatures takes those of every protocol."""
    account = open_account()
    account._login.skew.seconds = 1.0
    s3 = account.client("s3")
    s3.create_bucket(Bucket="shifted-bucket")
    s3.put_object(Bucket="shifted-bucket", Key="a b/ü+", Body=b"x")
    assert s3.get_object(Bucket="shifted-bucket", Key="a b/ü+")["Body"].read() == b"x"
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert account.client("cloudformation").describe_stacks()["Stacks"] == []
    assert account.account == "000000000000"


def test_other_ways_of_signing_are_left_alone(aws_server: EmbeddedAws) -> None:
    """Presigned addresses and unsigned calls are the SDK's own."""
    account = open_account(endpoint_url=aws_server.endpoint)
    account._login.skew.seconds = 1.0
    url = account.client("s3").generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    assert "Signature" in url
