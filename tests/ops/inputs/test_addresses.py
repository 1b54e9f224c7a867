"""SOURCE and TARGET."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.kinds import kinds
from dataware.ops.inputs.addresses import check_distinct, parse_address, parse_pair

KINDS = {kind.cfn_type: kind for kind in kinds()}
ME, ELSE = "111122223333", "444455556666"
ARN = f"arn:aws:dynamodb:eu-west-1:{ELSE}:table/Orders"


@pytest.mark.parametrize(
    ("text", "kind", "name", "prefix"),
    [
        ("s3://uploads", "s3-bucket", "uploads", ""),
        ("s3://uploads/", "s3-bucket", "uploads", ""),
        ("s3://uploads/a/b/", "s3-bucket", "uploads", "a/b/"),
        ("s3://uploads//ü +%", "s3-bucket", "uploads", "/ü +%"),
        ("arn:aws:s3:::uploads", "s3-bucket", "uploads", ""),
        ("arn:aws-cn:s3:::uploads/a", "s3-bucket", "uploads", "a"),
        ("dynamodb://Orders", "dynamodb-table", "Orders", ""),
        (ARN, "dynamodb-table", "Orders", ""),
    ],
)
def test_an_address_is_understood(text: str, kind: str, name: str, prefix: str) -> None:
    """Schemes, prefixes and ARNs give kind, name and prefix."""
    address = parse_address(text, KINDS)
    assert (address.kind.names.slug, address.name, address.prefix) == (kind, name, prefix)


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("logs://web", "a CloudWatch log group"),
        (f"arn:aws:logs:eu-west-1:{ME}:log-group:/web", "a CloudWatch log group"),
        ("kinesis://clicks", "a Kinesis stream"),
        (f"ARN:aws:kinesis:eu-west-1:{ME}:stream/clicks", "a Kinesis stream"),
    ],
)
def test_what_is_known_and_not_copied_is_called_so(text: str, noun: str) -> None:
    """It is neither an unknown scheme nor an ARN of nothing."""
    with pytest.raises(InputError, match=f"is {noun}, which dataware neither copies nor compares"):
        parse_address(text, KINDS)


def test_what_belongs_to_another_account_goes_by_its_arn() -> None:
    """Services take the ARN for a resource of another account, the name for one's own."""
    address = parse_address(ARN, KINDS)
    theirs, mine = address.place(ME, "us-east-1"), address.place(ELSE, "us-east-1")
    assert (theirs.name, theirs.owner, theirs.region) == (ARN, ELSE, "eu-west-1")
    assert (mine.name, mine.owner, mine.region) == ("Orders", ELSE, "eu-west-1")


def test_a_bucket_may_be_given_an_owner_and_a_table_needs_its_arn() -> None:
    """A bucket's name says nothing of its account; a table's name alone means one's own table."""
    bucket, table = parse_address("s3://uploads", KINDS), parse_address("dynamodb://Orders", KINDS)
    place = bucket.owned_by(ELSE).place(ME, "eu-west-1")
    assert (place.name, place.owner) == ("uploads", ELSE)
    assert parse_address(ARN, KINDS).owned_by(ELSE).account == ELSE
    assert table.owned_by(None) is table
    with pytest.raises(
        InputError, match=f"by its ARN, such as arn:aws:dynamodb:REGION:{ELSE}:table"
    ):
        table.owned_by(ELSE)


@pytest.mark.parametrize(
    ("source", "target", "complaint"),
    [
        ("s3://uploads", "dynamodb://Orders", "must be of the same kind"),
        ("s3://uploads", "s3://uploads", "are the same place"),
        ("s3://uploads", "arn:aws:s3:::uploads", "are the same place"),
        ("ssm://token", "ssm:///token", "are the same place"),
        ("s3://uploads", "s3://uploads/a", "overlap"),
        ("s3://uploads/a", "s3://uploads/ab", "overlap"),
        ("s3://U", "s3://uploads", "U is not a valid S3 bucket name"),
        ("s3://", "s3://uploads", "is not a valid S3 bucket name"),
        ("dynamodb://Orders/x", "dynamodb://Other", "is not a valid DynamoDB table name"),
        ("dynamo://Orders", "dynamodb://Other", "did you mean dynamodb"),
        ("uploads", "s3://uploads", "uploads needs a scheme: cognito://uploads or dynamodb://upl"),
        ("s3:/uploads", "s3://uploads", "needs a scheme: s3://uploads$"),
        ("", "s3://uploads", "The empty address needs a scheme"),
        ("arn:aws:sns:eu-west-1:111122223333:x", "s3://uploads", "not the ARN of a resource that"),
    ],
)
def test_a_pair_that_makes_no_sense_is_refused(source: str, target: str, complaint: str) -> None:
    """Each mistake gets a sentence that names what was written."""
    with pytest.raises(InputError, match=complaint) as raised:
        parse_pair(source, target, KINDS)
    assert source in str(raised.value)


def test_one_name_in_two_regions_is_two_places() -> None:
    """A table may be copied to its namesake elsewhere, but not onto itself by its ARN."""
    one, other = parse_pair("dynamodb://Orders", ARN, KINDS)
    check_distinct(one, other, ME, "eu-west-1")
    check_distinct(one, other, ELSE, "us-east-1")
    with pytest.raises(InputError, match="are the same place"):
        check_distinct(one, other, ELSE, "eu-west-1")


def test_every_form_of_an_arn_is_listed_once() -> None:
    """Two types of one kind have the same."""
    with pytest.raises(InputError) as raised:
        parse_address("arn:aws:s3:us-east-1:111122223333:accesspoint/x", KINDS)
    assert str(raised.value).count("dynamodb") == 1


@pytest.mark.parametrize(
    "address", ["s3://Legacy_Photos_2013/a", "arn:aws:s3:::Legacy_Photos_2013"]
)
def test_a_bucket_of_before_2018_is_an_address(address: str) -> None:
    """It is just what is migrated: it cannot be renamed."""
    assert parse_address(address, KINDS).name == "Legacy_Photos_2013"


@given(st.text(max_size=30), st.text(max_size=30))
def test_prefixes_of_one_bucket_are_apart_or_refused(one: str, other: str) -> None:
    """No key is selected by both sides of an accepted pair."""
    try:
        pair = parse_pair(f"s3://uploads/{one}", f"s3://uploads/{other}", KINDS)
    except InputError:
        assert one.startswith(other) or other.startswith(one)
    else:
        assert not any(key.startswith(pair[0].prefix) for key in (other, other + "x"))


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_bad_input(text: str) -> None:
    """Nothing that a person types ends in anything but an address or a sentence."""
    try:
        parse_address(text, KINDS)
    except InputError as error:
        assert str(error)
