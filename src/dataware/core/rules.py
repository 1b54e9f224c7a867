"""The decision: a pure, total function from facts.

Rule numbers are permanent: they stand in plans, in documents and in people's scripts. The rows
that decide are data, in `dataware.core.table`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataware.core.events import format_count
from dataware.core.model import (
    Action,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Owner,
    Ownership,
    Problem,
    Wanted,
)
from dataware.core.row import DecisionRow
from dataware.core.situation import Situation, is_hidden, situation_of, source_of
from dataware.core.table import TABLE

RULES: dict[int, str] = {
    1: "The preferred resource has data: import it.",
    2: "The preferred resource exists but is empty: look at the fallbacks (rules 3, 4, 12).",
    3: "Only a fallback has data: create the preferred resource, copy, verify, import.",
    4: "The preferred resource is absent and every fallback is empty: create it.",
    5: "Nothing exists: create the preferred resource.",
    6: "The preferred resource belongs to this stack: keep it in the stack.",
    7: (
        "A migration into the preferred resource has started: resume it, whatever the "
        "resource holds now."
    ),
    8: "Both hold data and no migration is recorded: import the preferred one and warn.",
    9: "A completed migration's data is gone: stop.",
    10: "The preferred resource belongs to another stack: reference it, never write to it.",
    11: "A resource of another account: stop; never import, write or read it.",
    12: (
        "The preferred resource is empty and unmanaged, and no fallback has data: use it as it is."
    ),
    13: "Key schemas differ and data would have to be copied: stop.",
    14: (
        "Something could not be checked: continue only where no data can be stranded or "
        "overwritten."
    ),
    15: "Only a fallback has data and the app asks to import it: import the fallback itself.",
    16: "This stack owns the resource under another logical id: stop.",
    17: "Data would be protected less than it is now, and on_error is stop: stop.",
    18: "Data would have to be copied, and dataware cannot copy this type: stop.",
    19: "A resource that holds data would leave its stack, be replaced or be renamed: stop.",
    20: "CloudFormation cannot adopt this type, and a second one would be created: stop.",
    21: "The stack would adopt the resource, and CloudFormation adopts only what it retains: stop.",
    22: "The stack would adopt the resource, whose name is a function in the template: stop.",
    23: "The stack would adopt the resource, which cannot become what is declared: stop.",
    24: "Data in the resource would be deleted by what its stack declares of it: stop.",
    25: "A resource that exists cannot be used as it is, or not imported as it is declared: stop.",
    26: "The data would come from what another resource of the app is about to fill: stop.",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What reasons call a kind and its data; a kind without a `scheme` cannot be copied.

    `ownership` are the actions that show whose a resource is.
    """

    unit: str = "item"
    short: str = "resource"
    scheme: str | None = None
    ownership: tuple[str, ...] = ()


ANY_KIND = Terms()


def decide(
    wanted: Wanted,
    schema: str | None,
    preferred: Facts,
    fallbacks: Sequence[Facts],
    terms: Terms = ANY_KIND,
) -> Decision:
    """The decision for one resource. Pure: same facts, same decision; never raises.

    `schema` is the declared key schema (None when none is declared); `fallbacks` stand in the
    order of preference and include the source of a running migration. `terms` are those
    of the kind.
    """
    situation = situation_of(wanted, schema, preferred, fallbacks)
    row = row_for(situation)
    source = source_of(preferred, fallbacks)
    words = {
        **_words(wanted, schema, preferred, fallbacks, source),
        **_words_of_unread(fallbacks, terms.unit),
        "way_out": _way_out(preferred, source, terms.scheme),
        "short": terms.short,
        "ownership": " and ".join(terms.ownership) or "the calls that show whose it is",
    }
    takes_source = row.action in (Action.MIGRATE, Action.RESUME) or row.rule == 15
    return Decision(
        action=row.action,
        rule=row.rule,
        reason=row.because.format_map(words),
        source=source.name if source and takes_source else None,
        import_mode=_import_mode(row, wanted, schema, preferred),
        no_overwrite=row.no_overwrite,
        warnings=_warnings(row, words, wanted, preferred, fallbacks),
    )


def row_for(situation: Situation) -> DecisionRow:
    """The first row of the table that fits; there always is one."""
    return next(row for row in TABLE if row.fits(situation))


def _import_mode(
    row: DecisionRow, wanted: Wanted, schema: str | None, preferred: Facts
) -> ImportMode | None:
    """What this stack owns or must not touch is not imported; another schema is not adopted."""
    ours = preferred.owner.ownership is Ownership.THIS_STACK
    if ours or row.action in (Action.KEEP, Action.STOP):
        return None
    if row.reference:
        return ImportMode.REFERENCE
    if row.adopt:
        return ImportMode.ADOPT
    if row.action is Action.IMPORT and schema is not None and preferred.schema != schema:
        return ImportMode.REFERENCE
    return wanted.import_mode


def _warnings(
    row: DecisionRow,
    words: Mapping[str, str],
    wanted: Wanted,
    preferred: Facts,
    fallbacks: Sequence[Facts],
) -> tuple[str, ...]:
    warnings = [row.warning.format_map(words)] if row.warning else []
    for facts in (preferred, *fallbacks):
        warnings += [_warning(facts, problem, row.action) for problem in facts.problems]
    return tuple(dict.fromkeys(warnings))


def _warning(facts: Facts, problem: Problem, action: Action) -> str:
    """What an unanswered question means for this decision."""
    if problem.consequence:
        return f"{facts.name}: {problem.consequence}: {problem}"
    if not is_hidden(facts):
        return f"{facts.name}: {problem}"
    if action in (Action.STOP, Action.RESUME):
        return f"{facts.name} cannot be read: {problem}"
    return f"{facts.name} is assumed empty: {problem}"


