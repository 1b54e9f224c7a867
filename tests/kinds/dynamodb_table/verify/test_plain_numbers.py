"""Numbers in plain digits: one text for each value, and none that fills the memory."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.dynamodb_table.verify.plain_numbers import (
    PLAIN_DIGITS,
    PLAIN_NUMBER,
    plain_number,
)

digits = st.from_regex(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)


@given(digits)
def test_a_plain_number_has_its_value_and_no_zero_too_many(text: str) -> None:
    """Nothing is rounded, and what is plain stays as it is."""
    plain = plain_number(text)
    assert Decimal(plain) == Decimal(text)
    assert re.fullmatch(PLAIN_NUMBER, plain)
    assert plain_number(plain) == plain


@given(digits, digits)
def test_texts_are_equal_exactly_when_values_are(one: str, two: str) -> None:
    """One text for each value."""
    assert (plain_number(one) == plain_number(two)) == (Decimal(one) == Decimal(two))


@given(st.sampled_from(["1", "-1", "12", "1.5"]), st.integers(-2, 2), st.sampled_from([1, -1]))
def test_at_the_bound_there_is_one_text_all_the_same(text: str, near: int, sign: int) -> None:
    """Written in full or with a power, a number of about four hundred digits is one."""
    power = sign * (PLAIN_DIGITS + near)
    value = Decimal(f"{text}E{power}")
    assert plain_number(f"{text}E{power}") == plain_number(format(value, "f"))


@pytest.mark.parametrize("text", ["1E999999999999", "1E-999999999999", "-0E999999999999"])
def test_a_power_beyond_all_numbers_stays_short(text: str) -> None:
    """What no table can hold is no reason to fill the memory."""
    assert len(plain_number(text)) < 20


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "1E"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """An answer with it is not what DynamoDB sends."""
    with pytest.raises(ValueError, match="no number"):
        plain_number(text)
