"""The card of AWS::Cognito::UserPool: kept, adopted or referenced, by name or id; copied in part.

A copy takes users with their attributes, groups with their members, added attributes and the
settings of app clients. `NOT_CARRIED` is what no call gives away or takes, so a copy is never
whole: it is made by hand, with consent, and ends as partial.

CloudFormation and every other service know a pool by its id, which the service makes up. Its name
is a label that several pools may share, so a name that means two pools means none, unless the stack
owns one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dataware.core.comparison import ConfigurationComparison, LiveConfiguration, is_on
from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.estimate import Throughput
from dataware.core.kind import Copying, Kind, Names, Permissions, Template
from dataware.core.model import SEVERAL, Existence, Facts, Location, Problem, Setting, absent
from dataware.core.phases import DESCRIBE, IMPORT
from dataware.core.ports import Aws
from dataware.core.probing import find_content, problem_of
from dataware.core.reader import Reader

_LIST_POOLS = "cognito-idp:ListUserPools"
_DESCRIBE = "cognito-idp:DescribeUserPool"
_LIST_USERS = "cognito-idp:ListUsers"
_NAME = re.compile(r"[\w\s+=,.@-]{1,128}", re.ASCII)
_ID = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d_[0-9A-Za-z]{1,55}")
_PAGE = 60
"""Pools in one answer, at most. Source: Amazon Cognito API Reference, ListUserPools."""


def check_name(name: str) -> str | None:
    """What is wrong with a pool's name, or None.

    Source: AWS CloudFormation User Guide, AWS::Cognito::UserPool, `UserPoolName`.
    """
    if not _NAME.fullmatch(name):
        return "a user pool's name has 1 to 128 letters, digits, spaces and _+=,.@-"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under a name, or under an id such as ``eu-central-1_A1b2C3d4E``."""
    idp = aws.client("cognito-idp")
    try:
        ids = [name] if _ID.fullmatch(name) else _find_ids(aws, idp, name)
        if not ids:
            return absent(name)
        if len(ids) > 1:
            return _several(name, ids)
        (pool_id,) = ids
        with aws.translate_errors(f"user pool {name}", _DESCRIBE):
            pool = idp.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _LIST_POOLS),))
    pages = idp.get_paginator("list_users").paginate(UserPoolId=pool_id)
    content, problems = find_content(
        aws, f"the users of pool {pool_id}", _LIST_USERS, pages, "Users"
    )
    return Facts(
        name,
        Existence.EXISTS,
        content,
        identity=pool_id,
        physical_id=pool_id,
        settings=_declared_settings(pool),
        problems=problems,
    )


def _find_ids(aws: Aws, idp: Any, name: str) -> list[str]:
    """The ids of all pools of a name. Raises LookupFailedError."""
    with aws.translate_errors(f"user pool {name}", _LIST_POOLS):
        pages = idp.get_paginator("list_user_pools").paginate(MaxResults=_PAGE)
        return sorted(
            pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == name
        )


def _several(name: str, ids: list[str]) -> Facts:
    """A name that several pools share: nobody sees which one is meant."""
    text = f"{len(ids)} user pools are named {name} ({', '.join(ids)}): give the id of one"
    return Facts(name, alike=tuple(ids), problems=(Problem("ListUserPools", SEVERAL, None, text),))


def _settings(protection: object, mfa: object) -> dict[str, Setting]:
    """How well users are protected; what is not literal is left out."""
    settings = {}
    if isinstance(protection, str):
        settings["deletion_protection"] = Setting(int(protection == "ACTIVE"), protection)
    if isinstance(mfa, str):
        settings["mfa"] = Setting(_MFA_RANKS.get(mfa, 0), mfa)
    return settings


_MFA_RANKS = {"OFF": 0, "OPTIONAL": 1, "ON": 2}


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, or of a pool: both name them alike and have the same defaults.

    Source: AWS CloudFormation User Guide, AWS::Cognito::UserPool.
    """
    return _settings(
        properties.get("DeletionProtection", "INACTIVE"), properties.get("MfaConfiguration", "OFF")
    )


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a pool as it is, by its name or id.

    Raises NotFoundError without the pool, and LookupFailedError where it is not seen, or several
    have the name.
    """
    idp = aws.client("cognito-idp")
    ids = [name] if _ID.fullmatch(name) else _find_ids(aws, idp, name)
    if len(ids) != 1:
        what = f"{len(ids)} user pools are named {name}" if ids else f"no user pool is named {name}"
        raise LookupFailedError(what) if ids else NotFoundError(what)
    with aws.translate_errors(f"user pool {name}", _DESCRIBE):
        pool = idp.describe_user_pool(UserPoolId=ids[0])["UserPool"]
    called = {"UserPoolName": "Name", "Schema": "SchemaAttributes"}
    properties = {
        name: pool.get(called.get(name, name)) for name in ("UserPoolName", *COMPARISON.forms)
    }
    return LiveConfiguration({name: one for name, one in properties.items() if one is not None})


