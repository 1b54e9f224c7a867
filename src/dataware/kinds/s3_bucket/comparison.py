"""How a bucket as it is compares with its template before a stack adopts it.

Sources: CloudFormation Template Reference, AWS::S3::Bucket ("Update requires" of its properties)
and its property types; Amazon S3 User Guide, "Expiring objects".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from dataware.core.comparison import ConfigurationComparison, is_on, number_of, rules_of, tags_form
from dataware.core.errors import ServiceError
from dataware.core.ports import Aws
from dataware.core.values import is_function
from dataware.kinds.s3_bucket.describe import read_configuration
from dataware.kinds.s3_bucket.lifecycle import (
    describe_deletion,
    find_new_expirations,
    lifecycle_form,
)
from dataware.kinds.s3_bucket.settings import BLOCKS

_PAGE = 1000
FIXED = ("ObjectLockEnabled",)


def _versioning(value: Any) -> Any:
    return (value or {}).get("Status") or "never on"


def _encryption(value: Any) -> list[dict[str, Any]]:
    """The default encryption; every bucket has SSE-S3 unless it has something else.

    A key is compared only by its id: which key an alias names, the configuration does not tell.
    """
    rules = (value or {}).get("ServerSideEncryptionConfiguration") or [{}]
    return [_encryption_rule(rule) for rule in rules_of(rules)]


def _encryption_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    default = rule.get("ServerSideEncryptionByDefault") or {}
    algorithm, key = default.get("SSEAlgorithm", "AES256"), default.get("KMSMasterKeyID")
    by_default = {"SSEAlgorithm": algorithm}
    if isinstance(key, str) and "alias/" not in key:
        by_default["KMSMasterKeyID"] = key.rpartition("/")[2]
    if algorithm != "AES256":
        by_default["BucketKeyEnabled"] = _switch(rule.get("BucketKeyEnabled"))
    return by_default


def _access_block(value: Any) -> dict[str, Any]:
    return {name: _switch((value or {}).get(name)) for name in BLOCKS}


def _switch(value: Any) -> Any:
    return value if is_function(value) else is_on(value)


def _ownership(value: Any) -> list[Any]:
    rules = (value or {}).get("Rules") or [{"ObjectOwnership": "ObjectWriter"}]
    return [rule["ObjectOwnership"] for rule in rules_of(rules)]


def _cors(value: Any) -> list[dict[str, Any]]:
    return [
        {name: number_of(one) if name == "MaxAge" else one for name, one in rule.items()}
        for rule in rules_of((value or {}).get("CorsRules") or [])
    ]


def _default_retention(value: Any) -> dict[str, Any]:
    retention = ((value or {}).get("Rule") or {}).get("DefaultRetention") or {}
    return {
        "Mode": retention.get("Mode"),
        "Days": number_of(retention.get("Days")),
        "Years": number_of(retention.get("Years")),
    }


def count_expired(aws: Aws, bucket: str, name: str, live: Any, declared: Any) -> str:
    """How many of the first objects a declared lifecycle would expire now, if that can be seen."""
    try:
        expirations = find_new_expirations(live, declared)
        rules = [rule for rule in expirations if rule["part"] == "days" and not rule["tags"]]
        with aws.translate_errors(f"bucket {bucket}", "s3:ListBucket"):
            page = aws.client("s3").list_objects_v2(Bucket=bucket, MaxKeys=_PAGE)
            listed = page.get("Contents", [])
            expired = sum(any(_is_expired(one, rule) for rule in rules) for one in listed)
    except (ServiceError, AttributeError, TypeError, ValueError):
        return ""
    if not rules or name != "LifecycleConfiguration":
        return ""
    among = f"the first {len(listed):,}" if page.get("IsTruncated") else f"its {len(listed):,}"
    return f"{expired:,} of {among} objects are that old now"


def _is_expired(listed: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    age = datetime.now(UTC) - listed["LastModified"]
    size, below = listed["Size"], rule["below"]
    return bool(
        age > timedelta(days=rule["days"])
        and listed["Key"].startswith(rule["prefix"])
        and (not rule["above"] or size > rule["above"])
        and (below is None or size < below)
    )


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "ObjectLockEnabled": _switch,
        "ObjectLockConfiguration": _default_retention,
        "LifecycleConfiguration": lifecycle_form,
        "VersioningConfiguration": _versioning,
        "BucketEncryption": _encryption,
        "PublicAccessBlockConfiguration": _access_block,
        "OwnershipControls": _ownership,
        "CorsConfiguration": _cors,
        "Tags": tags_form,
    },
    is_fixed=lambda name, _live, _declared: name in FIXED,
    find_deletion=describe_deletion,
    count_deleted=count_expired,
    left_out={
        "BucketEncryption": ("BlockedEncryptionTypes",),
        "LifecycleConfiguration": ("TransitionDefaultMinimumObjectSize",),
        "ObjectLockConfiguration": ("DefaultEventHold",),
    },
)
