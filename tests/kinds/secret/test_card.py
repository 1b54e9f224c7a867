"""The card of secrets, which are looked at without their values."""

from __future__ import annotations

import pytest

from dataware.aws import Account
from dataware.core.comparison import LiveConfiguration, PropertyVerdict, compare_configuration
from dataware.core.model import Content, Existence
from dataware.embedded import EmbeddedAws
from dataware.kinds.secret import KIND, check_name, find_name, probe
from dataware.kinds.secret.comparison import COMPARISON
from support.dynamo import account
from support.servers import FaultProxy

PLANTED = "value-that-nobody-may-see"


def make_secret(aws: Account, name: str, *values: str) -> str:
    """A secret with some versions; answers with its ARN."""
    manager = aws.client("secretsmanager")
    arn: str = manager.create_secret(Name=name)["ARN"]
    for value in values:
        manager.put_secret_value(SecretId=name, SecretString=value)
    return arn


def test_a_secret_is_found_by_its_exact_name(aws_server: EmbeddedAws) -> None:
    """Its ARN is what CloudFormation calls it; a name that only begins so is another secret."""
    aws = account()
    arn = make_secret(aws, "app/database", PLANTED)
    facts = probe(aws, "app/database")
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.DATA)
    assert (facts.physical_id, facts.identity) == (arn, arn)
    assert probe(aws, "app").existence is Existence.ABSENT
    assert probe(aws, "app/data").existence is Existence.ABSENT


def test_no_value_is_asked_for(fault_proxy: FaultProxy) -> None:
    """Whether there is one shows without it."""
    aws = account()
    make_secret(aws, "app/database", PLANTED)
    fault_proxy.clear()
    facts = probe(aws, "app/database")
    assert {one.operation for one in fault_proxy.seen} == {"DescribeSecret", "ListSecretVersionIds"}
    assert PLANTED not in repr(facts)


def test_a_secret_that_is_about_to_be_deleted_still_exists(aws_server: EmbeddedAws) -> None:
    """Its name is taken and its versions are there, and a person is told how to restore it."""
    aws = account()
    make_secret(aws, "app/database", PLANTED)
    aws.client("secretsmanager").delete_secret(SecretId="app/database", RecoveryWindowInDays=7)
    facts = probe(aws, "app/database")
    assert facts.existence is Existence.EXISTS
    assert "restore-secret --secret-id app/database" in facts.obstacle


def test_the_name_in_an_arn_is_found() -> None:
    """CloudFormation knows the ARN, and templates and people the name."""
    arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret"
    assert find_name(f"{arn}:app/data-base-a1B2c3") == "app/data-base"
    assert find_name("app/database") is None


def test_a_declared_value_is_told_without_showing_it() -> None:
    """It takes the place of the live one, and no difference holds it."""
    live = LiveConfiguration({"Description": ""})
    declared = COMPARISON.in_region({"SecretString": PLANTED}, "us-east-1")
    (difference,) = compare_configuration(COMPARISON, live, declared)
    assert difference.verdict is PropertyVerdict.DELETES
    assert PLANTED not in repr(difference)


@pytest.mark.parametrize("name", ["", "a" * 513, "a b", "ü"])
def test_bad_names_are_told(name: str) -> None:
    """What the service would refuse is told beforehand."""
    assert check_name(name)


def test_policies_leave_the_end_of_the_arn_open() -> None:
    """Secrets Manager adds six characters that nobody chooses."""
    place = ("111122223333", "us-east-1", "aws")
    assert KIND.access.arns("app/database", *place) == (
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/database-??????",
    )
