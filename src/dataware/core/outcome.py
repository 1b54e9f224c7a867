"""What is true after a deployment, in one sentence; pure.

Made from a plan that was drawn up after the deployment: every sentence rests on a fact that was
seen then. What was not seen is told as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataware.core.events import format_count
from dataware.core.model import (
    Action,
    Content,
    Existence,
    Facts,
    ImportMode,
    MarkerState,
    Ownership,
)
from dataware.core.plan import Planned

LISTED = 5
"""How many names a sentence holds; of more it tells the number."""


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """What holds data, and what is not as it should be, one clause each."""

    holding: tuple[str, ...]
    empty: tuple[str, ...]
    troubles: tuple[str, ...]

    @property
    def text(self) -> str:
        """The last line of a deployment."""
        if self.troubles:
            return f"Deployed, but {'; '.join(self.troubles)}"
        return f"Deployed: {self.good}" if self.good else "Deployed; no resource opts in"

    @property
    def good(self) -> str:
        """What is as it should be; empty where no resource opts in."""
        parts = [
            _clause(self.holding, "holds data", "hold data"),
            _clause(self.empty, "is empty", "are empty"),
        ]
        return "; ".join(part for part in parts if part)


def join_outcomes(outcomes: Mapping[str, PlanOutcome]) -> str:
    """The last line of a deployment to one environment or several, by the name of each."""
    if len(outcomes) == 1:
        return next(iter(outcomes.values())).text
    troubles = [
        f"in {place} {clause}" for place, one in outcomes.items() for clause in one.troubles
    ]
    if troubles:
        return f"Deployed, but {'; '.join(troubles)}"
    good = [f"in {place} {one.good}" for place, one in outcomes.items() if one.good]
    return f"Deployed: {'; '.join(good)}" if good else "Deployed; no resource opts in"


def judge_outcome(
    plan: Sequence[Planned], unit_of: Callable[[str], str], differing: Sequence[str] = ()
) -> PlanOutcome:
    """The outcome of a deployment; `unit_of` answers what a type holds, such as "item".

    `differing` are the names of what was adopted, and is not yet as its template says.
    """
    used = [_used_facts(one) for one in plan]
    unseen = list(dict.fromkeys(name for one in plan for name in _unseen(one)))
    troubles = [trouble for one in plan for trouble in _troubles(one, unit_of(one.wanted.type))]
    if differing:
        are = ("is not as the app declares it", "are not as the app declares them")
        troubles.append(_clause(differing, *are))
    if unseen:
        troubles.append(_clause(unseen, "was not inspected", "were not inspected"))
    return PlanOutcome(
        tuple(facts.name for facts in used if facts.holds_data),
        tuple(
            facts.name
            for facts in used
            if facts.existence is Existence.EXISTS and facts.content is Content.EMPTY
        ),
        tuple(dict.fromkeys(troubles)),
    )


def _used_facts(planned: Planned) -> Facts:
    """What the app uses: the preferred resource, or the fallback that is imported."""
    if planned.decision.action is Action.IMPORT and planned.decision.source is not None:
        for facts in planned.fallbacks:
            if facts.name == planned.decision.source:
                return facts
    return planned.preferred


def _unseen(planned: Planned) -> Iterator[str]:
    for facts in (planned.preferred, *planned.fallbacks):
        is_there = facts.existence is Existence.EXISTS and facts.content is Content.UNKNOWN
        if facts.existence is Existence.UNKNOWN or is_there:
            yield facts.name


def _troubles(planned: Planned, unit: str) -> Iterator[str]:
    """What is not as it should be with one resource."""
    used = _used_facts(planned)
    if planned.decision.action is Action.STOP:
        yield f"{used.name} is stopped by rule {planned.decision.rule}"
    elif used.existence is Existence.ABSENT:
        yield f"{used.name} does not exist"
    elif _is_ownerless(planned, used):
        yield f"{used.name} still belongs to no stack"
    for facts in planned.fallbacks:
        if facts is not used and facts.holds_data and not _is_migrated(planned, facts):
            yield f"{_amount(facts, unit)} still in {facts.name}"


def _is_ownerless(planned: Planned, used: Facts) -> bool:
    adopted = planned.decision.import_mode is ImportMode.ADOPT
    return (
        adopted and used.owner.ownership is Ownership.UNMANAGED and planned.wanted.stack is not None
    )


def _is_migrated(planned: Planned, fallback: Facts) -> bool:
    """Whether the record says that all data of a fallback was carried over."""
    marker = planned.preferred.marker
    bare = re.split(r"[/:]", fallback.name)[-1]
    return marker.state is MarkerState.COMPLETE and marker.source in {fallback.name, bare}


def _amount(facts: Facts, unit: str) -> str:
    if facts.size is None:
        return "data is"
    verb = "is" if facts.size.items == 1 else "are"
    return f"{facts.size.precision}{format_count(facts.size.items, unit)} {verb}"


def _clause(names: Sequence[str], one: str, several: str) -> str:
    if not names:
        return ""
    if len(names) > LISTED:
        return f"{len(names)} resources {several}"
    last = f" and {names[-1]}" if len(names) > 1 else ""
    return f"{', '.join(names[:-1] or names)}{last} {one if len(names) == 1 else several}"
