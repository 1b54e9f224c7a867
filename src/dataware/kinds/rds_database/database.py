"""What the cards of RDS instances and clusters have in common.

A database that exists counts as holding data: nobody opens it. RDS writes identifiers in small
letters (Amazon RDS API Reference, CreateDBInstance and CreateDBCluster), so they are asked for so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    is_on,
    tags_form,
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import Content, Existence, Facts, Setting, absent
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.values import find_function, is_function

_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,62}")
_LONGEST = 63
RETENTION, MANAGED = "BackupRetentionPeriod", "ManageMasterUserPassword"
PASSWORDS = ("MasterUserPassword", "TdeCredentialPassword")
"""What no plan shows, and no answer of RDS holds."""

ENGINE = "Engine"
UPGRADES = (
    ("aurora", "aurora-mysql"),
    ("oracle-se", "oracle-se2"),
    ("oracle-se1", "oracle-se2"),
    ("oracle-ee", "oracle-ee-cdb"),
    ("oracle-se2", "oracle-se2-cdb"),
)
"""Engines that become another one in place.

Source: the handlers of the types, aws-cloudformation-resource-providers-rds, `ImmutabilityHelper`.
"""

Describe = Callable[[Aws, str], Mapping[str, Any]]


def check_name(name: str) -> str | None:
    """What is wrong with an identifier, or None."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        return (
            f"an identifier of RDS has 1 to {_LONGEST} small letters, digits and single hyphens, "
            "and begins with a letter"
        )
    return None


def probe_database(
    aws: Aws, name: str, describe: Describe, permission: str, words: tuple[str, str]
) -> Facts:
    """What stands under a name; `words` are what RDS calls the identifier and the status."""
    try:
        database = describe(aws, name)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, permission),))
    identifier, status = (str(database.get(word)) for word in words)
    resource = database.get("DbiResourceId") or database.get("DbClusterResourceId")
    return Facts(
        name,
        Existence.EXISTS,
        Content.DATA,
        identity=str(resource or identifier),
        physical_id=identifier if identifier != name else None,
        settings=_settings(
            database.get("DeletionProtection", False), database.get("StorageEncrypted", False)
        ),
        obstacle="is being deleted: choose another name" if status == "deleting" else "",
    )


def _settings(protected: object, encrypted: object) -> dict[str, Setting]:
    """How well a database is protected; what is not literal is left out."""
    settings = {}
    if isinstance(protected, bool):
        settings["deletion protection"] = Setting(int(protected), "on" if protected else "off")
    if isinstance(encrypted, bool):
        settings["encryption"] = Setting(int(encrypted), "on" if encrypted else "off")
    return settings


def declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    An instance of a cluster, and what is restored, has the encryption of where it comes from.
    Sources: CloudFormation Template Reference, AWS::RDS::DBInstance and AWS::RDS::DBCluster.
    """
    protected = properties.get("DeletionProtection", False)
    encrypted = properties.get("StorageEncrypted", False)
    elsewhere = any("Snapshot" in name or "Source" in name for name in properties)
    if "StorageEncrypted" not in properties and (elsewhere or "DBClusterIdentifier" in properties):
        encrypted = None
    return _settings(
        None if is_function(protected) else is_on(protected),
        None if encrypted is None or is_function(encrypted) else is_on(encrypted),
    )


def find_loss(name: str, live: Any, declared: Any) -> str | None:
    """What a declared value deletes: automated backups, or the password that everybody uses.

    Sources: Amazon RDS User Guide, "Backup retention period" and "Password management with Amazon
    RDS and AWS Secrets Manager".
    """
    if declared is None:
        return None
    function = find_function(declared)
    if name == RETENTION:
        if function:
            return f"its {RETENTION} is computed ({function}), and may delete backups"
        if live is None or int(declared) < int(live):
            return f"automated backups are deleted after {int(declared)} days"
    if name == MANAGED and function is None and is_on(declared) and not live:
        return "the password of its master user is replaced by one that RDS makes"
    return None


def is_upgrade(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a database becomes one of another engine in place."""
    return (before.get(ENGINE), after.get(ENGINE)) in UPGRADES


def switch(value: Any) -> Any:
    """A switch; a function stays one."""
    return value if is_function(value) else is_on(value)


def number(value: Any) -> Any:
    """A number, also where a template writes it as text; a function stays one."""
    return value if value is None or is_function(value) else int(value)


def key(value: Any) -> Any:
    """A key by its id; an alias as it is."""
    text = str(value or "")
    return text if "alias/" in text else text.rpartition("/")[2]


def make_comparison(
    read: Callable[[Aws, str], LiveConfiguration],
    forms: Mapping[str, Callable[[Any], Any]],
    fixed: Collection[str],
) -> ConfigurationComparison:
    """The comparison of a type of database; `forms` are those that not all types have."""
    return ConfigurationComparison(
        read=read,
        forms={**forms, "KmsKeyId": key, "Tags": tags_form},
        is_fixed=lambda name, _live, _declared: name in fixed,
        find_deletion=find_loss,
        # CloudFormation Template Reference ("Default: 1").
        defaults={RETENTION: 1},
        not_live=PASSWORDS,
    )
