"""The sum at the end of a run: what was done, what was there already, and what is left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from threading import Lock

from dataware.calc.measures import duration, volume
from dataware.core.events import Event, event, format_count
from dataware.core.model import Action, Content, Existence, ImportMode, Ownership
from dataware.core.plan import Plan, Planned
from dataware.core.ports import Emit
from dataware.kinds import load

NAMED = 5
"""Names that a sentence holds at most."""


Key = tuple[object, object]
"""What tells resources apart: kind and name."""


class AdoptionMethod(Enum):
    """How a stack adopts what belongs to none; the value is the sentence that says so.

    Source: AWS CloudFormation User Guide, "Import AWS resources into a CloudFormation stack
    automatically".
    """

    DEPLOY = "`dataware deploy` lets the app adopt {it}"
    CHANGE_SET = (
        "a change set with --import-existing-resources lets the stack adopt {it} "
        "(aws cloudformation create-change-set)"
    )
    EITHER = (
        "`dataware deploy` lets a CDK app adopt {it}, and a change set with "
        "--import-existing-resources any other stack"
    )


class RunSummary:
    """Hears of all that happens in a run, from any thread, and sums it up; `emit` shows it."""

    def __init__(self, emit: Emit, started: float) -> None:
        self._emit = emit
        self._started = started
        self._lock = Lock()
        self._items: Counter[str] = Counter()
        self._bytes: dict[Key, int] = {}
        self._copied: set[Key] = set()
        self._partial: set[Key] = set()
        self._created: set[Key] = set()
        self._adopted: set[Key] = set()

    def __call__(self, happened: Event) -> None:
        """Show an event, and count what it reports."""
        with self._lock:
            self._count(happened)
        self._emit(happened)

    def _count(self, happened: Event) -> None:
        data = happened.data
        key = data.get("kind"), data.get("name")
        if happened.code == "copy-totals" and isinstance(size := data.get("bytes"), int):
            self._bytes[key] = size
        elif happened.code == "verified" and isinstance(count := data.get("count"), int):
            self._items[str(data["unit"])] += count
        elif happened.code in ("migrated", "migrated-partly"):
            self._copied.add(key)
            if happened.code == "migrated-partly":
                self._partial.add(key)
        elif happened.code == "created":
            self._created.add(key)
        elif happened.code == "adopted":
            self._adopted.add(key)

    def report(
        self, plan: Plan, now: float, adoption: AdoptionMethod = AdoptionMethod.EITHER
    ) -> None:
        """Tell what was done, and what is left to do; nothing where nothing was done."""
        if not self._changed:
            return
        self._emit(event("sum", after=self._format_elapsed(now), text=self._sum(plan, 0)))
        if names := self._ownerless(plan):
            self._emit(event("left-to-do", text=_adoption(names, adoption)))

    def report_pair(self, source: str, target: str, now: float) -> None:
        """Tell what one copy by hand came to; nothing where nothing was copied."""
        if not self._copied:
            return
        text = f"{', '.join(self._done_parts())}. Source untouched."
        self._emit(event("sum", after=self._format_elapsed(now), text=text))
        names = (target, source) if target != source else ("the copy", "the source")
        advice = "point the app at {}; {} is unchanged and stays".format(*names)
        self._emit(event("left-to-do", text=advice))

    def report_unfinished(self, plan: Plan, now: float) -> None:
        """Tell what was done before a run ended early; nothing where nothing was done."""
        if not self._changed:
            return
        changing = sum(one.changes for one in plan.resources)
        rest = changing - len(self._changed)
        self._emit(event("unfinished", after=self._format_elapsed(now), text=self._sum(plan, rest)))

    @property
    def _changed(self) -> set[Key]:
        """What was copied, created or adopted."""
        return self._copied | self._created | self._adopted

    def _format_elapsed(self, now: float) -> str:
        return duration(max(0, round(now - self._started)))

    def _sum(self, plan: Plan, unfinished: int) -> str:
        untouched = ". Sources untouched." if self._copied else "."
        return ", ".join(self._parts(plan, unfinished)) + untouched

    def _done_parts(self) -> Iterator[str]:
        if self._copied:
            amounts = [format_count(count, unit) for unit, count in sorted(self._items.items())]
            size = sum(self._bytes.get(key, 0) for key in self._copied)
            parts = [*amounts, *([volume(size)] if size else [])]
            how = "copied in part and verified" if self._partial else "copied and verified"
            yield f"{len(self._copied):,} {how} ({', '.join(parts)})"
        if self._created:
            yield f"{len(self._created):,} created"
        if self._adopted:
            yield f"{len(self._adopted):,} adopted"

    def _parts(self, plan: Plan, unfinished: int) -> Iterator[str]:
        yield from self._done_parts()
        if unfinished:
            yield f"{unfinished:,} not finished"
        deferred = sum(map(is_left, plan.resources))
        if there := sum(not one.changes for one in plan.resources) - deferred:
            yield f"{there:,} already in place"
        if deferred:
            yield f"{deferred:,} deferred to the deployment"

    def _ownerless(self, plan: Plan) -> list[str]:
        """What this run created or filled, and a stack is to adopt."""
        filled = (self._copied | self._created) - self._adopted
        return [
            one.wanted.preferred
            for one in plan.resources
            if (load(one.wanted.type).names.slug, one.wanted.preferred) in filled
            and one.preferred.owner.ownership is Ownership.UNMANAGED
            and one.decision.import_mode is not ImportMode.REFERENCE
        ]


def _adoption(names: Sequence[str], way: AdoptionMethod) -> str:
    named = ", ".join(names[:NAMED])
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    belong = "belongs" if len(names) == 1 else "belong"
    it = "it" if len(names) == 1 else "them"
    return f"{named}{more} {belong} to no stack yet; {way.value.format(it=it)}"


def is_left(planned: Planned) -> bool:
    """Whether the deployment of the app's own stack creates the resource."""
    missing = planned.preferred.existence is not Existence.EXISTS
    return planned.decision.action is Action.CREATE and missing and not planned.creates


def describe_idle(plan: Plan) -> str:
    """Why nothing is to be copied, for a plan that changes nothing."""
    deferred = sum(map(is_left, plan.resources))
    empty = sum(_is_empty(one) for one in plan.resources)
    holding = len(plan.resources) - deferred - empty
    parts = []
    if holding:
        hold = "holds its data" if holding == 1 else "hold their data"
        more = f" ({empty:,} more {_exist(empty)} empty)" if empty else ""
        parts.append(f"{format_count(holding, 'resource')} already {hold}{more}")
    elif empty:
        parts.append(f"{format_count(empty, 'resource')} {_exist(empty)} empty")
    if deferred:
        parts.append(f"{format_count(deferred, 'resource')} deferred to the deployment")
    return ", ".join(parts) or "no resource opts in"


def _exist(count: int) -> str:
    return "exists and is" if count == 1 else "exist and are"


def _is_empty(planned: Planned) -> bool:
    used = planned.source if planned.source is not None else planned.preferred
    return used.existence is Existence.EXISTS and used.content is Content.EMPTY
