"""The use case "status": every migration on record, and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from dataware.calc.rate import rough
from dataware.calc.suggest import nearest
from dataware.calc.words import list_words
from dataware.core.engines.port import WORK
from dataware.core.engines.unfinished_work import COMPARED, COMPARISON
from dataware.core.errors import LookupFailedError, NotRecordedError
from dataware.core.events import event, format_count
from dataware.core.follow.cutover import CutoverRecord, CutoverState, may_be_frozen
from dataware.core.model import Marker, MarkerState
from dataware.core.run_control import RunControl
from dataware.kinds import kinds, short_of
from dataware.migrate.copy_state import CopyState
from dataware.ops.context import Context
from dataware.ops.control_reporter import describe_control
from dataware.ops.failure_summary import state_of
from dataware.ops.marker_names import name_here, refuse_elsewhere
from dataware.ops.migration_policy import CARRIER
from dataware.ops.partial_copy import NOT_CARRIED
from dataware.ops.work_words import describe_leftovers, describe_work
from dataware.state.cutover_records import list_token_digests
from dataware.state.marker_value import control_in

RUNNING, INTERRUPTED, COMPLETE, UNKNOWN = "running", "interrupted", "complete", "unknown"
PARTIAL = "partial"
"""What a migration is that has ended well and left something out, which its kind names."""

ENDED = (COMPLETE, PARTIAL)
WATCHED = (RUNNING, *ENDED)
"""The states in which nothing goes on that nobody looks after."""

FIGURES = (
    *("phase", "done", "total", "exact", "skipped", "unit", "rate"),
    *("throttled", "retries", "reason"),
    *("lag", "dirty", "carried", "gaps", "followed", "guarded", "feed_enabled", "undo_feed"),
    *("carrier", WORK, "verified", "holder", "started", "command_run", "cutover", "conflicts"),
    NOT_CARRIED,
)
"""The fields of a record that events of its run carry."""

_SWITCHED = frozenset({CutoverState.SWITCHED, CutoverState.REVERSIBLE, CutoverState.CLOSED})

_OF_A_RUN = frozenset({"lag", "dirty", "carried", "rate", "done", "total", "retries", "failure"})
"""What a record says of a run that has ended, and not of the function that goes on carrying."""


@cache
def unit_of(name: str) -> str:
    """What is counted of a kind, by the word that records have for it."""
    return next((kind.unit for kind in kinds() if kind.names.slug == name), "unit")


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration on record.

    `state` is running, interrupted (begun, and no run is alive), complete, partial, how the last
    run ended: incomplete, stopped or failed, or unknown where the record cannot be read, for which
    `problem` is the reason. `age` is how old the record is, in seconds, by the service's clock.
    `local` is what a journal on this machine knows of the same run. `shares_name` says that another
    migration on record has a target of the same name.
    """

    kind: str
    target: str
    source: str | None
    state: str
    run: str | None
    detail: Mapping[str, Any]
    age: float | None = None
    local: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    shares_name: bool = False

    @property
    def title(self) -> str:
        """The target, with its kind where the name alone is that of another one, too."""
        if self.kind == COMPARISON:
            return f"{self.detail.get(COMPARED, UNKNOWN)} (comparison {self.target})"
        return f"{self.target} ({short_of(self.kind)})" if self.shares_name else self.target

    @property
    def subject(self) -> str:
        """What is on record, in a sentence."""
        is_comparison = self.kind == COMPARISON
        return f"the {'comparison' if is_comparison else 'migration into'} {self.target}"

    @property
    def key(self) -> tuple[str, str]:
        """What tells migrations apart."""
        return self.kind, self.target

    @property
    def shown_run(self) -> str:
        """The id that people see: of the command's run, else of the migration; empty if unknown."""
        return str(self.detail.get("command_run") or self.run or "")

    @property
    def figures_age(self) -> float | None:
        """How old the figures are, which a run may renew less often than its heartbeat."""
        return None if self.age is None else self.age + self.number("stale")

    @property
    def why(self) -> str:
        """Why the last run ended without finishing, or why its record cannot be read.

        Empty if it did not, or could not say.
        """
        if self.problem:
            return self.problem
        ended = self.detail.get("failure")
        return str(ended.get("reason", "")) if isinstance(ended, Mapping) else ""

    @property
    def control(self) -> RunControl:
        """What people ask of the migration; of one that is complete nothing."""
        return control_in(self.detail)

    @property
    def unit(self) -> str:
        """What is counted."""
        return str(self.detail.get("unit") or unit_of(self.kind))

    def is_into(self, name: str) -> bool:
        """Whether the target is so named, or has this address."""
        return self.target == (name.partition("://")[2] or name)

    def is_of(self, name: str) -> bool:
        """Whether the source is so named, or the id of the migration or its run begins so."""
        begins = bool(name) and any(id.startswith(name) for id in (self.run or "", self.shown_run))
        return begins or self.source == (name.partition("://")[2] or name)

    def number(self, name: str) -> float:
        """A figure of the record; zero where there is none."""
        value = self.detail.get(name)
        return value if isinstance(value, int | float) else 0

    def words(self) -> dict[str, object]:
        """The fields that the events of this run carry."""
        return {
            "kind": self.kind,
            "source": self.source or UNKNOWN,
            "name": self.target,
            "title": self.title,
            "run": self.run,
            "state": self.state,
            "failure_reason": self.why,
            "age": None if self.age is None else round(self.age),
            "figures_age": None if self.figures_age is None else round(self.figures_age),
            "seconds_left": self.detail.get("seconds_left"),
            **{name: self.detail[name] for name in FIGURES if name in self.detail},
            **({"control": control} if (control := self.control.to_json()) else {}),
            **({"journal": dict(self.local)} if self.local else {}),
        }


