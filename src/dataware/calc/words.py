"""Small words around the nouns that the kinds bring along; pure."""

from __future__ import annotations

from collections.abc import Iterable

_VOWELS = frozenset("aeio")
_SPELLED_WITH_VOWEL = frozenset("AEFHILMNORSX")
"""Letters whose names begin with a vowel, as in "an SSM parameter"."""


def with_article(noun: str) -> str:
    """The noun behind "a" or "an", such as "an S3 bucket" and "a DynamoDB table"."""
    spelled_out = not noun[1:2].islower()
    vowel = noun[0] in _SPELLED_WITH_VOWEL if spelled_out else noun[0].lower() in _VOWELS
    return f"{'an' if vowel else 'a'} {noun}"


def plural(noun: str) -> str:
    """The noun for several, such as "buckets" and "repositories"."""
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in _VOWELS else f"{noun}s"


def list_words(words: Iterable[str]) -> str:
    """Words one after another ("buckets, tables and repositories"); "nothing" without any."""
    *first, last = list(words) or ["nothing"]
    return f"{', '.join(first)} and {last}" if first else last
