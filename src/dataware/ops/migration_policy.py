"""Decides what a migration may do next, and when it is complete; pure: no I/O, no clock.

The command line (`ops.run_migration`) and a deployment (`handler`) carry out what is decided here:

    begin_marker ─> restore_snapshot ─> copy ─> judge_copy ─> verify ─> judge
                                         ^          │                    │
                                         └──────────┴─── COPY_AGAIN ─────┴─> any other step: the end

A worked example: of 100 keys 2 are archived, so 98 are copied and 2 skipped. Without
`allow_skipped` the step is SKIPPED, whatever a verification finds. With it the verification
decides: it finds 3 keys missing, of which 2 are those that were skipped and nothing explains the
third, so the step is COPY_AGAIN. The second round copies that one, both keys that are missing now
are explained, and the step is COMPLETE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from dataware.core.copier import CopyOrder, SkipReason
from dataware.core.engines.unfinished_work import find_work, is_made_by_service
from dataware.core.errors import RefusedError, WriteDeniedError, how_to_allow
from dataware.core.events import format_count
from dataware.core.kind import Kind
from dataware.core.model import Facts, Marker, MarkerState, OnConflict
from dataware.core.names import full_name
from dataware.core.skip_causes import advise, list_causes
from dataware.migrate.copy_state import CopyState
from dataware.ops.context import CopySettings, MadeTarget
from dataware.ops.failure_summary import carry_over
from dataware.ops.marker_names import on_record
from dataware.ops.object_headers import record_headers
from dataware.ops.verify import why_different
from dataware.verify.merge import DifferenceKind
from dataware.verify.verdict import LABEL_LENGTH, Verdict

ROUNDS = 3
"""Copies of what a verification found missing, or of what changed after it was listed, before a
migration gives up as incomplete."""

HALF_MADE = "half_made"
"""What a record calls the identity of a target that its creation left half made."""

FOLLOWED, FEED_ENABLED, GUARDED, DEEP = "followed", "feed_enabled", "guarded", "deep"
CARRIER = "carrier"
"""What a record calls that changes of the source are carried after the copy, the feed of them that
the migration has switched on, that only what the follow wrote is replaced, and the function in the
account that carries while nobody has the lock."""

UNDO_FEED = "undo_feed"
"""What it calls the feed of the target that a cut-over has switched on for the undo."""

NAMED = 5
"""Keys that a reason names, so that it fits into an event of a stack."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a reader goes on: the step to take again, and the settings as they are spelt there.

    `log` names each key where no line before a sentence does, so the sentence names some of them.
    """

    again: str
    accept: str
    on_conflict: str
    log: str = ""


COMMAND = Wording("run the same command again", "--allow-skipped", "--on-conflict")
DEPLOYMENT = Wording("deploy again", "allow_skipped", "on_conflict", "the log of the deployment")


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration to carry out.

    `marker` is the record as it was probed; `create` makes the target, None if it exists, and only
    into what it made itself a run writes without conditions; `nothing_to_copy` says that the source
    was seen to be empty, and `guarded` that others may write to the target of a follow.
    """

    kind: Kind
    order: CopyOrder
    settings: CopySettings
    marker: Marker
    target: Facts
    create: Callable[[], MadeTarget | None] | None = None
    nothing_to_copy: bool = False
    guarded: bool = False

    @property
    def resumes(self) -> bool:
        """Whether an earlier run has begun."""
        return self.marker.state is MarkerState.RUNNING

    @property
    def same_target(self) -> bool:
        """Whether the target is the very one of which the record tells."""
        return self._is_recorded(self.target.identity)

    @property
    def made_here(self) -> bool:
        """Whether the target is the very one that this migration made in an earlier run."""
        return self.marker.created and self.same_target

    def begin_marker(self, new_run: str) -> Marker:
        """The record with which the migration begins; `new_run` names it if none has begun."""
        before = carry_over(self.marker.detail) if self.same_target else {}
        begun = find_work(self.marker)
        return Marker(
            MarkerState.RUNNING,
            source=on_record(self.kind, self.order)[0],
            run=(self.marker.run if self.resumes else None) or new_run,
            identity=self.target.identity,
            created=self.create is not None or self.made_here or is_made_by_service(self.marker),
            batches=self.create is not None or self.settings.follow,
            detail={**before, **begun, **record_headers(self.settings), **self._follow_detail()},
        )

    def _follow_detail(self) -> dict[str, object]:
        if not self.settings.follow:
            return {}
        detail = {GUARDED: self.guarded, DEEP: self.settings.deep}
        return {FOLLOWED: True, **{name: True for name, holds in detail.items() if holds}}

    def checkpoint_into(self, identity: str | None) -> object:
        """The checkpoint on record, if it is about the target with this `identity`, else None.

        A target whose identity is unknown may be another one, so it is copied from the start.
        """
        return self.marker.detail.get("checkpoint") if self._is_recorded(identity) else None

    def why_nothing_to_copy(self) -> str | None:
        """Why no copy is begun, and no record written; None if there may be something to copy."""
        if not self.nothing_to_copy:
            return None
        source, target = self.order.source, self.order.target
        return f"{source.name} is empty, so nothing is copied to {target.name}"

    def check_whole(self) -> None:
        """Raise Refused where the target is what a creation left that failed on the way."""
        identity, name = self.target.identity, self.target.name
        if identity is not None and self.marker.detail.get(HALF_MADE) == identity:
            raise RefusedError(
                f"nothing was copied, because the creation of {name} failed on the way: look at "
                "it, delete it, and run the same command again"
            )

    def words(self) -> dict[str, object]:
        """The fields that the events of this migration carry."""
        order = self.order
        source = full_name(self.kind, order.source, order.target)
        kind = self.kind.names.slug
        return {"kind": kind, "source": source, "name": order.target.name}

    def _is_recorded(self, identity: str | None) -> bool:
        recorded = self.marker.detail.get("identity", self.marker.identity)
        return self.resumes and isinstance(recorded, str) and recorded == identity


