"""What cures a caller that is not let in."""

from __future__ import annotations

import pytest

from dataware.http.auth_errors import EXPIRED, REJECTED, SKEWED, cure


@pytest.mark.parametrize("code", sorted(EXPIRED | REJECTED | SKEWED))
def test_every_code_has_a_cure(code: str) -> None:
    """Each sentence says what is wrong and what to do."""
    said = cure(code)
    assert said is not None
    assert "; " in said


@pytest.mark.parametrize("code", ["AccessDenied", "ThrottlingException", "", "403"])
def test_other_codes_are_about_something_else(code: str) -> None:
    """A denial is no matter of credentials."""
    assert cure(code) is None
