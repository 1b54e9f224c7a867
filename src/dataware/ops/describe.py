"""The use case "init": declare resources as they are today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataware.core.errors import InputError, LookupFailedError, NotFoundError
from dataware.core.kind import DescribedProperties, Kind
from dataware.core.ports import Aws
from dataware.kinds import kinds


@dataclass(frozen=True, slots=True)
class DescribedResource:
    """A resource that exists, what it is like, and the name that the app is to prefer."""

    kind: Kind
    name: str
    preferred: str
    described: DescribedProperties

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """The name of today, where the preferred one is another."""
        return () if self.preferred == self.name else (self.name,)


def describe_resources(aws: Aws, names: Sequence[str], suffix: str = "") -> list[DescribedResource]:
    """What stands under each name or address, in order; `suffix` makes the preferred names.

    Raises InputError for what does not exist, or exists as several kinds, and LookupFailedError for
    what is not seen whole.
    """
    described = [_describe(aws, name, suffix) for name in dict.fromkeys(names)]
    preferred: dict[tuple[str, str], DescribedResource] = {}
    for one in described:
        other = preferred.setdefault((one.kind.cfn_type, one.preferred), one)
        if other is not one:
            raise InputError(f"{one.preferred} is named twice: name it once")
    return described


def _describe(aws: Aws, text: str, suffix: str) -> DescribedResource:
    scheme, separator, name = text.partition("://")
    name = name.rstrip("/") if separator else text
    cards = [card for card in kinds() if card.template.describe]
    schemes = {card.require_copying().scheme: card for card in cards if card.copying}
    if separator:
        if scheme not in schemes:
            addresses = " or ".join(f"{one}://{name or 'name'}" for one in sorted(schemes))
            raise InputError(f"{text} cannot be described: write {addresses}")
        cards = [schemes[scheme]]
        if problem := cards[0].names.find_problem(name):
            raise InputError(
                f"{text}: {name or 'the name'} is not a {cards[0].noun} name: {problem}"
            )
    kind, described = _look(aws, text, name, cards)
    preferred = f"{name}{suffix}"
    if suffix and (problem := kind.names.check(preferred)):
        raise InputError(f"{preferred} is not a valid {kind.noun} name: {problem}")
    return DescribedResource(kind, name, preferred, described)


def _look(
    aws: Aws, text: str, name: str, cards: Sequence[Kind]
) -> tuple[Kind, DescribedProperties]:
    """The one kind under which the name exists."""
    descriptions: list[tuple[Kind, DescribedProperties]] = []
    unseen: list[LookupFailedError] = []
    for card in cards:
        if card.template.describe is None or card.names.find_problem(name):
            continue
        try:
            descriptions.append((card, card.template.describe(aws, name)))
        except NotFoundError:
            continue
        except LookupFailedError as error:
            unseen.append(error)
    if len(descriptions) > 1:
        both = " or ".join(f"{card.require_copying().scheme}://{name}" for card, _ in descriptions)
        raise InputError(f"{text} exists several times: write {both}")
    if descriptions:
        return descriptions[0]
    if unseen:
        raise unseen[0]
    nouns = " or ".join(card.short for card in cards)
    raise InputError(f"no {nouns} {name} exists in account {aws.account}, {aws.region}")
