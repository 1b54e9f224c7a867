"""What a stack that adopts a resource would find otherwise than its template declares it; pure.

CloudFormation's import takes a resource in as it is: it does not compare its configuration with
the template, and changes nothing. Sources: AWS CloudFormation User Guide, "Import AWS resources
into a CloudFormation stack automatically" and "Import AWS resources into a CloudFormation stack
manually" (considerations); "Detect unmanaged configuration changes" (only properties that a
template sets are compared).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from dataware.core.model import Problem
from dataware.core.ports import Aws
from dataware.core.values import NO_VALUE, as_texts, find_function, is_function

HIDDEN = {"Fn::GetAtt": ["Default", "Properties"]}
"""Stands for the value of a property that is looked at later."""

SHOWN = 120
"""Characters of a value that a sentence holds."""


class PropertyVerdict(StrEnum):
    """What becomes of a property of a resource that a stack adopts."""

    SAME = "same"
    CHANGES = "will change"
    FIXED = "cannot change"
    DELETES = "deletes data"
    UNREAD = "not read"
    UNKNOWN = "not known"
    UNCOMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class LiveConfiguration:
    """The CloudFormation properties of a resource as it is, and what could not be read of them.

    A property that is missing is not configured.
    """

    properties: Mapping[str, Any]
    unread: Mapping[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PropertyDifference:
    """One property of a template beside the live one; `effect` says what it comes to."""

    name: str
    verdict: PropertyVerdict
    live: str
    declared: str
    effect: str = ""

    def __str__(self) -> str:
        """The difference in a clause."""
        return f"{self.name} is {self.live}, declared {self.declared}"

    def to_json(self) -> dict[str, str]:
        """The difference as in a plan."""
        return {
            "property": self.name,
            "verdict": self.verdict.value,
            "live": self.live,
            "declared": self.declared,
            "effect": self.effect,
        }


def _nothing_deleted(_name: str, _live: Any, _declared: Any) -> str | None:
    return None


@dataclass(frozen=True)
class ConfigurationComparison:
    """How the live configuration of a type is compared with a template.

    `read` asks for it. `forms` bring the value of each property that is compared, live or declared
    (None where there is none), into a form of its own, in which equal values mean the same.
    `is_fixed` tells whether a property cannot go from a live value to a declared one without a
    replacement; those in `even_undeclared` are compared also where the template is silent.
    `find_deletion` says in a clause what of the data a declared value would delete that the live
    one does not, and `count_deleted` adds how much of it there is now where that is cheap to see.
    `left_out` names, by property, the parts that its form does not compare; `not_live` are the
    properties that say nothing of the live resource, and the values of those in `hidden` are never
    shown. `in_region` gives what a template declares for
    one region, where it declares several. `defaults` are the values that a deployment gives to
    properties that a template no longer declares, where that may delete data.
    """

    read: Callable[[Aws, str], LiveConfiguration]
    forms: Mapping[str, Callable[[Any], Any]]
    is_fixed: Callable[[str, Any, Any], bool] = lambda _name, _live, _declared: False
    even_undeclared: Collection[str] = ()
    find_deletion: Callable[[str, Any, Any], str | None] = _nothing_deleted
    count_deleted: Callable[[Aws, str, str, Any, Any], str] = (
        lambda _aws, _resource, _name, _live, _declared: ""
    )
    left_out: Mapping[str, Collection[str]] = field(default_factory=dict)
    not_live: Collection[str] = ()
    hidden: Collection[str] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    in_region: Callable[[Mapping[str, Any], str], Mapping[str, Any]] = lambda declared, _region: (
        declared
    )

    def describe_deletion(self, name: str, live: Any, declared: Any) -> str | None:
        """What a declared value would delete, in a clause; also that this cannot be told.

        A value of a form that CloudFormation does not take may be anything.
        """
        try:
            return self.find_deletion(name, live, declared)
        except (AttributeError, KeyError, TypeError, ValueError):
            return f"its {name} cannot be read, and may delete data"


def compare_configuration(
    card: ConfigurationComparison, live: LiveConfiguration, declared: Mapping[str, Any]
) -> tuple[PropertyDifference, ...]:
    """Every compared property that the template declares, with its verdict."""
    differences = (_compare(card, name, live, declared.get(name)) for name in card.forms)
    return tuple(one for one in differences if one is not None)


def list_uncompared(
    card: ConfigurationComparison | None, declared: Mapping[str, Any], named: Collection[str]
) -> Iterator[PropertyDifference]:
    """What a template declares and nobody compares: properties, and parts of some.

    `named` are the properties that say nothing but the name.
    """
    forms = card.forms if card else {}
    passed_over = {*named, *(card.not_live if card else ())}
    for name, value in declared.items():
        if name in passed_over or value is None or value == NO_VALUE:
            continue
        parts = set(_keys_of(value)) & {*(card.left_out.get(name, ()) if card else ())}
        names = [f"{name}.{part}" for part in sorted(parts)] if name in forms else [name]
        shown = "not shown" if card and name in card.hidden else _show(value)
        for one in names:
            yield PropertyDifference(one, PropertyVerdict.UNCOMPARED, "not read", shown)


def _keys_of(value: Any) -> Iterator[str]:
    """The names of all that a value holds, however deep."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name)
            yield from _keys_of(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _keys_of(one)


def _compare(
    card: ConfigurationComparison, name: str, live: LiveConfiguration, declared: Any
) -> PropertyDifference | None:
    if declared is None or declared == NO_VALUE:
        if name not in card.even_undeclared or live.properties.get(name) is None:
            return None
        declared = None
    problem, value = live.unread.get(name), live.properties.get(name)
    result = PropertyDifference(
        name,
        PropertyVerdict.SAME,
        f"unknown ({problem})" if problem else _show(value),
        _show(declared),
    )
    if effect := card.describe_deletion(name, value, declared):
        return replace(result, verdict=PropertyVerdict.DELETES, effect=effect)
    if problem is not None:
        return replace(result, verdict=PropertyVerdict.UNREAD, effect=str(problem))
    try:
        has, wants = card.forms[name](value), _literal_form(card, name, declared)
    except (AttributeError, KeyError, TypeError, ValueError):
        function = find_function(declared)
        effect = f"only CloudFormation resolves {function}" if function else "it is not literal"
        if declared == HIDDEN:
            effect = ""
        return replace(result, verdict=PropertyVerdict.UNKNOWN, effect=effect)
    result = replace(result, live=result.live if problem else _show(has), declared=_show(wants))
    if matches(has, wants):
        return result
    verdict = PropertyVerdict.FIXED if card.is_fixed(name, has, wants) else PropertyVerdict.CHANGES
    return replace(result, verdict=verdict)


def _literal_form(card: ConfigurationComparison, name: str, declared: Any) -> Any:
    """The form of a declared value. Raises TypeError for a function, and as forms do."""
    if is_function(declared):
        raise TypeError(declared)
    return card.forms[name](declared)


def matches(live: Any, declared: Any) -> bool:
    """Whether a live value is what is declared; what only CloudFormation resolves may be it."""
    if declared is live or is_function(declared):
        return True
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        return all(name in live and matches(live[name], one) for name, one in declared.items())
    if isinstance(declared, list | tuple) and isinstance(live, list | tuple):
        pairs = zip(live, declared, strict=False)
        return len(live) == len(declared) and all(matches(*pair) for pair in pairs)
    return bool(as_texts(live) == as_texts(declared))


def list_of(
    differences: Sequence[PropertyDifference], *verdicts: PropertyVerdict
) -> list[PropertyDifference]:
    """The differences of some verdicts."""
    return [one for one in differences if one.verdict in verdicts]


def join(differences: Sequence[PropertyDifference]) -> str:
    """The differences in one clause."""
    return "; ".join(map(str, differences))


def _show(value: Any) -> str:
    if value is None or value in ({}, []):
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def is_on(value: Any) -> bool:
    """Whether a literal switch is on. Raises ValueError for what is no switch."""
    text = str(value).lower()
    if value is None or text == "false":
        return False
    if text != "true":
        raise ValueError(text)
    return True


def tags_form(value: Any) -> dict[str, Any]:
    """Tags by key; those that a template does not name stay."""
    return {tag["Key"]: tag.get("Value", "") for tag in value or ()}


def number_of(value: Any) -> Any:
    """A number, also where a template writes it as text; a function stays one."""
    return value if value is None or is_function(value) else int(value)


def rules_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """The literal rules of a list, one after the other. Raises TypeError for anything else."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise TypeError(value)
    yield from value
