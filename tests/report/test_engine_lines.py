"""The engines of a migration in words, at 80 columns and in full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataware.calc.measures import duration
from dataware.core.engines.card import EngineName
from dataware.core.errors import InputError
from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    Setting,
    Size,
    Wanted,
    absent,
)
from dataware.core.plan import Plan, Planned
from dataware.core.plan_shape import check_shown_parts
from dataware.kinds import load
from dataware.kinds.dynamodb_table.restore import TableRestore
from dataware.ops.engine_choice import EngineDemand, choose_engines, table_of
from dataware.ops.inputs.prices import list_prices
from dataware.report.engine_lines import is_choice_notable, list_engine_lines
from dataware.report.fit import Fit
from dataware.report.plan_digest import plan_digest
from dataware.report.table import PlanTable, stack_rows
from support.world import World

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"


class QuietCreator:
    """A service that finds nothing to say against a target."""

    def find_problem(self, *_asked: object) -> str:
        """Nothing stands against it."""
        return ""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service is asked here."""
    monkeypatch.setattr(TableRestore, "find_problem", QuietCreator.find_problem)


def planned(size: Size, kind: str = TABLE, *, has_role: bool = False, **more: Any) -> Planned:
    """A table that is copied into a name under which nothing stands."""
    there = World().context()
    source = Facts("Orders", Existence.EXISTS, Content.DATA, size=size, **more)
    decision = Decision(Action.MIGRATE, 3, "because", source="Orders")
    one = Planned(Wanted("Table", kind, "Orders-prod"), absent("Orders-prod"), (source,), decision)
    demand, prices = EngineDemand(has_role=has_role), list_prices()
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
    assert "(verifying: 694 h 26 min, $7,869.18), fits" in carried
    assert lines[2] == "restore: no, whether point in time recovery of Orders is on was not seen"


def test_the_lines_of_ten_terabytes_are_those_worked_out_by_hand() -> None:
    """10 TiB in items of 1 KiB, by the list prices of us-east-1.

    10,737,418,240 write units, of which a new table takes 4,000 a second: 745.7 h. They cost
    $6,710.89, and three reads of 2,684,354,560 units $1,006.63. A restore of 10,240 GB costs
    $1,536.00, an export $1,024.00 and an import $1,536.00; verifying $671.09. Workers take 1.5 x
    745.7 h, and 695,599,283 GB-seconds cost $11,593.34; a third of that, and $671.09, verifies.
    """
    on = Setting(1, "on")
    source = {"settings": {"point_in_time_recovery": on}}
    found = list(list_engine_lines(planned(Size(10 * 2**30, 10 * 2**40), **source).to_json()))
    only = "fits, but only with --engine:"
    assert found == [
        f"local: about {duration(2_684_355)}, $7,717.52, fits",
        "export-import: no time promised, at least $3,231.09, "
        f"{only} within one region a restore costs less",
        f"restore: about {duration(74_928)}, $2,207.09, picked",
        "bulk: no time promised, at least $1,695.09, "
        f"{only} the price of bulk put bytes is not known",
        f"map: about {duration(4_026_532)}, $19,310.86 (verifying: 372 h 49 min, $4,535.54), "
        f"{only} it makes roles and functions in the account",
    ]


def test_the_lines_of_a_thousand_million_objects_are_those_worked_out_by_hand() -> None:
    """By the list prices of us-east-1.

    10^9 copies at $5 a million and 4,000,000 pages of listings: $5,020.00; 1,000 a second: 277.8 h.
    A job is $0.25, $1,000.00 for its objects, and 5,000,000 pages: $6,025.25. 100 workers are five
    machines, with the verification 1.5 x 55.6 h, and 51,826,172 GB-seconds are $863.77; a third of
    that, and 2,000,000 pages for $10.00, verifies.
    """
    one = planned(Size(10**9, 100 * 2**40), kind=BUCKET, has_role=True)
    assert list(list_engine_lines(one.to_json())) == [
        f"local: about {duration(1_000_000)}, $5,020.00, fits",
        "batch: no time promised, $6,025.25, picked",
        f"map: about {duration(300_000)}, $5,883.77 (verifying: 27 h 46 min, $297.92), fits, but "
        "only with --engine: it makes roles and functions in the account",
    ]
    alone = list(list_engine_lines(planned(Size(10**9, 100 * 2**40), kind=BUCKET).to_json()))
    assert alone[0].endswith("$5,020.00, picked")
    assert alone[1] == "batch: no, no role is named that the service may assume (--batch-role ARN)"


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


@pytest.mark.parametrize(
    "part", ["", {}, {"seconds": -1, "usd": 1.0}, {"seconds": 1, "usd": "much"}]
)
def test_a_damaged_part_of_a_line_is_refused_and_a_plan_without_it_is_shown(part: object) -> None:
    """A plan of an earlier version says nothing of the verification alone."""
    one = planned(Size(100, 10_000))
    plan = Plan("1" * 12, "us-east-1", "now", (one,), prices=list_prices()).to_json()
    check_shown_parts(plan)
    (line,) = [line for line in plan["resources"][0]["engines"] if "verification" in line]
    damaged = {**line, "verification": part}
    lines = plan["resources"][0]["engines"]
    lines[lines.index(line)] = damaged
    with pytest.raises(InputError, match="the plan is damaged"):
        check_shown_parts(plan)
    del damaged["verification"]
    check_shown_parts(plan)
    assert not any("verifying" in text for text in list_engine_lines(plan["resources"][0]))
