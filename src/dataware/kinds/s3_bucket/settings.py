"""The protective settings of a bucket, from an API answer and from a template; pure.

A setting that a template computes (an intrinsic function) is left out instead of guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.allowed_values import list_wrong_words
from dataware.core.model import Setting

_ALGORITHMS = {
    "AES256": Setting(1, "SSE-S3"),
    "aws:kms": Setting(2, "SSE-KMS"),
    "aws:kms:dsse": Setting(3, "DSSE-KMS"),
}
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_VERSIONING = {"Enabled": Setting(2, "on"), "Suspended": Setting(1, "suspended")}
_OFF = Setting(0, "off")


@dataclass(frozen=True, slots=True)
class SettingQuery:
    """A setting, the call that reads it, and how an answer ranks; ``{}`` stands for "none"."""

    name: str
    call: str
    operation: str
    permission: str
    rank: Callable[[Mapping[str, Any]], Setting]


def _encryption(answer: Mapping[str, Any]) -> Setting:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    for rule in rules:
        algorithm = rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm")
        return _algorithm(algorithm)
    return _OFF


def _algorithm(name: object) -> Setting:
    return _ALGORITHMS.get(str(name), Setting(1, str(name)))


def _public_access(answer: Mapping[str, Any]) -> Setting:
    return _rank_access_block(answer.get("PublicAccessBlockConfiguration", {}))


def _rank_access_block(block: Mapping[str, Any]) -> Setting:
    count = sum(str(block.get(name, False)).lower() == "true" for name in BLOCKS)
    labels = {0: "off", len(BLOCKS): "on"}
    return Setting(count, labels.get(count, f"{count} of {len(BLOCKS)} on"))


def _versioning(answer: Mapping[str, Any]) -> Setting:
    return _VERSIONING.get(answer.get("Status", ""), _OFF)


def _object_lock(answer: Mapping[str, Any]) -> Setting:
    enabled = answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled")
    return Setting(1, "on") if enabled == "Enabled" else _OFF


SETTINGS = (
    SettingQuery(
        "encryption",
        "GetBucketEncryption",
        "get_bucket_encryption",
        "s3:GetEncryptionConfiguration",
        _encryption,
    ),
    SettingQuery(
        "public access block",
        "GetPublicAccessBlock",
        "get_public_access_block",
        "s3:GetBucketPublicAccessBlock",
        _public_access,
    ),
    SettingQuery(
        "versioning",
        "GetBucketVersioning",
        "get_bucket_versioning",
        "s3:GetBucketVersioning",
        _versioning,
    ),
    SettingQuery(
        "object lock",
        "GetObjectLockConfiguration",
        "get_object_lock_configuration",
        "s3:GetBucketObjectLockConfiguration",
        _object_lock,
    ),
)


def declared_settings(properties: Mapping[str, Any]) -> dict[str, Setting]:
    """The settings that a bucket with these CloudFormation properties is created with.

    New buckets are encrypted (SSE-S3) and closed to the public unless the template says otherwise.
    """
    settings = {
        "encryption": _declared_encryption(properties),
        "public access block": _declared_block(properties),
        "versioning": _declared_versioning(properties),
        "object lock": _declared_lock(properties),
    }
    return {name: setting for name, setting in settings.items() if setting is not None}


def _declared_encryption(properties: Mapping[str, Any]) -> Setting | None:
    block = properties.get("BucketEncryption")
    if not block:
        return _ALGORITHMS["AES256"]
    try:
        rule = block["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        algorithm = rule["SSEAlgorithm"]
    except (KeyError, IndexError, TypeError):
        return None
    return _algorithm(algorithm) if isinstance(algorithm, str) else None


def _declared_block(properties: Mapping[str, Any]) -> Setting | None:
    block = properties.get("PublicAccessBlockConfiguration", dict.fromkeys(BLOCKS, True))
    if not _is_literal(block, BLOCKS):
        return None
    return _rank_access_block(block)


def _declared_versioning(properties: Mapping[str, Any]) -> Setting | None:
    block = properties.get("VersioningConfiguration", {})
    return _versioning(block) if _is_literal(block, ("Status",)) else None


def _declared_lock(properties: Mapping[str, Any]) -> Setting | None:
    enabled = properties.get("ObjectLockEnabled", False)
    if isinstance(enabled, Mapping):
        return None
    return Setting(1, "on") if str(enabled).lower() == "true" else _OFF


def _is_literal(block: object, names: tuple[str, ...]) -> bool:
    return isinstance(block, Mapping) and all(
        name in names and isinstance(value, str | bool) for name, value in block.items()
    )


CHOICES = {
    "VersioningConfiguration.Status": ("Enabled", "Suspended"),
    "AccelerateConfiguration.AccelerationStatus": ("Enabled", "Suspended"),
    "BucketEncryption.ServerSideEncryptionConfiguration.*.ServerSideEncryptionByDefault"
    ".SSEAlgorithm": tuple(_ALGORITHMS),
    "LifecycleConfiguration.Rules.*.Status": ("Disabled", "Enabled"),
    "OwnershipControls.Rules.*.ObjectOwnership": (
        "BucketOwnerEnforced",
        "BucketOwnerPreferred",
        "ObjectWriter",
    ),
}
"""Source: CloudFormation Template Reference, AWS::S3::Bucket and its property types."""


def list_problems(properties: Mapping[str, Any]) -> Iterator[str]:
    """What S3 would refuse of literal properties."""
    return list_wrong_words(properties, CHOICES)
