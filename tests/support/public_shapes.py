"""Templates with the shapes of names that public templates have; none is a copy of one.

Each shape is an expression, how many resources have it, and what the template around it declares.
`*` in a text becomes the number of the resource, so that no two are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NameShape:
    """A form in which public templates name resources."""

    expression: Any
    count: int
    around: dict[str, Any] = field(default_factory=dict)
    type: str = "AWS::S3::Bucket"


TABLE = "AWS::DynamoDB::Table"
STAGE = {"Parameters": {"Stage": {"Type": "String", "Default": "dev"}}}
APP = {
    "Parameters": {
        "App": {"Type": "String", "Default": "shop"},
        "Stage": {"Type": "String", "Default": "dev", "AllowedValues": ["dev", "prod"]},
    }
}
PREFIX = {
    "Parameters": {"Prefix": {"Type": "String", "Default": ""}, **STAGE["Parameters"]},
    "Conditions": {"HasPrefix": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Prefix"}, ""]}]}},
}
REGIONS = {
    "Mappings": {
        "ByRegion": {"us-east-1": {"Name": "images-east"}, "eu-west-1": {"Name": "images-west"}}
    }
}
ASKED = {"Parameters": {"Name": {"Type": "String"}}}
ACCOUNT, REGION = {"Ref": "AWS::AccountId"}, {"Ref": "AWS::Region"}
LAST_OF_ID = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
SHORT_ID = {"Fn::Select": [4, {"Fn::Split": ["-", LAST_OF_ID]}]}

NAMED = (
    NameShape("site-*", 1),
    NameShape("Sessions-*", 1, type=TABLE),
    NameShape({"Fn::Sub": "logs-*-${AWS::AccountId}"}, 7),
    NameShape({"Fn::Sub": "trail-*-${AWS::AccountId}-${AWS::Region}"}, 8),
    NameShape({"Fn::Sub": "${AWS::AccountId}-assets-*"}, 2),
    NameShape({"Fn::Join": ["-", ["state-*", ACCOUNT, REGION]]}, 4),
    NameShape({"Fn::Join": ["", ["media-*-", {"Ref": "AWS::AccountId"}]]}, 2),
    NameShape({"Fn::Sub": "${AWS::StackName}-frontend-*"}, 5),
    NameShape({"Fn::Sub": "${AWS::StackName}-results-*"}, 5, type=TABLE),
    NameShape({"Fn::Join": ["-", [{"Ref": "AWS::StackName"}, "locks-*"]]}, 2, type=TABLE),
    NameShape({"Fn::Sub": "${App}-content-*-${Stage}-${AWS::AccountId}"}, 6, APP),
    NameShape({"Fn::Sub": "${App}-${Stage}-items-*"}, 7, APP, TABLE),
    NameShape({"Fn::Sub": "orders-*-${Stage}"}, 5, STAGE, TABLE),
    NameShape({"Fn::Join": ["-", ["events-*", {"Ref": "Stage"}]]}, 2, STAGE, TABLE),
    NameShape({"Fn::Sub": ["${Own}-*-${Stage}", {"Own": {"Ref": "AWS::StackName"}}]}, 1, STAGE),
    NameShape(
        {"Fn::If": ["HasPrefix", {"Fn::Sub": "${Prefix}-in-*"}, {"Fn::Sub": "in-*-${Stage}"}]},
        2,
        PREFIX,
    ),
    NameShape({"Fn::FindInMap": ["ByRegion", REGION, "Name"]}, 1, REGIONS),
    NameShape({"Fn::Sub": "${Uploads}-thumbnails-*"}, 2),
    NameShape({"Fn::Sub": "${Stage}-reports-*"}, 2, STAGE),
    # What stays unknown: a name that is asked for, and a part of an id that is not given yet.
    NameShape({"Ref": "Name"}, 1, ASKED),
    NameShape({"Ref": "Name"}, 1, ASKED, TABLE),
    NameShape({"Fn::Join": ["", [{"Ref": "Name"}, "-*"]]}, 1, ASKED),
    NameShape({"Fn::Sub": "${Name}-*-${AWS::AccountId}"}, 2, ASKED),
    NameShape({"Fn::Join": ["-", ["security-*", LAST_OF_ID]]}, 1),
    NameShape({"Fn::Join": ["-", ["pages-*", SHORT_ID]]}, 2),
    NameShape({"Fn::ImportValue": "Shared-Archive-*"}, 1),
)
UNNAMED = 59
"""Buckets and tables without a name."""


def _resource(shape: NameShape, at: int) -> dict[str, Any]:
    named = json.loads(json.dumps(shape.expression).replace("*", str(at)))
    if shape.type == TABLE:
        keys = {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }
        return {"Type": TABLE, "Properties": {"TableName": named, **keys}}
    return {"Type": shape.type, "Properties": {"BucketName": named}}


def public_templates() -> Iterator[dict[str, Any]]:
    """A template for each shape, and one of resources without names."""
    at = 0
    for shape in NAMED:
        resources = {}
        for _ in range(shape.count):
            at += 1
            resources[f"Data{at}"] = _resource(shape, at)
        named = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"uploads-{at}"}}
        beside = {"Uploads": named} if "Uploads" in json.dumps(shape.expression) else {}
        if beside:
            # One of the counted resources is the one that the others refer to.
            resources.popitem()
        yield {**shape.around, "Resources": {**resources, **beside}}
    yield {"Resources": {f"Plain{n}": {"Type": "AWS::S3::Bucket"} for n in range(UNNAMED)}}
