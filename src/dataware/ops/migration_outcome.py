"""Reports what a migration came to: what was skipped, what differs, what is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dataware.calc.words import list_words
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.ops.context import Context
from dataware.ops.migration_policy import MigrationDecision, MigrationStep
from dataware.ops.partial_copy import list_not_carried
from dataware.ops.verify import report
from dataware.verify.verdict import Verdict


def report_decision(
    context: Context,
    kind: Kind,
    decision: MigrationDecision,
    verdict: Verdict | None,
    words: Mapping[str, object],
) -> None:
    """Report the step after a copy, as far as it is no error; `verdict` if there is one yet."""
    if decision.step is MigrationStep.COPY_AGAIN:
        context.emit(event("warning", text=decision.why, **words))
    if verdict is None:
        return
    if decision.step is MigrationStep.SKIPPED:
        equal = verdict.compared - verdict.missing_or_different
        context.emit(event("compared-equal", count=equal, unit=kind.unit, **words))
    elif decision.step is MigrationStep.KEEP_TARGET:
        context.emit(event("nothing-to-do", reason=decision.why, **words))
        _report_verdict(context, kind, verdict, words)
    elif decision.step is MigrationStep.COMPLETE:
        if left_out := list_not_carried(kind):
            parts = list_words(left_out)
            context.emit(event("migrated-partly", text=parts, not_carried=list(left_out), **words))
        else:
            context.emit(event("migrated", **words))
        _report_verdict(context, kind, verdict, words)


def _report_verdict(
    context: Context, kind: Kind, verdict: Verdict, words: Mapping[str, object]
) -> None:
    """What is only in the target, or was skipped knowingly, does not undo the rest."""
    equal = verdict.compared - verdict.missing_or_different
    same = replace(
        verdict, compared=equal, counts=type(verdict.counts)(), listed=[], changed_sides=set()
    )
    report(context, kind, same, words)
    if verdict.differs:
        text = f"differences: {verdict.summary()}"
        context.emit(event("warning", text=text, **words))
