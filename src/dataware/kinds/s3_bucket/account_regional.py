"""Names of buckets in the namespace of an account and region; pure.

Such a name is PREFIX-ACCOUNT-REGION-an, and nobody but that account can create it. Source: Amazon
S3 User Guide, "Namespaces for general purpose buckets"; CloudFormation Template Reference,
AWS::S3::Bucket, BucketNamePrefix and BucketNamespace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT_REGIONAL = "account-regional"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*-(?P<account>\d{12})-[a-z]{2,}(?:-[a-z0-9]+)+-an")


def name_expression(properties: Mapping[str, Any], resolve: Callable[[Any], Any]) -> Any:
    """The expression of a bucket's name; None where CloudFormation generates it."""
    prefix = properties.get("BucketNamePrefix")
    if "BucketName" in properties or prefix is None:
        return properties.get("BucketName")
    if resolve(properties.get("BucketNamespace")) != ACCOUNT_REGIONAL:
        return None
    return {"Fn::Join": ["-", [prefix, {"Ref": "AWS::AccountId"}, {"Ref": "AWS::Region"}, "an"]]}


def account_of(name: str) -> str | None:
    """The only account that can have created a bucket of that name; None for any other name."""
    match = _NAME.fullmatch(name)
    return match["account"] if match else None
