"""Finds where to cut a sorted key space into about equal parts, by a few short looks; pure.

A listing only answers "the first keys after K". So how many keys lie between two places is not
known; it is estimated from how densely the sampled keys stand, with keys read as fractions whose
digits are the characters seen so far at each index (a mixed radix). The loop of the caller is

    survey.learn(b"", first page)
    while places := survey.next_sample_keys(): learn what is listed after each of them
    ranges(survey.cuts())

How it works, for the keys `a/0001` to `a/8000`, `b/1` and `b/2`, pages of 1,000 keys, four parts:

    look after   the sample           what is known then
    ""           a/0001 … a/1000 …    how dense keys are; the end is unknown
    b            b/1, b/2             they are the last: the first stretch ends at b/1
    a0           b/1, b/2             nothing between a0 and b/1: the first stretch ends at a0
    a/2          a/2000 … a/2999 …    two stretches, of about 1,000 and 2,000 keys

The heaviest stretch is looked into next, at a character in its middle, until none is more than half
as heavy again as a part should be. After 13 looks, stretches are filled into parts in order, and
each part begins at the shortest prefix that separates it: `a/2`, `a/4`, `a/6`, `a/8`. A wrong
estimate makes parts uneven and nothing else: `key_range.ranges` covers every key wherever the cuts
are.

Places are well-formed UTF-8, because listings take nothing else, and none ends in a slash, which
some servers take for the end of a path. A cut is not the name of a folder either: servers on top of
a file system leave out what is in it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest

MOST_BYTES = 1024
"""How long a place may be; keys of S3 are no longer."""

CUT_BYTES = 200
"""How long a cut may be; cuts stand in records that have to stay small."""

_UNKNOWN = 1e9
_FINEST = 1e-12
_SLASH, _AFTER_SLASH = "/", "0"
_SURROGATES = range(0xD800, 0xE000)
# A stretch is sampled further while it is this many times as heavy as a part should be.
_UNEVEN = 1.5
# From how many samples on guesses count, and from how many on a place has its own digits.
_FEW, _MANY = 8, 64


@dataclass(frozen=True, slots=True)
class KeySample:
    """The first keys after a place, in order; `more` says that others follow."""

    keys: Sequence[bytes]
    more: bool


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Keys that follow each other, as far as they were sampled; `whole` if that is all of them.

    None lies between `place` and the first, and none above `bound`, where that is known.
    `before` is the last key seen below it.
    """

    before: bytes
    place: bytes
    keys: Sequence[bytes]
    bound: bytes | None
    whole: bool


