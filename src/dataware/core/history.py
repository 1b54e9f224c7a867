"""Buckets that hold older versions and no current object, of which a usual copy takes nothing.

Pure. To end such a copy well would call data migrated that stays where it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from dataware.core.errors import RefusedError
from dataware.core.model import Facts

WHAT_IT_HOLDS = "holds only older versions and delete markers, and no current object"
WAY_ON = "copy every version with --versions all (in an app: all_versions=True)"


def warn_of_history(source: Facts | None) -> tuple[str, ...]:
    """What a plan says of a copy that would take nothing; it may go on with all versions."""
    if source is None or not source.holds_history_alone:
        return ()
    return (f"{source.name} {WHAT_IT_HOLDS}, so a copy without them takes nothing; {WAY_ON}",)


def check_history(sources: Iterable[Facts | None], *, all_versions: bool) -> None:
    """Raise Refused, before anything is changed, for copies that would take nothing."""
    if all_versions:
        return
    names = [one.name for one in sources if one is not None and one.holds_history_alone]
    if names:
        raise RefusedError(
            f"nothing was changed, because {' and '.join(dict.fromkeys(names))} {WHAT_IT_HOLDS}, "
            f"so nothing would be copied; {WAY_ON}"
        )
