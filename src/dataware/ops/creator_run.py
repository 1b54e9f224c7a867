"""The steps of a migration whose target a service of AWS makes and fills by itself.

    request on record ── prepared ── asked for ── watched ── settings repaired ── verified
                                                                                   │   ↑
                                                         keys that changed since: carried

What has to be prepared, such as an export, is on record and watched like the target itself.
The request is on record before it is sent, so whoever goes on after a kill watches the same work.
What AWS brings is verified like any copy; keys of the source that changed since are put, or
deleted, one by one, by what a follow uses. A target that was whole before the run began may be in
use: what it has is kept, as by any copy, and the rest is a conflict for a person.
"""

from __future__ import annotations

from dataclasses import replace

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.port import (
    ERRORS,
    CreationProgress,
    TargetCreator,
)
from dataware.core.errors import IncompleteError, ServiceError
from dataware.core.events import format_count
from dataware.core.model import Existence, Facts, Wanted
from dataware.core.ports import Journal
from dataware.migrate.copy_state import CopyState, Counts
from dataware.ops.context import Context
from dataware.ops.creator_request import FAILED, UNSEEN_LOOKS, CreatorRequest, skip_unknown
from dataware.ops.engine_failures import (
    count_reported,
    describe_failures,
    record_failures,
)
from dataware.ops.engine_steps import EngineOrder
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.follow.sync_carrier import NothingWritten, SyncCarrier
from dataware.ops.lease_keeper import LeaseKeeper, await_settled
from dataware.ops.migration_outcome import report_decision
from dataware.ops.migration_policy import (
    ROUNDS,
    Migration,
    MigrationDecision,
    MigrationStep,
)
from dataware.ops.probe import look
from dataware.ops.run_migration import MakeRun
from dataware.ops.verify import report_differences
from dataware.verify.verdict import Verdict

CHUNK = 1000
"""Keys that are carried together."""


def make_run(order: EngineOrder) -> MakeRun:
    """How the steps of a migration are made whose target a service makes."""
    return make_creator_run(order.card.name, order.open_creator(), order.planned.wanted, CreatorRun)


def make_creator_run(
    engine: EngineName, creator: TargetCreator, wanted: Wanted, steps: type[CreatorRun]
) -> MakeRun:
    """How the steps of a migration by this engine are made."""

    def make(context: Context, migration: Migration, run: str, keeper: LeaseKeeper) -> CreatorRun:
        return steps(context, migration, run, keeper).use(engine, creator, wanted)

    return make


