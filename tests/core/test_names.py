"""Names and ARNs: what they mean, what is wrong with them, and when two mean the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Location, Wanted
from dataware.core.names import (
    NameFields,
    find_mistake,
    find_shared_name,
    full_name,
    identify_name,
    is_arn,
    is_regional,
    localize_names,
    name_problem,
    partition_of,
    place_of,
    plain_name,
)
from dataware.kinds import kinds, load

TABLE, GLOBAL_TABLE, BUCKET = (
    load(f"AWS::{name}") for name in ("DynamoDB::Table", "DynamoDB::GlobalTable", "S3::Bucket")
)
PARAMETER = load("AWS::SSM::Parameter")
HERE, THERE = "000000000000", "111122223333"
US, EU = "us-east-1", "eu-west-1"
ARN = f"arn:aws:dynamodb:{EU}:{HERE}:table/Parcels"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{ARN}/stream/2026-11-01T00:00:00.000", "names a stream of the table Parcels"),
        (f"{ARN}/index/byDay", "names an index of the table Parcels"),
        (f"{ARN}/backup/01", "names a backup of the table Parcels"),
        (ARN.replace("dynamodb", "DynamoDB"), "lower case"),
        (ARN.replace("arn:", "ARN:"), "lower case"),
        (ARN.replace(EU, "EU-WEST-1"), "lower case"),
        (ARN.replace(HERE, "1234"), "looks like arn:aws:dynamodb:REGION:ACCOUNT:table/NAME"),
        (ARN.replace(EU, ""), "looks like"),
        (ARN.replace("arn:aws:", "arn:aws-cn:"), f"region {EU} is in partition aws, not in aws-cn"),
        (ARN.replace(EU, "cn-north-1"), "in partition aws-cn, not in aws"),
        (ARN.replace(EU, "us-gov-west-1"), "in partition aws-us-gov, not in aws"),
        ("arn:aws:s3:::parcels", "an ARN of s3, not of dynamodb"),
        (f"arn:aws:rds:{EU}:{HERE}:db:x", "an ARN of rds, not of dynamodb"),
        ("arn:", "looks like"),
        (ARN.replace("Parcels", "no"), "3 to 255"),
        (f" {ARN}", "looks like"),
    ],
)
def test_an_arn_of_anything_but_a_table_is_told_in_one_clause(text: str, words: str) -> None:
    """Parts of a table, other services, other spellings and impossible regions are refused."""
    for kind in (TABLE, GLOBAL_TABLE):
        problem = name_problem(kind, text)
        assert problem is not None
        assert words in problem
        assert "\n" not in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arn:aws:s3:::photos/2024/1.jpg", "names an object in the bucket photos"),
        (f"arn:aws:s3:{EU}:{HERE}:accesspoint/photos", "looks like arn:aws:s3:::NAME"),
        ("ARN:AWS:S3:::photos", "lower case"),
        (ARN, "an ARN of dynamodb, not of s3"),
        ("arn:aws:s3:::ph", "3 to"),
    ],
)
def test_an_arn_of_anything_but_a_bucket_is_told_in_one_clause(text: str, words: str) -> None:
    """An object, an access point, or a resource of another service is no bucket."""
    problem = name_problem(BUCKET, text)
    assert problem is not None
    assert words in problem


def test_what_is_known_by_name_only_takes_no_arn() -> None:
    """A parameter is not copied, so it never comes from elsewhere."""
    arn = f"arn:aws:ssm:{US}:{HERE}:parameter/app/a"
    assert name_problem(PARAMETER, arn) == "give the name of the SSM parameter instead of an ARN"
    assert name_problem(PARAMETER, "/app/a") is None


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-east-1", "us-isob-east-1"])
def test_good_arns_of_every_partition_pass(region: str) -> None:
    """The partition is that of the region."""
    arn = f"arn:{partition_of(region)}:dynamodb:{region}:{HERE}:table/Parcels"
    assert name_problem(TABLE, arn) is None
    assert name_problem(BUCKET, f"arn:{partition_of(region)}:s3:::parcels") is None


def test_a_place_is_where_the_arn_says() -> None:
    """Another account's table is called by its ARN, one's own by its name in its region."""
    assert place_of(TABLE, "Parcels", HERE, US) == Location("Parcels", HERE, US)
    assert place_of(TABLE, ARN, HERE, US) == Location("Parcels", HERE, EU)
    assert place_of(TABLE, ARN, THERE, US) == Location(ARN, HERE, EU)
    assert place_of(BUCKET, "arn:aws:s3:::photos", HERE, US) == Location("photos", HERE, US)


def test_only_tables_mean_something_else_elsewhere() -> None:
    """The name of a bucket means the same bucket everywhere."""
    assert [is_regional(kind) for kind in (TABLE, GLOBAL_TABLE, BUCKET, PARAMETER)] == [
        True,
        True,
        False,
        True,
    ]


WANTED = Wanted("Demo/Parcels", "AWS::DynamoDB::Table", "Parcels-prod", (ARN,))


def test_an_arn_of_ones_own_becomes_a_name_and_another_stays() -> None:
    """A name means the environment of the run; an ARN of elsewhere keeps saying where."""
    assert localize_names(TABLE, WANTED, HERE, EU).fallbacks == ("Parcels",)
    assert localize_names(TABLE, WANTED, HERE, US).fallbacks == (ARN,)
    assert localize_names(TABLE, WANTED, THERE, EU).fallbacks == (ARN,)
    local = localize_names(TABLE, WANTED, HERE, US)
    assert (local.account, local.region) == (HERE, US)
    assert localize_names(TABLE, local, HERE, US) == local


@pytest.mark.parametrize(
    ("changes", "region", "words"),
    [
        ({"preferred": ARN, "fallbacks": ()}, US, "is not in account"),
        ({"preferred": "Parcels"}, EU, "twice"),
        ({"fallbacks": ("Parcels", ARN)}, EU, "twice"),
        ({}, "cn-north-1", "in partition aws, but the run is in aws-cn"),
        ({"region": EU}, US, f"meant for account {HERE}, {EU}"),
        ({"account": THERE}, US, f"meant for account {THERE}, {US}"),
    ],
)
def test_what_no_run_here_can_do_is_bad_input(
    changes: dict[str, object], region: str, words: str
) -> None:
    """It is refused before anything is asked."""
    with pytest.raises(InputError, match=words):
        localize_names(TABLE, replace(WANTED, **changes), HERE, region)


ACCOUNTS, REGIONS = st.sampled_from([HERE, THERE]), st.sampled_from([US, EU, "ap-south-1"])
NAMES = st.sampled_from(["Parcels", "Orders-1"])


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, str, str, str, str, str]:
    """A table's name with its account and region, one way to say it, and from where."""
    name, account, region = draw(NAMES), draw(ACCOUNTS), draw(REGIONS)
    arn = f"arn:aws:dynamodb:{region}:{account}:table/{name}"
    if draw(st.booleans()):
        return name, account, region, name, account, region
    return name, account, region, arn, draw(ACCOUNTS), draw(REGIONS)


