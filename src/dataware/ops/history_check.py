"""Sources that hold older versions and nothing current, of which a usual copy takes nothing.

To end such a copy well would call data migrated that stays where it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from dataware.calc.words import list_words
from dataware.core.errors import RefusedError
from dataware.core.kind import Kind
from dataware.core.model import Facts

WAY_ON = "copy every version with --versions all (in an app: all_versions=True)"


def warn_of_history(kind: Kind, source: Facts | None) -> tuple[str, ...]:
    """What a plan says of a copy that would take nothing; it may go on with all versions."""
    if source is None or not source.holds_history_alone:
        return ()
    holds = kind.require_copying().history
    return (f"{source.name} {holds}, so a copy without them takes nothing; {WAY_ON}",)


def check_history(sources: Iterable[tuple[Kind, Facts | None]], *, all_versions: bool) -> None:
    """Raise Refused, before anything is changed, for copies that would take nothing."""
    if all_versions:
        return
    names: dict[str, list[str]] = {}
    for kind, source in sources:
        if source is not None and source.holds_history_alone:
            names.setdefault(kind.require_copying().history, []).append(source.name)
    if names:
        clauses = [
            f"{'each of ' if len(some) > 1 else ''}{list_words(some)} {history}"
            for history, some in names.items()
        ]
        raise RefusedError(
            f"nothing was changed, because {', and '.join(clauses)}, so nothing would be copied; "
            f"{WAY_ON}"
        )
