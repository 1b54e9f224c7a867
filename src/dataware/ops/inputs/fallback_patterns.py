"""Fallback names by pattern, for an app that nobody has changed; pure.

A pattern is ``LEFT=RIGHT``: where LEFT is the preferred name, RIGHT is a fallback. ``{word}``
stands for any text of one character or more, as long as it can be, and for the same text on the
right; there, ``{account}``, ``{region}`` and ``{stack}`` stand for those of the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.errors import InputError

SYNTAX = "write it as '{base}-prod={base}': the preferred name, an equals sign, the fallback"
_WORD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_REST = re.compile(r"[{}]")
PLACES = ("account", "region", "stack")


@dataclass(frozen=True, slots=True)
class FallbackPattern:
    """One pattern, as it was written in two halves."""

    preferred: str
    fallback: str

    def apply(self, name: str, places: Mapping[str, str | None]) -> str | None:
        """The fallback of a preferred name; None where the pattern does not fit."""
        match = self._expression().fullmatch(name)
        if match is None:
            return None
        words = {**places, **match.groupdict()}
        needed = _WORD.findall(self.fallback)
        if any(words.get(word) is None for word in needed):
            return None
        fallback = _WORD.sub(lambda word: str(words[word[1]]), self.fallback)
        return fallback if fallback != name else None

    def _expression(self) -> re.Pattern[str]:
        parts = _WORD.split(self.preferred)
        words: set[str] = set()
        text = ""
        for at, part in enumerate(parts):
            if at % 2 == 0:
                text += re.escape(part)
            elif part in words:
                text += f"(?P={part})"
            else:
                text += f"(?P<{part}>.+)"
                words.add(part)
        return re.compile(text)


def parse_pattern(preferred: str, fallback: str, where: str) -> FallbackPattern:
    """The pattern in two halves. Raises InputError with `where` at its head."""
    for half in (preferred, fallback):
        if not half or _REST.search(_WORD.sub("", half)):
            typed = f"{preferred}={fallback}" if fallback else preferred
            raise InputError(f"{where}: {typed} is not a pattern: {SYNTAX}")
    words = {*_WORD.findall(preferred), *PLACES}
    unknown = [word for word in _WORD.findall(fallback) if word not in words]
    if unknown:
        raise InputError(
            f"{where}: {{{unknown[0]}}} stands on the right of {preferred}={fallback} and not on "
            "the left: use the same word on both sides"
        )
    return FallbackPattern(preferred, fallback)


def parse_patterns(words: Iterable[str]) -> tuple[FallbackPattern, ...]:
    """The patterns of the command line. Raises InputError."""
    patterns = []
    for word in words:
        preferred, _, fallback = word.partition("=")
        patterns.append(parse_pattern(preferred, fallback, "--fallback"))
    return tuple(patterns)


def read_patterns(table: Mapping[str, Any], where: str) -> tuple[FallbackPattern, ...]:
    """The patterns of ``[fallbacks]``: the left half is the key, the right one or more texts."""
    patterns = []
    for preferred, fallbacks in table.items():
        for fallback in fallbacks if isinstance(fallbacks, list) else [fallbacks]:
            if not isinstance(fallback, str):
                raise InputError(f"{where}: {preferred} must be a string or a list of strings")
            patterns.append(parse_pattern(preferred, fallback, where))
    return tuple(patterns)


def fallbacks_of(
    name: str, patterns: Iterable[FallbackPattern], places: Mapping[str, str | None]
) -> tuple[str, ...]:
    """The fallbacks that patterns give a preferred name, in their order, each once."""
    each = [pattern.apply(name, places) for pattern in patterns]
    return tuple(dict.fromkeys(one for one in each if one is not None))
