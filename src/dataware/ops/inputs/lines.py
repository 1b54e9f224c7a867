"""Finds the line of a file that a complaint is about; pure.

A reader that checks values knows no lines any more. So the line is looked for again by what people
look for: where the resource begins, and there the first word of the complaint that is a key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TABLE = re.compile(r"\s*\[\[\s*resource\s*\]\]")


def line_in_toml(text: str, position: int, complaint: str) -> int:
    """The line of a complaint about the resource at a position, counted from 1."""
    lines = text.splitlines()
    begins = [number for number, line in enumerate(lines, 1) if TABLE.match(line)]
    if not 0 < position <= len(begins):
        return 1
    first = begins[position - 1]
    end = begins[position] - 1 if position < len(begins) else len(lines)
    return _line_of_word(lines, first, end, complaint, r"(?:^|[\s.\[{{,])\"?{}\"?\s*[=\].]")


def line_in_template(text: str, logical_id: str, complaint: str) -> int:
    """The line of a complaint about a resource of a template in JSON or YAML."""
    lines = text.splitlines()
    opens = re.compile(r"\s*[\"']?Resources[\"']?\s*:")
    after = next((at for at, line in enumerate(lines) if opens.match(line)), 0)
    named = re.compile(rf"\s*[\"']?{re.escape(logical_id)}[\"']?\s*:")
    at = next((at for at in range(after, len(lines)) if named.match(lines[at])), None)
    if at is None:
        return 1
    depth = _depth(lines[at])
    inner = takewhile(lambda line: not line.strip() or _depth(line) > depth, lines[at + 1 :])
    end = at + 1 + len(list(inner))
    return _line_of_word(lines, at + 1, end, complaint, r"(?:^|[\s\"'{{,-]){}[\"']?\s*:")


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _line_of_word(lines: Sequence[str], first: int, end: int, complaint: str, pattern: str) -> int:
    """The first line from `first` to `end` with a key that the complaint names, or `first`."""
    for word in dict.fromkeys(WORD.findall(complaint)):
        key = re.compile(pattern.format(re.escape(word)))
        for number in range(first, end + 1):
            if key.search(lines[number - 1]):
                return number
    return first