class CreatorRun(CreatorRequest):
    """The steps of one migration by a service that makes the target."""

    items = 0
    _left_out = False
    """Whether the service says that it did not bring everything, of whatever it names keys."""

    _next_try = "starts another one"
    """What the next run does after one whose work failed, in a clause."""

    def _create_target(self) -> Facts:
        """Have the target made and repaired; what it is then. Raises what ends the run."""
        self._enter(self._creator.words.begins)
        self._ask()
        self.stands = True
        self._watch()
        self._await_resumption()
        target = self._migration.order.target
        written = self._creator.repair(target, self._wanted.properties)
        if written:
            self._emit("settings-set", settings=", ".join(written))
        facts = look(self._context, self._migration.kind, target.name)
        if facts.existence is not Existence.EXISTS:
            raise IncompleteError(
                f"{target.name} disappeared while it was being {self._creator.words.done}; run the "
                "same command again"
            )
        self.items = facts.size.items if facts.size else 0
        return facts

    def _watch(self) -> None:
        """Wait until the work has ended. Raises IncompleteError when a person asks to stop."""
        noun, stays = f"the {self._noun}", self._creator.words.stays
        with self._explain_stop(lambda: self._stopped_error(noun, stays)):
            progress = self._await_end()
        if progress.counts:
            self._keep({**self._record, **progress.counts})
        self._report_begun(self._creator.words.ends)
        self._left_out = bool(progress.problem)
        if progress.problem:
            self._warn(
                f"the {self._noun} did not bring everything ({progress.problem}); this machine "
                "compares and carries the rest"
            )

    def _await_end(self) -> CreationProgress:
        target = self._migration.order.target
        looks = self._watch_work(
            lambda: self._creator.look(self._record, target),
            self._migration.kind.unit,
            lambda _work: self._report_age(self._creator.words.progress),
        )
        unseen = 0
        for progress in skip_unknown(looks):
            if progress.done:
                break
            if progress.failed:
                self._keep({**self._record, FAILED: True})
                raise IncompleteError(
                    f"the {self._noun} into {target.name} failed ({progress.problem}); fix that, "
                    f"and run the same command again, which {self._next_try}"
                )
            unseen = UNSEEN_LOOKS if progress.exists else unseen + 1
            if not progress.exists and unseen > UNSEEN_LOOKS:
                # What made it has ended, and the same request would only find that again.
                self._keep({**self._record, FAILED: True})
                raise IncompleteError(f"{target.name} disappeared; run the same command again")
        return progress

    def _finish_work(self, journal: Journal) -> None:
        """Have on record what the service left out, and remove what only the work needed."""
        noun, target = self._noun, self._migration.order.target
        if self._record.get(ERRORS):
            try:
                failures = self._creator.read_failures(self._record, target)
                record_failures(journal, failures, self._keeper.check)
            except ServiceError as error:
                self._warn(f"what the {noun} left out cannot be read ({error})")
            if named := describe_failures(journal):
                count = format_count(int(self._record[ERRORS]), self._migration.kind.unit)
                self._warn(f"the {noun} left out {count}, such as {named}")
        self._clean()

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Verify, and carry what changed since, up to `ROUNDS` times."""
        if not any(one.get("type") == ENGINE for one in journal.records()):
            journal.append({"type": ENGINE, **self._record})
        self._finish_work(journal)
        if self._record.get("carrying"):
            await_settled(self._context, self._keeper, self._migration.words())
        if self._was_whole:
            return self._replace_nothing(journal, order)
        # Nobody has written to the target: it became whole while this run looked.
        order = replace(order, exclusive=True)
        for number in range(1, ROUNDS + 1):
            verdict = self._verify(order, self.items)
            self._keeper.check()
            if not verdict.differs:
                return self._complete(verdict)
            if number < ROUNDS:
                self._bring_up_to_date(journal, order, verdict)
        report_differences(self._context, verdict, self._migration.words())
        raise self._unequal_error(journal, verdict)

    def _unequal_error(self, journal: Journal, verdict: Verdict) -> IncompleteError:
        """Why both sides differ in the end: of what is left out, or of what is written."""
        source, target = self._migration.words()["source"], self._migration.order.target.name
        cause = f"{source} is being written to; pause its writers"
        if count_reported(journal, verdict) == verdict.differences:
            cause = (
                f"they are what the {self._noun} left out: {describe_failures(journal)}; fix that"
            )
        return IncompleteError(
            f"{source} and {target} still differ after {ROUNDS} comparisons "
            f"({verdict.summary()}), because {cause}, and run the same command again"
        )

    def _replace_nothing(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Verify, and copy what the target lacks, as into any target that others may write to."""
        verdict = self._verify(order, self.items)
        self._keeper.check()
        if not verdict.differs:
            return self._complete(verdict)
        words = self._migration.words()
        self._warn(
            f"{words['source']} and {words['name']} differ ({verdict.summary()}), and others may "
            f"have written to {words['name']} since it was {self._creator.words.done}; what it has "
            "is kept"
        )
        self._restart(journal, CopyState.of(journal.records()))
        return super()._rounds(journal, order)

    def _complete(self, verdict: Verdict) -> Verdict:
        words, kind = self._migration.words(), self._migration.kind
        if not verdict.compared:
            raise IncompleteError(
                f"nothing was {self._creator.words.done} into {words['name']}, because "
                f"{words['source']} held no {kind.unit}; check what became of its data, and run "
                "the same command again"
            )
        counts = Counts(copied=verdict.compared).to_json()
        self._emit("copy-totals", unit=kind.unit, skip_reasons={}, **counts)
        report_decision(
            self._context, kind, MigrationDecision(MigrationStep.COMPLETE), verdict, words
        )
        return verdict

    def _bring_up_to_date(self, journal: Journal, order: CopyOrder, verdict: Verdict) -> None:
        """Put or delete what differs; copy in full where not every such key is known."""
        words, count = self._migration.words(), verdict.differences
        since, differ = self._creator.describe(self._record), format_count(count, "key")
        if known := count_reported(journal, verdict):
            differ = f"{differ} differ, {known:,} of which the {self._noun} left out"
            self._warn(f"{differ}; carrying them")
        elif self._left_out:
            self._warn(
                f"{differ} differ, because the {self._noun} left them out or {words['source']} has "
                f"changed since {since}; carrying them"
            )
        else:
            self._warn(
                f"{words['source']} has changed since {since} ({differ} differ); carrying what "
                "changed"
            )
        if not self._record.get("carrying"):
            self._keep({**self._record, "carrying": True})
        keys = sorted({one.raw_key for one in verdict.listed})
        if len(verdict.listed) < count:
            self._enter("looking")
            self._copy(journal, CopyState.of(journal.records()), order)
        self._carry(keys, order)

    def _carry(self, keys: list[bytes], order: CopyOrder) -> None:
        following = require_following(self._migration.kind)
        carrier = SyncCarrier(
            self._context, following, order, NothingWritten(), self._keeper.term, self._stop
        )
        try:
            for begin in range(0, len(keys), CHUNK):
                self._keeper.check()
                self._await_resumption()
                carrier.carry(keys[begin : begin + CHUNK], self._context.clock.now())
        finally:
            carrier.close()
