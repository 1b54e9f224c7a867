"""What a record says of a service's work, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dataware.core.engines.card import ENGINE
from dataware.core.engines.port import WORK
from dataware.core.engines.unfinished_work import list_leftovers, name_parts
from dataware.core.events import format_count


def describe_work(detail: Mapping[str, object], unit: str) -> str:
    """How far a service is with its work; empty where a record has none under way.

    Such as "RUNNING, 3 of 10 parts done, 1 failed, 2 under way, about 300 of 1,000 items, 12/s".
    """
    work = detail.get(WORK)
    return ", ".join(_list_parts(work, unit)) if isinstance(work, Mapping) else ""


def describe_leftovers(detail: Mapping[str, object], target: str, *, unwatched: bool) -> str:
    """What an engine could not remove, and what removes it; empty without anything.

    Where it is `unwatched`, also that what an engine has begun may go on, which costs; workers that
    were stopped have no execution on record.
    """
    remarks = []
    begun = detail.get(ENGINE)
    if unwatched and isinstance(begun, Mapping) and _may_go_on(begun):
        remarks.append(
            f"what the engine {begun.get('name')} has begun in AWS may go on, at a cost: the same "
            f"command resumes it, and `dataware forget {target}` says what it can end"
        )
    if parts := name_parts(list_leftovers(detail)):
        again = f"`dataware apply`, or `dataware forget {target}`, tries again"
        remarks.append(f"{parts} not removed: {again}")
    return "; ".join(remarks)


def _may_go_on(begun: Mapping[object, object]) -> bool:
    return len(begun) > 1 and begun.get("execution", "") is not None


def _list_parts(work: Mapping[object, object], unit: str) -> Iterator[str]:
    if isinstance(state := work.get("state"), str):
        yield state
    done, total = _number(work, "done"), _number(work, "total")
    counted = str(work.get("unit") or unit)
    if total and done <= total:
        yield f"{done:,} of {format_count(total, counted)} done"
    elif done:
        yield f"{format_count(done, counted)} done"
    if failed := _number(work, "failed"):
        yield f"{failed:,} failed"
    if running := _number(work, "running"):
        yield f"{running:,} under way"
    if of := _number(work, "of"):
        yield f"about {_number(work, 'items'):,} of {format_count(of, unit)}"
    if rate := _number(work, "rate"):
        yield f"{rate:,}/s"


def _number(work: Mapping[object, object], name: str) -> int:
    """A whole number of a record, which others can write; zero for anything else."""
    value = work.get(name)
    return int(value) if isinstance(value, int | float) and 0 < value < 1e15 else 0
