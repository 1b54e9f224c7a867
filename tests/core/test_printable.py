"""Text for people: one line, and no control character."""

from __future__ import annotations

import pytest

from dataware.core.printable import escape_key, escape_unprintable


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2Jb", "a\u202eb", "a\u2028b", "a\rb"])
def test_control_characters_are_escaped(text: str) -> None:
    """A key cannot break or forge a line."""
    shown = escape_unprintable(text)
    assert shown.isprintable()
    assert shown.startswith("a\\")


def test_a_key_is_written_on_one_line() -> None:
    """People see the key, and no control character reaches their terminal."""
    assert escape_key("é 漢".encode()) == "é 漢"
    assert escape_key(b"a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert escape_key(b"\xff") == "\\xff"
