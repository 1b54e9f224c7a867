"""The card of AWS::EFS::FileSystem: kept, adopted by its id, or referenced; not copied.

A file system has no name but its tag `Name`, which several may have. It holds data when its metered
size is more than that of an empty one, which is 6 KiB; the size lags behind what is written (Amazon
EFS API Reference, DescribeFileSystems, `SizeInBytes`; User Guide, "Metering: How Amazon EFS reports
file system and object sizes").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    is_on,
    tags_form,
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import (
    SEVERAL,
    Content,
    Existence,
    Facts,
    Problem,
    Setting,
    Size,
    absent,
)
from dataware.core.phases import ACCOUNT, DESCRIBE, IMPORT
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags
from dataware.core.values import is_function

_DESCRIBE = "elasticfilesystem:DescribeFileSystems"
_BACKUP = "elasticfilesystem:DescribeBackupPolicy"
_LIFECYCLE = "elasticfilesystem:DescribeLifecycleConfiguration"
_ID = re.compile(r"fs-[0-9a-f]{8,40}")
_LONGEST = 256
EMPTY_BYTES = 6 * 1024
GONE = frozenset({"deleted"})


def check_name(name: str) -> str | None:
    """What is wrong with the name or id of a file system, or None.

    Source: Amazon EFS API Reference, Tag (`Value`).
    """
    if not name or len(name) > _LONGEST:
        return f"the name of a file system has 1 to {_LONGEST} characters"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under a name (the tag `Name`), or an id such as ``fs-0123456789abcdef0``."""
    try:
        systems = _find(aws, name)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _DESCRIBE),))
    if not systems:
        return absent(name)
    if len(systems) > 1:
        ids = tuple(sorted(one["FileSystemId"] for one in systems))
        text = f"{len(ids)} file systems are named {name} ({', '.join(ids)}): give the id of one"
        problem = Problem("DescribeFileSystems", SEVERAL, None, text)
        return Facts(name, alike=ids, problems=(problem,))
    (one,) = systems
    size = int(one["SizeInBytes"]["Value"])
    deleting = one.get("LifeCycleState") == "deleting"
    return Facts(
        name,
        Existence.EXISTS,
        Content.DATA if size > EMPTY_BYTES else Content.EMPTY,
        size=None if size > EMPTY_BYTES else Size(0, size, exact=False),
        is_estimate=True,
        identity=one["FileSystemId"],
        physical_id=one["FileSystemId"],
        settings=_settings(one.get("Encrypted", False)),
        obstacle="is being deleted: choose another name" if deleting else "",
    )


def _find(aws: Aws, name: str) -> list[Mapping[str, Any]]:
    """The file systems of exactly this name or id. Raises as `translate_errors` does."""
    efs = aws.client("efs")
    with aws.translate_errors(f"file system {name}", _DESCRIBE):
        if _ID.fullmatch(name):
            systems = efs.describe_file_systems(FileSystemId=name)["FileSystems"]
        else:
            pages = efs.get_paginator("describe_file_systems").paginate()
            each = (one for page in pages for one in page["FileSystems"])
            systems = [one for one in each if one.get("Name") == name]
    return [one for one in systems if one.get("LifeCycleState") not in GONE]


