"""What a run came to: one error for all resources that did not get as far as planned; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    RefusedError,
    WriteDeniedError,
    to_go_on,
)
from dataware.core.model import Existence
from dataware.core.plan import COPYING, Planned

NAMED = 5
"""Reasons that the last line repeats; each was told when it happened."""


_KNOWN = (IncompleteError, RefusedError, WriteDeniedError)
"""What says by itself how to go on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a resource; without an `error` it is as the plan wants it."""

    planned: Planned
    error: DatawareError | None = None

    @property
    def begun(self) -> bool:
        """Whether something may have been changed, so that the next run resumes there."""
        resumed = self.error is None or isinstance(self.error, (IncompleteError, WriteDeniedError))
        return resumed and self.planned.changes and not waits(self.planned)


def waits(planned: Planned) -> bool:
    """Whether data is to be copied into what only the deployment can create."""
    missing = planned.preferred.existence is not Existence.EXISTS
    return planned.decision.action in COPYING and missing and not planned.creates


def sum_up(outcomes: Sequence[Outcome]) -> None:
    """Raise one error for all that failed; nothing where nothing did.

    A refusal (3) goes before everything else, because going on could lose data. Any other error
    (1) is Incomplete (4) where something was changed, because the next run resumes there; so
    is a denied write (1, nothing was copied) beside resources that are complete. Where all that
    there is to do waits for a deployment, nothing has begun, and that is a refusal.
    """
    errors = [one.error for one in outcomes if one.error is not None]
    if not errors:
        return
    is_begun = any(one.begun for one in outcomes)
    refused = [error for error in errors if isinstance(error, RefusedError)]
    failed = [error for error in errors if not isinstance(error, _KNOWN)]
    if refused:
        rest = [error for error in errors if error not in refused]
        raise refused[0] if len(errors) == 1 else RefusedError(_join([*refused, *rest]))
    if failed and not is_begun:
        raise failed[0] if len(errors) == 1 else type(failed[0])(_join(errors))
    if not is_begun:
        raise RefusedError(f"nothing was changed: {_join(errors)}")
    done = any(one.begun for one in outcomes if one.error is None)
    if not done and all(isinstance(error, WriteDeniedError) for error in errors):
        raise WriteDeniedError(_join(errors)) from errors[0]
    raise IncompleteError(_join(errors)) from errors[0]


@dataclass(frozen=True, slots=True)
class EnvironmentOutcome:
    """What became of the plan of one environment; `begun` says that something was changed."""

    error: DatawareError | None = None
    begun: bool = False


def sum_up_environments(outcomes: Sequence[EnvironmentOutcome]) -> None:
    """Raise one error for all environments of an app; nothing where none has failed.

    The code is as for several resources of one environment: a refusal (3) first, then what the
    next run goes on with (4), and any other (1) where nothing was changed anywhere.
    """
    errors = [one.error for one in outcomes if one.error is not None]
    if not errors:
        return
    incomplete = any(isinstance(error, IncompleteError) for error in errors)
    begun = incomplete or any(one.begun for one in outcomes)
    refused = [error for error in errors if isinstance(error, RefusedError)]
    if refused:
        rest = [error for error in errors if error not in refused]
        raise refused[0] if len(errors) == 1 else RefusedError(_join([*refused, *rest]))
    if not begun or (len(errors) == 1 and incomplete):
        raise errors[0] if len(errors) == 1 else type(errors[0])(_join(errors))
    raise IncompleteError(_join(errors)) from errors[0]


def _join(errors: Sequence[DatawareError]) -> str:
    """The reasons as one sentence, each of them once."""
    texts = list(dict.fromkeys(map(_text, errors)))
    more = len(texts) - NAMED
    return "; ".join([*texts[:NAMED], *([f"and {more:,} more, see above"] if more > 0 else [])])


def _text(error: DatawareError) -> str:
    return str(error) if isinstance(error, _KNOWN) else to_go_on(error)
