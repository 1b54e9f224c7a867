"""Reads all of a user pool that a copy can carry, entry by entry, without any code of the copy.

Records hold the values of attributes and go nowhere; what is said of an entry is its kind and name.
ListUsers may be behind, so an entry that a listing lacks is looked up by itself (Amazon Cognito API
Reference, ListUsers and AdminGetUser).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from dataware.core.errors import NotFoundError, RefusedError
from dataware.core.hidden_values import hide_values
from dataware.core.model import Location
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.core.reader import Evidence, FingerprintPage, KeyFingerprint, Reader

_PAGE: Final = 60
_FEDERATED = "EXTERNAL_PROVIDER"
_NOT_SETTINGS = {
    *("UserPoolId", "ClientId", "ClientName", "ClientSecret", "ClientType"),
    *("LastModifiedDate", "CreationDate"),
}
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})
_WITHOUT_LISTING = "attribute", "group", "client"


class PoolRecord(NamedTuple):
    """One entry: what it is, the key by which both pools know it, its name here, and the rest."""

    kind: str
    key: tuple[str, ...]
    label: str
    content: str

    def __repr__(self) -> str:
        return f"PoolRecord({self.kind})"


class UserPoolReader(Reader):
    """Reads one user pool, by its name or id."""

    def __init__(self, aws: Aws, place: Location) -> None:
        self._aws = aws
        self._name = place.name
        self._what = f"user pool {place.name}"
        self._description: Mapping[str, Any] | None = None

    def parts(self) -> Sequence[str]:
        """One: the service lists users one page after another."""
        return ("",)

    def pages(self, part: str, after: str | None = None) -> Iterator[FingerprintPage]:
        """Attributes, groups and clients, then users, then who is in which group."""
        del part
        stage, group, token = json.loads(after) if after else ("settings", "", "")
        if stage == "settings":
            yield FingerprintPage(list(self._settings()), json.dumps(["users", "", ""]))
            stage = "users"
        cursor = PageCursor("ListUsers", self._what)
        while stage == "users":
            rows, token = self._list_users("list_users", "ListUsers", "PaginationToken", token)
            cursor.advance(token)
            stage = "users" if token else "members"
            records = [self._user(row) for row in rows]
            yield FingerprintPage(records, json.dumps([stage, "", token]))
        names = [
            name for name in sorted(self._groups()) if name > group or (token and name == group)
        ]
        for name in names:
            done = False
            cursor = PageCursor("ListUsersInGroup", self._what)
            while not done:
                rows, token = self._list_users(
                    "list_users_in_group", "ListUsersInGroup", "NextToken", token, GroupName=name
                )
                done = not token
                cursor.advance(token)
                records = [self._member(row, name) for row in rows]
                yield FingerprintPage(records, json.dumps(["members", name, token]))
        yield FingerprintPage([])

    def digest_raw(self, record: PoolRecord) -> bytes:
        """Sixteen bytes of an entry."""
        text = json.dumps([record.kind, record.key, record.content])
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    digest_canonical = digest_raw

    def entry(self, record: PoolRecord) -> KeyFingerprint:
        """An entry of the pool as one of a comparison."""
        key = json.dumps([record.kind, *record.key]).encode()
        digest = self.digest_raw(record)
        return KeyFingerprint(key, digest, f"{record.kind} {record.label}", sent=digest)

    def find(self, keys: Sequence[KeyFingerprint]) -> Mapping[bytes, KeyFingerprint]:
        """The present entries under some keys, each of which is asked for."""
        settings: dict[bytes, KeyFingerprint] | None = None
        entries: dict[bytes, KeyFingerprint] = {}
        for one in keys:
            kind, *key = json.loads(one.key)
            if kind in _WITHOUT_LISTING:
                if settings is None:
                    settings = {each.key: each for each in map(self.entry, self._settings())}
                there = settings.get(one.key)
            else:
                there = next(map(self.entry, self._find_user(kind, key)), None)
            if there is not None and there.key == one.key:
                entries[one.key] = there
        return entries

    def same(self, mine: KeyFingerprint, other: Reader, theirs: KeyFingerprint) -> Evidence | None:
        """Digests say it all."""
        del other
        return Evidence.CONTENT if mine.digest == theirs.digest else None

    def _find_user(self, kind: str, key: Sequence[str]) -> Iterator[PoolRecord]:
        """The user of a key, or that they are in a group; nothing where that is not so."""
        where = {"UserPoolId": self._pool["Id"], "Username": key[0]}
        try:
            with self._hide("AdminGetUser"):
                row = self._idp.admin_get_user(**where)
            if kind == "user" and row.get("UserStatus") != _FEDERATED:
                yield self._user(row)
            if kind == "member" and key[1] in self._groups_of(where):
                yield self._member(row, key[1])
        except NotFoundError:
            return

    def _groups_of(self, where: Mapping[str, str]) -> list[str]:
        pages = self._idp.get_paginator("admin_list_groups_for_user").paginate(**where)
        return [row["GroupName"] for row in self._rows("AdminListGroupsForUser", pages, "Groups")]

    def _list_users(
        self, call: str, action: str, word: str, token: str, **query: str
    ) -> tuple[list[Mapping[str, Any]], str]:
        """A page of users that no identity provider has brought, and the next token."""
        given = {**query, **({word: token} if token else {})}
        with self._hide(action):
            page = getattr(self._idp, call)(UserPoolId=self._pool["Id"], Limit=_PAGE, **given)
        rows = [row for row in page["Users"] if row.get("UserStatus") != _FEDERATED]
        return rows, str(page.get(word) or "")

    def _user(self, row: Mapping[str, Any]) -> PoolRecord:
        attributes = _attributes_of(row)
        own = {
            name: value
            for name, value in attributes.items()
            if name not in {"sub", "identities"} and not name.startswith("cognito:")
        }
        for name in [name for name in own if name.endswith("_verified")]:
            if own[name].lower() == "false":
                del own[name]
        content = [sorted(own.items()), bool(row.get("Enabled", True))]
        return PoolRecord("user", (self._key_of(row),), row["Username"], json.dumps(content))

    def _member(self, row: Mapping[str, Any], group: str) -> PoolRecord:
        label = f"{row['Username']} in group {group}"
        return PoolRecord("member", (self._key_of(row), group), label, "")

    def _key_of(self, row: Mapping[str, Any]) -> str:
        """What a user signs in with: their name, unless the pool makes that up."""
        by, attributes = self._pool.get("UsernameAttributes") or (), _attributes_of(row)
        if not by:
            return str(row["Username"])
        named = (attributes.get(one, "") for one in ("email", "phone_number") if one in by)
        return next(filter(None, named), "")

    def _settings(self) -> Iterator[PoolRecord]:
        """Attributes that were added, groups, and app clients."""
        self._description = None
        for row in self._pool.get("SchemaAttributes") or ():
            if row["Name"].startswith(("custom:", "dev:")):
                content = _without(row, "Name", "Required")
                yield PoolRecord("attribute", (row["Name"],), row["Name"], content)
        for name, row in self._groups().items():
            content = _without(row, *_NOT_SETTINGS, "GroupName")
            yield PoolRecord("group", (name,), name, content)
        for name, settings in self._clients().items():
            yield PoolRecord("client", (name,), name, json.dumps(sorted(settings)))

    def _groups(self) -> dict[str, Mapping[str, Any]]:
        """The groups by name, but those that belong to identity providers."""
        pool = self._pool["Id"]
        pages = self._idp.get_paginator("list_groups").paginate(UserPoolId=pool)
        rows = self._rows("ListGroups", pages, "Groups")
        return {
            row["GroupName"]: row for row in rows if not row["GroupName"].startswith(f"{pool}_")
        }

    def _clients(self) -> dict[str, list[str]]:
        """The settings of each client by its name; of a secret only that there is one."""
        where = {"UserPoolId": self._pool["Id"]}
        pages = self._idp.get_paginator("list_user_pool_clients")
        settings: dict[str, list[str]] = {}
        rows = self._rows("ListUserPoolClients", pages.paginate(**where), "UserPoolClients")
        for row in rows:
            with self._hide("DescribeUserPoolClient"):
                answer = self._idp.describe_user_pool_client(**where, ClientId=row["ClientId"])
            client = answer["UserPoolClient"]
            content = [_without(client, *_NOT_SETTINGS), bool(client.get("ClientSecret"))]
            settings.setdefault(row["ClientName"], []).append(json.dumps(content))
        return settings

    def _rows(
        self, action: str, pages: Iterable[Mapping[str, Any]], field: str
    ) -> list[Mapping[str, Any]]:
        with self._hide(action):
            return [row for page in pages for row in page[field]]
        raise AssertionError  # what is hidden is raised

    @property
    def _pool(self) -> Mapping[str, Any]:
        """The pool, as it was first seen. Raises NotFoundError, and Refused for a shared name."""
        if self._description is None:
            pages = self._idp.get_paginator("list_user_pools").paginate(MaxResults=_PAGE)
            rows = self._rows("ListUserPools", pages, "UserPools")
            ids = [row["Id"] for row in rows if self._name in (row["Id"], row["Name"])]
            if len(ids) > 1:
                raise RefusedError(f"{len(ids)} user pools are named {self._name}: give an id")
            if not ids:
                raise NotFoundError(f"{self._what} does not exist")
            with self._hide("DescribeUserPool"):
                self._description = self._idp.describe_user_pool(UserPoolId=ids[0])["UserPool"]
        return self._description

    def _hide(self, action: str) -> Any:
        return hide_values(self._aws, self._what, f"cognito-idp:{action}")

    @property
    def _idp(self) -> Any:
        return self._aws.client("cognito-idp")


def _attributes_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The attributes of a user, whichever call has answered."""
    rows = row.get("Attributes") or row.get("UserAttributes") or ()
    return {one["Name"]: str(one.get("Value") or "") for one in rows}


def _without(row: Mapping[str, Any], *names: str) -> str:
    """What is set of a row, but some of it, as text in which equal values are equal."""
    kept = {
        name: sorted(value) if _is_words(value) else value
        for name, value in row.items()
        if name not in names and value not in _NOTHING
    }
    return json.dumps(kept, sort_keys=True, default=str)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