def _settings(encrypted: object) -> dict[str, Setting]:
    """How well files are protected; what is not literal is left out."""
    if not isinstance(encrypted, bool):
        return {}
    return {"encryption": Setting(int(encrypted), "on" if encrypted else "off")}


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    Source: CloudFormation Template Reference, AWS::EFS::FileSystem, `Encrypted`.
    """
    encrypted = properties.get("Encrypted", False)
    return {} if is_function(encrypted) else _settings(is_on(encrypted))


def _name_expression(properties: Mapping[str, Any], _resolve: Callable[[Any], Any]) -> Any:
    """The expression of the tag `Name`; None without it."""
    tags = properties.get("FileSystemTags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, Mapping) and tag.get("Key") == "Name":
            return tag.get("Value")
    return None


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a file system as it is, and what cannot be read of them.

    Raises NotFoundError without it, and LookupFailedError where nothing of it is seen.
    """
    systems = _find(aws, name)
    if len(systems) != 1:
        what = f"{len(systems)} file systems are named {name}"
        raise LookupFailedError(what) if systems else NotFoundError(what)
    (one,) = systems
    identifier, efs = one["FileSystemId"], aws.client("efs")
    properties: dict[str, Any] = {
        "Encrypted": one.get("Encrypted", False),
        "KmsKeyId": one.get("KmsKeyId") or None,
        "PerformanceMode": one.get("PerformanceMode"),
        "AvailabilityZoneName": one.get("AvailabilityZoneName"),
        "ThroughputMode": one.get("ThroughputMode"),
        "ProvisionedThroughputInMibps": one.get("ProvisionedThroughputInMibps"),
        "FileSystemTags": own_tags(one.get("Tags") or ()),
        "FileSystemProtection": one.get("FileSystemProtection"),
    }
    unread: dict[str, Problem] = {}
    parts: Mapping[tuple[str, str], Callable[[], Any]] = {
        ("BackupPolicy", _BACKUP): lambda: efs.describe_backup_policy(FileSystemId=identifier)[
            "BackupPolicy"
        ],
        ("LifecyclePolicies", _LIFECYCLE): lambda: efs.describe_lifecycle_configuration(
            FileSystemId=identifier
        )["LifecyclePolicies"],
    }
    for (part, permission), ask in parts.items():
        try:
            with aws.translate_errors(f"file system {name}", permission):
                properties[part] = ask()
        except NotFoundError:
            continue
        except LookupFailedError as error:
            unread[part] = problem_of(error, permission)
    return LiveConfiguration(properties, unread)


def _key(value: Any) -> Any:
    """A key by its id; which one an alias means is not told."""
    text = str(value or "")
    return text.rpartition("/")[2] if "alias/" not in text else text


def _throughput(value: Any) -> Any:
    return value if value is None or is_function(value) else float(value)


def _policies(value: Any) -> list[Any]:
    return sorted([name, one[name]] for one in value or () for name in one)


FIXED = ("Encrypted", "KmsKeyId", "PerformanceMode", "AvailabilityZoneName")
"""Sources: CloudFormation Template Reference, AWS::EFS::FileSystem ("Update requires")."""

COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "Encrypted": lambda value: value if is_function(value) else is_on(value),
        "KmsKeyId": _key,
        "PerformanceMode": lambda value: value or "generalPurpose",
        "AvailabilityZoneName": lambda value: value,
        "ThroughputMode": lambda value: value or "bursting",
        "ProvisionedThroughputInMibps": _throughput,
        "FileSystemTags": tags_form,
        "FileSystemProtection": lambda value: dict(value or {}),
        "BackupPolicy": lambda value: dict(value or {"Status": "DISABLED"}),
        "LifecyclePolicies": _policies,
    },
    is_fixed=lambda name, _live, _declared: name in FIXED,
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    """The ARN by the id; that of any file system for a name, which no ARN holds."""
    identifier = name if _ID.fullmatch(name) else "*"
    return (f"arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{identifier}",)


KIND = Kind(
    cfn_type="AWS::EFS::FileSystem",
    names=Names(
        "efs-file-system", "EFS file system", "file system", "file", check_name, are_unique=False
    ),
    template=Template(
        identifier="FileSystemId",
        has_name=False,
        name_expression=_name_expression,
        name_properties=lambda name: {"FileSystemTags": [{"Key": "Name", "Value": name}]},
        declared_settings=_declared_settings,
        protective=("Encrypted",),
        replaced_by=FIXED,
        renamed_in_place=True,
        adoptable=False,
        import_identifier="FileSystemId",
        name_of=lambda _physical_id: None,
        reference_is_id=True,
    ),
    access=Permissions(
        phases={
            ACCOUNT: (_DESCRIBE,),
            "probe": (_DESCRIBE,),
            DESCRIBE: (_DESCRIBE, _BACKUP, _LIFECYCLE),
            IMPORT: (
                _DESCRIBE,
                _BACKUP,
                _LIFECYCLE,
                "elasticfilesystem:DescribeFileSystemPolicy",
                "elasticfilesystem:DescribeReplicationConfigurations",
            ),
            "create": (
                "elasticfilesystem:CreateFileSystem",
                "elasticfilesystem:DescribeFileSystems",
                "elasticfilesystem:PutBackupPolicy",
                "elasticfilesystem:PutFileSystemPolicy",
                "elasticfilesystem:PutLifecycleConfiguration",
                "elasticfilesystem:TagResource",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
