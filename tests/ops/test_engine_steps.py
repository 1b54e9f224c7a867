"""The steps of an engine are brought in where it is chosen, and those of no other one."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import cast

import pytest

from dataware.core.engines.card import EngineName
from dataware.core.plan import Planned
from dataware.kinds import kinds
from dataware.ops.context import CopySettings
from dataware.ops.engine_choice import table_of
from dataware.ops.engine_steps import FOLLOWED_STEPS, STEPS, EngineOrder, make_pair_steps
from support.world import World

CARDS = [(kind, card) for kind in kinds() if kind.copying for card in table_of(kind).cards]
ENGINES = set(EngineName) - {EngineName.LOCAL}


def test_every_engine_but_this_machine_has_one_line() -> None:
    """A new engine is one module and one line."""
    assert set(STEPS) == ENGINES
    assert set(FOLLOWED_STEPS) <= ENGINES
    for module in {*STEPS.values(), *FOLLOWED_STEPS.values()}:
        assert callable(import_module(f"dataware.ops.{module}").make_run)


def test_every_engine_that_makes_a_target_of_its_own_can_be_followed() -> None:
    """What only fills a target that the run has made is not followed."""
    makers = {card.name for _, card in CARDS if card.creator is not None and not card.loads}
    assert makers == set(FOLLOWED_STEPS)


@pytest.mark.parametrize(
    ("settings", "is_map"),
    [(CopySettings(), False), (CopySettings(engine=EngineName.MAP), True)],
)
def test_a_copy_by_hand_has_steps_of_its_own_only_with_workers(
    settings: CopySettings, *, is_map: bool
) -> None:
    """Between two places that exist no other engine fits."""
    assert (make_pair_steps(settings) is not None) is is_map


def test_a_card_that_makes_no_target_is_not_asked_for_one() -> None:
    """It would be a line of `STEPS` that is wrong, so it is said and not guessed."""
    kind, card = next((kind, card) for kind, card in CARDS if card.name is EngineName.MAP)
    order = EngineOrder(World().context(), kind, cast("Planned", None), CopySettings(), card)
    with pytest.raises(ValueError, match="map makes no target"):
        order.open_creator()


def test_no_engine_is_loaded_by_what_chooses_among_them() -> None:
    """Neither its steps nor what its service is driven by; a card holds what a choice needs."""
    script = (
        "import sys\n"
        "import dataware.ops.apply, dataware.ops.migrate_by_hand, dataware.ops.plan\n"
        "from dataware.kinds import kinds\n"
        "for kind in kinds():\n"
        "    for card in kind.copying.engines() if kind.copying else (): print(card.name.value)\n"
        "print(*(name for name in sys.modules if name.startswith('dataware.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    *engines, loaded = done.stdout.splitlines()
    assert set(engines) == {name.value for name in ENGINES}
    steps = {f"dataware.ops.{one}" for one in (*STEPS.values(), *FOLLOWED_STEPS.values())}
    drivers = {
        *("dataware.kinds.dynamodb_table.restore", "dataware.kinds.s3_bucket.batch.job"),
        *(f"dataware.kinds.dynamodb_table.export.{one}" for one in ("bulk_put", "table_import")),
    }
    assert not (steps | drivers) & set(loaded.split())
