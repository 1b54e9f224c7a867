"""The card of AWS::KMS::Key: kept, adopted by its id, or referenced; never copied.

What a key has encrypted cannot be seen, and is lost with it, so a key that exists counts as holding
data. A key has no name; it goes by its id, or by an alias that leads to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    is_on,
    number_of,
    tags_form,
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Content, Existence, Facts, Problem, absent
from dataware.core.phases import DESCRIBE, IMPORT
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags
from dataware.core.values import is_function

_DESCRIBE, _ROTATION = "kms:DescribeKey", "kms:GetKeyRotationStatus"
_POLICY, _TAGS = "kms:GetKeyPolicy", "kms:ListResourceTags"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]{1,250}")
PENDING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})


def check_name(name: str) -> str | None:
    """What is wrong with the id or alias of a key, or None.

    Source: AWS KMS API Reference, DescribeKey (`KeyId`) and CreateAlias (`AliasName`).
    """
    if not (_ID.fullmatch(name) or _ALIAS.fullmatch(name)):
        return "a key goes by its id, or by an alias such as alias/app"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under an id or an alias."""
    try:
        key = _describe(aws, name)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _DESCRIBE),))
    return Facts(
        name,
        Existence.EXISTS,
        Content.DATA,
        identity=key["KeyId"],
        physical_id=key["KeyId"],
        obstacle=_find_obstacle(key),
    )


def _describe(aws: Aws, name: str) -> Mapping[str, Any]:
    with aws.translate_errors(f"key {name}", _DESCRIBE):
        metadata: Mapping[str, Any] = aws.client("kms").describe_key(KeyId=name)["KeyMetadata"]
    return metadata


def _find_obstacle(key: Mapping[str, Any]) -> str:
    """Why the key cannot be used as it is, in a clause; empty if nothing is in the way.

    Source: AWS KMS API Reference, KeyMetadata.
    """
    if key.get("KeyState") in PENDING:
        return (
            f"is pending deletion: cancel that with `aws kms cancel-key-deletion --key-id "
            f"{key['KeyId']}` and enable it, or give another id"
        )
    if key.get("KeyManager") == "AWS":
        return "is a key that AWS manages, which no stack can own: give one of your own"
    regions = key.get("MultiRegionConfiguration") or {}
    if regions.get("MultiRegionKeyType") == "REPLICA":
        return "is a replica key, which is declared as AWS::KMS::ReplicaKey: give its primary key"
    return ""


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a key as it is, and what cannot be read of them.

    Raises NotFoundError without the key, and LookupFailedError where nothing of it is seen.
    """
    key, kms = _describe(aws, name), aws.client("kms")
    identifier = key["KeyId"]
    properties: dict[str, Any] = {
        "Description": key.get("Description", ""),
        "Enabled": key.get("Enabled"),
        "KeySpec": key.get("KeySpec"),
        "KeyUsage": key.get("KeyUsage"),
        "MultiRegion": key.get("MultiRegion", False),
        "Origin": key.get("Origin"),
    }
    unread: dict[str, Problem] = {}
    parts: Mapping[str, tuple[str, Callable[[], Mapping[str, Any]]]] = {
        "EnableKeyRotation": (_ROTATION, lambda: _read_rotation(kms, identifier)),
        "KeyPolicy": (
            _POLICY,
            lambda: {"KeyPolicy": kms.get_key_policy(KeyId=identifier)["Policy"]},
        ),
        "Tags": (_TAGS, lambda: {"Tags": _list_tags(kms, identifier)}),
    }
    for part, (permission, ask) in parts.items():
        try:
            with aws.translate_errors(f"key {name}", permission):
                properties.update(ask())
        except (LookupFailedError, NotFoundError) as error:
            unread[part] = problem_of(error, permission)
    return LiveConfiguration(properties, unread)


def _read_rotation(kms: Any, identifier: str) -> Mapping[str, Any]:
    """Whether and how often the key material changes."""
    rotation = kms.get_key_rotation_status(KeyId=identifier)
    on = rotation["KeyRotationEnabled"]
    period = {"RotationPeriodInDays": rotation.get("RotationPeriodInDays")} if on else {}
    return {"EnableKeyRotation": on, **period}


def _list_tags(kms: Any, identifier: str) -> list[dict[str, str]]:
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=identifier)
    tags = (
        {"Key": one["TagKey"], "Value": one["TagValue"]} for page in pages for one in page["Tags"]
    )
    return own_tags(tags)


def _policy(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _switch(value: Any) -> Any:
    return value if is_function(value) else is_on(value)


FIXED = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")
"""What a key has from its creation (CloudFormation Template Reference, AWS::KMS::Key)."""

COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "Description": lambda value: value or "",
        "Enabled": lambda value: True if value is None else _switch(value),
        "EnableKeyRotation": _switch,
        "RotationPeriodInDays": number_of,
        "KeySpec": lambda value: value or "SYMMETRIC_DEFAULT",
        "KeyUsage": lambda value: value or "ENCRYPT_DECRYPT",
        "MultiRegion": _switch,
        "Origin": lambda value: value or "AWS_KMS",
        "KeyPolicy": _policy,
        "Tags": tags_form,
    },
    is_fixed=lambda name, _live, _declared: name in FIXED,
    # They say how CloudFormation deletes a key, and how it checks a policy.
    not_live=("PendingWindowInDays", "BypassPolicyLockoutSafetyCheck"),
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    """The ARN by the id; that of any key for an alias, whose key no ARN names."""
    identifier = name if _ID.fullmatch(name) else "*"
    return (f"arn:{partition}:kms:{region}:{account}:key/{identifier}",)


KIND = Kind(
    cfn_type="AWS::KMS::Key",
    names=Names("kms-key", "KMS key", "key", "ciphertext", check_name),
    template=Template(
        identifier="KeyId",
        has_name=False,
        name_expression=lambda _properties, _resolve: None,
        renamed_in_place=True,
        adoptable=False,
        import_identifier="KeyId",
        reference_is_id=True,
    ),
    access=Permissions(
        phases={
            "probe": (_DESCRIBE,),
            DESCRIBE: (_DESCRIBE, _ROTATION, _POLICY, _TAGS),
            IMPORT: (_DESCRIBE, _ROTATION, _POLICY, _TAGS),
            "create": (
                "kms:CreateKey",
                "kms:DescribeKey",
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:TagResource",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
