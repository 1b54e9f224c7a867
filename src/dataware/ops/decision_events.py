"""The lines that tell of a decision, in the words of the kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dataware.core.comparison import PropertyVerdict, join, list_of
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Action, Content, Existence, Facts, Wanted
from dataware.core.plan import Planned
from dataware.core.ports import Emit
from dataware.kinds import load


def report_decision(emit: Emit, planned: Planned) -> None:
    """Tell of one decision and of its warnings."""
    kind = load(planned.wanted.type)
    place = {"where": planned.wanted.where} if planned.wanted.where else {}
    words = {
        "kind": kind.names.slug,
        "noun": kind.noun,
        "short": kind.short,
        "name": planned.wanted.preferred,
        "source": planned.decision.source,
        "rule": planned.decision.rule,
        "reason": planned.decision.reason,
        "id": planned.wanted.id,
        "stack": planned.preferred.owner.stack,
        **place,
    }
    for facts in (planned.preferred, *planned.fallbacks):
        for text in (f"{facts.name}: {note}" for note in facts.notes):
            if text not in planned.decision.warnings:
                emit(event("note", text=text, name=facts.name))
    _report_changes(emit, planned)
    TELL[planned.decision.action](emit, kind, planned, words)
    for text in planned.decision.warnings:
        emit(event("warning", text=text, name=planned.wanted.preferred, **place))


def _report_changes(emit: Emit, planned: Planned) -> None:
    """Tell what stays otherwise than declared when a stack adopts the resource."""
    if changes := list_of(planned.differences, PropertyVerdict.CHANGES):
        name = planned.wanted.preferred
        text = f"{name} differs from the app, and adoption leaves it so: {join(changes)}"
        emit(event("note", text=text, name=name))
    if texts := list(_list_uncompared(planned)):
        name = planned.wanted.preferred
        text = (
            f"{name} is not compared with the app in {', '.join(texts)}: see what differs with "
            f"`{_drift_command(planned.wanted)}` after the deployment"
        )
        emit(event("note", text=text, name=name))


def _drift_command(wanted: Wanted) -> str:
    """What detects drift; CDK knows a stack by its path in the app, and only one of an app."""
    if wanted.cdk_stack:
        return f"cdk drift {wanted.cdk_stack}"
    return f"aws cloudformation detect-stack-drift --stack-name {wanted.stack or 'STACK'}"


def _list_uncompared(planned: Planned) -> Iterator[str]:
    """What is declared and could not be compared, so that only drift detection reports it."""
    for one in planned.differences:
        if one.verdict is PropertyVerdict.UNCOMPARED:
            yield one.name
        elif one.verdict is PropertyVerdict.UNKNOWN and one.effect:
            yield f"{one.name} ({one.effect})"


def _is_empty(facts: Facts) -> bool:
    return facts.existence is Existence.EXISTS and facts.content is Content.EMPTY


def _keep(emit: Emit, _kind: Kind, _planned: Planned, words: dict[str, Any]) -> None:
    emit(event("keeping", **words))


def _import(emit: Emit, _kind: Kind, planned: Planned, words: dict[str, Any]) -> None:
    if planned.decision.source is not None:
        emit(event("importing", **{**words, "name": planned.decision.source}))
    elif planned.decision.rule == 10:
        emit(event("referencing", **words))
    else:
        code = "importing" if planned.preferred.holds_data else "importing-empty"
        emit(event(code, **words))


def _create(emit: Emit, kind: Kind, planned: Planned, words: dict[str, Any]) -> None:
    """What exists is used as it is, and only where the older lines want it called new as well.

    Scripts know the three lines about a preferred and a fallback resource that are both empty.
    """
    exists = planned.preferred.existence is Existence.EXISTS
    empty = [fallback for fallback in planned.fallbacks if _is_empty(fallback)]
    if _is_empty(planned.preferred):
        emit(event("preferred-empty", **words))
    for fallback in empty:
        emit(event("fallback-empty", name=fallback.name, short=kind.short))
    if not exists or (_is_empty(planned.preferred) and empty):
        emit(event("creating", **words))
    if exists:
        emit(event("using-existing", **words))


def _migrate(emit: Emit, _kind: Kind, planned: Planned, words: dict[str, Any]) -> None:
    if _is_empty(planned.preferred):
        emit(event("preferred-empty", **words))
    exists = planned.preferred.existence is Existence.EXISTS
    emit(event("migrating-into" if exists else "migrating", **words))


def _resume(emit: Emit, _kind: Kind, _planned: Planned, words: dict[str, Any]) -> None:
    emit(event("resuming", **words))


def _stop(emit: Emit, _kind: Kind, _planned: Planned, words: dict[str, Any]) -> None:
    emit(event("stopped", **words))


TELL: dict[Action, Callable[[Emit, Kind, Planned, dict[str, Any]], None]] = {
    Action.KEEP: _keep,
    Action.IMPORT: _import,
    Action.CREATE: _create,
    Action.MIGRATE: _migrate,
    Action.RESUME: _resume,
    Action.STOP: _stop,
}
