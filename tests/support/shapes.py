"""Templates of several shapes, and what becomes of one when a value of it is another."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

Node = tuple[str | int, ...]


def deep(levels: int) -> Any:
    """A mapping inside of a mapping, and so on."""
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


FUNCTIONS: dict[str, Any] = {
    "a reference": {"Ref": "Stage"},
    "a choice": {"Fn::If": ["IsProd", "a", "b"]},
    "a secret": "{{resolve:ssm:/name}}",
}
ODD: dict[str, Any] = {
    "nothing": None,
    "a number": 2024,
    "a list": ["a", 1],
    "a truth value": True,
    "a nested map": deep(150),
}
DATE = {"a date": date(2024, 1, 2)}
JUNK = FUNCTIONS | ODD


def _opted(fallback: str) -> dict[str, Any]:
    return {"Dataware": {"Fallback": [fallback], "OnError": "stop"}}


def _keys(name: str, role: str = "HASH") -> dict[str, str]:
    return {"AttributeName": name, "KeyType": role}


def _typed(name: str, letter: str = "S") -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": letter}


INDEXED = {
    "Parameters": {"Stage": {"Type": "String", "Default": "prod"}},
    "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Metadata": _opted("Orders"),
            "Properties": {
                "TableName": "Orders-prod",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [_typed("id"), _typed("at", "N"), _typed("day")],
                "KeySchema": [_keys("id"), _keys("at", "RANGE")],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "byDay",
                        "KeySchema": [_keys("day")],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
                "LocalSecondaryIndexes": [
                    {
                        "IndexName": "byDayToo",
                        "KeySchema": [_keys("id"), _keys("day", "RANGE")],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                ],
                "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True},
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
                "SSESpecification": {"SSEEnabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            },
        }
    },
}

STORED = {
    "Resources": {
        "Uploads": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "RetainExceptOnCreate",
            "Metadata": {**_opted("uploads"), "aws:cdk:path": "App/Uploads/Resource"},
            "Properties": {
                "BucketName": "uploads-prod",
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
                    ]
                },
                "LifecycleConfiguration": {
                    "Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 30}]
                },
                "Tags": [
                    {"Key": "stage", "Value": {"Fn::Sub": "${AWS::StackName}"}},
                    {"Key": "where", "Value": {"Ref": "AWS::Region"}},
                    {
                        "Key": "who",
                        "Value": {"Fn::Sub": ["${a}", {"a": {"Ref": "AWS::AccountId"}}]},
                    },
                    {"Key": "how", "Value": {"Fn::GetAtt": ["Policy", "Id"]}},
                ],
            },
        },
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Uploads"},
                "PolicyDocument": {
                    "Statement": [
                        {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
                    ]
                },
            },
        },
    }
}

WORLDWIDE = {
    "Mappings": {"Names": {"prod": {"Table": "ignored"}}},
    "Resources": {
        "Trips": {
            "Type": "AWS::DynamoDB::GlobalTable",
            "Metadata": _opted("Trips"),
            "Properties": {
                "TableName": "Trips-prod",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [_typed("id")],
                "KeySchema": [_keys("id")],
                "Replicas": [
                    {
                        "Region": "eu-central-1",
                        "DeletionProtectionEnabled": True,
                        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                    }
                ],
            },
        }
    },
}

CONDITIONAL = {
    "Parameters": {"Stage": {"Type": "String", "Default": "prod"}},
    "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    "Resources": {
        "Archive": {
            "Type": "AWS::S3::Bucket",
            "Condition": "IsProd",
            "DeletionPolicy": {"Fn::If": ["IsProd", "Retain", "Delete"]},
            "Metadata": _opted("archive"),
            "Properties": {"BucketName": "archive-prod"},
        },
        "Inner": {
            "Type": "AWS::CloudFormation::Stack",
            "Metadata": {"aws:asset:path": "inner.json"},
            "Properties": {"TemplateURL": {"Fn::Sub": "https://example.com/inner.json"}},
        },
    },
}

LOOPED = {
    "Transform": ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"],
    "Resources": {
        "Fn::ForEach::Tables": [
            "Name",
            ["Red", "Blue"],
            {
                "Table${Name}": {
                    "Type": "AWS::DynamoDB::Table",
                    "Metadata": {"Dataware": {"Fallback": [{"Fn::Sub": "Old${Name}"}]}},
                    "Properties": {
                        "TableName": {"Fn::Join": ["-", ["Table", {"Ref": "Name"}]]},
                        "AttributeDefinitions": [_typed("id")],
                        "KeySchema": [_keys("id")],
                    },
                }
            },
        ],
        "Visits": {
            "Type": "AWS::Serverless::SimpleTable",
            "Metadata": _opted("Visits"),
            "Properties": {
                "TableName": "Visits-prod",
                "PrimaryKey": {"Name": "id", "Type": "String"},
            },
        },
    },
}

OTHERS = {
    "Resources": {
        "Images": {
            "Type": "AWS::ECR::Repository",
            "Metadata": _opted("images"),
            "Properties": {
                "RepositoryName": "images-prod",
                "EncryptionConfiguration": {
                    "EncryptionType": "KMS",
                    "KmsKey": {"Fn::GetAtt": ["Key", "Arn"]},
                },
            },
        },
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}},
        "People": {
            "Type": "AWS::Cognito::UserPool",
            "Metadata": _opted("people"),
            "Properties": {
                "UserPoolName": "people-prod",
                "Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://x/y"}},
            },
        },
        "Motd": {
            "Type": "AWS::SSM::Parameter",
            "Metadata": _opted("/motd"),
            "Properties": {"Name": "/prod/motd", "Type": "String", "Value": "hello"},
        },
    }
}

SHAPES: dict[str, Any] = {
    "a repository, a user pool and a parameter": OTHERS,
    "a table with indexes": INDEXED,
    "a bucket with settings": STORED,
    "a global table": WORLDWIDE,
    "a conditional bucket and a nested stack": CONDITIONAL,
    "a loop and a simple table": LOOPED,
}


def nodes_of(value: Any, at: Node = ()) -> Iterator[Node]:
    """The path of every node of a document, the document itself first."""
    yield at
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, one in inner:
        yield from nodes_of(one, (*at, key))


def replaced(document: Any, at: Node, value: Any) -> Any:
    """The document with another value in the place of one node; the rest is shared."""
    if not at:
        return value
    changed = copy.copy(document)
    changed[at[0]] = replaced(document[at[0]], at[1:], value)
    return changed
