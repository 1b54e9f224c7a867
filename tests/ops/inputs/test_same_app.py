"""An app that is run twice: what it declares otherwise the second time is told by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataware.kinds import kinds
from dataware.ops.inputs.same_app import find_differences
from support.assemblies import assembly, opted_in
from support.worlds import KEYS, retained

CARDS = {kind.cfn_type: kind for kind in kinds()}
TABLE, BUCKET, TOPIC = "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SNS::Topic"
BOX = retained(BUCKET, BucketName="box-prod")
ORDERS = opted_in(retained(TABLE, TableName="orders-prod", **KEYS), "orders")
BEFORE: dict[str, Any] = {"Box": BOX, "Orders": ORDERS, "Topic": {"Type": TOPIC}}


def differences(tmp_path: Path, now: dict[str, Any], **artifact: str) -> list[str]:
    """What is told where the app of `BEFORE` is another one now."""
    first = assembly(tmp_path / "first", App=BEFORE, Other={})
    second = assembly(tmp_path / "second", App=now, Other={"New": BOX})
    manifest = json.loads((second / "manifest.json").read_text())
    manifest["artifacts"]["App"] |= artifact
    (second / "manifest.json").write_text(json.dumps(manifest))
    return list(find_differences(first, second, ["App"], CARDS))


def changed(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """The resource with other properties."""
    return {**resource, "Properties": {**resource["Properties"], **properties}}


@pytest.mark.parametrize(
    "now",
    [
        BEFORE,
        {**BEFORE, "Topic": None, "More": {"Type": TOPIC}},
        {**BEFORE, "Box": changed(BOX, Tags=[{"Key": "a", "Value": "b"}])},
        {**BEFORE, "Orders": {**ORDERS, "DeletionPolicy": "RetainExceptOnCreate"}},
        {one: each for one, each in BEFORE.items() if one != "Orders"},
    ],
)
def test_what_no_look_rests_on_may_change(tmp_path: Path, now: dict[str, Any]) -> None:
    """A construct turns an opted-in resource into a reference, or retains what is adopted."""
    now = {one: each for one, each in now.items() if each}
    assert differences(tmp_path, now) == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({**BEFORE, "Box": changed(BOX, BucketName="box-live")}, "Box"),
        ({**BEFORE, "Box": changed(BOX, BucketName={"Ref": "Name"})}, "Box"),
        ({**BEFORE, "Box": {**BOX, "DeletionPolicy": "Delete"}}, "Box"),
        ({**BEFORE, "Box": {**BOX, "Condition": "IsProd"}}, "Box"),
        ({**BEFORE, "Box": {"Type": TOPIC}}, "Box"),
        ({**BEFORE, "Orders": changed(ORDERS, TableName="orders-live")}, "Orders"),
        ({**BEFORE, "Orders": changed(ORDERS, KeySchema=[])}, "Orders"),
        ({**BEFORE, "More": retained(TABLE, TableName="more", **KEYS)}, "More"),
        ({one: each for one, each in BEFORE.items() if one != "Box"}, "Box"),
        ({**BEFORE, "Fn::Transform": {"Name": "M"}}, "Fn::Transform"),
    ],
)
def test_what_a_look_rests_on_may_not(tmp_path: Path, now: dict[str, Any], told: str) -> None:
    """Names, keys, policies and conditions; what is new, and what is gone."""
    assert differences(tmp_path, now) == [f"{told} of stack App"]


def test_a_stack_that_goes_elsewhere_is_another_one(tmp_path: Path) -> None:
    """Nobody looked there."""
    elsewhere = "aws://111122223333/eu-west-1"
    assert differences(tmp_path, BEFORE, environment=elsewhere) == ["stack App"]
    assert differences(tmp_path, BEFORE, displayName="Api") == ["stack App"]


def test_a_nested_stack_is_compared_with_its_own_template(tmp_path: Path) -> None:
    """Its parent says nothing of what is in it."""
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "inner.json"},
    }
    folders = [assembly(tmp_path / name, App={"Inner": nested}) for name in ("first", "second")]
    for folder, name in zip(folders, ("box-prod", "box-live"), strict=True):
        inner = {"Resources": {"Box": changed(BOX, BucketName=name)}}
        (folder / "inner.json").write_text(json.dumps(inner))
    assert list(find_differences(*folders, ["App"], CARDS)) == ["Box of stack App/Inner"]
