"""Plans for tests of what is shown of them, also with names that nobody should have chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from dataware.core.destructive_change import DestructiveChange, Loss
from dataware.core.estimate import Estimate, Prices
from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Problem,
    Setting,
    Size,
    Wanted,
    absent,
)
from dataware.core.plan import Plan, Planned
from dataware.kinds import load
from dataware.report.summary import plan_summary

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
PRICES = Prices("list prices", "2026-11", "eu-central-1", "a page", {"s3.put": 5e-6})


def held(name: str, items: int = 78, **more: Any) -> Facts:
    """A name under which there is data."""
    size = Size(items, items * 100, exact=False)
    return Facts(name, Existence.EXISTS, Content.DATA, size=size, **more)


def migration(name: str = "Waitlist", items: int = 78) -> Planned:
    """A table that is created and filled from its fallback."""
    wanted = Wanted(f"App/{name}", TABLE, f"{name}-prod", (name,), {"Secret": "hush"})
    reason = f"{name}-prod is absent and {name} has data"
    decision = Decision(Action.MIGRATE, 3, reason, name, ImportMode.ADOPT)
    taken = Estimate(items, items * 100, 2, 0.0002, False)
    return Planned(wanted, absent(f"{name}-prod"), (held(name, items),), decision, taken)


def one(action: Action, name: str, **more: Any) -> Planned:
    """A bucket with that decision."""
    wanted = Wanted(f"App/{name}", BUCKET, name)
    return Planned(wanted, absent(name), (), Decision(action, 5, f"because of {name}", **more))


def warned(name: str = "twin", *warnings: str) -> Planned:
    """A bucket that is imported with a warning."""
    return one(Action.IMPORT, name, warnings=warnings or (f"{name} has a twin",))


def threat(name: str = "orders", **more: Any) -> DestructiveChange:
    """A table that its stack would lose."""
    return DestructiveChange(
        *("App", "Orders", TABLE, "DynamoDB table", name, Loss.LEAVES),
        outcome="leave the stack",
        recipe="keep it declared",
        content=Content.DATA,
        **more,
    )


def plan_of(*resources: Planned, **more: Any) -> Plan:
    """A plan of some resources."""
    return Plan(
        "111122223333",
        "eu-central-1",
        "2026-11-24T18:00:00+00:00",
        resources,
        **{"prices": PRICES, **more},
    )


def payload(plan: Plan) -> dict[str, Any]:
    """What the `plan` event of a plan carries."""
    return dict(plan_summary(plan, lambda cfn_type: load(cfn_type).unit).data)


NASTY = st.text(
    st.sampled_from("ab1-_./ \\`*~|<>&[](){}#!@$^%:\"'\n\r\t\u202e\u200b\u00e9\u6f22\U0001f504")
    | st.characters(),
    min_size=1,
    max_size=30,
) | st.sampled_from(
    [
        "@everyone",
        "a|b",
        "a\\|b",
        "``",
        "</code><script>alert(1)</script>",
        "<!--",
        "[x](https://evil.example)",
        "https://evil.example",
        "www.evil.example",
        "![x](y)",
        "- [ ] task",
        "# heading",
        "</details>",
        "&lt;b&gt;",
        "| --- |",
        "x" * 5000,
    ]
)

_facts = st.builds(
    Facts,
    NASTY,
    st.sampled_from(Existence),
    st.sampled_from(Content),
    st.builds(Owner, st.sampled_from(Ownership), NASTY, NASTY),
    st.builds(Marker, st.sampled_from(MarkerState), source=st.none() | NASTY),
    st.none() | NASTY,
    st.none() | st.builds(Size, st.integers(0, 10**12), st.integers(0, 10**15), st.booleans()),
    settings=st.dictionaries(NASTY, st.builds(Setting, st.just(1), NASTY), max_size=2),
    problems=st.lists(st.builds(Problem, NASTY, NASTY), max_size=2).map(tuple),
    notes=st.lists(NASTY, max_size=2).map(tuple),
)

_planned = st.builds(
    Planned,
    st.builds(Wanted, NASTY, st.sampled_from([TABLE, BUCKET]), NASTY),
    _facts,
    st.lists(_facts, max_size=3).map(tuple),
    st.builds(
        Decision,
        st.sampled_from(Action),
        st.integers(1, 18),
        NASTY,
        import_mode=st.none() | st.sampled_from(ImportMode),
    ),
    st.none()
    | st.builds(
        Estimate,
        st.integers(0, 10**12),
        st.integers(0, 10**15),
        st.integers(0, 10**7),
        st.floats(0, 10**6),
        st.booleans(),
    ),
)

_threats = st.builds(
    DestructiveChange,
    NASTY,
    NASTY,
    st.just(TABLE),
    NASTY,
    NASTY,
    st.sampled_from(Loss),
    NASTY,
    NASTY,
)


def nasty_plans(most: int = 5) -> st.SearchStrategy[Plan]:
    """Plans in which every text comes from somebody who means harm."""
    return st.builds(
        Plan,
        *(NASTY, NASTY, NASTY),
        st.lists(_planned, max_size=most).map(tuple),
        guard=st.lists(_threats, max_size=2).map(tuple),
        prices=st.builds(Prices, *([NASTY] * 4), usd=st.just({})),
    )


def many(count: int) -> Sequence[Planned]:
    """A large plan: mostly nothing to do, with changes and one stop far behind."""
    kept = [one(Action.KEEP, f"kept-{n}") for n in range(count - 3)]
    return [*kept, migration(), one(Action.CREATE, "new"), one(Action.STOP, "bad")]
