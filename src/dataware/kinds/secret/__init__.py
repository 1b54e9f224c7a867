"""The card of AWS::SecretsManager::Secret: adopted or referenced, without its value.

A secret holds data when it has any version. Nothing here asks for a value (GetSecretValue): which
versions there are is told apart from what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Existence, Facts, Setting, absent
from dataware.core.phases import DESCRIBE, IMPORT
from dataware.core.ports import Aws
from dataware.core.probing import find_content, problem_of
from dataware.core.values import is_function
from dataware.kinds.secret.comparison import COMPARISON, EFFECTS

_DESCRIBE = "secretsmanager:DescribeSecret"
_VERSIONS = "secretsmanager:ListSecretVersionIds"
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_ARN = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:(?P<name>.+)-[A-Za-z0-9]{6}")
_RANDOM = "??????"
"""Stands in policies for the six characters that end the ARN of a secret.

Source: AWS Secrets Manager User Guide, "Authentication and access control".
"""


def check_name(name: str) -> str | None:
    """What is wrong with a secret's name, or None.

    Source: AWS Secrets Manager API Reference, CreateSecret, `Name`.
    """
    if not _NAME.fullmatch(name):
        return "a secret's name has 1 to 512 letters, digits and /_+=.@-"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`; its value is not read.

    A secret that is about to be deleted still has its name, and can be restored (AWS Secrets
    Manager API Reference, DescribeSecret, `DeletedDate`).
    """
    manager = aws.client("secretsmanager")
    try:
        with aws.translate_errors(f"secret {name}", _DESCRIBE):
            secret = manager.describe_secret(SecretId=name)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _DESCRIBE),))
    content, problems = find_content(
        aws,
        f"the versions of secret {name}",
        _VERSIONS,
        _list_versions(manager, secret["ARN"]),
        "Versions",
    )
    return Facts(
        name,
        Existence.EXISTS,
        content,
        identity=secret["ARN"],
        physical_id=secret["ARN"],
        settings=_settings(secret.get("KmsKeyId")),
        problems=problems,
        obstacle=_find_obstacle(aws, name, secret),
    )


def _list_versions(manager: Any, arn: str) -> Iterator[Mapping[str, Any]]:
    """The pages of all versions, also of those without a label; the SDK has no paginator for them.

    Source: AWS Secrets Manager API Reference, ListSecretVersionIds.
    """
    asked: dict[str, Any] = {"SecretId": arn, "IncludeDeprecated": True}
    while True:
        page = manager.list_secret_version_ids(**asked)
        yield page
        if not (token := page.get("NextToken")):
            return
        asked["NextToken"] = token


def _find_obstacle(aws: Aws, name: str, secret: Mapping[str, Any]) -> str:
    """Why the secret cannot be used as it is, in a clause; empty if nothing is in the way.

    Source: AWS Secrets Manager API Reference, DescribeSecret (`DeletedDate`, `PrimaryRegion`).
    """
    deleted, primary = secret.get("DeletedDate"), secret.get("PrimaryRegion")
    if deleted is not None:
        return (
            f"is marked for deletion since {deleted:%Y-%m-%d}: restore it with `aws secretsmanager "
            f"restore-secret --secret-id {name}`, or choose another name"
        )
    if primary is not None and primary != aws.region:
        return (
            f"is a replica of the secret in {primary}, which alone can be changed: declare it as "
            "ReplicaRegions of the stack there, or choose another name"
        )
    return ""


def find_name(physical_id: str) -> str | None:
    """The name in the ARN of a secret, without the six characters that end it."""
    match = _ARN.fullmatch(physical_id)
    return match["name"] if match else None


def _settings(key: object) -> dict[str, Setting]:
    """How well the value is protected; what is not literal is left out."""
    if key is not None and not isinstance(key, str):
        return {}
    own = key and not key.endswith("alias/aws/secretsmanager")
    return {"encryption": Setting(2, "own KMS key") if own else Setting(1, "key of the service")}


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    Source: CloudFormation Template Reference, AWS::SecretsManager::Secret, `KmsKeyId`.
    """
    key = properties.get("KmsKeyId")
    return _settings({} if is_function(key) else key)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{_RANDOM}",)


KIND = Kind(
    cfn_type="AWS::SecretsManager::Secret",
    names=Names("secretsmanager-secret", "secret", "secret", "version", check_name),
    template=Template(
        identifier="Name",
        declared_settings=_declared_settings,
        protective=("KmsKeyId",),
        adoptable=False,
        import_identifier="Id",
        import_whole=("GenerateSecretString", "SecretString"),
        import_note="CloudFormation may read its value when it imports it",
        effects=EFFECTS,
        name_of=find_name,
        reference_is_id=True,
        has_arn=False,
    ),
    access=Permissions(
        phases={
            "probe": (_DESCRIBE, _VERSIONS),
            DESCRIBE: (_DESCRIBE,),
            # CloudFormation reads the value, too, where it takes a secret in.
            IMPORT: (_DESCRIBE, "secretsmanager:GetSecretValue"),
            "create": (
                "secretsmanager:CreateSecret",
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetRandomPassword",
                "secretsmanager:TagResource",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
