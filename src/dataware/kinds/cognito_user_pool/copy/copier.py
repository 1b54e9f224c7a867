"""Copies what can be copied of a user pool into another one: no password, and no word to people.

What is there is never changed, so a run that was killed resumes from what the target holds. Every
user is created with MessageAction SUPPRESS: Cognito writes to nobody. A user gets in again by a
temporary password, which is sent when somebody asks for it (AdminCreateUser with RESEND).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dataware.core.copier import (
    CopyOrder,
    CopyOutcome,
    CopyTools,
    PageBound,
    SkippedKey,
    SkipReason,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import ConflictError, LookupFailedError, RefusedError
from dataware.core.model import OnConflict, Size
from dataware.core.pace import Pace
from dataware.core.page_cursor import PageCursor
from dataware.kinds.cognito_user_pool.copy.client import PAGE, PoolClient
from dataware.kinds.cognito_user_pool.copy.entries import (
    PoolCursor,
    PoolMember,
    PoolStage,
    PoolUser,
)
from dataware.kinds.ordered_copier import OrderedCopier

CREATIONS: Final = 25.0
CHANGES: Final = 12.0
"""Users that are created, and other writes, in a second: half of what an account may by default.

Source: Amazon Cognito Developer Guide, "Quotas in Amazon Cognito" (UserCreation 50, UserUpdate 25
requests a second, for all pools of an account and region together).
"""

UNIT_BYTES: Final = 64 * 1024
"""More than a user can have: 50 attributes of 2,048 characters are most of the time a few."""

TAKEN: Final = frozenset({"UsernameExistsException", "AliasExistsException"})
REFUSED: Final = frozenset(
    {
        "InvalidParameterException",
        "InvalidOAuthFlowException",
        "InvalidPasswordException",
        "FeatureUnavailableInTierException",
        "ResourceNotFoundException",
        "ScopeDoesNotExistException",
        "UnexpectedLambdaException",
        "UnsupportedUserStateException",
        "UserLambdaValidationException",
        "UserNotFoundException",
    }
)
"""What one entry is refused for, and the next one may not be."""


@dataclass(frozen=True, slots=True)
class PoolEntry:
    """One thing to write: `label` names it for people, `content` is what it consists of."""

    stage: PoolStage
    name: str = field(repr=False)
    label: str
    content: Any = field(default=None, repr=False)
    done: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)


OWN: Final = "the target has its own"
OTHER_PERSON: Final = (
    "the target has another user of that name, who has signed in there: no address is the same "
    "and verified in both pools"
)


class _KeptByTargetError(Exception):
    """The target has its own under the name of an entry; the text says what is known of it."""

    def __init__(self, why: str = OWN) -> None:
        super().__init__(why)
        self.why = why


class UserPoolCopier(OrderedCopier):
    """The copier of user pools."""

    def __init__(self, tools: CopyTools, order: CopyOrder) -> None:
        super().__init__(tools, order)
        self._source, self._target = (
            PoolClient(tools.aws.for_region(place.region), place)
            for place in (order.source, order.target)
        )
        self._creations = Pace(tools.clock, CREATIONS)
        self._changes = Pace(tools.clock, CHANGES)
        self._there: dict[PoolStage, Mapping[str, Any]] = {}
        self._made: set[str] = set()
        self._writers: Mapping[PoolStage, Callable[[PoolEntry], Awaitable[bool]]] = {
            PoolStage.ATTRIBUTES: self._write_attribute,
            PoolStage.GROUPS: self._write_group,
            PoolStage.CLIENTS: self._write_client,
            PoolStage.USERS: self._write_user,
            PoolStage.MEMBERS: self._write_member,
        }

    async def size(self) -> Size:
        """How many users the service counts, which it does from time to time."""
        pool = await self._call(self._source.open)
        return Size(int(pool.get("EstimatedNumberOfUsers") or 0), 0, exact=False)

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage[PoolEntry]]:
        """All entries, stage by stage; a page comes once the one before is written.

        So a member is added when the user and the group are there.
        """
        del partition
        await self._open_both()
        cursor: PoolCursor | None = PoolCursor.from_text(after)
        places = PageCursor("ListUsers", f"user pool {self._source.name}")
        while cursor is not None:
            entries, cursor = await self._read_page(cursor, bound)
            if cursor is not None:
                places.advance(cursor)
            if entries or cursor is None:
                units = tuple(Unit(one, 1, UNIT_BYTES) for one in entries)
                yield UnitPage(units, cursor.to_text() if cursor else None)
            for one in entries:
                await one.done.wait()

    async def _open_both(self) -> None:
        """Look at both pools. Raises Refused for what would change people's data or lose it."""
        source, target = self._source, self._target
        for client in (source, target):
            await self._call(client.open)
        if self._order.on_conflict is OnConflict.SOURCE:
            raise RefusedError(
                f"nothing was changed, because replacing users of {target.name} would make Cognito "
                "write to people: leave --on-conflict source out"
            )
        if source.sign_in != target.sign_in:
            one, two = (_describe_sign_in(client.sign_in) for client in (source, target))
            raise RefusedError(
                f"nothing was copied, because people sign in to {source.name} with {one} and to "
                f"{target.name} with {two}: make a pool with the same UsernameAttributes"
            )

    async def _read_page(
        self, cursor: PoolCursor, bound: PageBound
    ) -> tuple[list[PoolEntry], PoolCursor | None]:
        """Some entries of a stage, and where those after them begin."""
        limit = max(1, min(PAGE, bound() or PAGE))
        if cursor.stage is PoolStage.USERS:
            users, token = await self._call(self._source.list_users, cursor.token, limit)
            entries = [_entry_of(user) for user in users]
            return entries, cursor._replace(token=token) if token else cursor.next_stage()
        if cursor.stage is PoolStage.MEMBERS:
            return await self._read_members(cursor, limit)
        rows = await self._call(_READS[cursor.stage], self._source)
        names = sorted(name for name in rows if name > cursor.after)
        page = [
            PoolEntry(cursor.stage, name, f"{cursor.stage.value} {name}", rows[name])
            for name in names[:limit]
        ]
        if names[limit:]:
            return page, cursor._replace(after=page[-1].name)
        return page, cursor.next_stage()

    async def _read_members(
        self, cursor: PoolCursor, limit: int
    ) -> tuple[list[PoolEntry], PoolCursor | None]:
        """Some members of a group: with a token, of the one at the cursor, else of the next."""
        settings = await self._call(self._source.read_groups)
        names = sorted(settings)
        begun = [name for name in names if cursor.token and name == cursor.after]
        rest = begun or [name for name in names if name > cursor.after]
        if not rest:
            return [], None
        token, group = (cursor.token if begun else ""), rest[0]
        users, token = await self._call(self._source.list_members, group, token, limit)
        members = [PoolMember(user, group, settings[group]) for user in users]
        entries = [
            PoolEntry(cursor.stage, one.user.key, f"user {one.user.name} in group {group}", one)
            for one in members
        ]
        return entries, PoolCursor(cursor.stage, group, token)

    async def write(self, unit: Unit[PoolEntry]) -> CopyOutcome:
        """Bring one entry over; what the target has of its own stays."""
        entry = unit.payload
        try:
            outcome = await self._write_entry(entry)
        except _KeptByTargetError as kept:
            outcome = CopyOutcome(skipped=(self._keep(entry, kept.why),))
        except LookupFailedError as error:
            outcome = CopyOutcome(skipped=(self._skip(entry, error),))
        entry.done.set()
        return outcome

    async def _write_entry(self, entry: PoolEntry) -> CopyOutcome:
        if not entry.name:
            why = "it has nothing to sign in with"
            return CopyOutcome(skipped=(SkippedKey(entry.label, SkipReason.FAILED, why),))
        is_new = await self._writers[entry.stage](entry)
        return CopyOutcome(copied=int(is_new), same=int(not is_new))

    def _keep(self, entry: PoolEntry, why: str = OWN) -> SkippedKey:
        """The entry of which the target has its own. Raises ConflictError where that is a stop."""
        if self._order.on_conflict is OnConflict.STOP:
            raise ConflictError(
                f"user pool {self._target.name} has its own {entry.label}; it was not changed, and "
                "the run stops because of --on-conflict stop"
            )
        return SkippedKey(entry.label, SkipReason.CONFLICT, why)

    def _skip(self, entry: PoolEntry, error: LookupFailedError) -> SkippedKey:
        """The entry that the service refuses. Raises the error where others would fail, too."""
        code = error.code
        if code in TAKEN:
            return self._keep(entry)
        if code not in REFUSED:
            raise error
        return SkippedKey(entry.label, SkipReason.FAILED, f"the target refuses it ({code})")

    async def _read_target(self, stage: PoolStage) -> Mapping[str, Any]:
        """What the target has of a stage, as it was first seen."""
        if stage not in self._there:
            self._there[stage] = await self._call(_READS[stage], self._target)
        return self._there[stage]

    async def _write_attribute(self, entry: PoolEntry) -> bool:
        return await self._write_once(entry, self._target.add_attribute)

    async def _write_group(self, entry: PoolEntry) -> bool:
        return await self._write_once(entry, self._target.create_group)

    async def _write_once(
        self, entry: PoolEntry, create: Callable[[str, Mapping[str, Any]], None]
    ) -> bool:
        """Create what is not there; whether it was. Raises _KeptByTargetError for another one."""
        there = (await self._read_target(entry.stage)).get(entry.name)
        if there is not None and there != entry.content:
            raise _KeptByTargetError
        if there is None:
            await self._changes.wait()
            try:
                await self._call(create, entry.name, entry.content)
            except LookupFailedError:
                # The SDK asks again where no answer came, and what stands by then is refused.
                present = await self._call(_READS[entry.stage], self._target)
                if present.get(entry.name) != entry.content:
                    raise
        return there is None

    async def _write_client(self, entry: PoolEntry) -> bool:
        """Create the clients of a name that are not there: several may share it."""
        there = (await self._read_target(entry.stage)).get(entry.name) or []
        lacking = _take_away(entry.content, there)
        if lacking and _take_away(there, entry.content):
            raise _KeptByTargetError
        for settings in lacking:
            await self._changes.wait()
            await self._call(self._target.create_client, entry.name, settings)
        return bool(lacking)

    async def _write_user(self, entry: PoolEntry) -> bool:
        user: PoolUser = entry.content
        there = await self._call(self._target.find_user, user.key)
        if there is not None and there.is_same(user):
            self._check_person(there, user)
            return False
        if there is not None and not there.is_begun_as(user):
            raise _KeptByTargetError
        if there is None:
            await self._creations.wait()
            await self._create_user(user)
            self._made.add(user.key)
        if not user.is_enabled:
            await self._changes.wait()
            await self._call(self._target.disable_user, user.key)
        return True

    async def _create_user(self, user: PoolUser) -> None:
        """Create a user; one that stands by then is this copy's own where nobody has got in.

        The SDK asks again where no answer came, and is told that the user exists.
        """
        try:
            await self._call(self._target.create_user, user)
        except LookupFailedError as error:
            if error.problem is None or error.problem.code not in TAKEN:
                raise
            there = await self._call(self._target.find_user, user.key)
            is_made = there is not None and (there.is_same(user) or there.is_begun_as(user))
            if there is None or there.has_signed_in or not is_made:
                raise

    def _check_person(self, there: PoolUser, user: PoolUser) -> None:
        """Raise _KeptByTargetError where the target's user may be another person."""
        if user.key not in self._made and not there.is_surely(user):
            raise _KeptByTargetError(OTHER_PERSON)

    async def _write_member(self, entry: PoolEntry) -> bool:
        """Add a user to a group, where both are those of the source: a group may give rights."""
        member: PoolMember = entry.content
        group = (await self._read_target(PoolStage.GROUPS)).get(member.group, member.settings)
        there = await self._call(self._target.find_user, entry.name)
        if group != member.settings or (there is not None and not there.is_same(member.user)):
            raise _KeptByTargetError
        if member.group in await self._call(self._target.read_groups_of, entry.name):
            return False
        if there is not None:
            self._check_person(there, member.user)
        await self._changes.wait()
        await self._call(self._target.add_member, entry.name, member.group)
        return True


_READS: Mapping[PoolStage, Callable[[PoolClient], Mapping[str, Any]]] = {
    PoolStage.ATTRIBUTES: PoolClient.read_attributes,
    PoolStage.GROUPS: PoolClient.read_groups,
    PoolStage.CLIENTS: PoolClient.read_clients,
}


def _entry_of(user: PoolUser) -> PoolEntry:
    return PoolEntry(PoolStage.USERS, user.key, f"user {user.name}", user)


def _describe_sign_in(attributes: Sequence[str]) -> str:
    return " or ".join(attributes) or "a user name"


def _take_away(
    some: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """What is in `some` and not in `others`, each as often as that."""
    rest = Counter(repr(sorted(one.items())) for one in others)
    lacking = []
    for one in some:
        content = repr(sorted(one.items()))
        if rest[content]:
            rest[content] -= 1
        else:
            lacking.append(one)
    return lacking
