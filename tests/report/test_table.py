"""The plan as a table: which rows it has, and what they say."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings

from dataware.core.events import Event, event
from dataware.core.model import (
    Action,
    Content,
    Existence,
    Facts,
    ImportMode,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Size,
)
from dataware.core.plan import Plan
from dataware.kinds import load
from dataware.report import Format, make_renderer
from dataware.report.summary import plan_summary, shown_plan
from dataware.report.table import SHOWN, PlanTable, amount, stack_rows
from support.plans import BUCKET, held, many, migration, nasty_plans, one, plan_of, warned


def told(plan: Plan) -> list[str]:
    """The table for a pipe."""
    return list(stack_rows(PlanTable.of(shown_plan(plan))))


def summary(plan: Plan) -> Event:
    """The event that ends a plan."""
    return plan_summary(plan, lambda cfn_type: load(cfn_type).unit)


def written(plan: Plan, encoding: str = "utf-8", **flags: bool) -> str:
    """What a pipe of that encoding gets of a plan."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    plain, no_color = flags.get("plain", False), flags.get("no_color", False)
    full = flags.get("full", False)
    with make_renderer(
        Format.TEXT, stream, plain=plain, no_color=no_color, is_tty=False, full=full
    ) as render:
        render(summary(plan))
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_a_block_says_all_of_a_resource() -> None:
    """Id, type, action, rule, both names with what they hold, why, and what the copy takes."""
    assert told(plan_of(migration())) == [
        "    App/Waitlist (DynamoDB table): migrate, rule 3, adopt",
        "        preferred  Waitlist-prod: absent",
        "        fallback   Waitlist: data, about 78 items, 7.8 kB; not in any stack",
        "        why        Waitlist-prod is absent and Waitlist has data",
        "        estimate   about 78 items, 7.8 kB, about 2 s, less than $0.01",
    ]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts("n"), "unknown"),
        (Facts("n", Existence.ABSENT, Content.EMPTY), "absent"),
        (Facts("n", Existence.EXISTS), "content unknown; not in any stack"),
        (Facts("n", Existence.EXISTS, Content.EMPTY), "empty; not in any stack"),
        (
            Facts("n", Existence.EXISTS, Content.DATA, size=Size(0, 0, exact=False)),
            "data; not in any stack",
        ),
        (
            Facts("n", Existence.EXISTS, Content.DATA, size=Size(1, 1)),
            "data, 1 object, 1 B; not in any stack",
        ),
        (
            Facts("n", Existence.EXISTS, Content.EMPTY, Owner(Ownership.OTHER_STACK, "Old", "B")),
            "empty; in stack Old",
        ),
        (
            Facts("n", Existence.EXISTS, Content.EMPTY, Owner(Ownership.MOVED, "App", "Older")),
            "empty; in this stack as Older",
        ),
        (
            Facts("n", Existence.EXISTS, Content.EMPTY, Owner(Ownership.FOREIGN)),
            "empty; of another account",
        ),
        (
            Facts("n", Existence.EXISTS, Content.EMPTY, Owner(Ownership.UNKNOWN)),
            "empty; owner unknown",
        ),
        (
            Facts(
                "n",
                Existence.ABSENT,
                Content.EMPTY,
                marker=Marker(MarkerState.COMPLETE, source="old"),
            ),
            "absent; migration from old complete",
        ),
        (
            Facts("n", Existence.ABSENT, Content.EMPTY, marker=Marker(MarkerState.RUNNING)),
            "absent; migration started",
        ),
        (
            Facts("n", Existence.ABSENT, Content.EMPTY, marker=Marker(MarkerState.UNKNOWN)),
            "absent; migration record unknown",
        ),
    ],
)
def test_what_a_name_holds_is_said_in_words(facts: Facts, words: str) -> None:
    """Existence, content, owner and record; what was not seen is never told as absent."""
    resource = one(Action.IMPORT, "n", import_mode=ImportMode.REFERENCE)
    shown = Plan("1", "r", "t", (type(resource)(resource.wanted, facts, (), resource.decision),))
    head, preferred, _ = told(shown)
    assert head.endswith("import, rule 5, reference")
    assert preferred == f"        preferred  n: {words}"


