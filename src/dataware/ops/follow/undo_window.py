"""What a cut-over leaves behind so that it can be undone: where the target's feed was before it.

The feed is opened once both sides are closed, and before the target is open. So whatever is written
to the target from the switch on comes by that feed, together with what was carried shortly before,
which is equal on both sides and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from dataware.core.errors import DatawareError, NotFoundError
from dataware.core.events import event
from dataware.core.follow.feed import ChangeFeed, FollowState, FollowStates, Gap
from dataware.core.follow.following import Following
from dataware.core.follow.ledger import LedgerFeed, swap_tags
from dataware.core.follow.written import WrittenVersion
from dataware.core.model import Location
from dataware.core.names import place_of
from dataware.core.ports import Journal
from dataware.kinds import kinds
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import Context, aws_of
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.marker_names import on_record
from dataware.ops.migration_policy import UNDO_FEED, Migration

SWITCHING = "switching"
"""The record in the journal after which strays belong to the cut-over that goes on."""

STRAYS, STRAYS_MISSED = "strays", "strays-missed"

UNDECIDED = "undecided"
"""The record of keys that both sides wrote since the switch, for a person to decide."""


def undo_kind(slug: str) -> str:
    """Under what the keys that changed in a target since its switch are kept."""
    return f"{slug}-undo"


class UndoWindow:
    """The undo of one cut-over; nothing of it stops the cut-over."""

    def __init__(
        self,
        context: Context,
        migration: Migration,
        run: str,
        publish: Callable[[Mapping[str, object]], None],
    ) -> None:
        self._context = context
        self._migration = migration
        self._run = run
        self._publish = publish
        self._is_open = False
        self.witness = uuid4().hex[:8]

    def prepare(self, *, enable: bool) -> None:
        """Switch the target's feed on where it has none, and a person allowed that.

        Raises LookupFailedError.
        """
        following, place = require_following(self._migration.kind), self._migration.order.target
        aws = aws_of(self._context, place)
        if not enable or not following.feed_noun or following.find_feed(aws, place.name):
            return
        feed = following.enable_feed(aws, place.name)
        self._publish({UNDO_FEED: feed})
        words = {**self._migration.words(), "source": place.name}
        self._context.emit(event("feed-enabled", feed=following.feed_noun, **words))

    def open(self, journal: Journal, now: float) -> None:
        """Remember where the target's feed is, once per freeze; warn where that is not known."""
        if self._is_open:
            return
        self._is_open = True
        journal.append({"type": SWITCHING, "id": self.witness})
        state = open_undo_window(self._context, self._migration, self._run, self.witness, ())
        try:
            position = self._find_position(now)
            if position is not None:
                state.save_position(position)
        finally:
            state.close()

    def _find_position(self, now: float) -> Mapping[str, Any] | None:
        following, place = require_following(self._migration.kind), self._migration.order.target
        if not following.feed_noun:
            return None
        try:
            feed = following.make_feed(aws_of(self._context, place), place.name)
            return feed.open(None, now)
        except NotFoundError:
            return None
        except DatawareError as error:
            text = f"what is written to {place.name} can be carried back by comparing only: {error}"
            self._context.emit(event("warning", text=text, **self._migration.words()))
            return None


def open_undo_window(
    context: Context, migration: Migration, run: str, witness: str, lost: Collection[Gap]
) -> FollowState:
    """What is kept for the undo of the switch by `witness`; `lost` are its gaps where that is
    nothing here."""
    states: FollowStates | None = context.follow_states
    if states is None:
        raise NotFoundError("changed keys cannot be kept here")
    _, target = on_record(migration.kind, migration.order)
    kind = undo_kind(migration.kind.names.slug)
    return states.open(kind, target, f"{run}.{witness}", lost)


@dataclass(frozen=True, slots=True)
class KnownStrays:
    """The keys that were written behind a switch, as a journal has them.

    `is_seen` says that the switch was made on this machine, and `is_missed` that some keys may have
    gone unseen.
    """

    keys: frozenset[bytes] = frozenset()
    is_seen: bool = False
    is_missed: bool = False

    @property
    def are_all(self) -> bool:
        """Whether these are all."""
        return self.is_seen and not self.is_missed

    @staticmethod
    def read(records: Iterable[Mapping[str, Any]], witness: str) -> KnownStrays:
        """Those after the switch by `witness`."""
        keys: set[bytes] = set()
        is_seen = is_missed = False
        for record in records:
            if record.get("type") == SWITCHING:
                keys, is_missed, is_seen = set(), False, record.get("id") == witness
            elif record.get("type") == STRAYS:
                keys.update(key.encode("utf-8", "surrogatepass") for key in record["keys"])
            elif record.get("type") == STRAYS_MISSED:
                is_missed = True
        return KnownStrays(frozenset(keys) if is_seen else frozenset(), is_seen, is_missed)


class UndecidedKeys:
    """The keys that both sides wrote since the switch by `witness`, as a journal has them."""

    def __init__(self, journal: Journal, witness: str) -> None:
        self._journal = journal
        self.keys: set[bytes] = set()
        is_known = False
        for record in journal.records():
            if record.get("type") == SWITCHING:
                self.keys = set()
                is_known = record.get("id") == witness
            elif record.get("type") == UNDECIDED and is_known:
                self.keys.update(key.encode("utf-8", "surrogatepass") for key in record["keys"])

    def keep(self, keys: Collection[bytes]) -> None:
        """Remember keys; on disk when this returns."""
        if new := frozenset(keys) - self.keys:
            texts = sorted(key.decode("utf-8", "surrogatepass") for key in new)
            self._journal.append({"type": UNDECIDED, "keys": texts})
            self.keys |= new


def switch_off(context: Context, slug: str, name: str, feed: object) -> None:
    """Switch off the feed of `name` that a migration switched on, by its id on record.

    What somebody else switched on, and a later one, stay on. Raises LookupFailedError.
    """
    kind = next((one for one in kinds() if one.names.slug == slug), None)
    if kind is None or not isinstance(feed, str) or not feed:
        return
    following = require_following(kind)
    place: Location = place_of(kind, name, context.aws.account, context.aws.region)
    if following.disable_feed(aws_of(context, place), place.name, feed):
        text = f"Switched off the {following.feed_noun} of {name}, which the follow had enabled"
        context.emit(event("done", text=text, name=name))


def find_old_feed(
    context: Context, following: Following, place: Location, state: FollowState
) -> ChangeFeed | None:
    """What tells who writes to the old side since the switch; None where nothing does.

    Raises LookupFailedError.
    """
    if following.list_tags is not None:
        return list_changes(context, following, place, state)
    aws = aws_of(context, place)
    if following.find_feed(aws, place.name) is None:
        return None
    return following.make_feed(aws, place.name)


def list_changes(
    context: Context,
    following: Following,
    place: Location,
    state: FollowState,
    *,
    is_target: bool = False,
) -> LedgerFeed | None:
    """A feed of what is not as the follow has left it; None without what it wrote down of that.

    Without it every object would look like somebody else's.
    """
    list_tags, aws = following.list_tags, aws_of(context, place)
    if list_tags is None or state.is_new:
        return None

    def on_record() -> Iterable[tuple[bytes, WrittenVersion]]:
        return swap_tags(state.list_written()) if is_target else state.list_written()

    return LedgerFeed(lambda: list_tags(aws, place), on_record, since_boot)
