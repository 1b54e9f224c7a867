"""Which engine an unfinished record binds its migration to."""

from __future__ import annotations

import pytest

from dataware.core.engines.card import ENGINE, REFUSED, EngineName
from dataware.core.model import Marker, MarkerState
from dataware.ops.engine_choice import find_unfinished_engine


@pytest.mark.parametrize(
    ("detail", "is_new", "engine"),
    [
        ({ENGINE: {"name": "bulk"}}, False, EngineName.BULK),
        ({}, False, EngineName.LOCAL),
        ({}, True, None),
        ({REFUSED: "bulk"}, False, None),
    ],
)
def test_a_migration_goes_on_with_what_has_begun_it(
    detail: dict[str, object], is_new: bool, engine: EngineName | None
) -> None:
    """This machine, where nothing else is on record; nothing, where an engine was refused."""
    marker = Marker(MarkerState.RUNNING, "Orders", detail=detail)
    assert find_unfinished_engine(marker, is_new=is_new) == engine


def test_a_record_that_is_complete_binds_nothing() -> None:
    """Whatever it keeps of its engine."""
    marker = Marker(MarkerState.COMPLETE, "Orders", detail={ENGINE: {"name": "bulk"}})
    assert find_unfinished_engine(marker, is_new=False) is None
