"""How records name what is copied: the whole of it, a part, and a source of elsewhere."""

from __future__ import annotations

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.model import Location
from dataware.kinds import load
from dataware.ops.marker_names import on_record

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
