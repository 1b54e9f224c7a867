"""Splitting a sorted key space into ranges that can be read in parallel; pure.

Keys are opaque bytes in byte order, as S3 lists them. Ranges adjoin, and the outer two are open,
so together they cover every key there is or will be, whatever is written meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_PLAIN = frozenset(b"-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
_BETWEEN = ".."


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The keys above `start`, up to and including `end`; None is an open end."""

    start: bytes | None = None
    end: bytes | None = None

    def __contains__(self, key: bytes) -> bool:
        """Whether a key belongs to this range."""
        above = self.start is None or key > self.start
        return above and (self.end is None or key <= self.end)

    @property
    def text(self) -> str:
        """The range as printable ASCII, for a journal; empty if it holds every key."""
        if self.start is None and self.end is None:
            return ""
        return f"{_encode_key(self.start)}{_BETWEEN}{_encode_key(self.end)}"

    @classmethod
    def of(cls, text: str) -> KeyRange:
        """The range that `text` describes. Raises ValueError for any other text."""
        if not text:
            return cls()
        start, _, end = text.partition(_BETWEEN)
        one = cls(_decode_key(start), _decode_key(end))
        if one.text != text:
            raise ValueError(f"not a range of keys: {text}")
        return one


def ranges(cuts: Iterable[bytes]) -> Sequence[KeyRange]:
    """The ranges between cuts, in key order: each key is in exactly one, whatever the cuts are.

    A cut is the last key of its range, whether or not that key exists. Order and repetition of
    the cuts do not matter, and an empty one cuts nothing off.
    """
    ordered = sorted(set(cuts) - {b""})
    return [KeyRange(start, end) for start, end in pairwise([None, *ordered, None])]


def _encode_key(key: bytes | None) -> str:
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in key or b"")


def _decode_key(text: str) -> bytes | None:
    head, *rest = text.split("%")
    encoded = (bytes.fromhex(part[:2]) + part[2:].encode("ascii") for part in rest)
    return b"".join([head.encode("ascii"), *encoded]) or None
