"""Creates what several migrations of a run need together, and wakes each as soon as it may begin.

How it works, for three targets A, B and C of one group:

    A, B and C join            each with its record on "running", so that no other run creates it
    the last one has joined    one holding stack is begun for all three
    A is made                  A's migration goes on: it records which resource it is, and copies
    B has failed               B's migration ends with the reason; nothing happens to A and C
    C is made                  C's migration goes on
    all are recorded or ended  the stack is removed, while A and C are copied
    the stack is gone          A and C may become complete

A stack is removed only once nobody needs it to tell what it made: a run that is killed before that
leaves it, and the next one reads there what was made.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextvars import copy_context

from dataware.core.model import Wanted
from dataware.kinds import load
from dataware.ops.context import HoldingStacks, TargetToMake


class CreationGroup:
    """The targets that are created together; every one of them has to join or to leave.

    `filled` says that data is copied into a target as soon as it is there, so that none of them
    may be taken away because of another one.
    """

    def __init__(self, hold: HoldingStacks, wanted: Iterable[Wanted], *, filled: bool) -> None:
        self._hold = hold
        self._filled = filled
        self._changed = threading.Condition()
        self._expected = [_key(one) for one in wanted]
        self._joined: dict[tuple[str, str], Wanted] = {}
        self._made: set[tuple[str, str]] = set()
        self._failed: dict[tuple[str, str], BaseException] = {}
        self._settled: set[tuple[str, str]] = set()
        self._ended = False
        self._failure: BaseException | None = None

    def create(self, wanted: Wanted) -> HeldTarget:
        """Join, and wait until the target is there. Raises why it cannot be created."""
        kind, key = load(wanted.type), _key(wanted)
        if self._hold.release(kind, wanted.preferred):
            self.leave(wanted)
            return HeldTarget(None, wanted)
        with self._changed:
            self._joined[key] = wanted
            self._begin_when_complete(key)
            self._changed.wait_for(lambda: key in self._made or key in self._failed)
            if (error := self._failed.get(key)) is not None:
                raise error
        return HeldTarget(self, wanted)

    def leave(self, wanted: Wanted) -> None:
        """Need nothing (more) of the group; may be called by everybody, and at any time."""
        with self._changed:
            self._settled.add(_key(wanted))
            self._begin_when_complete(_key(wanted))
            self._changed.notify_all()

    def await_end(self) -> None:
        """Wait until every holding stack is gone. Raises why one is not."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended)
            if self._failure is not None:
                raise self._failure

    def report_made(self, wanted: Wanted) -> None:
        """A target is there: its migration goes on."""
        with self._changed:
            self._made.add(_key(wanted))
            self._changed.notify_all()

    def report_failed(self, wanted: Wanted, error: BaseException) -> None:
        """A target cannot be created: its migration ends."""
        with self._changed:
            self._failed[_key(wanted)] = error
            self._changed.notify_all()

    def await_recorded(self, wanted: Sequence[Wanted]) -> None:
        """Wait until the migrations of these targets need no holding stack any more."""
        keys = {_key(one) for one in wanted}
        with self._changed:
            self._changed.wait_for(lambda: keys <= self._settled)

    def _begin_when_complete(self, key: tuple[str, str]) -> None:
        """Begin once the last of those that are expected has joined or left."""
        if key not in self._expected:
            return
        self._expected.remove(key)
        if not self._expected and self._joined:
            work = copy_context()
            threading.Thread(
                target=work.run, args=(self._run,), name="creation", daemon=True
            ).start()

    def _run(self) -> None:
        targets = [TargetToMake(load(one.type), one) for one in self._joined.values()]
        try:
            self._hold.create_together(targets, self, filled=self._filled)
        except BaseException as error:
            self._failure = error
        for key, wanted in self._joined.items():
            if key not in self._made and key not in self._failed:
                self.report_failed(
                    wanted, self._failure or RuntimeError("its creation ended without a result")
                )
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class HeldTarget:
    """A target that is there, maybe still in a holding stack of a `group`."""

    def __init__(self, group: CreationGroup | None, wanted: Wanted) -> None:
        self._group = group
        self._wanted = wanted

    def let_go(self) -> None:
        """The holding stack is no longer needed; does not wait until it is gone."""
        if self._group is not None:
            self._group.leave(self._wanted)

    def await_end(self) -> None:
        """Wait until the target belongs to no holding stack. Raises why it still does."""
        if self._group is not None:
            self._group.await_end()


def _key(wanted: Wanted) -> tuple[str, str]:
    return wanted.type, wanted.preferred
