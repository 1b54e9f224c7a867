"""Resources as they are today: which of several kinds is meant, and what the app prefers."""

from __future__ import annotations

from typing import Any, cast

import pytest

from dataware.core.errors import InputError, LookupFailedError, NotFoundError
from dataware.core.kind import DescribedProperties, Kind
from dataware.core.ports import Aws
from dataware.ops import describe
from dataware.ops.describe import DescribedResource, describe_resources
from support.world import World, WorldAws, box_kind, change_card


class Shelf:
    """Boxes and tins, some of which may not be looked at."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.denied: set[str] = set()
        self.asked: list[str] = []
        self.aws = cast("Aws", WorldAws(World()))

    def card(self, scheme: str, **more: Any) -> Kind:
        """The card of a type, which describes what is there."""

        def look(_aws: Aws, name: str) -> DescribedProperties:
            self.asked.append(f"{scheme}://{name}")
            if f"{scheme}://{name}" in self.denied:
                raise LookupFailedError(f"{scheme} {name}: denied")
            if f"{scheme}://{name}" not in self.there:
                raise NotFoundError(name)
            return DescribedProperties({"Of": name})

        def check(name: str) -> str | None:
            return "it is empty" if not name else "it is too long" if len(name) > 8 else None

        words = {"cfn_type": f"Memory::{scheme}", "scheme": scheme, "noun": f"memory {scheme}"}
        return change_card(
            box_kind(World()), **words, short=scheme, check=check, **{"describe": look, **more}
        )

    def describe(self, *names: str, suffix: str = "") -> list[DescribedResource]:
        """What stands under some names."""
        return describe_resources(self.aws, names, suffix)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Two types that are described, and two that are not."""
    shelf = Shelf()
    cards = [
        shelf.card("box"),
        shelf.card("jar", describe=None),
        shelf.card("tin"),
    ]
    monkeypatch.setattr(describe, "kinds", lambda: cards)
    return shelf


@pytest.mark.parametrize("text", ["a", "box://a", "box://a/", "box://a//"])
def test_a_resource_is_found_by_its_name_or_its_address(shelf: Shelf, text: str) -> None:
    """By its name among all types; by its address in that one alone."""
    shelf.there = {"box://a"}
    (found,) = shelf.describe(text)
    assert (found.kind.cfn_type, found.name, found.preferred) == ("Memory::box", "a", "a")
    assert found.described.properties == {"Of": "a"}
    assert found.fallbacks == ()
    assert shelf.asked == (["box://a", "tin://a"] if text == "a" else ["box://a"])


def test_a_suffix_makes_the_preferred_name_and_keeps_todays_as_a_fallback(shelf: Shelf) -> None:
    """In the order of the names, each of them once."""
    shelf.there = {"box://a", "tin://b"}
    found = shelf.describe("b", "a", "b", suffix="-prod")
    assert [(one.name, one.preferred, one.fallbacks) for one in found] == [
        ("b", "b-prod", ("b",)),
        ("a", "a-prod", ("a",)),
    ]


def test_a_preferred_name_that_no_resource_can_have_is_told(shelf: Shelf) -> None:
    """With what is wrong with it."""
    shelf.there = {"box://a"}
    with pytest.raises(InputError, match="a-production is not a valid memory box name: it is too"):
        shelf.describe("a", suffix="-production")


def test_one_name_of_two_types_has_to_say_which(shelf: Shelf) -> None:
    """By an address, and both may be declared."""
    shelf.there = {"box://a", "tin://a"}
    with pytest.raises(InputError, match="a exists several times: write box://a or tin://a"):
        shelf.describe("a")
    assert [one.kind.short for one in shelf.describe("tin://a", "box://a")] == ["tin", "box"]


def test_one_resource_under_its_name_and_its_address_is_named_twice(shelf: Shelf) -> None:
    """An app would declare two of them."""
    shelf.there = {"box://a"}
    with pytest.raises(InputError, match="a-2 is named twice: name it once"):
        shelf.describe("a", "box://a", suffix="-2")


def test_what_does_not_exist_is_told_with_the_types_that_were_looked_for(shelf: Shelf) -> None:
    """And where; of an address its own type alone."""
    with pytest.raises(InputError) as error:
        shelf.describe("a")
    assert str(error.value) == "no box or tin a exists in account 111122223333, eu-central-1"
    with pytest.raises(InputError, match=r"^no tin a exists"):
        shelf.describe("tin://a")


def test_what_may_not_be_looked_at_is_not_taken_for_absent(shelf: Shelf) -> None:
    """But a name that one type has is found though another one is denied, as names of strangers."""
    shelf.denied = {"box://a", "tin://b"}
    with pytest.raises(LookupFailedError, match="box a: denied"):
        shelf.describe("a")
    with pytest.raises(LookupFailedError, match="tin b: denied"):
        shelf.describe("b")
    shelf.there = {"tin://a"}
    assert shelf.describe("a")[0].kind.short == "tin"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cup://a", "cup://a cannot be described: write box://a or tin://a"),
        ("jar://a", "jar://a cannot be described: write box://a or tin://a"),
        ("://", ":// cannot be described: write box://name or tin://name"),
        ("box://", "box://: the name is not a memory box name: it is empty"),
        ("box://too-long-name", "box://too-long-name: too-long-name is not a memory box name: it"),
    ],
)
def test_an_address_that_means_nothing_is_told_with_what_to_write(
    shelf: Shelf, text: str, words: str
) -> None:
    """Nobody is asked."""
    with pytest.raises(InputError, match=words):
        shelf.describe(text)
    assert shelf.asked == []


def test_a_type_that_cannot_have_the_name_is_not_asked(shelf: Shelf) -> None:
    """Its service would answer with an error that means nothing."""
    with pytest.raises(InputError, match="no box or tin too-long-name exists"):
        shelf.describe("too-long-name")
    assert shelf.asked == []
