"""The card of AWS::SecretsManager::Secret: adopted, referenced, or copied version by version.

A secret holds data when it has any version. No look asks for a value (GetSecretValue): which
versions there are is told apart from what they hold. A copy and its verification read values, show
them to nobody and keep no trace of them. Not carried: the resource policy, the rotation, versions
without a label, and a key of another account or region.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.estimate import Throughput
from dataware.core.kind import Copying, DeletionCancellation, Kind, Names, Permissions, Template
from dataware.core.model import Existence, Facts, Location, Setting, absent
from dataware.core.page_cursor import PageCursor, list_pages
from dataware.core.phases import DESCRIBE, IMPORT
from dataware.core.ports import Aws
from dataware.core.probing import find_content, problem_of
from dataware.core.reader import Reader
from dataware.core.values import is_function
from dataware.kinds.secret.comparison import COMPARISON, EFFECTS

_DESCRIBE = "secretsmanager:DescribeSecret"
_VERSIONS = "secretsmanager:ListSecretVersionIds"
_VALUE = "secretsmanager:GetSecretValue"
RESTORE = "secretsmanager:RestoreSecret"
"""What only a person allows (`--restore-secrets`), so no policy has it of its own accord."""
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
    ask = partial(manager.list_secret_version_ids, SecretId=arn, IncludeDeprecated=True)
    return list_pages(PageCursor("ListSecretVersionIds", "the versions of the secret"), ask)


def _find_obstacle(aws: Aws, name: str, secret: Mapping[str, Any]) -> str:
    """Why the secret cannot be used as it is, in a clause; empty if nothing is in the way.

    Source: AWS Secrets Manager API Reference, DescribeSecret (`DeletedDate`, `PrimaryRegion`).
    """
    deleted, primary = secret.get("DeletedDate"), secret.get("PrimaryRegion")
    if deleted is not None:
        return (
            f"is marked for deletion since {deleted:%Y-%m-%d}: restore it with `aws secretsmanager "
            f"restore-secret --secret-id {name}` or `dataware apply --restore-secrets`, or choose "
            "another name"
        )
    if primary is not None and primary != aws.region:
        return (
            f"is a replica of the secret in {primary}: declare it as ReplicaRegions of the stack "
            "there, or choose another name"
        )
    return ""


def is_deletion_due(aws: Aws, name: str) -> bool:
    """Whether a secret waits for its deletion. Raises LookupFailedError."""
    with aws.translate_errors(f"secret {name}", _DESCRIBE):
        secret = aws.client("secretsmanager").describe_secret(SecretId=name)
    return secret.get("DeletedDate") is not None


def restore_secret(aws: Aws, name: str) -> None:
    """Take the deletion of a secret back, as it is with all its versions.

    Raises LookupFailedError. Source: AWS Secrets Manager API Reference, RestoreSecret.
    """
    with aws.translate_errors(f"secret {name}", RESTORE):
        aws.client("secretsmanager").restore_secret(SecretId=name)


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


def _make_copier(tools: CopyTools, order: CopyOrder) -> Copier[Any]:
    from dataware.kinds.secret.copy.copier import SecretCopier

    return SecretCopier(tools, order)


def _make_reader(aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
    from dataware.kinds.secret.verify.reader import SecretReader

    del all_versions, deep
    return SecretReader(aws, place)


_READ = (_DESCRIBE, _VERSIONS, _VALUE)
# AWS Secrets Manager API Reference, CreateSecret ("Required permissions").
_WRITE = (
    "secretsmanager:CreateSecret",
    "secretsmanager:PutSecretValue",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:TagResource",
    "secretsmanager:UpdateSecretVersionStage",
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    if name.startswith("arn:"):
        return (name,)
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
        hidden=("SecretString", "GenerateSecretString.SecretStringTemplate"),
        import_note="CloudFormation may read its value when it imports it",
        effects=EFFECTS,
        name_of=find_name,
        reference_is_id=True,
        has_arn=False,
    ),
    access=Permissions(
        phases={
            "probe": (_DESCRIBE, _VERSIONS),
            "read": _READ,
            "write": (*_READ, *_WRITE),
            "verify": (_VERSIONS, _VALUE),
            DESCRIBE: (_DESCRIBE,),
            # CloudFormation reads the value, too, where it takes a secret in.
            IMPORT: (_DESCRIBE, _VALUE),
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
    copying=Copying(
        scheme="secret",
        copier=_make_copier,
        reader=_make_reader,
        readers=1,
        writers=1,
        speed=Throughput(5.0),
        in_deployments=False,
        makes_target=True,
    ),
    comparison=COMPARISON,
    cancellation=DeletionCancellation(is_deletion_due, restore_secret),
)