def status(
    context: Context, name: str | None = None, resolve: Callable[[str], str] = str
) -> list[MigrationStatus]:
    """Read every marker, or that of one target, and tell of it; changes nothing.

    Raises LookupFailedError, and InputError where nothing is on record under the name.
    """
    runs = [with_journal(context, run) for run in runs_on_record(context, name, resolve)]
    for run in runs:
        report_migration(context, run)
    if not runs:
        report_nothing(context)
    return runs


def report_migration(context: Context, run: MigrationStatus) -> None:
    """Tell of one migration."""
    context.emit(event("migration-status", progress=run_details(run), **run.words()))


def report_nothing(context: Context) -> None:
    """No migration is a fact worth a line, which says where: it may be the wrong account."""
    where = f"account {context.aws.account}, {context.aws.region}"
    context.emit(event("nothing-to-do", reason=f"no migration is recorded in {where}"))


def runs_on_record(
    context: Context, name: str | None = None, resolve: Callable[[str], str] = str
) -> list[MigrationStatus]:
    """Every run on record, or those into one target, what matters most first, then by name.

    `resolve` answers with what an id stands for. Raises LookupFailedError, NotRecordedError, and
    InputError for an ARN of another region or account.
    """
    runs = with_shared_names(_run(*record) for record in context.markers.all())
    if name is None:
        return runs
    own = name_here(name, context.aws.account, context.aws.region)
    chosen = [run for run in runs if run.is_into(own)] or [run for run in runs if run.is_of(name)]
    chosen = chosen or [run for run in runs if run.is_of(resolve(name))]
    if not chosen:
        refuse_elsewhere(name, context.aws.account, context.aws.region)
        raise NotRecordedError(
            f"no migration into {name} is recorded in account {context.aws.account}, "
            f"{context.aws.region}; `dataware status` lists those that are",
            nearest(name.rpartition("://")[2], {run.target for run in runs}),
        )
    return chosen


