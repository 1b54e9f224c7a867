"""The card of user pools, which have names for people and ids for everybody else."""

from __future__ import annotations

import pytest

from dataware.aws import Account
from dataware.core.model import Content, Existence
from dataware.embedded import EmbeddedAws
from dataware.kinds.cognito_user_pool import KIND, check_name, probe
from support.dynamo import account


def make_pool(aws: Account, name: str, *users: str) -> str:
    """A pool with some users; answers with its id."""
    idp = aws.client("cognito-idp")
    pool: str = idp.create_user_pool(PoolName=name)["UserPool"]["Id"]
    for user in users:
        idp.admin_create_user(UserPoolId=pool, Username=user)
    return pool


def test_a_pool_is_found_by_name_and_by_id(aws_server: EmbeddedAws) -> None:
    """Both lead to the same pool, whose id is what CloudFormation calls it."""
    aws = account()
    pool = make_pool(aws, "users-prod", "ada")
    for name in ("users-prod", pool):
        facts = probe(aws, name)
        assert (facts.existence, facts.content) == (Existence.EXISTS, Content.DATA)
        assert (facts.name, facts.physical_id, facts.identity) == (name, pool, pool)
    assert probe(aws, "users").existence is Existence.ABSENT
    assert probe(aws, "us-east-1_Nobody00").existence is Existence.ABSENT


def test_a_pool_beyond_the_first_page_is_found(aws_server: EmbeddedAws) -> None:
    """The service lists sixty pools at a time, and the one that is meant may be the last."""
    aws = account()
    for number in range(130):
        make_pool(aws, f"other-{number}")
    pool = make_pool(aws, "users-prod")
    assert probe(aws, "users-prod").physical_id == pool
    assert probe(aws, "users").existence is Existence.ABSENT


def test_a_name_of_several_pools_is_unknown(aws_server: EmbeddedAws) -> None:
    """Nobody can tell which one is meant, so nothing is decided on either."""
    aws = account()
    pools = [make_pool(aws, "users-prod"), make_pool(aws, "users-prod", "ada")]
    facts = probe(aws, "users-prod")
    assert (facts.existence, facts.content) == (Existence.UNKNOWN, Content.UNKNOWN)
    (problem,) = facts.problems
    assert problem.permission is None
    assert all(pool in str(problem) for pool in pools)
    assert facts.alike == tuple(sorted(pools))


def test_policies_name_a_pool_by_its_id_only() -> None:
    """An ARN holds the id; a policy for a name has to allow any pool."""
    place = ("111122223333", "us-east-1", "aws")
    arn = "arn:aws:cognito-idp:us-east-1:111122223333:userpool/"
    assert KIND.access.arns("us-east-1_A1b2C3d4E", *place) == (f"{arn}us-east-1_A1b2C3d4E",)
    assert KIND.access.arns("users-prod", *place) == (f"{arn}*",)


@pytest.mark.parametrize("name", ["", "a" * 129, "a/b", "ü"])
def test_bad_names_are_told(name: str) -> None:
    """What the service would refuse is told beforehand."""
    assert check_name(name)


def test_settings_of_a_pool_and_of_a_template_are_read_alike(aws_server: EmbeddedAws) -> None:
    """A pool without settings is as well protected as a template without them."""
    aws = account()
    make_pool(aws, "users-prod")
    assert probe(aws, "users-prod").settings == KIND.template.declared_settings({})
    assert set(KIND.template.declared_settings({"MfaConfiguration": {"Ref": "X"}})) == {
        "deletion_protection"
    }
