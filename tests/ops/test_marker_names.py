"""How records name what is copied: the whole of it, a part, and a source of elsewhere."""

from __future__ import annotations

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.errors import InputError
from dataware.core.model import Location
from dataware.kinds import load
from dataware.ops.marker_names import name_here, on_record, refuse_elsewhere

BUCKET = load("AWS::S3::Bucket")


def order(source: tuple[str, str], target: tuple[str, str]) -> CopyOrder:
    """A copy from one part of a bucket to another."""
    places = [
        Location(name, "111122223333", "eu-central-1", prefix) for name, prefix in (source, target)
    ]
    return CopyOrder(*places)


@pytest.mark.parametrize(
    ("source", "target", "names"),
    [
        (("old", ""), ("new", ""), ("old", "new")),
        (("old", "a/"), ("new", ""), ("old/a/", "new/")),
        (("old", ""), ("new", "b/"), ("old/", "new/b/")),
        (("old", "a"), ("new", "b"), ("old/a", "new/b")),
    ],
)
def test_a_copy_of_a_part_has_a_record_of_its_own(
    source: tuple[str, str], target: tuple[str, str], names: tuple[str, str]
) -> None:
    """That of the whole stays as it is."""
    assert on_record(BUCKET, order(source, target)) == names


def test_a_record_of_another_region_or_account_is_not_looked_for_here() -> None:
    """An ARN says where it lies, so that "nothing is recorded" would answer another question."""
    arn = "arn:aws:dynamodb:{}:{}:table/Orders"
    home = ("111122223333", "eu-west-1")
    own = arn.format(home[1], home[0])
    refuse_elsewhere(own, *home)
    refuse_elsewhere("Orders", *home)
    refuse_elsewhere("arn:aws:s3:::uploads", *home)
    assert name_here(own, *home) == "Orders"
    for other in (arn.format("us-east-1", home[0]), arn.format(home[1], "444455556666")):
        with pytest.raises(InputError, match="and so is the record of a migration into it"):
            refuse_elsewhere(other, *home)
        assert name_here(other, *home) == other
