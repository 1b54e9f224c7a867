"""Surveys: they end, ask for little, and cut most key spaces evenly."""

from __future__ import annotations

import random
import uuid
from bisect import bisect_right
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.key_range import ranges
from dataware.calc.survey import CUT_BYTES, MOST_BYTES, KeySample, Survey

PROBES = 192
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
starts = st.sampled_from(["", "a" * 9, "ab/" * 3, "é" * 5, "/", "\U0010ffff"])
related = st.builds(lambda start, end: start + end, starts, texts)
keys = st.lists((texts | related).map(str.encode) | st.binary(max_size=8), unique=True)


class Listing:
    """A sorted listing that counts how often it is asked."""

    def __init__(self, present: Sequence[bytes], shown: int) -> None:
        self._keys = sorted(present)
        self._shown = shown
        self.asked: list[bytes] = []

    def after(self, place: bytes, shown: int | None = None) -> KeySample:
        """The first keys after a place."""
        self.asked.append(place)
        start = bisect_right(self._keys, place) if place else 0
        end = start + (shown or self._shown)
        return KeySample(self._keys[start:end], end < len(self._keys))


def surveyed(listing: Listing, survey: Survey, first: int) -> int:
    """Carry a survey out; how many rounds it took."""
    survey.learn(b"", listing.after(b"", first))
    rounds = 0
    while places := survey.next_sample_keys():
        rounds += 1
        for place in places:
            survey.learn(place, listing.after(place))
    return rounds


@given(keys, st.integers(1, 5), st.integers(1, 4))
def test_a_survey_ends_and_asks_for_places_that_listings_take(
    present: list[bytes], shown: int, least: int
) -> None:
    """Whatever the keys are, places are well-formed, new and few, no cut names a folder."""
    listing = Listing(present, shown)
    survey = Survey(parts=8, least=least, probes=20, at_once=4)
    surveyed(listing, survey, first=3)
    assert len(listing.asked) <= 21
    assert len(set(listing.asked)) == len(listing.asked)
    for place in listing.asked:
        assert len(place.decode().encode()) <= MOST_BYTES
        assert not place.endswith(b"/")
    cuts = list(survey.cuts())
    assert cuts == sorted(set(cuts))
    assert all(len(cut) <= CUT_BYTES and cut.decode() for cut in cuts)
    folders = {key[:end] for key in present for end in range(len(key)) if key[end:][:1] == b"/"}
    assert not (folders - set(present)) & set(cuts)
    within = [[key for key in sorted(present) if key in one] for one in ranges(cuts)]
    assert [key for part in within for key in part] == sorted(present)


@given(st.lists(keys, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_survey_takes_contradictions(pages: list[list[bytes]], chance: random.Random) -> None:
    """What is written meanwhile can make samples contradict each other: the survey goes on."""
    survey = Survey(parts=8, least=1, probes=30, at_once=4)
    survey.learn(b"", KeySample(sorted(pages[0]), more=True))
    while places := survey.next_sample_keys():
        for place in places:
            above = [key for key in sorted(chance.choice(pages)) if key > place]
            survey.learn(place, KeySample(above, chance.random() < 0.5))
    assert list(survey.cuts()) == sorted(set(survey.cuts()))


def test_one_page_needs_no_probe() -> None:
    """What the first sample shows to its end is counted, and not cut."""
    survey = Survey()
    survey.learn(b"", KeySample([b"a", b"b"], more=False))
    assert (survey.size, list(survey.next_sample_keys()), list(survey.cuts())) == (2, [], [])
    empty = Survey()
    empty.learn(b"", KeySample([], more=False))
    assert (empty.size, list(empty.next_sample_keys()), list(empty.cuts())) == (0, [], [])


def numbered(chance: random.Random) -> list[str]:
    """Padded numbers under one prefix."""
    return [f"data/{number:09d}.bin" for number in range(100_000)]


def unpadded(chance: random.Random) -> list[str]:
    """Numbers as they are, which do not sort as numbers."""
    return [f"img{number}.jpg" for number in range(100_000)]


def random_names(chance: random.Random) -> list[str]:
    """Random names under a long prefix."""
    return [f"uploads/images/{uuid.UUID(int=chance.getrandbits(128))}" for _ in range(100_000)]


def dated(chance: random.Random) -> list[str]:
    """Folders of days and hours."""
    return [
        f"logs/2024/{month:02d}/{day:02d}/{hour:02d}/{chance.getrandbits(64):016x}.json"
        for month in range(1, 13)
        for day in range(1, 29)
        for hour in range(24)
        for _ in range(12)
    ]


def crowded(chance: random.Random) -> list[str]:
    """Nearly everything under one of many prefixes."""
    few = [f"small{number}/{name}" for number in range(60) for name in range(10)]
    return few + [f"logs/big/{number:09d}" for number in range(100_000)]


def foreign(chance: random.Random) -> list[str]:
    """Letters beyond ASCII."""
    return ["".join(chance.choices("漢字日本語中文한국éü😀", k=8)) for _ in range(100_000)]


@pytest.mark.parametrize("shape", [numbered, unpadded, random_names, dated, crowded, foreign])
def test_usual_key_spaces_are_cut_evenly(shape: Callable[[random.Random], list[str]]) -> None:
    """No part holds more than a sixteenth, so sixteen readers finish at about the same time."""
    present = sorted({key.encode() for key in shape(random.Random(7))})
    listing = Listing(present, shown=100)
    survey = Survey()
    rounds = surveyed(listing, survey, first=1000)
    assert len(listing.asked) <= PROBES + 1
    assert rounds <= 30
    places = [bisect_right(present, cut) for cut in survey.cuts()]
    sizes = [b - a for a, b in zip([0, *places], [*places, len(present)], strict=True)]
    assert 24 <= len(sizes) <= 80
    assert max(sizes) <= len(present) / 16
    assert len(present) / 5 <= survey.size <= len(present) * 5


def test_the_example_at_the_head_of_the_module_is_what_happens() -> None:
    """The looks, what they show, and the cuts that come of them."""
    listing = Listing([*(b"a/%04d" % n for n in range(1, 8001)), b"b/1", b"b/2"], 1000)
    survey = Survey(parts=4, least=1, at_once=1)
    surveyed(listing, survey, 1000)
    assert listing.asked[:4] == [b"", b"b", b"a0", b"a/2"]
    assert len(listing.asked) == 1 + 13
    assert survey.cuts() == [b"a/2", b"a/4", b"a/6", b"a/8"]
