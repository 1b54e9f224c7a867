"""What is said where a command ends while the writers of a side may be stopped.

Whoever begins a freeze says so in the record first. So a command that cannot go on from there, for
whatever reason, names the side that waits and what continues it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.events import event
from dataware.core.follow.cutover import CutoverRecord
from dataware.ops.context import Context


class GivenUpError(IncompleteError):
    """A cut-over or an undo was given up; nothing was switched, and it says who is stopped."""


@contextmanager
def warn_of_freeze(
    context: Context, stopped: str, target: str, find_record: Callable[[], CutoverRecord]
) -> Iterator[None]:
    """Name the side whose writers may be `stopped` where an error ends what is done within.

    `target` is the name under which the migration is on record, and `find_record` gives what that
    record says as far as it is known then.
    """
    try:
        yield
    except GivenUpError:
        raise
    except BaseException as error:
        if find_record().may_be_frozen:
            after = "run the same command again, which continues, or restarts them"
            if isinstance(error, RefusedError):
                after = (
                    f"look at `dataware status {target}`; if no run is alive, run the same command "
                    "again, or restart them by hand"
                )
            text = f"the writers of {stopped} may still be stopped; {after}"
            context.emit(event("warning", text=text, name=target))
        raise
