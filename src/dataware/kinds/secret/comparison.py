"""How a secret as it is compares with its template before a stack adopts it, without its value.

Sources: CloudFormation Template Reference, AWS::SecretsManager::Secret (a changed SecretString or
GenerateSecretString makes a new version) and AWS::SecretsManager::RotationSchedule
(`RotateImmediatelyOnUpdate` is true by default); AWS Secrets Manager API Reference, DescribeSecret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataware.core.comparison import ConfigurationComparison, LiveConfiguration, tags_form
from dataware.core.ports import Aws
from dataware.core.tags import own_tags
from dataware.core.values import is_function

_DESCRIBE = "secretsmanager:DescribeSecret"
_OWN_KEY = "alias/aws/secretsmanager"
VALUE, GENERATED = "SecretString", "GenerateSecretString"
MASKED = "***"
"""Stands for a declared value, which no plan may show."""


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a secret as it is.

    Raises NotFoundError without the secret, and LookupFailedError where it is not seen.
    """
    with aws.translate_errors(f"secret {name}", _DESCRIBE):
        secret = aws.client("secretsmanager").describe_secret(SecretId=name)
    regions = [
        {"Region": one["Region"], "KmsKeyId": one.get("KmsKeyId")}
        for one in secret.get("ReplicationStatus") or ()
    ]
    properties: dict[str, Any] = {
        "Description": secret.get("Description") or "",
        "KmsKeyId": secret.get("KmsKeyId"),
        "ReplicaRegions": regions,
        "Tags": own_tags(secret.get("Tags") or ()),
        "Type": secret.get("Type"),
    }
    return LiveConfiguration({name: one for name, one in properties.items() if one is not None})


def _key(value: Any) -> Any:
    """A key without the form in which it is named; which key an alias means is not told."""
    if is_function(value):
        raise TypeError(value)
    key = str(value or _OWN_KEY).rpartition(":")[2]
    return key.removeprefix("key/")


def _regions(value: Any) -> list[Any]:
    regions = [(one["Region"], _key(one.get("KmsKeyId"))) for one in value or ()]
    return [list(one) for one in sorted(regions)]


def find_new_value(name: str, live: Any, declared: Any) -> str | None:
    """That a declared value takes the place of the one that is there; which is not read."""
    if name == GENERATED and declared is not None:
        return "its value is replaced by a newly generated one"
    if name != VALUE or declared is None or declared == live:
        return None
    return "its value is replaced by the declared one, without a look at what it holds"


def _mask(declared: Mapping[str, Any], _region: str) -> Mapping[str, Any]:
    shown = {name: one for name, one in declared.items() if name != GENERATED}
    return {**shown, VALUE: MASKED} if VALUE in declared else shown


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "Description": lambda value: value or "",
        "KmsKeyId": _key,
        "ReplicaRegions": _regions,
        VALUE: lambda value: value,
        GENERATED: lambda _value: None,
        "Tags": tags_form,
        "Type": lambda value: value or "",
    },
    find_deletion=find_new_value,
    # How the first version is made, which an adopted secret has already, and what nobody reads.
    not_live=(GENERATED, VALUE),
    in_region=_mask,
)


def _rotation(properties: Mapping[str, Any]) -> tuple[Any, str] | None:
    at_once = str(properties.get("RotateImmediatelyOnUpdate", True)).lower() != "false"
    if not at_once:
        return None
    clause = "rotates its value at once, unless RotateImmediatelyOnUpdate is false"
    return properties.get("SecretId"), clause


def _attachment(properties: Mapping[str, Any]) -> tuple[Any, str] | None:
    return properties.get("SecretId"), "writes the address of its target into its value"


EFFECTS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, str] | None]] = {
    "AWS::SecretsManager::RotationSchedule": _rotation,
    "AWS::SecretsManager::SecretTargetAttachment": _attachment,
}