def must_retry_skipped(state: CopyState) -> bool:
    """Whether a copy starts from scratch: an earlier run read everything and skipped some of it."""
    return state.finished and state.counts.skipped > 0


def restore_snapshot(checkpoint: object) -> dict[str, Any] | None:
    """The snapshot from which a copy goes on; None where it starts from scratch.

    A checkpoint is only a short cut, so one that cannot be read costs time and no data.
    """
    if not isinstance(checkpoint, str):
        return None
    try:
        snapshot = CopyState.snapshot_of(checkpoint)
    except ValueError:
        return None
    return None if must_retry_skipped(CopyState.of([snapshot])) else snapshot


@dataclass(frozen=True, slots=True)
class SkippedKeys:
    """What the runs since the copy began have skipped.

    `keys` are those of `count` that are known by name, `unnamed` is how many are not. `examples`
    are sentences about some of them, `reason` says why the first one was skipped. A key may be cut
    to `LABEL_LENGTH` characters.
    """

    count: int = 0
    keys: frozenset[str] = frozenset()
    unnamed: int = 0
    examples: tuple[str, ...] = field(default=(), compare=False)
    reason: str = field(default="", compare=False)

    def to_json(self) -> dict[str, Any]:
        """What explains differences, as an execution carries it through a verification."""
        return {"count": self.count, "keys": sorted(self.keys), "unnamed": self.unnamed}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> SkippedKeys:
        """What `to_json` wrote."""
        return SkippedKeys(data["count"], frozenset(data["keys"]), data["unnamed"])

    def explains(self, verdict: Verdict) -> bool:
        """Whether every key that differs, or may differ, is one that was skipped.

        Each key that is listed has to be one of those known by name, beside at most `unnamed` ones.
        Where names are unknown, cut or not listed, the numbers have to be equal as well.
        """
        if verdict.may_hide_differences:
            return False
        wrong = {each.label for each in verdict.listed if each.kind is not DifferenceKind.EXTRA}
        if sum(not self._names(label) for label in wrong) > self.unnamed:
            return False
        cut = any(len(text) == LABEL_LENGTH for text in (*self.keys, *wrong))
        if self.unnamed or cut or len(wrong) != verdict.missing_or_different:
            return verdict.missing_or_different == self.count
        return True

    def _names(self, label: str) -> bool:
        """Whether a label is the name of a skipped key; either of them may be cut."""
        if label in self.keys:
            return True
        if len(label) == LABEL_LENGTH:
            return any(key.startswith(label) for key in self.keys)
        return len(label) > LABEL_LENGTH and label[:LABEL_LENGTH] in self.keys


