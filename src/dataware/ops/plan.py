"""The use case "plan": look, decide, estimate; changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from dataware.calc.words import with_article
from dataware.core.chained_copies import stop_chained_copies
from dataware.core.deferred_creation import explain_waiting, name_next_step
from dataware.core.engines.unfinished_work import is_made_by_service, without_service_work
from dataware.core.errors import InputError, RefusedError
from dataware.core.estimate import Prices
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import (
    NOT_ASKED,
    Action,
    Decision,
    Existence,
    Facts,
    MarkerState,
    OnError,
    Wanted,
)
from dataware.core.names import find_shared_name, is_arn, localize_names
from dataware.core.plan import COPYING, Plan, Planned
from dataware.core.protection import compare_protection, warn_of_expiry
from dataware.core.rules import Terms, decide
from dataware.core.situation import source_of
from dataware.core.source_profile import is_read_by_profile
from dataware.kinds import load
from dataware.ops.adoption import compare_adopted
from dataware.ops.adoption_check import check_adoption, note_of_import, stop_at_obstacle
from dataware.ops.cancel_deletions import plan_as_restored
from dataware.ops.context import Context
from dataware.ops.decision_events import report_decision
from dataware.ops.declaration_check import check_declared
from dataware.ops.earlier_migrations import warn_of_earlier_migrations
from dataware.ops.engine_choice import EngineDemand, choose_engines
from dataware.ops.history_check import warn_of_history
from dataware.ops.owned_fallbacks import warn_of_owned_fallbacks
from dataware.ops.partial_copy import describe_partial
from dataware.ops.probe import probe_all
from dataware.ops.region_check import find_wrong_region
from dataware.ops.remembered_answers import remember_answers
from dataware.ops.source_profile import (
    describe_profile,
    name_fallbacks,
    report_profile,
    warn_of_own_fallbacks,
)


def make_plan(
    context: Context,
    wanted: Sequence[Wanted],
    *,
    report: bool = True,
    prices: Prices | None = None,
    all_versions: bool = False,
    engines: EngineDemand | None = None,
    restores: Container[str] = (),
) -> Plan:
    """Look at every name and decide; with `prices`, estimate what each copy takes.

    `all_versions` says that copies will take older versions, too; `engines` are those that a person
    asks for. The deletion of a name that `restores` holds may be cancelled, if nothing else stops.

    Raises InputError for wanted resources that contradict each other, LookupFailedError when the
    account cannot be reached, and Refused for a wrong region if uncertainty is a stop, and for
    an engine that does not fit.
    """
    context = remember_answers(context)
    account, region = context.aws.account, context.aws.region
    wanted = [_localize(context, one) for one in wanted]
    named = name_fallbacks(context, wanted)
    _check(named, account, region)
    context.emit(event("looking", count=len(wanted), account=account, region=region))
    facts = probe_all(context, named)
    planned = _decide_each(context, wanted, facts, restores, all_versions=all_versions)
    planned, demand = _refuse_second_import(planned), engines or EngineDemand()
    planned = choose_engines(context, planned, demand, prices, all_versions=all_versions)
    planned = compare_adopted(context, planned)
    planned = stop_chained_copies(planned, load, account, region)
    planned = warn_of_earlier_migrations(context, planned)
    planned = warn_of_owned_fallbacks(context, planned)
    _report(context, planned, with_lines=report)
    created = datetime.fromtimestamp(context.clock.now(), UTC).isoformat(timespec="seconds")
    warnings = (*_doubts(context, planned), *_shared_fallbacks(named))
    plan = Plan(account, region, created, planned, warnings, prices=prices)
    return _with_profile(context, plan)


def _decide_each(
    context: Context,
    wanted: Sequence[Wanted],
    facts: Sequence[tuple[Facts, tuple[Facts, ...]]],
    restores: Container[str],
    *,
    all_versions: bool,
) -> tuple[Planned, ...]:
    """What is decided on each resource by itself, with the facts of its names."""
    return tuple(
        plan_as_restored(
            context,
            names,
            partial(_plan_resource, one, context.aws.region, all_versions=all_versions),
            restores,
        )
        for one, names in zip(wanted, facts, strict=True)
    )


def _report(context: Context, planned: Sequence[Planned], *, with_lines: bool) -> None:
    """Emit each decision, and the line of it that people read."""
    if with_lines:
        report_profile(context)
    for one in planned:
        context.emit(event("decision", name=one.wanted.preferred, **_decision_json(one)))
        if with_lines:
            report_decision(context.emit, one)
            _report_running(context, one)


def _report_running(context: Context, planned: Planned) -> None:
    """Say that a run is at work on what is to be resumed: a second one would be refused."""
    name, marker = planned.wanted.preferred, planned.preferred.marker
    if planned.decision.action is Action.RESUME and marker.alive:
        text = (
            f"{name} is being migrated by run {marker.shown_run}: `dataware status {name} --watch` "
            "follows it, and another run is refused until it ends"
        )
        context.emit(event("note", text=text, name=name))


def _with_profile(context: Context, plan: Plan) -> Plan:
    """The plan with the profile that reads its sources, and what that does not read."""
    wanted = [one.wanted for one in plan.resources]
    warnings = (*plan.warnings, *warn_of_own_fallbacks(context, wanted))
    return replace(plan, warnings=warnings, source_profile=describe_profile(context))


def _localize(context: Context, wanted: Wanted) -> Wanted:
    """The wanted resource as it is named here; fallbacks that a profile reads stay as they are."""
    kind, here = load(wanted.type), (context.aws.account, context.aws.region)
    if not context.source_profile or not is_read_by_profile(kind):
        return localize_names(kind, wanted, *here)
    local = localize_names(kind, replace(wanted, fallbacks=()), *here)
    return replace(local, fallbacks=wanted.fallbacks)


def _doubts(context: Context, planned: Sequence[Planned]) -> tuple[str, ...]:
    """What was seen speaks against the region of the run. Raises Refused if that is a stop."""
    doubt = find_wrong_region(context, planned)
    if doubt is not None and doubt.certain and context.strict:
        raise RefusedError(f"nothing was changed, because {doubt.text}")
    return (doubt.text,) if doubt else ()


def _decision_json(planned: Planned) -> dict[str, object]:
    """A decision with its facts and the words of its kind; properties may hold what is secret."""
    kind, decided = load(planned.wanted.type), planned.to_json()
    del decided["wanted"]
    return {**decided, "noun": kind.noun, "unit": kind.unit}


def _check(wanted: Sequence[Wanted], account: str, region: str) -> None:
    pairs = ((load(item.type), item) for item in wanted)
    if (clash := find_shared_name(pairs, account, region)) is not None:
        one, other = clash
        raise InputError(
            f"{one.id} and {other.id} have the same preferred name {other.preferred}: two "
            "resources cannot share a name; rename one of them"
        )
    for item in wanted:
        if item.preferred in item.fallbacks:
            raise InputError(
                f"{item.id} names {item.preferred} as preferred and as fallback; remove it from "
                "the fallbacks"
            )


def _refuse_second_import(planned: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """The same. Raises InputError where a name and an id mean what is imported once."""
    held: dict[tuple[str, str], Planned] = {}
    for one in planned:
        if not one.decision.by_id or one.preferred.physical_id is None:
            continue
        kind = load(one.wanted.type)
        other = held.setdefault((kind.names.slug, one.preferred.physical_id), one)
        if other is not one:
            raise InputError(
                f"{other.wanted.id} and {one.wanted.id} mean the same {kind.noun} "
                f"({one.preferred.physical_id}), which a stack can adopt only once: remove one of "
                "them"
            )
    return planned


def _shared_fallbacks(wanted: Sequence[Wanted]) -> tuple[str, ...]:
    kinds = {item.type: load(item.type).names.slug for item in wanted}
    preferred = {(kinds[item.type], item.preferred): item.id for item in wanted}
    chained = [
        f"{item.id} falls back to {name}, which {preferred[kinds[item.type], name]} prefers"
        for item in wanted
        for name in item.fallbacks
        if (kinds[item.type], name) in preferred
    ]
    counts = Counter((kinds[item.type], name) for item in wanted for name in item.fallbacks)
    shared = [f"{name} is a fallback of {n} resources" for (_, name), n in counts.items() if n > 1]
    return (*chained, *shared)


def _plan_resource(
    wanted: Wanted,
    region: str,
    preferred: Facts,
    fallbacks: tuple[Facts, ...],
    *,
    all_versions: bool,
) -> Planned:
    kind, preferred = load(wanted.type), without_service_work(preferred)
    schema = kind.template.declared_schema(wanted.properties)
    decision = decide(wanted, schema, preferred, fallbacks, _terms_of(kind))
    decision = check_declared(kind, wanted, decision, preferred, fallbacks)
    decision = stop_at_obstacle(decision, preferred, fallbacks)
    source = source_of(preferred, fallbacks)
    made = preferred
    if is_made_by_service(preferred.marker):
        made = replace(preferred, existence=Existence.ABSENT)  # its settings are set at the end
    decision = compare_protection(kind, wanted, decision, made, source)
    decision = warn_of_expiry(kind, wanted, decision, made, source)
    decision = _whole(wanted, decision, source)
    decision = _possible(kind, wanted, decision, preferred)
    decision = _refuse_second_of_a_name(kind, wanted, decision, preferred)
    decision = _refuse_import_from_elsewhere(wanted, decision, fallbacks)
    decision = check_adoption(kind, wanted, decision, preferred, region)
    decision = _warn_of_skipped(kind, decision, source)
    if decision.action in COPYING and not all_versions:
        decision = replace(decision, warnings=(*decision.warnings, *warn_of_history(kind, source)))
    preferred = _with_advice(kind, wanted, decision, preferred, source)
    notes = (*preferred.notes, *note_of_import(kind, decision))
    return Planned(wanted, replace(preferred, notes=notes), fallbacks, decision)


def _whole(wanted: Wanted, decision: Decision, source: Facts | None) -> Decision:
    """What an unfinished migration has put into a fallback is not the data, only a part of it."""
    if source is None or decision.source != source.name:
        return decision
    if source.marker.state is MarkerState.UNKNOWN and wanted.on_error is OnError.SAFE:
        problems = "; ".join(map(str, source.problems)) or "no answer"
        reason = (
            f"{source.name} may hold only a part of its data, because it is unknown whether a "
            f"migration into it was interrupted ({problems}); {_way_to_see(source)}"
        )
        return decision.stop(14, reason)
    if source.marker.state is not MarkerState.RUNNING:
        return decision
    reason = (
        f"{source.name} holds only part of the data, because its own migration from "
        f"{source.marker.source} has not ended (run {source.marker.shown_run}): finish that with "
        "`dataware migrate`, or name that source as the fallback"
    )
    return decision.stop(7, reason)


def _warn_of_skipped(kind: Kind, decision: Decision, source: Facts | None) -> Decision:
    """A copy that is foreseen to stay incomplete needs a person before it begins, not after."""
    if decision.action not in COPYING or source is None or kind.copying is None:
        return decision
    skipped = tuple(f"{source.name}: {text}" for text in kind.copying.foresee_skipped(source))
    return replace(decision, warnings=(*decision.warnings, *skipped))


def _terms_of(kind: Kind) -> Terms:
    scheme = kind.copying.scheme if kind.copying else None
    return Terms(kind.unit, kind.short, scheme, kind.access.ownership)


def _way_to_see(source: Facts) -> str:
    if any(problem.code == NOT_ASKED for problem in source.problems):
        return "make sure of it, and run again with --on-error no-data"
    return "grant the permissions and run again"


def _possible(kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts) -> Decision:
    """A kind that no plan copies migrates nothing, and a resource to create needs properties."""
    if decision.action in COPYING and not kind.is_copied_by_plans:
        reason = _explain_uncopied(kind, wanted, decision)
        return replace(decision, action=Action.STOP, rule=18, reason=reason, source=None)
    if wanted.unresolved and preferred.existence is not Existence.EXISTS:
        text = (
            f"only the deployment can create {wanted.preferred}, because "
            f"{explain_waiting(wanted)}; {name_next_step(wanted)}"
        )
        if decision.action in COPYING:
            return replace(decision, warnings=(*decision.warnings, text))
    return decision


def _explain_uncopied(kind: Kind, wanted: Wanted, decision: Decision) -> str:
    """Why no plan copies the data of a kind, and what to do."""
    noun, way = with_article(kind.noun), ""
    but = f"but dataware cannot copy {noun}"
    if kind.copying is not None:
        scheme, consent = kind.copying.scheme, ""
        but = f"but no plan copies {noun}, whose template holds its value"
        if kind.copying.not_carried:
            consent = " --allow-partial"
            but = f"but a copy of {noun} is partial ({describe_partial(kind)})"
        pair = f"{scheme}://{decision.source} {scheme}://{wanted.preferred}"
        way = f" (`dataware migrate {pair}{consent}`)"
    return (
        f"data would have to be copied to {wanted.preferred}, {but}; copy it yourself{way}, or set "
        "on_fallback_data to import"
    )


def _refuse_second_of_a_name(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts
) -> Decision:
    """Stop where an unseen resource would get an empty twin, which no name clash prevents."""
    unseen = preferred.existence is Existence.UNKNOWN and decision.action is Action.CREATE
    if kind.names.are_unique or not unseen or wanted.on_error is OnError.NO_DATA:
        return decision
    problems = "; ".join(map(str, preferred.problems)) or "no answer"
    reason = (
        f"it is unknown whether {preferred.name} exists ({problems}), and a second, empty "
        f"{kind.short} could be created: grant the permissions, or accept that with --on-error "
        "no-data"
    )
    return replace(
        decision, action=Action.STOP, rule=14, reason=reason, import_mode=None, warnings=()
    )


def _refuse_import_from_elsewhere(
    wanted: Wanted, decision: Decision, fallbacks: Sequence[Facts]
) -> Decision:
    """A stack refers to what is in its own account and region only."""
    if decision.action is not Action.IMPORT:
        return decision
    own = {None, wanted.account}
    foreign = any(one.name == decision.source and one.account not in own for one in fallbacks)
    if not foreign and not is_arn(decision.source or ""):
        return decision
    reason = (
        f"{decision.source} has data, but in another account or region, from which the app cannot "
        "import it: set on_fallback_data to migrate"
    )
    return decision.stop(decision.rule, reason)


def _with_advice(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, source: Facts | None
) -> Facts:
    """With a note where other properties of a target to be created would make the copy quicker."""
    created = decision.action in COPYING and preferred.existence is Existence.ABSENT
    if not created or kind.copying is None or source is None or source.size is None:
        return preferred
    advice = kind.copying.advice(wanted.properties, source.size)
    return replace(preferred, notes=(*preferred.notes, advice)) if advice else preferred
