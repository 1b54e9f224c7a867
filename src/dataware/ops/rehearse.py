"""The use case "migrate --rehearse": the whole job into a scratch resource, timed, and removed.

What it removes it has made itself, by its record: the record says before the creation that this
rehearsal makes the resource, and after it which one that is. The resource has a tag that says the
same. A rehearsal that is killed leaves the record, so that the same command removes what is left,
and starts again.

    killed                       the record says          the same command
    before the creation          created, no identity     finds nothing, and creates
    while a stack creates it     created, no identity     removes the resource that has the tag
    after that                   created, identity        removes the resource of that identity
    after the removal            created, identity        finds nothing, and creates

Without such a record nothing is removed, nor a resource with another identity and no tag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dataware.calc.measures import duration
from dataware.core.errors import DatawareError, InputError, RefusedError
from dataware.core.estimate import Prices
from dataware.core.events import Event, event
from dataware.core.model import Existence, Facts, Location, Marker, Size, Wanted, absent
from dataware.core.ports import Emit
from dataware.core.rehearsal import Rehearsal, require_rehearsal
from dataware.ops.context import Context, CopySettings
from dataware.ops.creation_group import CreationGroup
from dataware.ops.marker_names import on_record
from dataware.ops.migrate import check_source, prepare_migration
from dataware.ops.migration_policy import HALF_MADE, Migration
from dataware.ops.probe import look
from dataware.ops.run_migration import MigrationRun, run_migration
from dataware.verify.verdict import Verdict

IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class RehearsedMigration(Migration):
    """A migration into a scratch resource, whose record knows what an earlier one has made."""

    def begin_marker(self, new_run: str) -> Marker:
        """The record, with what an earlier rehearsal has made and may have left."""
        begun = Migration.begin_marker(self, new_run)
        scratch = {name: self.marker.detail[name] for name in self._made_before()}
        return replace(begun, batches=False, detail={**begun.detail, **scratch})

    def made(self, context: Context, facts: Facts) -> bool:
        """Whether an earlier rehearsal of this pair has made what stands there now."""
        if not (self.resumes and self.marker.created):
            return False
        scratch = {self.marker.detail[name] for name in self._made_before()}
        marked = partial(rehearsal_of(self).is_marked, context.aws, facts.name)
        return (facts.identity is not None and facts.identity in scratch) or marked()

    def _made_before(self) -> tuple[str, ...]:
        if not (self.resumes and self.marker.created):
            return ()
        return tuple(name for name in (IDENTITY, HALF_MADE) if name in self.marker.detail)


class RehearsalRun(MigrationRun):
    """The steps of a rehearsal: remove what an earlier one left, migrate, and remove.

    The real target exists before its migration, so each write to the scratch one has a condition.
    """

    is_guarded = True

    def run_migration(self) -> Verdict:
        """Rehearse. Raises what ends the run, with the scratch resource removed where it can be."""
        self._remove_leftovers()
        try:
            verdict = super().run_migration()
        except Exception:
            with suppress(DatawareError):
                self._remove_made()
            raise
        self._remove_made()
        return verdict

    def _remove_leftovers(self) -> None:
        """Raises RefusedError where something of that name was made by somebody else."""
        context, migration = self._context, self._migration
        name = migration.order.target.name
        context.hold.release(migration.kind, name)
        facts = look(context, migration.kind, name)
        if facts.existence is Existence.ABSENT:
            return
        if not (isinstance(migration, RehearsedMigration) and migration.made(context, facts)):
            raise RefusedError(
                f"nothing was changed, because {name} exists and no rehearsal on record made it: "
                "look at it, and delete it if it is not needed"
            )
        self._remove(facts)

    def _remove_made(self) -> None:
        """Remove what this run has made, and nothing else of that name."""
        name = self._migration.order.target.name
        if self._held is not None:
            self._held.let_go()
            self._held.await_end()
        else:
            # A creation whose end nobody saw may go on, so it has to end first.
            self._keeper.check()
            self._context.hold.release(self._migration.kind, name)
        facts = look(self._context, self._migration.kind, name)
        if facts.existence is not Existence.ABSENT and self._has_made(facts):
            self._remove(facts)

    def _has_made(self, facts: Facts) -> bool:
        """Whether this run has made what stands there now; by its tag where nobody saw that."""
        made = {self._keeper.detail.get(one) for one in (IDENTITY, HALF_MADE)} - {None}
        if facts.identity in made or self._held is not None:
            return facts.identity in made
        return rehearsal_of(self._migration).is_marked(self._context.aws, facts.name)

    def _remove(self, facts: Facts) -> None:
        self._enter("removing")
        kind = self._migration.kind
        rehearsal_of(self._migration).remove(self._context.aws, facts.name)
        text = f"Removed the scratch {kind.short} {facts.name}"
        self._context.emit(event("done", text=text, name=facts.name))


@dataclass
class RehearsalMeter:
    """Hears of all that happens, and knows how long each part took; `emit` shows it."""

    emit: Emit
    now: Callable[[], float]
    bytes: int = 0
    phase: str = ""

    def __post_init__(self) -> None:
        self.began = self.since = self.now()
        self.spent: dict[str, float] = {}

    def __call__(self, happened: Event) -> None:
        """Show an event, and take what it says of the time."""
        if happened.code == "phase":
            self.enter(str(happened.data["phase"]))
        elif happened.code == "copy-totals" and isinstance(size := happened.data["bytes"], int):
            self.bytes = size
        self.emit(happened)

    def enter(self, phase: str) -> None:
        """Another phase begins; what came before is counted to the last one."""
        now = self.now()
        self.spent[self.phase] = self.spent.get(self.phase, 0.0) + now - self.since
        self.phase, self.since = phase, now

    def seconds(self, *phases: str) -> int:
        """How long some phases took together, at least a second."""
        return max(1, round(sum(self.spent.get(phase, 0.0) for phase in phases)))


def rehearse(
    context: Context,
    type_name: str,
    places: tuple[Location, Location],
    settings: CopySettings,
    prices: Prices,
    forget: Callable[[str, str], None],
) -> Verdict:
    """Migrate `places`, source and target, into a scratch resource; say what it took; remove it.

    `forget` deletes the record of a kind and a target. Raises what `migrate` raises, and InputError
    for a type that is not rehearsed.
    """
    real = prepare_migration(context, type_name, *places, replace(settings, on_conflict=None))
    check_source(context, real)
    return rehearse_migration(context, real, None, prices, forget)


def rehearse_migration(
    context: Context,
    real: Migration,
    properties: Mapping[str, Any] | None,
    prices: Prices,
    forget: Callable[[str, str], None],
) -> Verdict:
    """Carry a migration out in a scratch resource with `properties`; None takes the target's own.

    Raises what `rehearse` does.
    """
    migration = _in_scratch(context, real, properties)
    kind, scratch = real.kind, migration.order.target.name
    words = {
        "kind": kind.names.slug,
        "source": real.order.source.name,
        "real": real.order.target.name,
        "name": scratch,
    }
    if (why := real.why_nothing_to_copy()) is not None:
        context.emit(event("nothing-to-do", reason=why, **words))
        return Verdict()
    meter = RehearsalMeter(context.emit, context.clock.now)
    summed = replace(context, emit=meter)
    try:
        verdict = run_migration(
            summed, migration, lambda: meter(event("rehearsing", **words)), RehearsalRun
        )
    finally:
        with suppress(DatawareError):
            _forget_ended(context, migration, forget)
    meter.enter("")
    _report(meter, kind.require_copying().charges, prices, verdict, {**words, "unit": kind.unit})
    return verdict


def _forget_ended(
    context: Context, migration: RehearsedMigration, forget: Callable[[str, str], None]
) -> None:
    """Delete the record of a rehearsal of which nothing is left, and nothing can come any more.

    What goes on elsewhere keeps its record, and its stack. Raises what says that it is not known.
    """
    kind, scratch = migration.kind, migration.order.target.name
    slug, recorded = kind.names.slug, on_record(kind, migration.order)[1]
    if context.markers.get(slug, recorded).alive:
        return
    context.hold.release(kind, scratch)
    if look(context, kind, scratch).existence is Existence.ABSENT:
        forget(slug, recorded)


def rehearsal_of(migration: Migration) -> Rehearsal:
    """How the type of a migration is rehearsed. Raises InputError."""
    kind = migration.kind
    make = kind.require_copying().rehearsal
    return require_rehearsal(make() if make else None, kind.short)


def _in_scratch(
    context: Context, real: Migration, properties: Mapping[str, Any] | None
) -> RehearsedMigration:
    """The same migration into a scratch resource, which is like the target."""
    kind, target = real.kind, real.order.target
    rehearsal, describe = rehearsal_of(real), kind.template.describe
    if describe is None or target.owner != context.aws.account:
        raise InputError(
            f"a rehearsal makes a {kind.short} like {target.name} in account "
            f"{context.aws.account}, and that belongs to account {target.owner}; run it there"
        )
    name = rehearsal.name_scratch(real.order.source, target)
    if problem := kind.names.find_problem(name):
        raise InputError(f"{name} cannot be the name of a {kind.short}: {problem}")
    if properties is None:
        properties = describe(context.aws, target.name).properties
    chosen = rehearsal.choose_properties(properties, name)
    wanted = Wanted(f"rehearsal of {target.name}", kind.cfn_type, name, properties=chosen)
    order = replace(real.order, target=replace(target, name=name))
    marker = context.markers.get(kind.names.slug, on_record(kind, order)[1])
    group = CreationGroup(context.hold, [wanted], filled=True)
    return RehearsedMigration(
        kind, order, real.settings, marker, absent(name), create=partial(group.create, wanted)
    )


def _report(
    meter: RehearsalMeter,
    charges: Callable[[Size], Mapping[str, float]],
    prices: Prices,
    verdict: Verdict,
    words: dict[str, object],
) -> None:
    """Say what the migration took."""
    count, copying = verdict.compared, meter.seconds("looking", "copying")
    billed = charges(Size(count, meter.bytes))
    usd = sum(units * prices.usd.get(name, 0.0) for name, units in billed.items())
    seconds = max(1, round(meter.now() - meter.began))
    meter(
        event(
            "rehearsed",
            count=count,
            after=duration(seconds),
            copying=duration(copying),
            verifying=duration(meter.seconds("verifying")),
            rate=round(count / copying),
            cost=f"about ${usd:,.2f}" if usd >= 0.01 else "less than $0.01",
            usd=round(usd, 6),
            seconds=seconds,
            **words,
        )
    )
