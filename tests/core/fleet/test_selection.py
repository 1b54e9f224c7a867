"""Targets are chosen by name, tag and region, and a word that fits nothing is never passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.core.fleet.selection import TargetSelection, select_targets
from dataware.core.fleet.target import FleetTarget, role_arn
from support.fleets import ONE, TWO, target

FLEET = (
    target("prod/eu-west-1", ONE, "eu-west-1", tags={"stage": "prod", "tier": "gold"}),
    target("prod/us-east-1", ONE, "us-east-1", tags={"stage": "prod", "tier": "gold"}),
    target("test-eu", TWO, "eu-west-1", tags={"stage": "test"}),
    target("beta", TWO, "us-east-1", tags={"stage": "beta", "tier": "gold"}),
)
WORDS = {
    "names": ["prod", "prod/us-east-1", "test-*", "beta", ONE, TWO],
    "tags": ["stage=prod", "stage=test", "stage", "tier=gold"],
    "regions": ["eu-west-1", "us-east-1"],
    "excluded": ["prod", "beta", TWO],
}


def names_of(**words: tuple[str, ...]) -> list[str]:
    """The names of the targets that some words choose."""
    return [one.name for one in select_targets(FLEET, TargetSelection(**words))]


def test_a_fleet_is_all_of_its_targets() -> None:
    """Without a word nothing is left out."""
    assert names_of() == [one.name for one in FLEET]


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ({"names": ("prod",)}, ["prod/eu-west-1", "prod/us-east-1"]),
        ({"names": ("prod/us-east-1", "test-*")}, ["prod/us-east-1", "test-eu"]),
        ({"names": (TWO,)}, ["test-eu", "beta"]),
        ({"tags": ("stage=prod", "stage=test")}, ["prod/eu-west-1", "prod/us-east-1", "test-eu"]),
        ({"tags": ("stage=beta", "tier=gold")}, ["beta"]),
        ({"tags": ("tier",), "regions": ("us-east-1",)}, ["prod/us-east-1", "beta"]),
        ({"excluded": ("prod", "test-eu")}, ["beta"]),
    ],
)
def test_words_of_one_kind_are_alternatives_and_kinds_narrow(
    words: dict[str, tuple[str, ...]], chosen: list[str]
) -> None:
    """Names, tags of one key and regions are alternatives; tags of two keys hold together."""
    assert names_of(**words) == chosen


@given(
    st.fixed_dictionaries({k: st.lists(st.sampled_from(v)).map(tuple) for k, v in WORDS.items()})
)
def test_a_further_kind_of_words_only_narrows(words: dict[str, tuple[str, ...]]) -> None:
    """What all words choose is within what each kind of them chooses, in the fleet's order."""
    try:
        chosen = names_of(**words)
    except InputError:
        return
    assert chosen == [one.name for one in FLEET if one.name in chosen]
    for kind, some in words.items():
        assert set(chosen) <= set(names_of(**{kind: some}))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"names": ("test-us",)}, "--target test-us fits no target of the fleet, did you mean"),
        ({"excluded": ("bta",)}, "--exclude bta fits no target of the fleet, did you mean beta?"),
        ({"tags": ("stage=prd",)}, "did you mean stage=prod?"),
        ({"regions": ("eu-west-2",)}, "--in-region eu-west-2 fits no target"),
        ({"names": ("beta",), "regions": ("eu-west-1",)}, "no target of the fleet is left"),
    ],
)
def test_a_word_that_fits_nothing_is_an_error(words: dict[str, tuple[str, ...]], said: str) -> None:
    """A slip in --exclude would apply what was to be left out."""
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        names_of(**words)


def test_a_role_is_an_arn_of_the_targets_own_account_and_partition() -> None:
    """A name becomes an ARN; an ARN of another account is a slip that would be looked into."""
    assert role_arn("plan", ONE, "eu-west-1") == f"arn:aws:iam::{ONE}:role/plan"
    assert role_arn("ops/plan", ONE, "cn-north-1") == f"arn:aws-cn:iam::{ONE}:role/ops/plan"
    assert role_arn(f"arn:aws:iam::{ONE}:role/x", ONE, "eu-west-1").endswith("role/x")
    for role in (f"arn:aws:iam::{TWO}:role/x", "arn:aws:iam::1:user/x", "two words"):
        with pytest.raises(InputError):
            role_arn(role, ONE, "eu-west-1")


def test_a_target_survives_its_json() -> None:
    """A saved plan opens the same account by the same way."""
    one = target("a", profile="p", role="r", external_id="e", tags={"k": "v"}, stack="S")
    assert FleetTarget.from_json(one.to_json()) == one
    with pytest.raises(InputError):
        FleetTarget.from_json({**one.to_json(), "tags": {"stage": 1}})


def test_the_parameters_of_a_target_are_written_nowhere() -> None:
    """One of them may be a secret (NoEcho); to apply a plan they are not needed."""
    one = target("a", parameters={"Password": "hunter2"})
    assert "hunter2" not in str(one.to_json())
