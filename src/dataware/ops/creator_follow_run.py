"""The steps of a followed migration whose target a service of AWS makes and fills by itself.

    feed opened ── target asked for ── watched, feed read beside it ── compared ── carry

The feed is opened before a time is chosen as of which the source is restored or exported, so every
change behind that time comes by the feed; it is read all the while, because the work may take
longer than a feed keeps its records. The comparison with which a usual migration ends only adds to
what is carried. A source without a feed is compared again and again anyway, from when on the target
can be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError
from dataware.core.events import format_count
from dataware.core.follow.feed import CarryOutcome, Gap, GapCause
from dataware.core.follow.loop import FollowLoop, FollowPorts
from dataware.core.follow.steady_time import SteadyTime
from dataware.core.model import Facts
from dataware.core.ports import Journal
from dataware.migrate.lease_term import since_boot
from dataware.ops.creator_run import CreatorRun, make_creator_run
from dataware.ops.engine_steps import EngineOrder
from dataware.ops.follow.difference import BackgroundDifference
from dataware.ops.follow.follow_checks import following_of
from dataware.ops.follow.follow_run import FeedThread
from dataware.ops.follow.remote_cutover import RemoteCutoverFollowRun
from dataware.ops.follow.source_feed import choose_feed
from dataware.ops.run_migration import MakeRun
from dataware.ops.verify import report_differences
from dataware.verify.merge import DifferenceKind
from dataware.verify.verdict import Verdict


def make_run(order: EngineOrder) -> MakeRun:
    """How the steps of a followed migration are made whose target a service makes."""
    creator, wanted = order.open_creator(), order.planned.wanted
    return make_creator_run(order.card.name, creator, wanted, CreatorFollowRun)


class NoCarrier:
    """The Carrier port while there is no target yet; nothing is carried before that is allowed."""

    def carry(self, keys: Collection[bytes], _now: float) -> CarryOutcome:
        """Leave every key to the follow."""
        return CarryOutcome(failed=frozenset(keys))


class CreatorFollowRun(RemoteCutoverFollowRun, CreatorRun):
    """The steps of one followed migration by a service that makes the target."""

    _has_feed = False

    def _create_target(self) -> Facts:
        """Have the target made and repaired, and read the feed of the source all the while."""
        with self._read_feed():
            return CreatorRun._create_target(self)

    @contextmanager
    def _read_feed(self) -> Iterator[None]:
        """Keep the keys that change from before the context on; nothing where there is no feed."""
        following = following_of(self._migration)
        difference = BackgroundDifference(self._difference_tools(self._migration.order))
        chosen = choose_feed(
            self._context, self._migration, following, difference, self._publish_now
        )
        if chosen.difference is None:
            yield
            return
        self._has_feed = True
        self._report_reading(chosen.noun)
        state = self._open_state(chosen)
        try:
            loop = FollowLoop(FollowPorts(chosen.feed, NoCarrier(), state, state))
            time = SteadyTime(self._context.clock.now, since_boot)
            loop.open(time.now())
            reader = FeedThread(loop, time)
            self._stopped_by = lambda: reader.failed
            with reader.reading():
                yield
        finally:
            self._stopped_by = lambda: False
            state.close()

    def _check_beside(self) -> None:
        """Raise IncompleteError once the feed cannot be read; its reader says why.

        The work may take hours, and a feed that is read again within its time has lost nothing.
        """
        if self._stopped_by():
            raise IncompleteError("the changes of the source cannot be read any more")

    def _report_reading(self, feed: str) -> None:
        """Tell that the feed is read by this command alone, however long the service takes."""
        self._note(
            f"the {feed} is read during the {self._creator.words.noun}, so leave this command "
            "running; after too long a break both sides are compared in full"
        )

    def _copy_whole(self, journal: Journal, order: CopyOrder) -> None:
        """Compare what the service has made, instead of a copy; carry what differs.

        Where the target was whole before this run, others may have written to it: then what it has
        is kept, and only what it lacks is carried, beside what the feed reports.
        """
        self._finish_work(journal)
        if not self._has_feed:
            return
        verdict = self._verify(order, self.items)
        self._keeper.check()
        if self._was_whole:
            self._add_missing(journal, order, verdict)
        else:
            self._add_differing(verdict)

    def _add_differing(self, verdict: Verdict) -> None:
        """Have all that differs carried."""
        self._state.add({one.raw_key for one in verdict.listed}, self._time.now())
        if len(verdict.listed) < verdict.differences:
            self._state.add_gaps((Gap(GapCause.STATE_LOST),))
        self._tell_compared(verdict, verdict.differences)

    def _add_missing(self, journal: Journal, order: CopyOrder, verdict: Verdict) -> None:
        """Have carried what the target lacks; copy, which replaces nothing, where that is much."""
        count = verdict.counts[DifferenceKind.MISSING]
        keys = {one.raw_key for one in verdict.listed if one.kind is DifferenceKind.MISSING}
        self._state.add(keys, self._time.now())
        self._tell_compared(verdict, count)
        if kept := verdict.differences - count:
            name, source = self._migration.order.target.name, self._migration.words()["source"]
            report_differences(self._context, verdict, self._migration.words())
            self._warn(
                f"{format_count(kept, 'key')} of {name} differ from {source}, perhaps written by "
                f"others since it was {self._creator.words.done}; they are kept until the source "
                "changes them"
            )
        if len(keys) < count:
            super()._copy_whole(journal, order)

    def _tell_compared(self, verdict: Verdict, count: int) -> None:
        since, changed = self._creator.describe(self._record), format_count(count, "key")
        text = f"compared {format_count(verdict.compared, self._migration.kind.unit)}: {changed}"
        text += f" changed since {since}, and the follow carries what changed"
        self._note(text)
