"""Skipped keys by cause, each with advice that fits."""

from __future__ import annotations

from dataware.core.copier import SkipReason
from dataware.core.skip_causes import ADVICE, advise, list_causes


def test_every_cause_has_an_advice_of_its_own() -> None:
    """No cause is left with words that fit another one."""
    assert set(ADVICE) == set(SkipReason)
    assert len(set(ADVICE.values())) == len(SkipReason)


def test_causes_are_grouped() -> None:
    """With numbers, and with the option's name where it is set."""
    skip_reasons = {"conflict": 1, "archived": 1200, "denied": 0}
    assert list_causes(skip_reasons) == "1,200 archived, 1 conflict"
    assert advise(skip_reasons, on_conflict="on_conflict") == (
        "archived: restore them first; conflict: choose the side that wins with on_conflict"
    )


def test_a_cause_of_a_newer_version_is_no_error() -> None:
    """A record may hold a cause that this version does not know."""
    assert advise({"newer": 2}) == "newer: see the reasons above"
