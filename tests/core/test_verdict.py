"""What a verdict and the tally of a copy tell together: which side has changed since."""

from __future__ import annotations

import pytest

from dataware.core.tally import NO_TALLY, Tally
from dataware.core.verdict import End, Verdict

READ, OTHER, THIRD = (Tally.of([bytes([n]) * 16]) for n in range(3))


@pytest.mark.parametrize(
    ("source", "target", "copied", "changed"),
    [
        (OTHER, READ, READ, End.SOURCE),
        (READ, OTHER, READ, End.TARGET),
        (OTHER, THIRD, READ, None),
        (OTHER, OTHER, READ, None),
        (READ, READ, READ, None),
        (OTHER, NO_TALLY, NO_TALLY, None),
    ],
)
def test_the_end_that_is_not_what_was_copied_has_changed(
    source: Tally, target: Tally, copied: Tally, changed: End | None
) -> None:
    """Where both or neither are, or where nothing was digested, nobody knows."""
    verdict = Verdict(read={End.SOURCE: source, End.TARGET: target})
    assert verdict.changed(copied) is changed
    assert Verdict.from_json(verdict.to_json(0)).changed(copied) is changed


@pytest.mark.parametrize(
    ("source", "target", "moved", "changed"),
    [
        (READ, OTHER, End.SOURCE, None),
        (READ, READ, End.SOURCE, End.SOURCE),
        (OTHER, THIRD, End.TARGET, None),
        (READ, OTHER, End.TARGET, End.TARGET),
    ],
)
def test_an_end_that_moves_is_not_to_blame_for_the_other(
    source: Tally, target: Tally, moved: End, changed: End | None
) -> None:
    """A target in use moves all the time; that the source has changed as well is not hidden."""
    verdict = Verdict(read={End.SOURCE: source, End.TARGET: target}, moved={moved})
    assert verdict.changed(READ) is changed


def test_sides_without_tallies_tell_nothing() -> None:
    """Kinds that list in order have none, and neither have verdicts of earlier versions."""
    assert Verdict().changed(READ) is None
    written = Verdict().to_json(0)
    del written["read"]
    assert Verdict.from_json(written) == Verdict()
