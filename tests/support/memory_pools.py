"""Cognito user pools in memory: names, aliases, groups, clients, pages, and refusals.

Answers follow the Amazon Cognito User Pools API Reference. A user who is created without
MessageAction SUPPRESS would be written to, so that fails the test at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Self

from botocore.exceptions import ClientError

from dataware.aws.errors import translate_errors

Row = dict[str, Any]
PREFIXES = ("custom:", "dev:")


@dataclass
class MemoryPool:
    """One pool; `settings` are what DescribeUserPool answers beside the names."""

    id: str
    name: str
    settings: Row = field(default_factory=dict)
    users: dict[str, Row] = field(default_factory=dict)
    groups: dict[str, Row] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    clients: dict[str, Row] = field(default_factory=dict)

    def find(self, name: str) -> Row | None:
        """A user by name, or by what people sign in with."""
        if name in self.users:
            return self.users[name]
        aliases = [
            *self.settings.get("UsernameAttributes", ()),
            *self.settings.get("AliasAttributes", ()),
        ]
        for row in self.users.values():
            values = {one["Name"]: one["Value"] for one in row["Attributes"]}
            if any(values.get(alias) == name for alias in aliases):
                return row
        return None


class MemoryPools:
    """The client of Cognito, and the Aws port around it; `calls` are all operations so far.

    `refusals` give the code with which an operation is refused; `size` bounds a page.
    """

    account, region, partition = "111122223333", "eu-central-1", "aws"

    def __init__(self, size: int = 60) -> None:
        self.pools: dict[str, MemoryPool] = {}
        self.calls: list[str] = []
        self.refusals: dict[str, Callable[[Row], str | None]] = {}
        self.size = size
        self._made = 0

    def make(self, name: str, **settings: Any) -> MemoryPool:
        """A pool, as empty as it can be."""
        pool = MemoryPool(f"eu-central-1_Pool{len(self.pools)}", name, settings)
        self.pools[pool.id] = pool
        return pool

    def client(self, _service: str) -> MemoryPools:
        return self

    def for_region(self, _region: str) -> Self:
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        return translate_errors(what, permission)

    def describe_user_pool(self, **given: Any) -> Row:
        pool = self._hear("DescribeUserPool", given)
        named = {"Id": pool.id, "Name": pool.name, "EstimatedNumberOfUsers": len(pool.users)}
        return {"UserPool": {**named, **pool.settings}}

    def add_custom_attributes(self, **given: Any) -> Row:
        pool = self._hear("AddCustomAttributes", given)
        for row in given["CustomAttributes"]:
            assert not row["Name"].startswith(PREFIXES)
            prefix = "dev:custom:" if row.get("DeveloperOnlyAttribute") else "custom:"
            named = {**row, "Name": prefix + row["Name"]}
            pool.settings.setdefault("SchemaAttributes", []).append(named)
        return {}

    def create_group(self, **given: Any) -> Row:
        pool = self._hear("CreateGroup", given)
        pool.groups[given["GroupName"]] = {**given, "CreationDate": len(self.calls)}
        return {}

    def create_user_pool_client(self, **given: Any) -> Row:
        pool = self._hear("CreateUserPoolClient", given)
        self._made += 1
        row = {"ClientId": f"client{self._made}", "CreationDate": self._made, **given}
        if row.pop("GenerateSecret", False):
            row["ClientSecret"] = f"PLANTED-secret-{self._made}"
        pool.clients[row["ClientId"]] = row
        return {"UserPoolClient": row}

    def describe_user_pool_client(self, **given: Any) -> Row:
        pool = self._hear("DescribeUserPoolClient", given)
        return {"UserPoolClient": pool.clients[given["ClientId"]]}

    def admin_create_user(self, **given: Any) -> Row:
        pool = self._hear("AdminCreateUser", given)
        assert given["MessageAction"] == "SUPPRESS", "people are written to"
        assert "TemporaryPassword" not in given
        if pool.find(given["Username"]):
            raise _error("UsernameExistsException", "AdminCreateUser")
        self._made += 1
        sub = f"0000-{self._made}"
        made_up = bool(pool.settings.get("UsernameAttributes"))
        attributes = [{"Name": "sub", "Value": sub}, *given["UserAttributes"]]
        row = {
            "Username": sub if made_up else given["Username"],
            "Attributes": attributes,
            "Enabled": True,
            "UserStatus": "FORCE_CHANGE_PASSWORD",
        }
        pool.users[row["Username"]] = row
        return {"User": row}

    def admin_disable_user(self, **given: Any) -> Row:
        self._user("AdminDisableUser", given)["Enabled"] = False
        return {}

    def admin_get_user(self, **given: Any) -> Row:
        row = dict(self._user("AdminGetUser", given))
        return {**row, "UserAttributes": row.pop("Attributes")}

    def admin_add_user_to_group(self, **given: Any) -> Row:
        row = self._user("AdminAddUserToGroup", given)
        pool = self.pools[given["UserPoolId"]]
        pool.members.setdefault(given["GroupName"], []).append(row["Username"])
        return {}

    def list_users(self, **given: Any) -> Row:
        pool = self._hear("ListUsers", given)
        return self._page(given, "Users", list(pool.users.values()), "PaginationToken")

    def list_users_in_group(self, **given: Any) -> Row:
        pool = self._hear("ListUsersInGroup", given)
        rows = [pool.users[name] for name in pool.members.get(given["GroupName"], ())]
        return self._page(given, "Users", rows, "NextToken")

    def get_paginator(self, operation: str) -> _Pages:
        return _Pages(getattr(self, f"_{operation}"))

    def _list_user_pools(self, given: Row) -> Row:
        self._hear("ListUserPools", given)
        rows = [{"Id": pool.id, "Name": pool.name} for pool in self.pools.values()]
        return {"UserPools": rows}

    def _list_groups(self, given: Row) -> Row:
        return {"Groups": list(self._hear("ListGroups", given).groups.values())}

    def _list_user_pool_clients(self, given: Row) -> Row:
        pool = self._hear("ListUserPoolClients", given)
        words = ("ClientId", "ClientName")
        return {
            "UserPoolClients": [
                {word: row[word] for word in words} for row in pool.clients.values()
            ]
        }

    def _admin_list_groups_for_user(self, given: Row) -> Row:
        name = self._user("AdminListGroupsForUser", given)["Username"]
        pool = self.pools[given["UserPoolId"]]
        return {
            "Groups": [
                row for group, row in pool.groups.items() if name in pool.members.get(group, ())
            ]
        }

    def _page(self, given: Row, field_name: str, rows: list[Row], word: str) -> Row:
        start = int(str(given.get(word) or "at0").removeprefix("at"))
        end = start + min(self.size, given["Limit"])
        more = {word: f"at{end}"} if end < len(rows) else {}
        return {field_name: rows[start:end], **more}

    def _user(self, operation: str, given: Row) -> Row:
        row = self._hear(operation, given).find(given["Username"])
        if row is None:
            raise _error("UserNotFoundException", operation)
        return row

    def _hear(self, operation: str, given: Row) -> MemoryPool:
        """Note the call, refuse it where a test says so, and answer with its pool."""
        self.calls.append(operation)
        refuse = self.refusals.get(operation)
        if refuse and (code := refuse(given)):
            raise _error(code, operation, f"Value '{given}' failed to satisfy constraint")
        return self.pools.get(given.get("UserPoolId", ""), MemoryPool("", ""))


@dataclass(frozen=True)
class _Pages:
    ask: Callable[[Row], Row]

    def paginate(self, **given: Any) -> Iterator[Mapping[str, Any]]:
        """All of it, at once."""
        yield self.ask(given)


def _error(code: str, operation: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
