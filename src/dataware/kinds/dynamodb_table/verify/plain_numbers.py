"""Numbers by value: of all the ways to write one, the one in plain digits."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

PLAIN_DIGITS = 400
"""How many digits a number may have before or behind its point to be written without a power.

DynamoDB keeps numbers from 10^-130 to 10^126 (Amazon DynamoDB Developer Guide, "Supported data
types and naming rules"), so it is every number; the bound only keeps a garbled one from filling
the memory.
"""

_MORE = f"[0-9]{{0,{PLAIN_DIGITS - 1}}}"
PLAIN_NUMBER = rf"(?:0|-?(?:[1-9]{_MORE}(?:\.{_MORE}[1-9])?|0\.{_MORE}[1-9]))"
"""The pattern of a number without a sign, a zero or a power that says nothing."""

_is_plain = re.compile(PLAIN_NUMBER).fullmatch


def plain_number(text: str) -> str:
    """The text that all spellings of a number share. Raises ValueError for what is no number."""
    if _is_plain(text):
        return text
    try:
        negative, every_digit, power = Decimal(text).as_tuple()
        power = int(power)  # of NaN and of infinity it is a letter
    except (InvalidOperation, ValueError):
        raise ValueError(f"no number of a table: {text!r}") from None
    digits = "".join(map(str, every_digit)).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    power += len(digits) - len(significant)
    return f"{'-' if negative else ''}{_positional(significant, power)}"


def _positional(digits: str, power: int) -> str:
    """Digits times a power of ten, with the point where it belongs."""
    if max(len(digits) + power, -power) > PLAIN_DIGITS:
        return f"{digits}e{power}"
    if power >= 0:
        return digits + "0" * power
    padded = digits.rjust(1 - power, "0")
    return f"{padded[:power]}.{padded[power:]}"
