"""What an engine takes that only runs when it is asked for, by resource."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from dataware.core.engines.card import EngineName, GrantPlace
from dataware.core.errors import InputError
from dataware.core.model import Wanted
from dataware.core.phases import PolicySide
from dataware.ops.policy import check_side, elsewhere_permissions, scope_permissions

PLACE = GrantPlace("111122223333", "eu-central-1", "aws")
TABLES = "arn:aws:dynamodb:eu-central-1:111122223333:table"
TABLE = Wanted("Orders", "AWS::DynamoDB::Table", "Orders-prod", ("Orders",))


def grants_of(
    engine: EngineName, *wanted: Wanted, side: PolicySide = PolicySide.BOTH
) -> dict[str, set[str]]:
    """The actions on each resource."""
    found: dict[str, set[str]] = defaultdict(set)
    for resource, actions in scope_permissions(wanted, engine, PLACE, side):
        found[resource].update(actions)
    return found


@pytest.mark.parametrize(
    ("engine", "into"),
    [
        (EngineName.EXPORT_IMPORT, "dynamodb:ImportTable"),
        (EngineName.BULK, "dynamodb:StartBulkPutItems"),
    ],
)
def test_each_action_is_allowed_on_its_resource(engine: EngineName, into: str) -> None:
    """The source is exported and never written; buckets are those of exports alone."""
    found = grants_of(engine, TABLE)
    assert "dynamodb:ExportTableToPointInTime" in found[f"{TABLES}/Orders"]
    assert found[f"{TABLES}/Orders/export/*"] == {"dynamodb:DescribeExport"}
    assert into in found[f"{TABLES}/Orders-prod"]
    buckets = {one for one in found if ":s3:::" in one}
    name = "arn:aws:s3:::dataware-export-111122223333-*"
    assert buckets == {name, f"{name}/*"}
    reads = {one.partition(":")[2] for one in found[f"{TABLES}/Orders"]}
    assert reads == {"ExportTableToPointInTime", "DescribeContinuousBackups", "DescribeTable"}


def test_a_source_in_another_region_may_be_exported_without_being_asked_for() -> None:
    """The engine of the plan needs the same as the one that is asked for; none of it near by."""
    there = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"
    far = replace(TABLE, fallbacks=(there,))
    found: dict[str, set[str]] = defaultdict(set)
    for resource, actions in elsewhere_permissions([far], PLACE):
        found[resource].update(actions)
    assert found == grants_of(EngineName.EXPORT_IMPORT, far)
    assert "dynamodb:ExportTableToPointInTime" in found[there]
    assert "dynamodb:ImportTable" in found[f"{TABLES}/Orders-prod"]
    strange = there.replace("111122223333", "444455556666")
    others = [TABLE, replace(TABLE, fallbacks=(strange,)), replace(TABLE, type="AWS::S3::Bucket")]
    assert list(elsewhere_permissions(others, PLACE)) == []


def test_what_an_engine_does_not_carry_grants_nothing() -> None:
    """A bucket has no export, and without a fallback there is no copy."""
    alone = Wanted("Orders", "AWS::DynamoDB::Table", "Orders-prod", ())
    bucket = Wanted("Uploads", "AWS::S3::Bucket", "uploads-prod", ("uploads",))
    assert grants_of(EngineName.EXPORT_IMPORT, alone, bucket) == {}
    assert grants_of(EngineName.RESTORE, TABLE) == {}


def test_each_side_of_an_export_gets_what_its_own_credentials_ask_for() -> None:
    """The source exports and writes the files; the target opens its bucket, reads and imports."""
    theirs = "arn:aws:dynamodb:eu-central-1:444455556666:table/Orders"
    far = replace(TABLE, fallbacks=(theirs,))
    source = grants_of(EngineName.EXPORT_IMPORT, far, side=PolicySide.SOURCE)
    target = grants_of(EngineName.EXPORT_IMPORT, far, side=PolicySide.TARGET)
    both = grants_of(EngineName.EXPORT_IMPORT, far)
    bucket = "arn:aws:s3:::dataware-export-111122223333-*"
    writes = {"s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"}
    assert source == {
        theirs: {
            "dynamodb:ExportTableToPointInTime",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
        },
        f"{theirs}/export/*": {"dynamodb:DescribeExport"},
        f"{bucket}/*": writes,
    }
    opens = {"s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}
    assert opens <= target[bucket]
    assert not opens & both[bucket]
    assert "s3:PutObject" not in target[f"{bucket}/*"]
    assert not [one for one in target if one.startswith(theirs)]
    halves = {arn: source.get(arn, set()) | target.get(arn, set()) for arn in both}
    assert {arn: actions - opens for arn, actions in halves.items()} == both


def test_a_policy_that_the_source_prints_for_itself_names_no_account_of_the_target() -> None:
    """It is not known there: the name of the bucket begins as that of every export."""
    source = grants_of(EngineName.EXPORT_IMPORT, TABLE, side=PolicySide.SOURCE)
    assert {one for one in source if ":s3:::" in one} == {"arn:aws:s3:::dataware-export-*-*/*"}
    assert f"{TABLES}/Orders" in source


@pytest.mark.parametrize("engine", [EngineName.MAP, EngineName.BULK])
@pytest.mark.parametrize("side", [PolicySide.SOURCE, PolicySide.TARGET])
def test_an_engine_that_takes_no_profile_has_no_sides(engine: EngineName, side: PolicySide) -> None:
    """A half of its policy would let a profile do what no copy with that profile does."""
    with pytest.raises(InputError, match=f"--engine {engine} carries no copy with --source-pro"):
        check_side([TABLE], engine, side)
    check_side([TABLE], engine, PolicySide.BOTH)


def test_an_engine_that_takes_a_profile_has_two_sides() -> None:
    """So has a policy without an engine; and what no engine carries is no mistake."""
    check_side([TABLE], EngineName.EXPORT_IMPORT, PolicySide.SOURCE)
    check_side([TABLE], None, PolicySide.SOURCE)
    check_side([], EngineName.MAP, PolicySide.SOURCE)
