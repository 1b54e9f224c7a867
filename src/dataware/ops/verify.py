"""The use case "verify": compare two places, independently of any copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dataware.core.errors import BadInput
from dataware.core.events import event
from dataware.core.kind import Kind, Place, Reader
from dataware.core.ports import Aws
from dataware.kinds import load
from dataware.ops.compare import Verdict, compare
from dataware.ops.context import Context

SHOWN = 20
"""Differences that are told one by one."""


def verify(
    context: Context,
    type_name: str,
    source: Place,
    target: Place,
    *,
    all_versions: bool = False,
    deep: bool = False,
) -> Verdict:
    """Compare both sides and tell the result; changes nothing."""
    kind = load(type_name)
    words = {"source": source.name, "name": target.name}
    context.emit(event("verifying", **words))
    sides = [
        reader(context, kind, located(context, kind, place), all_versions=all_versions, deep=deep)
        for place in (source, target)
    ]
    verdict = compare(*sides, ordered=kind.ordered, stop=context.stop)
    tell(context, kind, verdict, words)
    return verdict


def reader(context: Context, kind: Kind, place: Place, *, all_versions: bool, deep: bool) -> Reader:
    """The reader of one side. Raises BadInput for a kind that cannot be compared."""
    if kind.reader is None:
        raise BadInput(f"dataware cannot compare a {kind.noun}; it compares tables and buckets")
    aws = aws_of(context, place)
    return kind.reader(aws, place, all_versions=all_versions, deep=deep)


def aws_of(context: Context, place: Place) -> Aws:
    """The control plane of the place's region."""
    return context.aws if place.region == context.aws.region else context.regional(place.region)


def located(context: Context, kind: Kind, place: Place) -> Place:
    """The place in the region in which its resource really is, as far as that can be seen."""
    if kind.locate is None:
        return place
    return replace(place, region=kind.locate(aws_of(context, place), place) or place.region)


def tell(context: Context, kind: Kind, verdict: Verdict, words: Mapping[str, object]) -> None:
    """Tell of every difference up to a bound, and of the whole."""
    for difference in verdict.listed[:SHOWN]:
        context.emit(event("different", side=difference.side.value, key=difference.label, **words))
    if verdict.differences:
        context.emit(event("differences", summary=verdict.summary(), **words, **_counts(verdict)))
        return
    context.emit(
        event(
            "verified",
            count=verdict.compared,
            unit=kind.unit,
            evidence=verdict.grounds(),
            **words,
        )
    )


def _counts(verdict: Verdict) -> dict[str, object]:
    return {side.value: count for side, count in verdict.counts.items()}