def _username(value: Any) -> bool:
    """Whether names of users tell capitals apart, which no update changes.

    Source: CloudFormation Template Reference, AWS::Cognito::UserPool UsernameConfiguration.
    """
    return is_on((value or {}).get("CaseSensitive", True))


def _words(value: Any) -> list[str]:
    return sorted(map(str, value or ()))


FIXED = ("UsernameConfiguration", "AliasAttributes", "UsernameAttributes")
"""What a pool has from its creation (Amazon Cognito API Reference, UpdateUserPool)."""

COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "UsernameConfiguration": _username,
        "AliasAttributes": _words,
        "UsernameAttributes": _words,
        "AutoVerifiedAttributes": _words,
        "DeletionProtection": lambda value: value or "INACTIVE",
        "MfaConfiguration": lambda value: value or "OFF",
        "UserPoolTags": lambda value: dict(value or {}),
        "UserPoolTier": lambda value: value or "ESSENTIALS",
    },
    is_fixed=lambda name, _live, _declared: name in FIXED,
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    """The pool's ARN by its id; any pool's for a name, which no ARN holds."""
    pool_id = name if _ID.fullmatch(name) else "*"
    return (f"arn:{partition}:cognito-idp:{region}:{account}:userpool/{pool_id}",)


NOT_CARRIED = (
    "passwords",
    "MFA secrets",
    "the sub of users",
    "remembered devices",
    "refresh tokens",
    "client ids and secrets",
    "users of identity providers",
)
"""What of a pool nobody can copy: Cognito gives none of it out, or makes it up itself.

Source: Amazon Cognito Developer Guide, "Importing users into a user pool".
"""


def _make_copier(tools: CopyTools, order: CopyOrder) -> Copier[Any]:
    from dataware.kinds.cognito_user_pool.copy.copier import (
        UserPoolCopier,
    )

    return UserPoolCopier(tools, order)


def _make_reader(aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
    from dataware.kinds.cognito_user_pool.verify.reader import (
        UserPoolReader,
    )

    del all_versions, deep
    return UserPoolReader(aws, place)


_LISTED = (
    "cognito-idp:DescribeUserPoolClient",
    "cognito-idp:ListGroups",
    "cognito-idp:ListUserPoolClients",
)
_LOOKED_UP = ("cognito-idp:AdminGetUser", "cognito-idp:AdminListGroupsForUser")
_READ = (_DESCRIBE, *_LISTED, _LIST_USERS, "cognito-idp:ListUsersInGroup")
_WRITE = (
    "cognito-idp:AddCustomAttributes",
    "cognito-idp:AdminAddUserToGroup",
    "cognito-idp:AdminCreateUser",
    "cognito-idp:AdminDisableUser",
    "cognito-idp:CreateGroup",
    "cognito-idp:CreateUserPoolClient",
    # A group may have a role (CloudFormation Template Reference, AWS::Cognito::UserPoolGroup).
    "iam:PassRole",
)

_PASSES_TO = ("cognito-idp.amazonaws.com", "cognito-identity.amazonaws.com")
"""The services that assume the role of a pool, which sends messages, and the roles of groups.

Sources: Amazon Cognito Developer Guide, "SMS message settings for Amazon Cognito user pools" and
"Adding groups to a user pool".
"""

KIND = Kind(
    cfn_type="AWS::Cognito::UserPool",
    names=Names(
        "cognito-user-pool", "Cognito user pool", "user pool", "item", check_name, are_unique=False
    ),
    template=Template(
        identifier="UserPoolName",
        declared_settings=_declared_settings,
        protective=("DeletionProtection", "MfaConfiguration"),
        renamed_in_place=True,
        adoptable=False,
        import_identifier="UserPoolId",
        name_of=lambda _physical_id: None,
        reference_is_id=True,
    ),
    access=Permissions(
        phases={
            "account": (_LIST_POOLS,),
            "probe": (_DESCRIBE, _LIST_USERS),
            "read": _READ,
            "write": (_DESCRIBE, *_LISTED, *_LOOKED_UP, *_WRITE),
            "verify": (*_READ, *_LOOKED_UP),
            DESCRIBE: (_DESCRIBE,),
            # Beside the pool, what CloudFormation reads when it imports one.
            IMPORT: (
                _DESCRIBE,
                "cognito-idp:GetUserPoolMfaConfig",
                "kms:Decrypt",
                "kms:DescribeKey",
            ),
            "create": (
                "cognito-idp:CreateUserPool",
                "cognito-idp:DescribeUserPool",
                "cognito-idp:SetUserPoolMfaConfig",
                "cognito-idp:TagResource",
                "iam:PassRole",
            ),
        },
        arns=_arns,
        passes_to=_PASSES_TO,
    ),
    probe=probe,
    copying=Copying(
        scheme="cognito",
        copier=_make_copier,
        reader=_make_reader,
        ordered=False,
        readers=1,
        writers=8,
        speed=Throughput(20.0),
        in_deployments=False,
        in_plans=False,
        not_carried=NOT_CARRIED,
    ),
    comparison=COMPARISON,
)
