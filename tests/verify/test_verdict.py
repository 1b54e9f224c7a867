"""What a verdict and the tally of a copy tell together: which side has changed since."""

from __future__ import annotations

import pytest

from dataware.calc.multiset_digest import NO_RECORDS, MultisetDigest
from dataware.verify.verdict import Side, Verdict

READ, OTHER, THIRD = (MultisetDigest.of([bytes([n]) * 16]) for n in range(3))


@pytest.mark.parametrize(
    ("source", "target", "copied", "changed"),
    [
        (OTHER, READ, READ, Side.SOURCE),
        (READ, OTHER, READ, Side.TARGET),
        (OTHER, THIRD, READ, None),
        (OTHER, OTHER, READ, None),
        (READ, READ, READ, None),
        (OTHER, NO_RECORDS, NO_RECORDS, None),
    ],
)
def test_the_end_that_is_not_what_was_copied_has_changed(
    source: MultisetDigest, target: MultisetDigest, copied: MultisetDigest, changed: Side | None
) -> None:
    """Where both or neither are, or where nothing was digested, nobody knows."""
    verdict = Verdict(read={Side.SOURCE: source, Side.TARGET: target})
    assert verdict.changed_side(copied) is changed
    assert Verdict.from_json(verdict.to_json(0)).changed_side(copied) is changed


@pytest.mark.parametrize(
    ("source", "target", "changed_sides", "changed"),
    [
        (READ, OTHER, Side.SOURCE, None),
        (READ, READ, Side.SOURCE, Side.SOURCE),
        (OTHER, THIRD, Side.TARGET, None),
        (READ, OTHER, Side.TARGET, Side.TARGET),
    ],
)
def test_an_end_that_moves_is_not_to_blame_for_the_other(
    source: MultisetDigest, target: MultisetDigest, changed_sides: Side, changed: Side | None
) -> None:
    """A target in use moves all the time; that the source has changed as well is not hidden."""
    verdict = Verdict(
        read={Side.SOURCE: source, Side.TARGET: target}, changed_sides={changed_sides}
    )
    assert verdict.changed_side(READ) is changed


def test_sides_without_tallies_tell_nothing() -> None:
    """Kinds that list in order have none, and neither have verdicts of earlier versions."""
    assert Verdict().changed_side(READ) is None
    written = Verdict().to_json(0)
    del written["read"]
    assert Verdict.from_json(written) == Verdict()