def with_shared_names(runs: Iterable[MigrationStatus]) -> list[MigrationStatus]:
    """All runs in order, each of which knows whether its target's name is another's as well."""
    ordered = sorted(runs, key=_order)
    names = Counter(run.target for run in ordered)
    return [replace(run, shares_name=names[run.target] > 1) for run in ordered]


def check_seen(runs: Sequence[MigrationStatus]) -> None:
    """Raise LookupFailedError if the marker of any run could not be read, after listing all."""
    unseen = [run for run in runs if run.state == UNKNOWN]
    if not unseen:
        return
    first = unseen[0].why
    if len(runs) == 1:
        raise LookupFailedError(first)
    raise LookupFailedError(
        f"{len(unseen):,} of {format_count(len(runs), 'record')} cannot be read, such as: {first}"
    )


def with_journal(context: Context, run: MigrationStatus) -> MigrationStatus:
    """The run with what a journal on this machine knows of it."""
    if run.state in (RUNNING, *ENDED, UNKNOWN):
        return run
    progress = CopyState.of(context.journals.read(run.kind, run.target))
    if progress.run is None or progress.run != run.run:
        return run
    finished = sum(cursor is None for cursor in progress.cursors.values())
    local = {
        "copied": progress.counts.copied,
        "same": progress.counts.same,
        "skipped": progress.counts.skipped,
        "skip_reasons": dict(progress.skip_reasons),
        "partitions": len(progress.partitions),
        "partitions_done": finished,
    }
    return replace(run, local=local)


def _order(run: MigrationStatus) -> tuple[int, str]:
    rank = {RUNNING: 0, **dict.fromkeys(ENDED, 2)}.get(run.state, 1)
    return rank, run.target


def _run(kind: str, target: str, marker: Marker) -> MigrationStatus:
    state, detail = marker.state.value, marker.detail
    if marker.state is MarkerState.RUNNING and not marker.alive:
        ended = detail.get("failure")
        state = state_of(ended.get("exit_code")) if isinstance(ended, Mapping) else INTERRUPTED
        if CARRIER in detail:
            # Nobody has the lock, so the function in the account carries.
            shown = {name: detail[name] for name in detail if name not in _OF_A_RUN}
            state, detail = RUNNING, {**shown, "phase": "following"}
    if state == COMPLETE and isinstance(detail.get(NOT_CARRIED), list):
        state = PARTIAL
    why = marker.problem.detail if marker.problem else ""
    age = marker.heartbeat_age
    return MigrationStatus(kind, target, marker.source, state, marker.run, detail, age, problem=why)


def amount(run: MigrationStatus) -> str:
    """How much is done, such as "45,000 of 100,000 items (45 %)"; empty if that is not known."""
    if run.state in ENDED:
        verified = run.detail.get("verified")
        parts = (
            [f"{format_count(verified, run.unit)} verified"] if isinstance(verified, int) else []
        )
        if run.state == PARTIAL:
            parts.append(f"without {list_words(map(str, run.detail[NOT_CARRIED]))}")
        return ", ".join(parts)
    if (carrier := run.detail.get(CARRIER)) and "dirty" not in run.detail:
        function = str(carrier).rpartition(":")[2]
        return f"in the account by {function}, whose queue holds the changed keys that wait"
    if "dirty" in run.detail:
        return _follow_amount(run)
    work = describe_work(run.detail, run.unit)
    if work or "done" not in run.detail:
        return work
    done, total = int(run.number("done")), int(run.number("total"))
    if not total or done > total:
        return format_count(done, run.unit)
    about = "" if run.detail.get("exact", True) else "about "
    skipped = int(run.number("skipped"))
    beside = f", {skipped:,} skipped" if skipped else ""
    return f"{done:,} of {about}{format_count(total, run.unit)} ({100 * done // total} %){beside}"


