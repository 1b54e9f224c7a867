"""The calls that a copy of a user pool makes; what they raise holds no value of an attribute.

Source: Amazon Cognito User Pools API Reference, each operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dataware.core.errors import LookupFailedError, NotFoundError, RefusedError
from dataware.core.hidden_values import hide_values
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.kinds.cognito_user_pool.copy.entries import (
    PoolUser,
    custom_attributes,
    is_federated,
    plain_attribute_name,
    read_user,
    settings_of_client,
    settings_of_group,
)

PAGE: Final = 60
"""Rows of one answer, at most."""

EXPIRED: Final = "InvalidParameterException"
"""The code of a token that is no longer taken."""


class PoolClient:
    """One user pool, by its name or id; `sign_in` are its UsernameAttributes."""

    def __init__(self, aws: Aws, place: Location) -> None:
        self._aws = aws
        self.name = place.name
        self._what = f"user pool {place.name}"
        self._id = self._last_token = ""
        self.sign_in: tuple[str, ...] = ()

    def open(self) -> Mapping[str, Any]:
        """Find the pool and describe it. Raises NotFoundError, and Refused for a shared name."""
        self._id = self._id or self._find_id()
        with hide_values(self._aws, self._what, "cognito-idp:DescribeUserPool"):
            pool: Mapping[str, Any] = self._idp.describe_user_pool(UserPoolId=self._id)["UserPool"]
        self.sign_in = tuple(sorted(pool.get("UsernameAttributes") or ()))
        return pool

    def _find_id(self) -> str:
        pages = self._idp.get_paginator("list_user_pools")
        ids = []
        with hide_values(self._aws, self._what, "cognito-idp:ListUserPools"):
            for page in pages.paginate(MaxResults=PAGE):
                rows = page["UserPools"]
                ids += [row["Id"] for row in rows if self.name in (row["Name"], row["Id"])]
        if not ids:
            raise NotFoundError(f"{self._what} does not exist")
        if len(ids) > 1:
            raise RefusedError(
                f"{len(ids)} user pools are named {self.name} ({', '.join(sorted(ids))}); "
                "nothing was changed: give the id of one"
            )
        return str(ids[0])

    def read_attributes(self) -> dict[str, dict[str, Any]]:
        """The attributes that were added to the pool."""
        return custom_attributes(self.open())

    def add_attribute(self, name: str, definition: Mapping[str, Any]) -> None:
        """Add an attribute to the pool."""
        with hide_values(self._aws, self._what, "cognito-idp:AddCustomAttributes", writes=True):
            row = {"Name": plain_attribute_name(name), **definition}
            self._idp.add_custom_attributes(UserPoolId=self._id, CustomAttributes=[row])

    def read_groups(self) -> dict[str, dict[str, Any]]:
        """The groups that people have made, but those of identity providers, by name.

        Cognito makes a group for each provider, whose name begins with the pool's id (Developer
        Guide, "Adding groups to a user pool").
        """
        pages = self._idp.get_paginator("list_groups")
        with hide_values(self._aws, self._what, "cognito-idp:ListGroups"):
            return {
                row["GroupName"]: settings_of_group(row)
                for page in pages.paginate(UserPoolId=self._id)
                for row in page["Groups"]
                if not row["GroupName"].startswith(f"{self._id}_")
            }
        raise AssertionError  # what is hidden is raised

    def create_group(self, name: str, settings: Mapping[str, Any]) -> None:
        """Create a group, without members."""
        with hide_values(self._aws, self._what, "cognito-idp:CreateGroup", writes=True):
            self._idp.create_group(UserPoolId=self._id, GroupName=name, **settings)

    def read_clients(self) -> dict[str, list[dict[str, Any]]]:
        """The settings of the app clients by their names, of which several may have one."""
        pages = self._idp.get_paginator("list_user_pool_clients")
        clients: dict[str, list[dict[str, Any]]] = {}
        with hide_values(self._aws, self._what, "cognito-idp:ListUserPoolClients"):
            listed = pages.paginate(UserPoolId=self._id, MaxResults=PAGE)
            rows = [row for page in listed for row in page["UserPoolClients"]]
        with hide_values(self._aws, self._what, "cognito-idp:DescribeUserPoolClient"):
            for row in rows:
                query = {"UserPoolId": self._id, "ClientId": row["ClientId"]}
                client = self._idp.describe_user_pool_client(**query)["UserPoolClient"]
                clients.setdefault(row["ClientName"], []).append(settings_of_client(client))
        return clients

    def create_client(self, name: str, settings: Mapping[str, Any]) -> None:
        """Create an app client, which gets an id of its own, and maybe a secret."""
        with hide_values(self._aws, self._what, "cognito-idp:CreateUserPoolClient", writes=True):
            self._idp.create_user_pool_client(UserPoolId=self._id, ClientName=name, **settings)

    def list_users(self, token: str, limit: int) -> tuple[list[PoolUser], str]:
        """Some users, and the token for those after them; empty at the end."""
        query = {"UserPoolId": self._id, "Limit": limit}
        page = self._list("list_users", "cognito-idp:ListUsers", query, "PaginationToken", token)
        return self._read_users(page), str(page.get("PaginationToken") or "")

    def list_members(self, group: str, token: str, limit: int) -> tuple[list[PoolUser], str]:
        """Some users of a group, and the token for those after them; empty at the end."""
        query = {"UserPoolId": self._id, "GroupName": group, "Limit": limit}
        permission = "cognito-idp:ListUsersInGroup"
        page = self._list("list_users_in_group", permission, query, "NextToken", token)
        return self._read_users(page), str(page.get("NextToken") or "")

    def _list(
        self, call: str, permission: str, query: Mapping[str, Any], word: str, token: str
    ) -> Mapping[str, Any]:
        """A page; where the token of an earlier run is not taken any more, the first page."""
        paging = {word: token} if token else {}
        try:
            with hide_values(self._aws, self._what, permission):
                page: Mapping[str, Any] = getattr(self._idp, call)(**query, **paging)
        except LookupFailedError as error:
            is_old = token not in ("", self._last_token)
            if not is_old or error.code != EXPIRED:
                raise
            return self._list(call, permission, query, word, "")
        self._last_token = str(page.get(word) or "")
        return page

    def _read_users(self, page: Mapping[str, Any]) -> list[PoolUser]:
        rows: Iterator[Mapping[str, Any]] = iter(page["Users"])
        return [read_user(row, self.sign_in) for row in rows if not is_federated(row)]

    def find_user(self, key: str) -> PoolUser | None:
        """The user who signs in with `key`, if there is one."""
        try:
            with hide_values(self._aws, self._what, "cognito-idp:AdminGetUser"):
                row = self._idp.admin_get_user(UserPoolId=self._id, Username=key)
        except NotFoundError:
            return None
        return read_user(row, self.sign_in)

    def create_user(self, user: PoolUser) -> None:
        """Create a user without a word to anybody; what they sign in with is new to the pool."""
        rows = [{"Name": name, "Value": value} for name, value in user.attributes.items()]
        with hide_values(self._aws, self._what, "cognito-idp:AdminCreateUser", writes=True):
            self._idp.admin_create_user(
                UserPoolId=self._id,
                Username=user.key,
                UserAttributes=rows,
                MessageAction="SUPPRESS",
                ForceAliasCreation=False,
            )

    def disable_user(self, key: str) -> None:
        """Let a user not sign in."""
        with hide_values(self._aws, self._what, "cognito-idp:AdminDisableUser", writes=True):
            self._idp.admin_disable_user(UserPoolId=self._id, Username=key)

    def read_groups_of(self, key: str) -> Sequence[str]:
        """The groups of a user; none without the user."""
        pages = self._idp.get_paginator("admin_list_groups_for_user")
        try:
            with hide_values(self._aws, self._what, "cognito-idp:AdminListGroupsForUser"):
                groups = pages.paginate(UserPoolId=self._id, Username=key)
                return [row["GroupName"] for page in groups for row in page["Groups"]]
        except NotFoundError:
            return ()
        raise AssertionError  # what is hidden is raised

    def add_member(self, key: str, group: str) -> None:
        """Add a user to a group."""
        with hide_values(self._aws, self._what, "cognito-idp:AdminAddUserToGroup", writes=True):
            query = {"UserPoolId": self._id, "Username": key, "GroupName": group}
            self._idp.admin_add_user_to_group(**query)

    @property
    def _idp(self) -> Any:
        return self._aws.client("cognito-idp")
