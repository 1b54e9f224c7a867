"""Why keys were skipped, grouped by cause, each with the advice that fits it; pure."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.core.copier import SkipReason

ADVICE: Mapping[str, str] = {
    SkipReason.CONFLICT: "choose the side that wins with {on_conflict}",
    SkipReason.ARCHIVED: "restore them first",
    SkipReason.DENIED: "allow what the lines above name, or change the policy that denies it",
    SkipReason.LOST_KEY: "make their encryption key available",
    SkipReason.CHANGED: "pause the writers of the source",
    SkipReason.TOO_LARGE: "make them smaller, or move them by hand",
    SkipReason.FAILED: "see the reasons above",
}
"""What to do about each cause; `SkipReason` values, because records hold them as text."""

OTHER = "see the reasons above"


def list_causes(skip_reasons: Mapping[str, int]) -> str:
    """Every cause with its number, such as "3 archived, 1 conflict"."""
    return ", ".join(f"{n:,} {trouble}" for trouble, n in sorted(skip_reasons.items()) if n)


def advise(skip_reasons: Mapping[str, int], *, on_conflict: str = "--on-conflict") -> str:
    """The advice for every cause, such as "archived: restore them first"."""
    return "; ".join(
        f"{trouble}: {ADVICE.get(trouble, OTHER).format(on_conflict=on_conflict)}"
        for trouble, number in sorted(skip_reasons.items())
        if number
    )