def test_a_copy_of_unknown_size_says_so() -> None:
    """Without an estimate a copy takes nobody knows what, not nothing."""
    planned = migration()
    blind = type(planned)(planned.wanted, planned.preferred, planned.fallbacks, planned.decision)
    assert told(plan_of(blind))[-1] == "        estimate   size unknown"


def test_stops_and_changes_come_first_and_the_rest_is_counted() -> None:
    """Of a large plan the table shows what matters, and says how much more there is and where."""
    table = PlanTable.of(shown_plan(plan_of(*many(10_000))))
    assert [row.action for row in table.rows[:4]] == [
        *(Action.STOP, Action.MIGRATE, Action.CREATE),
        Action.KEEP,
    ]
    assert len(table.rows) == SHOWN
    *_, last = stack_rows(table)
    assert last == (
        "    9,900 more resources not shown (9,900 to keep); "
        "`--format json` and `--out FILE` have them all"
    )


def test_what_needs_attention_comes_right_behind_the_stops() -> None:
    """A warning stands inside its row, which no change and no large plan pushes out of sight."""
    table = PlanTable.of(shown_plan(plan_of(*many(10_000), warned())))
    assert [row.action for row in table.rows[:3]] == [Action.STOP, Action.IMPORT, Action.MIGRATE]
    assert [row.needs_attention for row in table.rows[:3]] == [False, True, False]
    lines = list(stack_rows(table))
    assert lines.index("        warning    twin has a twin") < 10


@settings(max_examples=40)
@given(nasty_plans(2))
def test_no_name_breaks_a_line(plan: Plan) -> None:
    """Whatever stands in a plan, each line is one line of printable text."""
    assert all(line.isprintable() for line in told(plan))


def test_a_pipe_gets_the_table_before_the_sum() -> None:
    """The sum is the last line, with its sign, and lines of the table begin with none."""
    *table, last = written(plan_of(migration()), full=True).splitlines()
    assert table == told(plan_of(migration()))
    assert last.startswith("ℹ️  Plan: 1 to copy.  ~2 s")


@pytest.mark.parametrize("flags", [{"plain": True}, {"no_color": True}])
def test_without_signs_the_table_is_ascii(flags: dict[str, bool]) -> None:
    """`--plain` and NO_COLOR leave nothing that a plain terminal could not show."""
    for full in (True, False):
        assert written(plan_of(migration(), warned()), full=full, **flags).isascii()
        assert written(plan_of(migration(), warned()), "ascii", full=full).isascii()


def test_a_plan_of_nothing_has_no_table() -> None:
    """Without a resource there is only the sum."""
    assert written(plan_of()).splitlines() == ["ℹ️  Plan: no resources"]


def test_json_has_every_resource_and_no_property() -> None:
    """The `plan` event carries the whole plan as in its file, but not what the app declares."""
    stream = io.StringIO()
    plan = plan_of(*many(SHOWN + 5))
    with make_renderer(Format.JSON, stream, plain=False, no_color=False, is_tty=False) as render:
        render(summary(plan))
    (line,) = stream.getvalue().splitlines()
    data = json.loads(line)["data"]
    assert [each["id"] for each in data["plan"]["resources"]] == [
        each.wanted.id for each in plan.resources
    ]
    assert data["totals"]["items"] == {"item": 78}
    assert "hush" not in line


def test_an_event_without_a_plan_is_refused() -> None:
    """A `plan` event carries a plan, or the mistake is in the program."""
    with (
        make_renderer(
            Format.TEXT, io.StringIO(), plain=True, no_color=False, is_tty=False
        ) as render,
        pytest.raises(TypeError, match="carries int"),
    ):
        render(event("plan", text="Plan", plan=1))


def test_a_bucket_counts_objects() -> None:
    """The unit of data is that of the resource type."""
    planned = migration()
    wanted = type(planned.wanted)("App/B", BUCKET, "b")
    bucket = type(planned)(wanted, held("b", 5), (), planned.decision, planned.estimate)
    assert "about 5 objects" in told(plan_of(bucket))[1]


def test_of_what_was_counted_in_part_the_row_says_more_than() -> None:
    """Neither the number nor the time and the money are told as if they were those of all."""
    size = {"items": 1000, "bytes": 5_200_000, "exact": False, "at_least": True}
    assert amount(size, "object") == "more than 1,000 objects, 5.2 MB"
    about = {**size, "at_least": False}
    assert amount(about, "object") == "about 1,000 objects, 5.2 MB"
