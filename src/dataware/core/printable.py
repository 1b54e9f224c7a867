"""Text that people read: what cannot be printed is escaped, so that it breaks or forges no line."""

from __future__ import annotations


def escape_unprintable(text: str) -> str:
    """Escape every character of a text that cannot be printed."""
    if text.isprintable():
        return text
    return "".join(map(_escape, text))


def escape_key(key: bytes) -> str:
    """Decode a key for people: UTF-8, with all other bytes and unprintable characters escaped."""
    return escape_unprintable(key.decode("utf-8", "backslashreplace"))


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
