"""Chooses the engine of a migration, and says of every other one why not; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dataware.core.engines.card import EngineCard, EngineCost, EngineName
from dataware.core.engines.general import GENERAL
from dataware.core.engines.situation import EngineSituation
from dataware.core.errors import RefusedError
from dataware.core.estimate import Prices


class EngineState(StrEnum):
    """What a plan says of an engine."""

    PICKED = "picked"
    FITS = "fits"
    UNFIT = "does not fit"
    NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True)
class EngineLine:
    """One engine for one migration.

    `why` says what is missing, what to do instead of it, or why it has to be asked for.
    """

    card: EngineCard
    state: EngineState
    why: str = ""
    cost: EngineCost | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as in the plan file."""
        cost, card = self.cost, self.card
        part = cost.verification if cost else None
        return {
            "engine": card.name.value,
            "state": self.state.value,
            "why": self.why,
            "seconds": cost.seconds if cost else None,
            "usd": cost.usd if cost else None,
            "at_least": cost.at_least if cost else False,
            "time": card.time,
            "limits": list(card.limits),
            "permissions": list(card.permissions),
            "proven": card.proven,
            **({"verification": part._asdict()} if part else {}),
        }


@dataclass(frozen=True, slots=True)
class EngineTable:
    """The engines that there are for a type, those that it brings itself first."""

    own: tuple[EngineCard, ...] = ()

    @property
    def cards(self) -> tuple[EngineCard, ...]:
        """Every engine, in the order in which a plan lists them."""
        return (*GENERAL, *self.own)

    @property
    def in_order(self) -> Iterator[EngineCard]:
        """Every engine in the order in which they are tried: the general ones last."""
        yield from self.own
        yield from reversed(GENERAL)

    def find(self, name: str) -> EngineCard | None:
        """The card of an engine; None where it does not carry this type."""
        return next((card for card in self.cards if card.name == name), None)

    def choose(self, situation: EngineSituation, wanted: EngineName | None = None) -> EngineName:
        """The engine that carries a migration: the one that a person `wanted`, else the table's.

        Raises RefusedError where the wanted one does not fit, or is not built.
        """
        if wanted is not None and (card := self.find(wanted)) is not None:
            _check_wanted(card, situation)
            return wanted
        if situation.begun is not None:
            self._check_begun(EngineName(situation.begun), situation)
            return EngineName(situation.begun)
        return next(
            card.name
            for card in self.in_order
            if card.is_built and not find_obstacle(card, situation) and card.is_better(situation)
        )

    def _check_begun(self, begun: EngineName, situation: EngineSituation) -> None:
        """Raise RefusedError where other credentials began a migration than are here now."""
        begin = (
            f"nothing was changed, because the migration into {situation.target} was begun with "
            f"{begun}"
        )
        card = self.find(begun)
        takes_profile = card is not None and card.relayed_creator is not None
        if situation.relayed and begun is not EngineName.LOCAL and not takes_profile:
            raise RefusedError(
                f"{begin}, which reads no source with --source-profile: leave that out"
            )
        if takes_profile and not situation.relayed and not situation.same_account:
            raise RefusedError(f"{begin} and --source-profile: run the same command with that")

    def list_lines(
        self, situation: EngineSituation, picked: EngineName, prices: Prices
    ) -> Sequence[EngineLine]:
        """A line for every engine, the picked one among them."""
        return tuple(_make_line(card, situation, picked, prices) for card in self.cards)


def find_obstacle(card: EngineCard, situation: EngineSituation) -> str:
    """Why an engine does not fit a migration, in a clause; empty if it does."""
    begun = situation.begun
    if begun is not None and card.name != begun:
        return f"the migration was begun with {begun}, which goes on"
    is_local = card.name is EngineName.LOCAL
    if situation.relayed and not is_local and card.relayed_creator is None:
        return "--source-profile copies through this machine"
    for need in card.needs:
        if not need.holds(situation):
            return need.why_not(situation)
    return situation.problems.get(card.name, "")


def estimate_engine(
    card: EngineCard, situation: EngineSituation, prices: Prices
) -> EngineCost | None:
    """What an engine takes for a migration; None where its size was not seen."""
    size = situation.size
    if size is None:
        return None
    cost = card.estimate(situation, size, prices)
    # What leaves a region is charged beside, at a price that depends on both regions.
    at_least = cost.at_least or size.at_least or not situation.same_region
    return replace(cost, usd=round(cost.usd, 6), at_least=at_least)


def name_engines(cards: Iterable[EngineCard]) -> str:
    """Their names, for a sentence."""
    return ", ".join(card.name for card in cards)


def _check_wanted(card: EngineCard, situation: EngineSituation) -> None:
    begin = "nothing was changed, because"
    if obstacle := find_obstacle(card, situation):
        raise RefusedError(
            f"{begin} the engine {card.name} does not fit {situation.target}: {obstacle}; leave "
            "out --engine, or choose one that `dataware plan --all` shows to fit"
        )
    if not card.is_built:
        raise RefusedError(
            f"{begin} dataware does not drive the engine {card.name}: {card.instead}"
        )


def _make_line(
    card: EngineCard, situation: EngineSituation, picked: EngineName, prices: Prices
) -> EngineLine:
    if obstacle := find_obstacle(card, situation):
        return EngineLine(card, EngineState.UNFIT, obstacle)
    cost = estimate_engine(card, situation, prices)
    if not card.is_built:
        return EngineLine(card, EngineState.NOT_BUILT, card.instead, cost)
    if card.name is picked:
        return EngineLine(card, EngineState.PICKED, "", cost)
    why_asked = card.why_asked_of_profile if situation.relayed else card.why_asked
    why = "" if card.is_better(situation) else why_asked
    return EngineLine(card, EngineState.FITS, why, cost)
