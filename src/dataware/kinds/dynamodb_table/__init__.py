"""The card of AWS::DynamoDB::Table.

`probe` looks at a table, the wing `copy` copies it over the wire, and the wing `verify` reads both
sides back and shares no code with it. `follow` carries what changes afterwards, by what `copy` has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.estimate import Throughput
from dataware.core.kind import Copying, Kind, Names, Permissions, Template
from dataware.core.model import Location
from dataware.core.phases import (
    CARRY,
    DESCRIBE,
    ENABLE_FEED,
    FOLLOW,
    RESTORE_FROM,
    RESTORE_TO,
    UNDO,
)
from dataware.core.ports import Aws
from dataware.core.reader import Reader
from dataware.kinds.dynamodb_table.capacity import (
    FRESH_WRITES,
    MAX_BATCH,
    advise_on_capacity,
    count_units,
    count_verify_units,
)
from dataware.kinds.dynamodb_table.comparison import COMPARISON
from dataware.kinds.dynamodb_table.custom_resources import CUSTOM_DELETIONS
from dataware.kinds.dynamodb_table.declared import (
    declared_schema,
    fixed_parts,
    list_missing,
    list_problems,
    properties_like,
)
from dataware.kinds.dynamodb_table.describe import PERMISSIONS as DESCRIBE_ACTIONS
from dataware.kinds.dynamodb_table.describe import describe_properties
from dataware.kinds.dynamodb_table.probe import EXPIRES, declared_settings, key_schema, probe
from dataware.kinds.dynamodb_table.restore_actions import RESTORED_FROM, RESTORED_TO
from dataware.kinds.dynamodb_table.simple_table import SIMPLE_TABLE

if TYPE_CHECKING:
    from dataware.core.engines.card import EngineCard
    from dataware.core.follow.following import Following
    from dataware.core.rehearsal import Rehearsal

_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_ARN = re.compile(r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/(?P<name>[^/]+)")


def check_name(name: str) -> str | None:
    """What is wrong with a table's name or ARN, or None.

    Source: Amazon DynamoDB API Reference, CreateTable (TableName); Scan accepts an ARN instead.
    """
    if name.startswith("arn:"):
        arn = _ARN.fullmatch(name)
        if arn is None:
            return "a table's ARN looks like arn:aws:dynamodb:REGION:ACCOUNT:table/NAME"
        name = arn["name"]
    if _NAME.fullmatch(name) is None:
        return "a table's name has 3 to 255 letters, digits and _.-"
    return None


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    table = f"arn:{partition}:dynamodb:{region}:{account}:table/{name}"
    table = name if name.startswith("arn:") else table
    return (table, f"{table}/stream/*")


# Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB":
# these are checked against a stream, all others here against the table.
_OF_STREAMS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")


def _governs(action: str, arn: str) -> bool:
    return (action in _OF_STREAMS) is arn.endswith("/stream/*")


def _make_copier(tools: CopyTools, order: CopyOrder) -> Copier[Any]:
    from dataware.kinds.dynamodb_table.copy.copier import TableCopier

    return TableCopier(tools, order)


def _make_reader(aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
    from dataware.kinds.dynamodb_table.verify.reader import TableReader

    return TableReader(aws, place, all_versions=all_versions, deep=deep)


def _following() -> Following:
    from dataware.kinds.dynamodb_table.follow.following import FOLLOWING

    return FOLLOWING


def _rehearsal() -> Rehearsal:
    from dataware.kinds.dynamodb_table.rehearsal import TABLE_REHEARSAL

    return TABLE_REHEARSAL


def _engines() -> tuple[EngineCard, ...]:
    from dataware.kinds.dynamodb_table.engines import TABLE_ENGINES

    return TABLE_ENGINES


KIND = Kind(
    cfn_type="AWS::DynamoDB::Table",
    names=Names(
        "dynamodb-table",
        "DynamoDB table",
        "table",
        "item",
        check_name,
        # Service Authorization Reference, "Actions, resources, and condition keys for Amazon
        # DynamoDB".
        parts=("stream", "index", "backup", "export", "import"),
    ),
    template=Template(
        identifier="TableName",
        types=("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"),
        short_form=SIMPLE_TABLE,
        list_problems=list_problems,
        list_missing=list_missing,
        describe=describe_properties,
        properties_like=properties_like,
        declared_schema=declared_schema,
        declared_settings=declared_settings,
        protective=(
            "SSESpecification",
            "PointInTimeRecoverySpecification",
            "DeletionProtectionEnabled",
        ),
        # CloudFormation Template Reference, AWS::DynamoDB::Table: "Update requires: Replacement".
        # Local indexes exist from the creation of a table only (DynamoDB API Reference,
        # UpdateTable), although the database of the CDK command line does not say so of this type.
        replaced_by=("KeySchema", "ImportSourceSpecification", "LocalSecondaryIndexes"),
        fixed_parts=fixed_parts,
        custom_deletions=CUSTOM_DELETIONS,
    ),
    access=Permissions(
        phases={
            "probe": (
                "dynamodb:DescribeTable",
                "dynamodb:Scan",
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeTimeToLive",
            ),
            "read": ("dynamodb:DescribeTable", "dynamodb:Scan"),
            "write": ("dynamodb:DescribeTable", "dynamodb:BatchWriteItem", "dynamodb:PutItem"),
            "verify": ("dynamodb:DescribeTable", "dynamodb:Scan", "dynamodb:BatchGetItem"),
            DESCRIBE: DESCRIBE_ACTIONS,
            FOLLOW: (
                "dynamodb:BatchGetItem",
                "dynamodb:DescribeKinesisStreamingDestination",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeTimeToLive",
                *_OF_STREAMS,
            ),
            CARRY: (
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:DeleteItem",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:PutItem",
            ),
            ENABLE_FEED: ("dynamodb:UpdateTable",),
            # An undo replaces only what has stood there since the switch, so item by item.
            UNDO: (
                "dynamodb:BatchGetItem",
                "dynamodb:DeleteItem",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:PutItem",
            ),
            RESTORE_FROM: RESTORED_FROM,
            RESTORE_TO: RESTORED_TO,
            "create": (
                "dynamodb:CreateTable",
                "dynamodb:DescribeTable",
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeContributorInsights",
                "dynamodb:DescribeKinesisStreamingDestination",
                "dynamodb:DescribeTimeToLive",
                "dynamodb:ListTagsOfResource",
                "dynamodb:TagResource",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:UpdateTable",
                "dynamodb:UpdateTimeToLive",
            ),
        },
        arns=_arns,
        governs=_governs,
        informing=("dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive"),
    ),
    probe=probe,
    copying=Copying(
        scheme="dynamodb",
        copier=_make_copier,
        reader=_make_reader,
        ordered=False,
        relays=True,
        key_schema=key_schema,
        batch=MAX_BATCH,
        writers=256,
        charges=count_units,
        verify_charges=count_verify_units,
        speed=Throughput(20_000.0, {"dynamodb.write-unit": FRESH_WRITES}),
        advice=advise_on_capacity,
        expiry_note=EXPIRES,
        following=_following,
        rehearsal=_rehearsal,
        engines=_engines,
    ),
    comparison=COMPARISON,
)
