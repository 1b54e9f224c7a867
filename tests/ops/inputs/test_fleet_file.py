"""fleet.toml: targets of accounts and regions, an organization, waves; mistakes are named."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest

from dataware.aws.organization import OrganizationAccount
from dataware.core.errors import InputError
from dataware.core.fleet.waves import WaveSettings
from dataware.ops.inputs.fleet_file import FleetFile, read_fleet
from dataware.ops.schemas import schema_of

WHOLE = """
[waves]
canary = "test"
max_concurrent = 3
tolerance = 1

[[target]]
name = "test"
account = "111111111111"
region = "eu-west-1"
profile = "test"

[[target]]
name = "prod"
account = "222222222222"
regions = ["eu-west-1", "us-east-1"]
role = "dataware-plan"
external_id = "fleet"
tags = { stage = "prod" }
parameters = { Stage = "prod" }
stack = "Uploads-prod"
"""
ORGANIZATION = """
[organization]
role = "dataware-plan"
regions = ["eu-west-1", "eu-central-1"]
profile = "management"
tags = { stage = "prod" }
exclude = ["333333333333"]
"""
ACCOUNTS = (
    OrganizationAccount("111111111111", "Team", {"stage": "prod", "cost": "1"}),
    OrganizationAccount("222222222222", "Team", {"stage": "prod"}),
    OrganizationAccount("333333333333", "Excluded", {"stage": "prod"}),
    OrganizationAccount("444444444444", "Test", {"stage": "test"}),
    OrganizationAccount("555555555555", "A/B", {"stage": "prod"}),
)


def read(folder: Path, text: str, accounts: Sequence[OrganizationAccount] = ACCOUNTS) -> FleetFile:
    """The fleet in a text; `accounts` are those of the organization."""
    path = folder / "fleet.toml"
    path.write_text(text, encoding="utf-8")
    asked: list[str | None] = []

    def list_accounts(profile: str | None) -> Sequence[OrganizationAccount]:
        asked.append(profile)
        return accounts

    found = read_fleet(path, list_accounts)
    assert asked == (["management"] if "[organization]" in text else [])
    return found


def test_a_target_is_one_for_each_of_its_regions(tmp_path: Path) -> None:
    """Each has a name of its own, and everything else alike."""
    found = read(tmp_path, WHOLE)
    assert found.waves == WaveSettings(3, 1, "test")
    assert [(one.name, one.region) for one in found.targets] == [
        ("test", "eu-west-1"),
        ("prod/eu-west-1", "eu-west-1"),
        ("prod/us-east-1", "us-east-1"),
    ]
    test, prod, _ = found.targets
    assert (test.profile, test.role) == ("test", None)
    assert prod.role == "arn:aws:iam::222222222222:role/dataware-plan"
    assert (prod.external_id, prod.stack, prod.parameters) == (
        "fleet",
        "Uploads-prod",
        {"Stage": "prod"},
    )


def test_the_accounts_of_an_organization_are_targets(tmp_path: Path) -> None:
    """Those in use with the tags, under names that tell them apart, in every region."""
    found = read(tmp_path, ORGANIZATION)
    assert [one.name for one in found.targets] == [
        "Team 111111111111/eu-west-1",
        "Team 111111111111/eu-central-1",
        "Team 222222222222/eu-west-1",
        "Team 222222222222/eu-central-1",
        "A-B/eu-west-1",
        "A-B/eu-central-1",
    ]
    assert {one.role for one in found.targets[:2]} == {
        "arn:aws:iam::111111111111:role/dataware-plan"
    }
    assert found.targets[0].tags == {"stage": "prod", "cost": "1"}


def test_both_sources_make_one_fleet(tmp_path: Path) -> None:
    """Targets first, then the organization's; what stands in both is there twice, and refused."""
    elsewhere = ORGANIZATION.replace("eu-west-1", "eu-west-3")
    assert len(read(tmp_path, WHOLE + elsewhere).targets) == 9
    with pytest.raises(InputError, match="test and Team 111111111111/eu-west-1 are the same"):
        read(tmp_path, WHOLE + ORGANIZATION)


TARGET = '[[target]]\nname = "a"\naccount = "111111111111"\nregion = "eu-west-1"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[waves]\ntolerance = 1\n", "it names no target"),
        (TARGET + "rol = 'x'\n", "target 1 (a): unknown field rol, did you mean role?"),
        (TARGET.replace("region", "#region"), "region is missing"),
        (TARGET + 'regions = ["eu-west-1"]\n', "give one region, or a list"),
        (TARGET.replace("eu-west-1", "Ireland"), "Ireland is not a region"),
        (TARGET.replace('"111111111111"', '"1234"'), "1234 is not an account"),
        (TARGET.replace('"111111111111"', "111111111111"), "put it in quotes"),
        (TARGET.replace('"a"', '"a/b"'), "without a slash"),
        (TARGET + 'role = "arn:aws:iam::222222222222:role/x"\n', "is of account 222222222222"),
        (TARGET + "tags = { n = 1 }\n", "tags must be a table of strings"),
        (TARGET + TARGET, "two targets have the name a"),
        (TARGET + TARGET.replace('"a"', '"b"'), "a and b are the same"),
        (TARGET + "[waves]\nmax_concurrent = 0\n", "max_concurrent must be a whole number from 1"),
        (TARGET + "[waves]\ntolerance = true\n", "tolerance must be a whole number from 0"),
        ("target = 1\n", "target must be tables"),
        (ORGANIZATION.replace("prod", "beta"), "no account in use has these tags"),
        (ORGANIZATION.replace("role =", "#"), "role is missing"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """Nothing is passed over: a target that is left out in silence is not deployed to."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert "fleet.toml" in str(caught.value)


def test_the_schema_takes_what_the_reader_takes(tmp_path: Path) -> None:
    """And refuses what it refuses, as far as a schema can say it."""
    schema = schema_of("fleet")
    for text in (WHOLE, ORGANIZATION, TARGET):
        jsonschema.validate(tomllib.loads(text), schema)
        read(tmp_path, text)
    for text in (
        "[waves]\ntolerance = 1\n",
        TARGET + "rol = 'x'\n",
        TARGET + 'regions = ["eu-west-1"]\n',
        TARGET.replace('"111111111111"', '"1234"'),
        TARGET + "[waves]\nmax_concurrent = 0\n",
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(tomllib.loads(text), schema)
