"""The engines of a migration in words, at 80 columns and in full."""

from __future__ import annotations

from dataclasses import replace

from dataware.core.engines.card import EngineName
from dataware.core.model import Action, Content, Decision, Existence, Facts, Size, Wanted, absent
from dataware.core.plan import Plan, Planned
from dataware.kinds import load
from dataware.ops.engine_choice import EngineDemand, choose_engines, table_of
from dataware.ops.inputs.prices import list_prices
from dataware.report.engine_lines import is_choice_notable, list_engine_lines
from dataware.report.fit import Fit
from dataware.report.plan_digest import plan_digest
from dataware.report.table import PlanTable, stack_rows
from support.world import World

TABLE = "AWS::DynamoDB::Table"


def planned(size: Size) -> Planned:
    """A table that is copied into a name under which nothing stands."""
    there = World().context()
    source = Facts("Orders", Existence.EXISTS, Content.DATA, size=size)
    decision = Decision(Action.MIGRATE, 3, "because", source="Orders")
    one = Planned(Wanted("Table", TABLE, "Orders-prod"), absent("Orders-prod"), (source,), decision)
    demand, prices = EngineDemand(), list_prices()
    (chosen,) = choose_engines(there, [one], demand, prices, all_versions=False)
    return chosen


def test_every_engine_has_a_line() -> None:
    """What fits has time and money, what does not says why."""
    lines = list(list_engine_lines(planned(Size(10**10, 10 * 2**40)).to_json()))
    names = [card.name for card in table_of(load(TABLE)).cards]
    assert [line.partition(":")[0] for line in lines] == names
    assert lines[0].startswith("local: about ")
    assert lines[0].endswith(", picked")
    (carried,) = [line for line in lines if line.startswith("map:")]
    assert carried.endswith("(verifying: 694 h 26 min, $7,869.18), fits")
    assert lines[1] == "restore: no, whether point in time recovery of Orders is on was not seen"


def test_the_lines_stand_in_a_short_plan_where_the_copy_is_long() -> None:
    """Each fits into 80 columns; a short copy has none, and the full plan always has them."""
    long, short = planned(Size(10**10, 10 * 2**40)), planned(Size(100, 10_000))
    for one, notable in ((long, True), (short, False)):
        plan = Plan("1" * 12, "us-east-1", "now", (one,), prices=list_prices()).to_json()
        assert is_choice_notable(plan["resources"][0]) is notable
        digest = ["".join(text for text, _ in line) for line in plan_digest(plan, Fit(80))]
        assert any("local: about" in line for line in digest) is notable
        assert all(len(line) <= 80 for line in digest)
        assert any("engine" in line for line in stack_rows(PlanTable.of(plan)))


def test_the_engine_of_a_plan_survives_its_file() -> None:
    """Whoever carries a saved plan out uses the engine that was reviewed."""
    one = replace(planned(Size(100, 10_000)), engine=EngineName.RESTORE)
    plan = Plan("1" * 12, "us-east-1", "now", (one,), prices=list_prices())
    (read,) = Plan.from_json(plan.to_json()).resources
    assert read.engine is EngineName.RESTORE
