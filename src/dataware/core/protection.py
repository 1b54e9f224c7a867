"""Whether data would be protected less than it is now.

Pure: compares the protective settings (encryption, public access, versions, backups, deletion
protection, and of what was deployed the deletion policy) of what exists, or was deployed, with
those that the app declares. A setting that is unknown on either side is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataware.core.kind import Kind
from dataware.core.model import (
    Action,
    Decision,
    Existence,
    Facts,
    ImportMode,
    OnError,
    Setting,
    Wanted,
)
from dataware.core.plan import COPYING
from dataware.core.stack_template import (
    DeclaredResource,
    StackTemplate,
    is_changed,
    is_retained,
)
from dataware.core.values import NO_VALUE, find_function

RULE = 17


@dataclass(frozen=True, slots=True)
class WeakerProtection:
    """A deployed resource whose settings the next deployment would weaken."""

    stack: str
    logical_id: str
    noun: str
    settings: tuple[str, ...]

    def __str__(self) -> str:
        """What would happen, and what to do, in one sentence."""
        return (
            f"{self.noun} {self.logical_id} of stack {self.stack} would be protected less than it "
            f"is deployed ({'; '.join(self.settings)}); declare the same settings again"
        )


def weaker_settings(source: Mapping[str, Setting], target: Mapping[str, Setting]) -> list[str]:
    """The settings in which `target` is weaker than `source`, as clauses."""
    return [
        f"{name.replace('_', ' ')}: {target[name].label} instead of {setting.label}"
        for name, setting in source.items()
        if name in target and target[name].rank < setting.rank
    ]


def compare_protection(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, source: Facts | None
) -> Decision:
    """Warn where data would be protected less than it is; under on_error stop: stop (rule 17)."""
    strict = wanted.on_error is OnError.STOP
    text = _find_weakening(kind, wanted, decision, preferred, source)
    if strict and text is None:
        text = _find_unread(kind, wanted, decision, preferred, source)
    if text is None:
        return decision
    if strict:
        return replace(decision, action=Action.STOP, rule=RULE, reason=text, source=None)
    return replace(decision, warnings=(*decision.warnings, text))


def _find_weakening(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, source: Facts | None
) -> str | None:
    if decision.action in COPYING and source is not None:
        weaker = weaker_settings(source.settings, _target_settings(kind, wanted, preferred))
        what = f"would protect its data less than {source.name} does"
        how = "set the same in the app's properties"
    elif preferred.existence is Existence.EXISTS and _is_adopted(wanted, decision):
        declared = kind.template.declared_settings(wanted.properties)
        weaker = weaker_settings(preferred.settings, declared)
        what = "is declared with less protection than it has"
        how = "declare the same in the app's properties"
    else:
        return None
    return f"{wanted.preferred} {what} ({'; '.join(weaker)}); {how}" if weaker else None


def warn_of_expiry(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, source: Facts | None
) -> Decision:
    """Warn where a target is made that deletes what is copied into it, unlike its source.

    What exists already says so in its notes.
    """
    note, card = kind.copying.expiry_note if kind.copying else "", kind.comparison
    makes = decision.action in COPYING and preferred.existence is not Existence.EXISTS
    if not (makes and note and card) or source is None:
        return decision
    if any(one.startswith(note) for one in source.notes):
        return decision
    effects = [
        effect
        for name in card.forms
        if (effect := card.describe_deletion(name, None, wanted.properties.get(name)))
    ]
    if not effects:
        return decision
    text = (
        f"{wanted.preferred} is declared to delete what is copied into it ({'; '.join(effects)}), "
        f"unlike {source.name}; declare that only once this data may go"
    )
    return replace(decision, warnings=(*decision.warnings, text))


def _find_unread(
    kind: Kind, wanted: Wanted, decision: Decision, preferred: Facts, source: Facts | None
) -> str | None:
    """The settings of a source that could not be read, so that a copy may protect less."""
    if decision.action not in COPYING or source is None:
        return None
    target = _target_settings(kind, wanted, preferred)
    unread = [name.replace("_", " ") for name in target if name not in source.settings]
    if not unread:
        return None
    problems = "; ".join(map(str, source.problems)) or "no answer"
    return (
        f"{wanted.preferred} may protect its data less than {source.name}, whose "
        f"{', '.join(unread)} cannot be read ({problems}), and on_error is stop; grant the "
        "permissions and run again"
    )


def _target_settings(kind: Kind, wanted: Wanted, preferred: Facts) -> Mapping[str, Setting]:
    """The settings into which a copy goes: of what exists, else as the app declares them."""
    if preferred.existence is Existence.EXISTS:
        return preferred.settings
    return kind.template.declared_settings(wanted.properties)


def _is_adopted(wanted: Wanted, decision: Decision) -> bool:
    """Whether a template is about to adopt what exists.

    What the stack has already is compared with the deployed template, see `find_weakened`.
    """
    stops = decision.action is Action.STOP
    return not stops and wanted.logical_id is not None and decision.import_mode is ImportMode.ADOPT


def find_weakened(
    kinds: Mapping[str, Kind], now: StackTemplate, before: Mapping[str, DeclaredResource]
) -> Iterator[WeakerProtection]:
    """The resources that stay in a stack and would be protected less than they were deployed.

    CloudFormation resets a property that a template no longer declares, so what was declared and
    is not any more counts as declared empty.
    """
    for logical_id, was in before.items():
        kind, declared = kinds.get(was.type), now.resources.get(logical_id)
        if kind is None or declared is None or declared.type != was.type:
            continue
        before, after = was.write_properties(), declared.write_properties()
        properties = {**_reset_properties(before, after), **after}
        weaker = weaker_settings(
            kind.template.declared_settings(before),
            kind.template.declared_settings(properties),
        )
        if kind.template.stateful:
            weaker += _find_policy_change(was, declared)
        if weaker:
            yield WeakerProtection(now.name, logical_id, kind.noun, tuple(weaker))


def _find_policy_change(was: DeclaredResource, now: DeclaredResource) -> Iterator[str]:
    """That what outlived its stack would be deleted with it."""
    before, after = was.evaluate(was.deletion_policy), now.evaluate(now.deletion_policy)
    if is_retained(before) and after in (None, "Delete"):
        yield f"deletion policy: {after or 'none'} instead of {before}"


def find_deletions(kind: Kind, was: DeclaredResource, now: DeclaredResource) -> Iterator[str]:
    """What of its data a new value deletes in place, such as a shorter retention, as clauses.

    A value that only CloudFormation knows counts as none before: nothing may be kept out by it.
    """
    card = kind.comparison
    if card is None:
        return
    before, after = was.known_values(), now.known_values()
    for name in card.forms:
        later = after.get(name)
        if later in (None, NO_VALUE):
            later = card.defaults.get(name)
        if later is None or not is_changed(was, now, name):
            continue
        earlier = None if find_function(before.get(name)) else before.get(name)
        if effect := card.describe_deletion(name, earlier, later):
            yield effect


def _reset_properties(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {} for name, value in was.items() if isinstance(value, Mapping) and name not in now
    }
