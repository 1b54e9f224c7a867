"""The CloudFormation properties of a bucket as it is, so that another one can be made like it.

Sources: Amazon S3 API Reference; CloudFormation Template Reference, AWS::S3::Bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataware.core.errors import NotFoundError
from dataware.core.kind import DescribedProperties
from dataware.core.ports import Aws
from dataware.core.tags import own_tags
from dataware.kinds.s3_bucket.settings import BLOCKS

PERMISSIONS = (
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketTagging",
    "s3:GetBucketCORS",
    "s3:GetLifecycleConfiguration",
)
NOT_ASKED = "its policy, logging, replication, notifications, website and analytics"

_CORS = {
    "AllowedHeaders": "AllowedHeaders",
    "AllowedMethods": "AllowedMethods",
    "AllowedOrigins": "AllowedOrigins",
    "ExposeHeaders": "ExposedHeaders",
    "ID": "Id",
    "MaxAgeSeconds": "MaxAge",
}
"""The fields of a CORS rule in the API, and in CloudFormation."""


class _Bucket:
    """Asks for the configuration of one bucket."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws, self._name = aws, name

    def ask(self, operation: str, permission: str) -> dict[str, Any]:
        """An answer; raises NotFoundError and LookupFailedError."""
        with self._aws.translate_errors(f"bucket {self._name}", permission):
            return dict(getattr(self._aws.client("s3"), operation)(Bucket=self._name))

    def find(self, operation: str, permission: str) -> dict[str, Any]:
        """An answer, empty where nothing is configured."""
        try:
            return self.ask(operation, permission)
        except NotFoundError:
            return {}


def describe_properties(aws: Aws, name: str) -> DescribedProperties:
    """What CloudFormation needs to make a bucket like this one.

    Raises NotFoundError, and LookupFailedError for any part that is not seen: what is left out
    unseen would make the other bucket weaker.
    """
    bucket = _Bucket(aws, name)
    # Every bucket answers this, so that its absence is not taken for that of a setting.
    status = bucket.ask("get_bucket_versioning", "s3:GetBucketVersioning").get("Status")
    properties = {
        **({"VersioningConfiguration": {"Status": status}} if status else {}),
        **dict(_protection(bucket)),
        **dict(_rest(bucket)),
    }
    rules = bucket.find("get_bucket_lifecycle_configuration", "s3:GetLifecycleConfiguration")
    left_out = [f"{NOT_ASKED}: they are not looked at"]
    if count := len(rules.get("Rules", ())):
        left_out.insert(0, f"its lifecycle ({count} rules), which could expire what is copied")
    return DescribedProperties(properties, tuple(left_out))


def _protection(bucket: _Bucket) -> Iterator[tuple[str, Any]]:
    answer = bucket.find("get_bucket_encryption", "s3:GetEncryptionConfiguration")
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    if rules:
        yield "BucketEncryption", {"ServerSideEncryptionConfiguration": list(map(_rule, rules))}
    answer = bucket.find("get_public_access_block", "s3:GetBucketPublicAccessBlock")
    block = answer.get("PublicAccessBlockConfiguration", {})
    # A new bucket is closed by default, so that one that is open has to say so.
    yield "PublicAccessBlockConfiguration", {each: bool(block.get(each)) for each in BLOCKS}
    answer = bucket.find("get_object_lock_configuration", "s3:GetBucketObjectLockConfiguration")
    lock = answer.get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") == "Enabled":
        yield "ObjectLockEnabled", True
        if lock.get("Rule"):
            yield "ObjectLockConfiguration", dict(lock)


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    default = dict(rule.get("ApplyServerSideEncryptionByDefault", {}))
    key = {"BucketKeyEnabled": True} if rule.get("BucketKeyEnabled") else {}
    return {"ServerSideEncryptionByDefault": default, **key}


def _rest(bucket: _Bucket) -> Iterator[tuple[str, Any]]:
    answer = bucket.find("get_bucket_ownership_controls", "s3:GetBucketOwnershipControls")
    if rules := answer.get("OwnershipControls", {}).get("Rules"):
        yield "OwnershipControls", {"Rules": [dict(rule) for rule in rules]}
    answer = bucket.find("get_bucket_cors", "s3:GetBucketCORS")
    if rules := answer.get("CORSRules"):
        named = [
            {_CORS[name]: value for name, value in rule.items() if name in _CORS} for rule in rules
        ]
        yield "CorsConfiguration", {"CorsRules": named}
    answer = bucket.find("get_bucket_tagging", "s3:GetBucketTagging")
    if tags := own_tags(answer.get("TagSet", ())):
        yield "Tags", tags
