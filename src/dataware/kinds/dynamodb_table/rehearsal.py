"""How the migration of a table is rehearsed."""

from __future__ import annotations

from dataware.core.errors import NotFoundError
from dataware.core.ports import Aws
from dataware.core.rehearsal import Rehearsal

LOOK_SECONDS = 1.0


def read_tags(aws: Aws, name: str) -> dict[str, str]:
    """The tags of a table. Raises ServiceError."""
    client = aws.client("dynamodb")
    with aws.translate_errors(f"table {name}", "dynamodb:ListTagsOfResource"):
        arn = client.describe_table(TableName=name)["Table"]["TableArn"]
        pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def remove_table(aws: Aws, name: str) -> None:
    """Delete a table, and wait until it is gone. Raises ServiceError.

    DeleteTable answers at once; the table is in the state DELETING until it is gone (Amazon
    DynamoDB API Reference, DeleteTable).
    """
    client = aws.client("dynamodb")
    try:
        with aws.translate_errors(f"table {name}", "dynamodb:DeleteTable"):
            client.delete_table(TableName=name)
        while True:
            with aws.translate_errors(f"table {name}", "dynamodb:DescribeTable"):
                client.describe_table(TableName=name)
            aws.pause(LOOK_SECONDS)
    except NotFoundError:
        return


TABLE_REHEARSAL = Rehearsal(
    # Neither streams nor a time to live, which act on what is written; no protection from deletion.
    properties=(
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "OnDemandThroughput",
        "ProvisionedThroughput",
        "SSESpecification",
        "TableClass",
        "WarmThroughput",
    ),
    longest_name=255,
    allowed="a-zA-Z0-9_.-",
    read_tags=read_tags,
    remove=remove_table,
)