@dataclass(frozen=True, slots=True)
class CompletedCopy:
    """A copy that has read everything: which round it was, its progress, and what it skipped."""

    round: int
    state: CopyState
    skipped: SkippedKeys = field(default_factory=SkippedKeys)


class MigrationStep(Enum):
    """What follows a copy and its verification."""

    COMPLETE = auto()
    KEEP_TARGET = auto()
    """Complete, though nothing was copied: the target keeps its own under every key."""
    COPY_AGAIN = auto()
    DIFFERS = auto()
    SKIPPED = auto()
    DENIED = auto()
    NOTHING_COPIED = auto()


COMPLETING = frozenset({MigrationStep.COMPLETE, MigrationStep.KEEP_TARGET})
"""The steps after which the record says "complete"."""


@dataclass(frozen=True, slots=True)
class MigrationDecision:
    """The next step of a migration, with the sentence that says why."""

    step: MigrationStep
    why: str = ""


@dataclass(frozen=True, slots=True)
class MigrationPolicy:
    """The rules of one migration, `source` and `target` as people name them."""

    source: str
    target: str
    unit: str
    settings: CopySettings
    wording: Wording

    @staticmethod
    def of(
        words: Mapping[str, object], kind: Kind, settings: CopySettings, wording: Wording
    ) -> MigrationPolicy:
        """The policy of the migration whose events carry `words`."""
        source, target = str(words["source"]), str(words["name"])
        return MigrationPolicy(source, target, kind.unit, settings, wording)

    def judge_copy(self, copy: CompletedCopy) -> MigrationDecision | None:
        """The step after a copy where no verification can change it; None where it has to decide.

        What changed while it was copied is copied again. What was skipped and nobody accepts ends
        the migration at once, because no further round may complete it.
        """
        if copy.state.skip_reasons[SkipReason.CHANGED] and copy.round < ROUNDS:
            text = f"{self.source} changed while it was copied; copying again"
            return MigrationDecision(MigrationStep.COPY_AGAIN, text)
        skip_reasons = self._count_unsettled(copy)
        arrived = copy.state.counts.in_target
        if not skip_reasons or (self.settings.allow_skipped and arrived):
            return None
        if set(skip_reasons) == {SkipReason.DENIED} and not arrived:
            why = self.describe_denied(WriteDeniedError(copy.skipped.reason))
            return MigrationDecision(MigrationStep.DENIED, why)
        if not self.settings.allow_skipped:
            why = self._describe_skipped(copy, skip_reasons)
            return MigrationDecision(MigrationStep.SKIPPED, why)
        return MigrationDecision(MigrationStep.NOTHING_COPIED, self._describe_nothing(skip_reasons))

    def judge_followed_copy(self, copy: CompletedCopy) -> MigrationDecision | None:
        """Why changes cannot be carried after a copy; None where they can.

        What changed while it was copied is among the dirty keys, or will be. A value that a
        stranger wrote meanwhile is kept and listed; one of an earlier run is among the dirty keys
        if the source has changed since.
        """
        copy.state.skip_reasons.pop(SkipReason.CHANGED, None)
        settings = replace(self.settings, on_conflict=OnConflict.TARGET)
        return replace(self, settings=settings).judge_copy(replace(copy, round=ROUNDS))

    def judge(self, copy: CompletedCopy, verdict: Verdict) -> MigrationDecision:
        """The step after a copy and its verification."""
        if (decision := self.judge_copy(copy)) is not None:
            return decision
        if not copy.skipped.explains(verdict):
            return self._judge_difference(copy, verdict)
        if copy.state.counts.in_target:
            return MigrationDecision(MigrationStep.COMPLETE)
        if conflicts := copy.state.skip_reasons[SkipReason.CONFLICT]:
            why = (
                f"{self.target} keeps its own data for {format_count(conflicts, self.unit)}, so "
                "nothing was copied"
            )
            return MigrationDecision(MigrationStep.KEEP_TARGET, why)
        why = (
            f"nothing was copied to {self.target}, because {self.source} held no {self.unit} when "
            f"it was read; check what became of its data, and {self.wording.again}"
        )
        return MigrationDecision(MigrationStep.NOTHING_COPIED, why)

    def _judge_difference(self, copy: CompletedCopy, verdict: Verdict) -> MigrationDecision:
        """Another round, or the end, for what no skipped key explains."""
        why = why_different(verdict, copy.state.counts.tally)
        both = f"{self.source} and {self.target}"
        if copy.round < ROUNDS:
            text = f"{both} differ after the copy ({verdict.summary()}): {why}; copying again"
            return MigrationDecision(MigrationStep.COPY_AGAIN, text)
        text = f"{both} still differ after {ROUNDS} copies ({self._summary(verdict)}): {why}"
        return MigrationDecision(MigrationStep.DIFFERS, f"{text} and {self.wording.again}")

    def _count_unsettled(self, copy: CompletedCopy) -> dict[str, int]:
        """What was skipped, by cause, and no setting has settled before."""
        skip_reasons = {
            cause: number for cause, number in copy.state.skip_reasons.items() if number
        }
        if self.settings.on_conflict is OnConflict.TARGET:
            skip_reasons.pop(SkipReason.CONFLICT, None)
        return skip_reasons

    def describe_denied(self, error: WriteDeniedError) -> str:
        """What was denied, what was copied before that, and how to go on."""
        attempts = error.attempts
        after = f" (stopped after {format_count(attempts, 'attempt')})" if attempts else ""
        far = f"nothing was copied to {self.target}{after}"
        if error.copied:
            there = format_count(error.copied, self.unit)
            far = f"{there} are in {self.target}, but nothing more could be copied{after}"
        return f"{far}: {error}; {how_to_allow(str(error))}, then {self.wording.again}"

    def _describe_skipped(self, copy: CompletedCopy, skip_reasons: Mapping[str, int]) -> str:
        """What was skipped, by cause, what to do about each cause, and how to go on."""
        counts, wording = copy.state.counts, self.wording
        skipped = format_count(sum(skip_reasons.values()), self.unit)
        whole = format_count(counts.done, self.unit)
        examples = log = ""
        if wording.log:
            some = "; ".join(copy.skipped.examples)
            examples = f", such as {some}" if some else ""
            log = f"; {wording.log} names each of them"
        return (
            f"{skipped} not copied to {self.target} ({list_causes(skip_reasons)}){examples}, "
            f"{counts.in_target:,} of {whole} are there{log}; {self._advise(skip_reasons)}; then "
            f"{wording.again}, or accept what was skipped with {wording.accept}"
        )

    def _describe_nothing(self, skip_reasons: Mapping[str, int]) -> str:
        """That all was skipped, and that no setting accepts a copy of nothing."""
        wording, skipped = self.wording, format_count(sum(skip_reasons.values()), self.unit)
        return (
            f"nothing was copied to {self.target}: {skipped} of {self.source} skipped "
            f"({list_causes(skip_reasons)}), and {wording.accept} does not accept an empty copy; "
            f"{self._advise(skip_reasons)}; then {wording.again}"
        )

    def _advise(self, skip_reasons: Mapping[str, int]) -> str:
        return advise(skip_reasons, on_conflict=self.wording.on_conflict)

    def _summary(self, verdict: Verdict) -> str:
        """The differences by number, with the first keys where nothing else names them."""
        some = verdict.listed[:NAMED] if self.wording.log else []
        named = "; ".join(f"{one.kind}: {one.label}" for one in some)
        return f"{verdict.summary()}: {named}" if named else verdict.summary()
