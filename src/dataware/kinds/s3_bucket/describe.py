"""The CloudFormation properties of a bucket as it is, so that another one can be made like it.

Sources: Amazon S3 API Reference; CloudFormation Template Reference, AWS::S3::Bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.comparison import LiveConfiguration
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import DescribedProperties
from dataware.core.model import Problem
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags
from dataware.kinds.s3_bucket.lifecycle import from_api
from dataware.kinds.s3_bucket.settings import BLOCKS

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


@dataclass(frozen=True, slots=True)
class _Part:
    """Properties that one call gives; `read` makes them of its answer, which may be empty."""

    names: tuple[str, ...]
    operation: str
    permission: str
    read: Callable[[Mapping[str, Any]], Iterator[tuple[str, Any]]]

    def ask(self, aws: Aws, name: str) -> dict[str, Any]:
        """The properties as they are. Raises LookupFailedError."""
        try:
            with aws.translate_errors(f"bucket {name}", self.permission):
                answer = dict(getattr(aws.client("s3"), self.operation)(Bucket=name))
        except NotFoundError:
            if self.operation == ALWAYS_ANSWERED:
                raise
            answer = {}
        return dict(self.read(answer))


ALWAYS_ANSWERED = "get_bucket_versioning"
"""Every bucket answers this, so that its absence is not taken for that of a setting."""


def describe_properties(aws: Aws, name: str) -> DescribedProperties:
    """What CloudFormation needs to make a bucket like this one.

    Raises NotFoundError, and LookupFailedError for any part that is not seen: what is left out
    unseen would make the other bucket weaker.
    """
    properties: dict[str, Any] = {}
    for part in _PARTS:
        properties |= part.ask(aws, name)
    lifecycle = properties.pop("LifecycleConfiguration", {})
    left_out = [f"{NOT_ASKED}, which dataware does not read"]
    if count := len(lifecycle.get("Rules", ())):
        left_out.insert(0, f"its lifecycle ({count} rules), which could expire what is copied")
    return DescribedProperties(properties, tuple(left_out))


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a bucket as it is, its lifecycle included, and what cannot be read.

    Raises NotFoundError without the bucket.
    """
    properties: dict[str, Any] = {}
    unread: dict[str, Problem] = {}
    for part in _PARTS:
        try:
            properties |= part.ask(aws, name)
        except LookupFailedError as error:
            unread |= dict.fromkeys(part.names, problem_of(error, part.permission))
    return LiveConfiguration(properties, unread)


def _versioning(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if status := answer.get("Status"):
        yield "VersioningConfiguration", {"Status": status}


def _encryption(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    if rules:
        yield "BucketEncryption", {"ServerSideEncryptionConfiguration": list(map(_rule, rules))}


def _access_block(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    block = answer.get("PublicAccessBlockConfiguration", {})
    # A new bucket is closed by default, so that one that is open has to say so.
    yield "PublicAccessBlockConfiguration", {each: bool(block.get(each)) for each in BLOCKS}


def _lock(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    lock = answer.get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") == "Enabled":
        yield "ObjectLockEnabled", True
        if lock.get("Rule"):
            yield "ObjectLockConfiguration", dict(lock)


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    default = dict(rule.get("ApplyServerSideEncryptionByDefault", {}))
    key = {"BucketKeyEnabled": True} if rule.get("BucketKeyEnabled") else {}
    return {"ServerSideEncryptionByDefault": default, **key}


def _ownership(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if rules := answer.get("OwnershipControls", {}).get("Rules"):
        yield "OwnershipControls", {"Rules": [dict(rule) for rule in rules]}


def _cors(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if rules := answer.get("CORSRules"):
        named = [
            {_CORS[name]: value for name, value in rule.items() if name in _CORS} for rule in rules
        ]
        yield "CorsConfiguration", {"CorsRules": named}


def _tags(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if tags := own_tags(answer.get("TagSet", ())):
        yield "Tags", tags


def _lifecycle(answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if rules := answer.get("Rules"):
        yield "LifecycleConfiguration", {"Rules": from_api(rules)}


_PARTS = (
    _Part(("VersioningConfiguration",), ALWAYS_ANSWERED, "s3:GetBucketVersioning", _versioning),
    _Part(
        ("BucketEncryption",), "get_bucket_encryption", "s3:GetEncryptionConfiguration", _encryption
    ),
    _Part(
        ("PublicAccessBlockConfiguration",),
        "get_public_access_block",
        "s3:GetBucketPublicAccessBlock",
        _access_block,
    ),
    _Part(
        ("ObjectLockEnabled", "ObjectLockConfiguration"),
        "get_object_lock_configuration",
        "s3:GetBucketObjectLockConfiguration",
        _lock,
    ),
    _Part(
        ("OwnershipControls",),
        "get_bucket_ownership_controls",
        "s3:GetBucketOwnershipControls",
        _ownership,
    ),
    _Part(("CorsConfiguration",), "get_bucket_cors", "s3:GetBucketCORS", _cors),
    _Part(("Tags",), "get_bucket_tagging", "s3:GetBucketTagging", _tags),
    _Part(
        ("LifecycleConfiguration",),
        "get_bucket_lifecycle_configuration",
        "s3:GetLifecycleConfiguration",
        _lifecycle,
    ),
)
PERMISSIONS = tuple(part.permission for part in _PARTS)
