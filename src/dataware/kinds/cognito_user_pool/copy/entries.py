"""What a user pool consists of, as far as it can be copied; pure.

Values of attributes show themselves to nobody who prints one of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

SIGN_IN = ("email", "phone_number")
"""The attributes by which people may sign in, in the order in which a user is named by them.

Source: Amazon Cognito API Reference, CreateUserPool, `UsernameAttributes`.
"""

CLIENT_SETTINGS = (
    "RefreshTokenValidity",
    "AccessTokenValidity",
    "IdTokenValidity",
    "TokenValidityUnits",
    "ReadAttributes",
    "WriteAttributes",
    "ExplicitAuthFlows",
    "SupportedIdentityProviders",
    "CallbackURLs",
    "LogoutURLs",
    "DefaultRedirectURI",
    "AllowedOAuthFlows",
    "AllowedOAuthScopes",
    "AllowedOAuthFlowsUserPoolClient",
    "AnalyticsConfiguration",
    "PreventUserExistenceErrors",
    "EnableTokenRevocation",
    "EnablePropagateAdditionalUserContextData",
    "AuthSessionValidity",
    "RefreshTokenRotation",
)
"""What CreateUserPoolClient takes, but the secret (Amazon Cognito API Reference)."""

_GROUP_SETTINGS = ("Description", "RoleArn", "Precedence")
_OWN_ATTRIBUTES = ("sub", "identities")
_DEFINITION = (
    "AttributeDataType",
    "DeveloperOnlyAttribute",
    "Mutable",
    "NumberAttributeConstraints",
    "StringAttributeConstraints",
)
_EMPTY: tuple[Any, ...] = (None, "", [], {})


class PoolStage(StrEnum):
    """What is copied one after another, because each may name what stands before it."""

    ATTRIBUTES = "attribute"
    GROUPS = "group"
    CLIENTS = "client"
    USERS = "user"
    MEMBERS = "member"


STAGES = tuple(PoolStage)


class PoolCursor(NamedTuple):
    """Where a copy goes on: in a stage, after a name, with the service's own token."""

    stage: PoolStage = PoolStage.ATTRIBUTES
    after: str = ""
    token: str = ""

    def to_text(self) -> str:
        """The cursor as a journal keeps it."""
        return json.dumps(list(self))

    @staticmethod
    def from_text(text: str | None) -> PoolCursor:
        """What `to_text` wrote; the beginning without it."""
        if not text:
            return PoolCursor()
        stage, after, token = json.loads(text)
        return PoolCursor(PoolStage(stage), after, token)

    def next_stage(self) -> PoolCursor | None:
        """The beginning of the next stage; None after the last."""
        rest = STAGES[STAGES.index(self.stage) + 1 :]
        return PoolCursor(rest[0]) if rest else None


@dataclass(frozen=True, slots=True)
class PoolUser:
    """A user; `key` is what they sign in with, empty where they have nothing of the kind."""

    name: str
    key: str = field(repr=False)
    attributes: Mapping[str, str] = field(repr=False)
    is_enabled: bool = True
    has_signed_in: bool = False

    def is_same(self, other: PoolUser) -> bool:
        """Whether another pool's user has the same attributes and the same state."""
        return self._is_like(other) and self.is_enabled is other.is_enabled

    def is_surely(self, other: PoolUser) -> bool:
        """Whether whoever signs in here is the person of another pool's user of the same key.

        Each pool makes its own `sub`, so no call says it. A user whom nobody has got in as is
        reached by what both have in common; else an address that both pools have verified says it
        (Amazon Cognito Developer Guide, "Verifying contact information at sign-up").
        """
        verified = (one for one in SIGN_IN if self.attributes.get(one) and self._is_verified(one))
        proven = any(self.attributes[one] == other.attributes.get(one) for one in verified)
        return not self.has_signed_in or (proven and self._is_like(other))

    def _is_verified(self, attribute: str) -> bool:
        return self.attributes.get(f"{attribute}_verified", "").lower() == "true"

    def is_begun_as(self, other: PoolUser) -> bool:
        """Whether this is `other` as a copy creates it, before it is disabled like that one."""
        is_fresh = self._is_like(other) and not self.has_signed_in
        return is_fresh and self.is_enabled and not other.is_enabled

    def _is_like(self, other: PoolUser) -> bool:
        """Whether both sign in alike: a name that is somebody else's alias finds that one."""
        return self.key == other.key and self.attributes == other.attributes


class PoolMember(NamedTuple):
    """That a user is in a group, which has these settings."""

    user: PoolUser
    group: str
    settings: Mapping[str, Any]


def is_federated(row: Mapping[str, Any]) -> bool:
    """Whether an identity provider has brought the user, whom no one else can create.

    Source: Amazon Cognito Developer Guide, "Linking federated users to an existing user profile".
    """
    return row.get("UserStatus") == "EXTERNAL_PROVIDER"


def read_user(row: Mapping[str, Any], sign_in: Sequence[str]) -> PoolUser:
    """A user as ListUsers or AdminGetUser answers; `sign_in` are the pool's UsernameAttributes."""
    rows = row.get("Attributes") or row.get("UserAttributes") or ()
    values = {one["Name"]: str(one.get("Value") or "") for one in rows}
    name = str(row["Username"])
    key = name
    if sign_in:
        key = next((values[one] for one in SIGN_IN if one in sign_in and values.get(one)), "")
    return PoolUser(
        name,
        key,
        {one: value for one, value in values.items() if _is_carried(one, value)},
        bool(row.get("Enabled", True)),
        row.get("UserStatus") != "FORCE_CHANGE_PASSWORD",
    )


def _is_carried(name: str, value: str) -> bool:
    """Whether an attribute is the user's own; that nothing is verified may be said or not."""
    if name in _OWN_ATTRIBUTES or name.startswith("cognito:"):
        return False
    return not (name.endswith("_verified") and value.lower() == "false")


def settings_of_group(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a group is but its name and its members."""
    return {name: row[name] for name in _GROUP_SETTINGS if row.get(name) not in _EMPTY}


def settings_of_client(row: Mapping[str, Any]) -> dict[str, Any]:
    """What an app client is but its name, its id and its secret, of which only that it has one."""
    settings = {name: row[name] for name in CLIENT_SETTINGS if row.get(name) not in _EMPTY}
    ordered = {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in settings.items()
    }
    return {**ordered, "GenerateSecret": bool(row.get("ClientSecret"))}


def custom_attributes(pool: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The attributes that were added to a pool, by their whole names."""
    rows = pool.get("SchemaAttributes") or ()
    return {
        row["Name"]: {name: row[name] for name in _DEFINITION if row.get(name) not in _EMPTY}
        for row in rows
        if row["Name"].startswith(("custom:", "dev:"))
    }


def plain_attribute_name(name: str) -> str:
    """The name of an added attribute as AddCustomAttributes takes it, without its prefixes.

    The rest may have colons of its own (Amazon Cognito API Reference, SchemaAttributeType).
    """
    return name.removeprefix("dev:").removeprefix("custom:")
