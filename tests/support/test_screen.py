"""The screen of the tests does what a terminal does with what is written here."""

from __future__ import annotations

import pytest

from support.screen import Screen


def test_lines_are_rewritten_erased_and_wrapped() -> None:
    """As a bar does it: back to the start, over the old text, up, and gone."""
    screen = Screen(8).feed("first\r12345678\r\nsecond\x1b[2K\r\x1b[1A\x1b[Kx\x1b[32my\x1b[0m\r\nz")
    assert screen.lines == ["xy", "z"]
    assert Screen(4).feed("abcdef").lines == ["abcd", "ef"]
    assert Screen(4).feed("漢字漢").lines == ["漢字", "漢"]


def test_what_it_does_not_know_is_an_error() -> None:
    """A sequence that is passed over would make any screen look right."""
    with pytest.raises(AssertionError, match="does not know"):
        Screen().feed("\x1b[5S")