@given(spelled(), spelled())
def test_two_names_are_one_exactly_if_they_mean_one_table(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """However and wherever it is said: name, account and region make the table."""
    same = identify_name(TABLE, *one[3:]) == identify_name(GLOBAL_TABLE, *other[3:])
    assert same == (one[:3] == other[:3])


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.cfn_type)
def test_two_names_of_one_type_are_two_resources_whatever_their_arns_hold(kind: Kind) -> None:
    """The ARN of a user pool holds its id, so it is the same for every name."""
    wanted = [Wanted(name, kind.cfn_type, name) for name in ("one-name", "another-name")]
    pairs = [(kind, one) for one in wanted]
    assert find_shared_name(pairs, HERE, US) is None
    assert find_shared_name([*pairs, pairs[0]], HERE, US) == (wanted[0], wanted[0])


@given(spelled(), ACCOUNTS, REGIONS)
def test_a_full_name_leads_back_to_the_place(
    one: tuple[str, ...], account: str, region: str
) -> None:
    """What a record says of its source is found again from where the record lies."""
    home = Location("target", account, region)
    place = place_of(TABLE, one[3], one[4], one[5])
    again = place_of(TABLE, full_name(TABLE, place, home), account, region)
    assert (plain_name(TABLE, again.name), again.owner, again.region) == one[:3]


@given(st.text(max_size=60), st.sampled_from([TABLE, BUCKET, PARAMETER]))
def test_any_text_is_a_name_or_is_told_why_not(text: str, kind: object) -> None:
    """No text makes a traceback, and none that looks like an ARN passes for a name."""
    for each in (text, f"arn:{text}", f"arn:aws:dynamodb:{text}", f"{ARN}{text}"):
        problem = name_problem(kind, each)  # type: ignore[arg-type]
        assert problem is None or problem
        if problem is None and is_arn(each):
            assert plain_name(kind, each) != each  # type: ignore[arg-type]


def test_a_name_with_and_without_a_slash_is_one_parameter() -> None:
    """Systems Manager User Guide: "not unique" are `/TestParam1` and `TestParam1`."""
    kind, fields = load("AWS::SSM::Parameter"), NameFields("preferred", "fallback", "fallback")
    both = find_mistake(kind, "/token", ["token"], fields)
    assert both == "/token is both preferred and one of fallback: remove one of the two"
    twice = find_mistake(kind, "/token-prod", ["/token", "token"], fields)
    assert twice == "/token is listed twice in fallback: remove one of the two"
    assert find_mistake(kind, "/token", ["/app/token"], fields) is None