NAMELESS_RECORD = "dataware forget NAME"


def _words(
    wanted: Wanted,
    schema: str | None,
    preferred: Facts,
    fallbacks: Sequence[Facts],
    source: Facts | None,
) -> dict[str, str]:
    foreign = [f.name for f in (preferred, *fallbacks) if f.owner.ownership is Ownership.FOREIGN]
    existing = preferred.schema if preferred.schema is not None else schema
    return {
        "name": preferred.name,
        "declared": wanted.logical_id or wanted.id,
        "owner": _owner(preferred.owner, wanted),
        "stack": preferred.owner.stack or "",
        "logical_id": preferred.owner.logical_id or "",
        "source": source.name if source else preferred.marker.source or "the source",
        "run": preferred.marker.run or "",
        "foreign": ", ".join(foreign) or "a fallback",
        "source_schema": (source.schema if source else None) or "unknown",
        "schema": (schema if schema is not None else existing) or "unknown",
        **_keys(schema, preferred, source),
        "sizes": _sizes(preferred, source),
        "cure": _cure(preferred, *fallbacks),
        "problems": "; ".join(_problems(preferred, *fallbacks)) or "no answer",
        "stack_of_app": _stack_of_app(wanted, preferred.owner),
        "marker": f"by `{preferred.marker.removal or NAMELESS_RECORD}`",
    }


def _keys(schema: str | None, preferred: Facts, source: Facts | None) -> dict[str, str]:
    """Which side of the target has other keys than the source, and what to do about it."""
    existing = preferred.schema if preferred.existence is Existence.EXISTS else None
    fits = source is not None and schema in (source.schema, None)
    if existing is not None and fits:
        return {
            "other_keys": f"exists with {existing}",
            "same_keys": "choose another name, or delete it if it is not needed",
        }
    return {
        "other_keys": f"is declared with {schema or 'unknown'}",
        "same_keys": "declare the same key schema",
    }


def _words_of_unread(fallbacks: Sequence[Facts], unit: str) -> dict[str, str]:
    """What is said of the fallbacks that may hold data and cannot be looked into."""
    hidden = [facts for facts in fallbacks if is_hidden(facts)]
    return {
        "hidden": ", and ".join(_unread(facts, unit) for facts in hidden) or "a fallback is unseen",
        "next_step": f"{_cure(*hidden)}, or accept the risk with --on-error no-data",
    }


def _cure(*facts: Facts) -> str:
    """What lets the questions be answered on which a decision rests."""
    problems = [problem for each in facts for problem in each.problems if problem.decides]
    if needed := dict.fromkeys(p.permission for p in problems if p.permission):
        granted = " and ".join(map(str, needed))
        return f"grant {granted} (`dataware iam-policy` prints all) and run again"
    return "run again once that has changed"


def _unread(facts: Facts, unit: str) -> str:
    """One fallback that cannot be looked into, with what the service itself counts in it."""
    why = "; ".join(str(p) for p in facts.problems if not p.consequence) or "no answer"
    if facts.existence is Existence.UNKNOWN:
        return f"it is unknown whether the fallback {facts.name} exists ({why})"
    if facts.is_estimate and facts.existence is Existence.EXISTS:
        return f"the fallback {facts.name} exists, and may hold {unit}s ({why})"
    size = facts.size
    if size is None or size.exact:
        return f"the fallback {facts.name} exists, but cannot be read ({why})"
    figure = f"counts about {format_count(size.items, unit)} in it"
    if not size.items:
        figure = f"counted no {unit}s in it hours ago"
    return f"the fallback {facts.name} exists, and AWS {figure}, but it cannot be read ({why})"


def _way_out(preferred: Facts, source: Facts | None, scheme: str | None) -> str:
    """How to go on where both names hold data."""
    if source is None or scheme is None:
        return "compare the two yourself"
    pair = f"{_address(source.name, scheme)} {_address(preferred.name, scheme)}"
    return (
        f"compare with `dataware verify {pair}`, copy what is missing with "
        f"`dataware migrate {pair} --on-conflict target`"
    )


def _address(name: str, scheme: str) -> str:
    """The name as commands take it; an ARN is an address by itself."""
    return name if name.startswith("arn:") else f"{scheme}://{name}"


def _stack_of_app(wanted: Wanted, owner: Owner) -> str:
    """How to go on where another stack owns it, which may be the app's own one, not named."""
    if wanted.stack is None and wanted.logical_id == owner.logical_id:
        return f"if {owner.stack} is the stack of this app, run again with --stack {owner.stack}"
    return "choose another name, or migrate in that stack's app"


def _owner(owner: Owner, wanted: Wanted) -> str:
    """Who owns it, with the account and region of a stack of elsewhere."""
    if owner.stack is None:
        return str(owner.ownership)
    place = owner.environment
    elsewhere = place is not None and place != (wanted.account, wanted.region)
    there = f" ({', '.join(place)})" if place and elsewhere and wanted.region else ""
    return f"{owner.ownership} {owner.stack}{there} as {owner.logical_id}"


def _problems(*facts: Facts) -> list[str]:
    return [f"{f.name}: {problem}" for f in facts for problem in f.problems]


def _sizes(*facts: Facts | None) -> str:
    sized = [f for f in facts if f is not None and f.size is not None]
    sizes = ", ".join(f"{f.name}: {f.size.precision}{f.size.items:,}" for f in sized if f.size)
    return f" ({sizes})" if sizes else ""