class Survey:
    """Finds where to cut a key space into about `parts` equal parts.

    Parts of fewer than `least` keys are not worth it. At most `probes` places are ever sampled,
    `at_once` of them together.
    """

    def __init__(
        self, *, parts: int = 64, least: int = 1000, probes: int = 192, at_once: int = 32
    ) -> None:
        self._parts = parts
        self._least = least
        self._probes = probes
        self._at_once = at_once
        self._samples: dict[bytes, KeySample] = {}
        self._alphabet: list[str] = []
        self._digits: list[list[str]] = []
        self._varied: list[str] = []

    def learn(self, place: bytes, sample: KeySample) -> None:
        """Take in what a listing shows after `place`; ``b""`` is the beginning."""
        self._samples[place] = sample
        texts = [_text(key) for key in sample.keys]
        self._alphabet = sorted(set("".join(texts)).union(self._alphabet) - {_SLASH})
        for index, column in enumerate(zip_longest(*texts, fillvalue="")):
            digits_here = self._digits[index] if index < len(self._digits) else []
            self._digits[index : index + 1] = [sorted({*digits_here, *column} - {""})]
        varying = (digits for digits in self._digits if len(digits) > 1)
        self._varied = sorted(set().union(*varying))

    @property
    def size(self) -> int:
        """About how many keys there are."""
        return sum(round(self._weight(stretch)) for stretch in self._stretches())

    def next_sample_keys(self) -> Sequence[bytes]:
        """The places to sample next; none when nothing is worth another look."""
        weighed = [(self._weight(stretch), stretch) for stretch in self._stretches()]
        share = self._share([weight for weight, _ in weighed])
        enough = _UNEVEN * share if len(self._samples) > _FEW else 0.0
        heavy = [pair for pair in weighed if pair[0] > enough and not pair[1].whole]
        heavy.sort(key=lambda pair: -pair[0])
        inside = (place for _, stretch in heavy for place in self._inside(stretch))
        places = [place for place in inside if place not in self._samples]
        return places[: min(self._at_once, max(self._probes + 1 - len(self._samples), 0))]

    def cuts(self) -> Sequence[bytes]:
        """Where to cut for parts as even as what is known allows, in order."""
        stretches = self._stretches()
        weights = [self._weight(stretch) for stretch in stretches]
        share = self._share(weights)
        cuts: list[bytes] = []
        load = 0.0
        for stretch, weight in zip(stretches, weights, strict=True):
            if load and load + weight / 2 > share and (cut := _cut(stretch)) is not None:
                cuts.append(cut)
                load = 0.0
            load += weight
        return cuts

    def _share(self, weights: Sequence[float]) -> float:
        return max(self._least, sum(weights) / self._parts)

    def _stretches(self) -> list[_Stretch]:
        """What is known, in key order; places with the same next key tell of the same stretch."""
        ordered = sorted(self._samples.items())
        firsts = [next(group) for _, group in groupby(ordered, lambda pair: pair[1].keys[:1])]
        bounds = [place for place, _ in firsts[1:]]
        stretches: list[_Stretch] = []
        before = b""
        for (place, sample), bound in zip(firsts, [*bounds, None], strict=True):
            count = len(sample.keys)
            within = count if bound is None else bisect_right(sample.keys, bound)
            if within:
                whole = within < count or not sample.more
                keys = sample.keys[:within]
                stretches.append(_Stretch(before, place, keys, bound, whole))
                before = keys[-1]
        return stretches

    def _weight(self, stretch: _Stretch) -> float:
        """About how many keys a stretch holds, from the density of those that were sampled."""
        count = len(stretch.keys)
        if stretch.whole:
            return count
        if stretch.bound is None or count == 1:
            return _UNKNOWN
        # A sample may begin in one crowd of keys and end in another: the denser one counts.
        starts = {0, count // 2, count * 7 // 8} - {count - 1}
        return (
            max(self._estimate_keys_until(stretch.keys[start:], stretch.bound) for start in starts)
            + count
        )

    def _estimate_keys_until(self, keys: Sequence[bytes], bound: bytes) -> float:
        """How many keys follow up to the bound, if they stand as densely as these."""
        first, last, end = _text(keys[0]), _text(keys[-1]), _text(bound)
        shared = _common_prefix_length(first, end)
        sampled_end = self._number(last, shared)
        step = (sampled_end - self._number(first, shared)) / (len(keys) - 1)
        rest = (self._number(end, shared) - sampled_end) / step if step > 0 else _UNKNOWN
        return min(max(rest, 1.0), _UNKNOWN)

    def _number(self, text: str, shared: int) -> float:
        """A key as a fraction, without the beginning that it shares."""
        number, scale = 0.0, 1.0
        for index in range(shared, len(text)):
            digits = self._digits_at(index)
            scale /= max(len(digits), 1)
            number += scale * bisect_left(digits, text[index])
            if scale < _FINEST:
                break
        return number

    def _digits_at(self, index: int) -> Sequence[str]:
        """The characters that may stand at an index of a key, as far as samples tell.

        Few samples show few of them, so what varies anywhere may stand anywhere at first.
        """
        digits = self._digits[index] if index < len(self._digits) else []
        samples = len(self._samples)
        if not digits or samples <= _FEW or (samples < _MANY and len(digits) > 1):
            return self._varied
        return [char for char in self._varied if digits[0] <= char <= digits[-1]] or digits

    def _inside(self, stretch: _Stretch) -> list[bytes]:
        """Up to two places above what is seen of a stretch and below its bound."""
        last = _text(stretch.keys[-1])
        if stretch.bound is None:
            return self._beyond(last, 0) if last else []
        bound = _text(stretch.bound)
        shared = _common_prefix_length(last, bound)
        if shared < len(bound) and (middle := self._middle(last[shared:], bound[shared])):
            return _places([last[:shared] + middle])
        index = _branching(stretch, shared + 1)
        return [] if index is None else self._beyond(last, index)

    def _beyond(self, last: str, index: int) -> list[bytes]:
        """The place above all keys with a beginning of `last`, and one halfway beyond it."""
        start, char = last[:index], last[index]
        after = [start + one for one in (_after(char), self._middle(char, None)) if one]
        return _places(after)

    def _middle(self, low: str, high: str | None) -> str:
        """The middle one of the characters seen between two others; empty if there is none."""
        start = bisect_right(self._alphabet, low[0]) if low else 0
        end = len(self._alphabet) if high is None else bisect_left(self._alphabet, high)
        return self._alphabet[(start + end) // 2] if start < end else ""


def _cut(stretch: _Stretch) -> bytes | None:
    """The shortest beginning of the first key that is fit for a cut; None if none is.

    No key lies between it and the first, so no folder has its name if the key goes on with a
    character above the slash.
    """
    first, place = _text(stretch.keys[0]), _text(stretch.place)
    for end in range(1, len(first) + 1):
        cut = first[:end]
        goes_on = first[end:] >= _AFTER_SLASH or end == len(first)
        if cut >= place and goes_on and not cut.endswith(_SLASH):
            key = cut.encode("utf-8", "surrogateescape")
            return key if cut.isprintable() and len(key) <= CUT_BYTES else None
    return None


def _branching(stretch: _Stretch, least: int) -> int | None:
    """The index of the last key at which to look for other keys; None if there is no such.

    Beginnings part where the samples do; each look halves what remains of them.
    """
    before, first, last = _text(stretch.before), _text(stretch.keys[0]), _text(stretch.keys[-1])
    parting = _common_prefix_length(first, last)
    neighbours = min(_common_prefix_length(before, first), parting) if before else parting
    for most in (neighbours, parting, len(last) - 1):
        if least <= most < len(last):
            return (least + most) // 2
    return None


def _common_prefix_length(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _after(char: str) -> str:
    """The next character that a place may end in; empty after the last one."""
    code = ord(char) + 1
    if code == ord(_SLASH):
        code += 1
    if code in _SURROGATES:
        code = _SURROGATES.stop
    return chr(code) if code <= 0x10FFFF else ""


def _places(texts: Sequence[str]) -> list[bytes]:
    places: list[bytes] = []
    for text in dict.fromkeys(texts):
        try:
            place = text.encode()
        except UnicodeEncodeError:  # keys that are no UTF-8 give no places
            continue
        if len(place) <= MOST_BYTES:
            places.append(place)
    return places


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")
