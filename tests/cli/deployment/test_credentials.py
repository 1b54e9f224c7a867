"""Which credentials a deployment uses for the account of a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataware.cli.deployment.credentials import AccountUse, read_credentials
from dataware.cli.settings import AwsOptions
from dataware.core.errors import InputError, LookupFailedError
from dataware.embedded import EmbeddedAws
from dataware.ops.inputs.assembly import Stack
from dataware.ops.inputs.stack_roles import NO_ROLES, StackRole, StackRoles
from dataware.ops.inputs.wanted import StackEnvironment

HOME, OTHER, THIRD = "000000000000", "222222222222", "333333333333"
REGION = "us-east-1"
LOOKUP, DEPLOY = (StackRole(f"arn:aws:iam::{OTHER}:role/{name}") for name in ("lookup", "deploy"))
OUT = AwsOptions()


def stack(account: str, roles: StackRoles = NO_ROLES) -> Stack:
    """A stack of an account."""
    return Stack("S", "S", Path("t"), StackEnvironment(account, REGION), {}, roles=roles)


@pytest.fixture
def profiles(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> EmbeddedAws:
    """Profiles of two accounts beside the keys of a third."""
    path = tmp_path / "credentials"
    keys = "[{0}]\naws_access_key_id = {1}\naws_secret_access_key = test\n"
    path.write_text(keys.format("other", OTHER) + keys.format("third", THIRD))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    return aws_server


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("prod", "write ACCOUNT=PROFILE"),
        ("=prod", "write ACCOUNT=PROFILE"),
        (f"{OTHER}=", "write ACCOUNT=PROFILE"),
        ("22=prod", "12 digits"),
        (f"{THIRD}={LOOKUP.arn}", f"one of account {OTHER}"),
    ],
)
def test_a_word_that_names_none_is_bad_usage(word: str, says: str) -> None:
    """What is wrong, and how it is written."""
    with pytest.raises(InputError, match=says):
        read_credentials(OUT, [word])


def test_an_account_has_one_set_of_credentials() -> None:
    """Two would leave open which of them is meant."""
    with pytest.raises(InputError, match="twice"):
        read_credentials(OUT, [f"{OTHER}=prod", LOOKUP.arn])


def test_a_named_profile_goes_before_the_roles_of_cdk(profiles: EmbeddedAws) -> None:
    """For looking and for writing."""
    found = read_credentials(OUT, [f"{OTHER}=other"], [stack(OTHER, StackRoles(LOOKUP, DEPLOY))])
    for use in AccountUse:
        assert found.find(OTHER, REGION, use).profile == "other"
    assert found.is_shared(OTHER, REGION)
    assert found.open_aws(StackEnvironment(OTHER, "eu-west-1")).account == OTHER


def test_roles_look_and_write_apart(profiles: EmbeddedAws) -> None:
    """The lookup role for a look, and for writing the one that deploys."""
    found = read_credentials(OUT, [], [stack(OTHER, StackRoles(LOOKUP, DEPLOY))])
    assert found.find(OTHER, REGION, AccountUse.LOOK).role == LOOKUP.arn
    assert found.find(OTHER, REGION, AccountUse.WRITE).role == DEPLOY.arn
    assert not found.is_shared(OTHER, REGION)
    assert found.open_aws(StackEnvironment(OTHER)).account == OTHER
    assert found.open_aws(StackEnvironment()).account == HOME
    assert found.open_aws(StackEnvironment(HOME, "eu-west-1")).region == "eu-west-1"


def test_an_app_without_a_lookup_role_is_looked_at_by_the_other(profiles: EmbeddedAws) -> None:
    """As with synthesizers that name only one role, or the bootstrap of an older CDK."""
    found = read_credentials(OUT, [], [stack(OTHER, StackRoles(None, DEPLOY))])
    assert found.find(OTHER, REGION, AccountUse.LOOK).role == DEPLOY.arn
    assert found.is_shared(OTHER, REGION)


def test_nothing_fits_without_a_role_or_a_profile(profiles: EmbeddedAws) -> None:
    """It is said how to name some."""
    found = read_credentials(OUT, [], [stack(OTHER)])
    with pytest.raises(LookupFailedError, match=f"--credentials {OTHER}=PROFILE"):
        found.find(OTHER, REGION, AccountUse.LOOK)


def test_a_profile_of_another_account_is_a_mistake(profiles: EmbeddedAws) -> None:
    """Nothing is looked at in an account that nobody meant."""
    found = read_credentials(OUT, [f"{OTHER}=third"])
    with pytest.raises(InputError, match=f"credentials of account {THIRD}"):
        found.find(OTHER, REGION, AccountUse.LOOK)


@pytest.mark.parametrize("arn", ["arn:aws:s3:::uploads", "arn:aws:iam::222222222222:user/me"])
def test_an_arn_that_is_no_role_is_not_taken_for_a_profile(arn: str) -> None:
    """Nobody has a profile of that name, so the slip is told before anything is looked at."""
    with pytest.raises(InputError, match="or the ARN of a role"):
        read_credentials(AwsOptions(), [f"222222222222={arn}"])