def describe_switch(run: MigrationStatus) -> str:
    """What a cut-over has left to people: until when it can be undone, and who wrote behind it."""
    try:
        record = CutoverRecord.from_json(run.detail.get("cutover", {}))
    except ValueError:
        return ""
    if run.state != COMPLETE or record.state not in _SWITCHED:
        return ""
    parts, until = [f"cut over{record.describe_rest()}"], record.reversible_until
    if record.state is CutoverState.CLOSED:
        parts.append("closed, so it cannot be undone")
    elif until is not None:
        time = f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC"
        parts.append(f"`dataware undo` goes back until {time}")
    if record.strays:
        parts.append(f"{format_count(record.strays, 'key')} written in {run.source} after that")
    return "; ".join(parts)


def _follow_amount(run: MigrationStatus) -> str:
    """How far a follow is, such as "3 s behind, 1,200 changed keys waiting, 1 gap"."""
    lag = run.detail.get("lag")
    behind = f"{rough(lag)} behind" if isinstance(lag, int | float) else "not read in full yet"
    parts = [behind, f"{format_count(int(run.number('dirty')), 'changed key')} waiting"]
    if gaps := int(run.number("gaps")):
        parts.append(format_count(gaps, "gap"))
    if conflicts := int(run.number("conflicts")):
        parts.append(f"{format_count(conflicts, 'conflict')} kept")
    if may_be_frozen(run.detail):
        parts.append("its writers may be stopped by a cut-over")
    elif list_token_digests(run.detail):
        parts.append("a cut-over waits for an approval")
    return ", ".join(parts)


def pace(run: MigrationStatus) -> list[str]:
    """Rate, time left, retries, throttling and why it is slow, of a run that is alive, in words."""
    if run.state != RUNNING or run.control.is_paused or "rate" not in run.detail:
        return []
    parts = [f"{run.number('rate'):,.0f}/s"]
    ends = "dirty" not in run.detail
    if ends and run.detail.get("seconds_left") is not None:
        parts.append(f"{rough(run.number('seconds_left'))} left")
    if retries := int(run.number("retries")):
        parts.append(f"{retries:,} {'retry' if retries == 1 else 'retries'}")
    if throttled := int(run.number("throttled")):
        parts.append(f"throttled {throttled:,} times")
    if reason := run.detail.get("reason"):
        parts.append(f"slow: {reason}")
    return parts


def format_age(run: MigrationStatus) -> str:
    """How long ago the run's last heartbeat was, or it ended."""
    return "" if run.age is None else f"{rough(run.age)} ago"


def life(run: MigrationStatus) -> str:
    """The same in words; empty if it is not known."""
    alive = dict.fromkeys((RUNNING, INTERRUPTED), "last heartbeat") | {UNKNOWN: "last written"}
    return f"{alive.get(run.state, 'ended')} {format_age(run)}" if run.age is not None else ""


def journal_words(run: MigrationStatus) -> str:
    """What the journal on this machine knows, in words; empty without one, or before its first."""
    local = run.local
    if not local or not local["copied"] + local["same"] + local["skipped"]:
        return ""
    done = local["copied"] + local["same"]
    parts = f"{local['partitions_done']:,} of {format_count(local['partitions'], 'part')} done"
    reasons = ", ".join(f"{n:,} {reason}" for reason, n in sorted(local["skip_reasons"].items()))
    behind = f", skipped: {reasons}" if reasons else ""
    return f"local checkpoint after {format_count(done, run.unit)}, {parts}{behind}"


def run_details(run: MigrationStatus) -> str:
    """What follows the state in the line of a run."""
    phase = run.detail.get("phase") if run.state == RUNNING else None
    far = ", ".join(filter(None, [str(phase or ""), amount(run), *pace(run)]))
    named = f"run {run.shown_run}" if run.shown_run else ""
    control = describe_control(run.control, run.target)
    parts = [
        far,
        describe_switch(run),
        control,
        run.why.rstrip("."),
        describe_leftovers(run.detail, run.target, unwatched=run.state not in WATCHED),
        journal_words(run),
        life(run),
        named,
    ]
    text = "; ".join(filter(None, parts))
    return f": {text}" if text else ""
