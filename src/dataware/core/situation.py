"""The columns of the decision table: many facts folded into a few small words.

Pure and total: every set of facts has exactly one situation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dataware.core.model import (
    Content,
    Existence,
    Facts,
    MarkerState,
    OnError,
    OnFallbackData,
    Ownership,
    Wanted,
)


class Fallback(StrEnum):
    """What the fallbacks hold, all together; the first that applies, from the top."""

    FOREIGN = "another account's"
    DATA = "has data"
    LATER = "unknown before one with data"
    UNKNOWN = "unknown"
    EMPTY = "empty"
    NONE = "absent"


class SchemaFit(StrEnum):
    """Whether the source's key schema fits the one that is declared."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Resumable(StrEnum):
    """Whether the source of a running migration is still there."""

    YES = "yes"
    GONE = "gone"
    UNKNOWN = "unknown"


class Visibility(StrEnum):
    """Whether every question got an answer."""

    ALL = "all"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Situation:
    """One value for each column of the decision table.

    `preferred`, `content`, `owner` and `marker` are facts of the preferred name.
    """

    preferred: Existence
    content: Content
    owner: Ownership
    marker: MarkerState
    fallback: Fallback
    shape: SchemaFit
    resumable: Resumable
    visibility: Visibility
    on_error: OnError
    on_fallback_data: OnFallbackData


def source_of(preferred: Facts, fallbacks: Sequence[Facts]) -> Facts | None:
    """Where data would come from: a running migration's source, else the first with data."""
    if preferred.marker.state is MarkerState.RUNNING:
        return next((f for f in fallbacks if f.name == preferred.marker.source), None)
    return next((f for f in fallbacks if f.holds_data), None)


def situation_of(
    wanted: Wanted, schema: str | None, preferred: Facts, fallbacks: Sequence[Facts]
) -> Situation:
    """Fold facts into a situation.

    `schema` is the declared key schema, None where nothing is declared. `fallbacks` are in the
    order of preference; the source of a running migration is among them, even if no longer listed.
    """
    source = source_of(preferred, fallbacks)
    return Situation(
        preferred=preferred.existence,
        content=preferred.content,
        owner=preferred.owner.ownership,
        marker=preferred.marker.state,
        fallback=_fallback(fallbacks),
        shape=_shape(schema, preferred, source),
        resumable=_resumable(source),
        visibility=Visibility.PART
        if any(f.unseen for f in (preferred, *fallbacks))
        else Visibility.ALL,
        on_error=wanted.on_error,
        on_fallback_data=wanted.on_fallback_data,
    )


def is_hidden(facts: Facts) -> bool:
    """Whether something may hold data, and cannot be looked into."""
    return facts.existence is Existence.UNKNOWN or (
        facts.existence is Existence.EXISTS and facts.content is Content.UNKNOWN
    )


def _fallback(fallbacks: Sequence[Facts]) -> Fallback:
    if any(f.owner.ownership is Ownership.FOREIGN for f in fallbacks):
        return Fallback.FOREIGN
    hidden = [n for n, facts in enumerate(fallbacks) if is_hidden(facts)]
    filled = [n for n, facts in enumerate(fallbacks) if facts.holds_data]
    if filled:
        return Fallback.LATER if hidden and hidden[0] < filled[0] else Fallback.DATA
    if hidden:
        return Fallback.UNKNOWN
    if any(f.existence is Existence.EXISTS for f in fallbacks):
        return Fallback.EMPTY
    return Fallback.NONE


def _shape(declared: str | None, preferred: Facts, source: Facts | None) -> SchemaFit:
    """Both the declaration and an existing preferred resource have to fit the source."""
    if source is None:
        return SchemaFit.SAME
    existing = preferred.schema if preferred.existence is Existence.EXISTS else declared
    targets = [declared if declared is not None else existing, existing]
    if source.schema is None or None in targets:
        return SchemaFit.UNKNOWN
    return (
        SchemaFit.SAME
        if all(target == source.schema for target in targets)
        else SchemaFit.DIFFERENT
    )


def _resumable(source: Facts | None) -> Resumable:
    if source is None or source.existence is Existence.ABSENT:
        return Resumable.GONE
    return Resumable.YES if source.existence is Existence.EXISTS else Resumable.UNKNOWN
