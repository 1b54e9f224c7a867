"""What a copy came to: what a verification leaves unexplained, and what was skipped and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dataware.core.causes import advise, list_causes
from dataware.core.denial import how_to_allow
from dataware.core.errors import IncompleteError, WriteDeniedError
from dataware.core.events import event, format_count
from dataware.core.kind import Kind, SkipReason
from dataware.core.ports import Journal
from dataware.migrate import CopyState, Counts
from dataware.ops.context import Context
from dataware.ops.verify import report
from dataware.verify.merge import DifferenceKind
from dataware.verify.verdict import Verdict


def describe_skipped(unit: str, name: str, troubles: Mapping[str, int], counts: Counts) -> str:
    """What was skipped, by cause, what to do about each cause, and how to go on."""
    skipped, all_units = format_count(sum(troubles.values()), unit), format_count(counts.done, unit)
    return (
        f"{skipped} not copied to {name} ({list_causes(troubles)}), "
        f"{counts.in_target:,} of {all_units} are there; {advise(troubles)}; then "
        "run the same command again, or accept what was skipped with --accept-left"
    )


def report_nothing_copied(
    context: Context,
    unit: str,
    words: Mapping[str, object],
    progress: CopyState,
    troubles: Mapping[str, int],
) -> None:
    """Say that the target keeps its own under every key of the source.

    `troubles` are those that no policy settles. Raises Incomplete where nothing is to be kept: a
    copy of which nothing arrived is never complete, whatever was accepted.
    """
    name, source, kept = words["name"], words["source"], progress.troubles[SkipReason.CONFLICT]
    if troubles:
        skipped = format_count(sum(troubles.values()), unit)
        raise IncompleteError(
            f"nothing was copied to {name}: {skipped} of {source} "
            f"skipped ({list_causes(troubles)}), and --accept-left accepts no copy of nothing; "
            f"{advise(troubles)}; then run the same command again"
        )
    if not kept:
        raise IncompleteError(
            f"nothing was copied to {name}, because {source} held no {unit} when it was read; look "
            "what became of its data, and run the same command again"
        )
    why = (
        f"{name} keeps its own under the keys of {format_count(kept, unit)}, so nothing was copied"
    )
    context.emit(event("nothing-to-do", why=why, **words))


def describe_denied(unit: str, name: str, error: WriteDeniedError) -> str:
    """What was denied, what was copied before that, and how to go on."""
    after = f" (stopped after {format_count(error.attempts, 'attempt')})" if error.attempts else ""
    far = f"nothing was copied to {name}{after}"
    if error.copied:
        there = format_count(error.copied, unit)
        far = f"{there} are in {name}, but nothing more could be copied{after}"
    return f"{far}: {error}; {how_to_allow(str(error))}, then run the same command again"


def report_verdict(
    context: Context, kind: Kind, verdict: Verdict, words: Mapping[str, object]
) -> None:
    """What is only in the target, or was left behind knowingly, does not undo the rest."""
    equal = verdict.compared - verdict.missing_or_different
    same = replace(
        verdict, compared=equal, counts=type(verdict.counts)(), listed=[], changed_sides=set()
    )
    report(context, kind, same, words)
    if verdict.differs:
        text = f"not the same on both sides: {verdict.summary()}"
        context.emit(event("warning", text=text, **words))


def is_unexplained(verdict: Verdict, journal: Journal) -> bool:
    """Whether something is, or may be, missing or different that was not left behind knowingly."""
    wrong = verdict.missing_or_different
    listed = {d.label for d in verdict.listed if d.kind is not DifferenceKind.EXTRA}
    whole = wrong == len(listed)
    left = 0
    for record in journal.records():
        for one in record.get("kept_back", ()):
            left += 1
            listed.discard(one["key"])
    # Beyond what a verdict lists there are only numbers, which then have to be the same.
    unexplained = wrong > left if whole else wrong != left
    return bool(verdict.may_hide_differences or listed) or unexplained
