"""The pages as files: whole, closed to the outside, and only text where text came in."""

from __future__ import annotations

import re

import pytest

from dataware.core.model import Action
from dataware.report.html import plan_page, run_page
from dataware.report.html.page import EVERYTHING
from dataware.report.html.run import CHARTED
from dataware.report.html.story import story_of
from support.plans import migration, one, payload, plan_of, threat, warned
from support.tales import (
    ATTACK,
    COPY,
    apart,
    attacked,
    beginning,
    copied,
    decided,
    ended,
    happened,
    told,
)


def elements(page: str, name: str) -> int:
    """How many elements of a name a page has, as a parser of HTML sees it: attributes and all."""
    return len(re.findall(rf"<{name}[\s>]", page))


def test_what_comes_from_the_run_is_only_text() -> None:
    """Whatever a key, a name or a reason holds, no element and no attribute comes of it."""
    page = run_page(story_of(beginning("migrate", ATTACK), attacked()))
    assert "<img" not in page
    assert elements(page, "script") == 1 + page.count('<script type="application/json">')
    assert page.count("</script>") == elements(page, "script")
    assert page.count("</style>") == elements(page, "style") == 1
    assert "&lt;/script&gt;" in page


def test_a_page_is_closed_to_the_outside() -> None:
    """The policy allows the page's own style and script by hash, and nothing from anywhere."""
    page = run_page(told("migrate", *copied(), ended(9, 0)))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert all(
        re.fullmatch(r"'sha256-[\w+/]{43}='", rules[f"{it}-src"]) for it in ("style", "script")
    )
    assert not re.findall(r"""(?:src|href)=["']?(?!#|data:,)[^"'>]""", page)
    assert " style=" not in page
    assert page.isascii()
    assert " onclick=" not in page


def test_everything_that_happened_is_told() -> None:
    """Decisions, figures, the lines of the timeline, keys and versions stand in the page."""
    records = [decided(), *copied(), *apart("extra", ["a-key"]), ended(9, 0)]
    page = run_page(told("apply", *records))
    for text in (
        *("Shop/Orders0/Resource", "orders-0-prod is absent and orders-0 has data (rule 3)"),
        *("78 items", "12.3 kB", "a-key", "extra", "3.13.0", EVERYTHING),
        *("Verified 78 items: all by content", "throttled 4 times", "2026-11-24 18:01:02 UTC"),
    ):
        assert text in page, text


def test_keys_that_were_only_counted_are_told_of() -> None:
    """A list that was cut says by how much."""
    page = run_page(story_of(beginning("migrate"), attacked()))
    assert "7 more keys were only counted." in page


def test_a_record_without_an_end_makes_a_page() -> None:
    """A killed run shows how far it was."""
    page = run_page(told("migrate", *list(copied())[:5]))
    assert "The run was killed" in page
    assert "29 of 78 items" in page
    assert "incomplete" in page


def figures(page: str) -> list[tuple[str, str]]:
    """Every name with its value, in the order of the page."""
    return re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page)


def test_what_was_compared_counts_in_a_run_that_is_not_finished() -> None:
    """The part that was found the same is told, whether or not its migration was complete."""
    part = {**COPY, "source": "uploads", "name": "uploads-prod", "unit": "object"}
    records = [
        *copied(6000),
        happened(9.0, "found", count=120, **part),
        happened(9.5, "compared-equal", count=108, **part),
        ended(10, 4, "12 objects not copied"),
    ]
    page = run_page(told("apply", *records))
    assert ("Compared equal", "6,108") in figures(page)
    apart = happened(1.0, "differences", summary="x", compared=10, missing=1, different=2, **COPY)
    page = run_page(told("verify", apart, decided(), ended(2, 2)))
    assert ("Compared equal", "7") in figures(page)


def test_a_migration_that_copied_nothing_has_no_rate() -> None:
    """Looking at what is there already is no copying, and a page says so at one place only."""
    totals = {"copied": 0, "same": 4, "skipped": 1, "bytes": 0, "skip_reasons": {"conflict": 1}}
    records = [*list(copied())[:-2], happened(9.0, "copy-totals", **totals, **COPY)]
    page = run_page(told("migrate", *records, ended(9, 4, "1 item not copied")))
    assert ("Copied", "0 items") in figures(page)
    assert "Mean rate" not in dict(figures(page))


def test_one_migration_has_one_rate() -> None:
    """The table of all migrations and the facts of each say the same figure."""
    records = list(copied(seconds=4))
    other = [{**one, "data": {**one["data"], "name": "other"}} for one in copied(seconds=8)]
    page = run_page(told("apply", *records, *other, ended(9, 0)))
    table = re.search(r'id="all-migrations".*?</table>', page, re.DOTALL)
    assert table
    rates = [rate.removesuffix(" a second") for name, rate in figures(page) if name == "Mean rate"]
    assert len(rates) == 2
    assert [f'a second"><div class="number">{rate}</div>' in table[0] for rate in rates] == [
        True,
        True,
    ]


def test_a_hundred_migrations_have_a_chart() -> None:
    """The longest are drawn; of the others the table tells."""
    records = []
    for n in range(CHARTED + 5):
        copy = {**COPY, "name": f"t{n:04}"}
        records += [{**one, "data": {**one["data"], **copy}} for one in copied(seconds=4)]
    page = run_page(told("apply", *records, ended(9, 0)))
    assert page.count("<figure>") == CHARTED
    assert f"The {CHARTED} longest of {CHARTED + 5} migrations" in page


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        (["import"], "There is nothing to do."),
        (["import", "migrate"], "Nothing was changed yet."),
        (["migrate", "stop"], "Nothing is changed while a resource is stopped."),
    ],
)
def test_a_plan_has_a_page_of_its_own(actions: list[str], words: str) -> None:
    """Its decisions with their facts, what a deployment would lose, and its warnings."""
    resources = [decided(n, action)["data"] for n, action in enumerate(actions)]
    loss = {"name": "logs", "stack": "shop", "logical_id": "Logs", "allowed": True, "rule": 19}
    plan = {
        "account": "111122223333",
        "region": "eu-central-1",
        "created": "2026-11-24T18:01:02+00:00",
        "resources": resources,
        "warnings": ["a is a fallback of 2 resources"],
        "guard": [{**loss, "reason": "it would be deleted", "recipe": "retain it"}],
    }
    page = plan_page({"plan": plan, "text": "Plan: 1 to import"}, [ATTACK])
    for text in ("Plan: 1 to import", words, "retain it", "shop/Logs", "fallback of 2", "&lt;img"):
        assert text in page, text
    assert "orders-0-prod" in page


def test_a_plan_that_needs_attention_says_so_at_the_top() -> None:
    """The verdict is amber, and counts what is to be looked at."""
    page = plan_page(payload(plan_of(warned())), [])
    assert page.count("1 needs your attention") == 1
    assert "Nothing was changed yet." in page
    assert "There is nothing to do." not in page


def order_of(page: str, *names: str) -> list[int]:
    """Where each of some parts begins in a page; a part that is missing is an error."""
    return [page.index(name) for name in names]


def test_a_plan_is_read_in_the_order_of_what_matters() -> None:
    """The verdict, the boxes, stops before warnings, losses, and decisions: stops come first."""
    guard = (threat("logs", allowed=True), threat("orders"))
    plan = plan_of(
        one(Action.KEEP, "kept"), migration(), warned(), one(Action.STOP, "bad"), guard=guard
    )
    page = plan_page(payload(plan), ["of the whole plan"])
    boxes = re.findall(r"</span> ([^<]+)</h3>", page)
    assert boxes == [
        *("What will happen", "Is data at risk?", "What you must do"),
        *("What does it cost?", "Approve by"),
    ]
    titles = re.findall(r'<h2 id="(?!verdict)\w+">([^<]+)</h2>', page)
    assert titles == ["Stops and warnings", "What a deployment would lose", "Decisions"]
    parts = ('id="verdict"', 'class="boxes"', 'id="warnings"', 'id="losses"', 'id="decisions"')
    places = order_of(page, *parts, 'id="unchanged"')
    assert places == sorted(places)
    first = page[places[2] : places[3]]
    rows = re.findall(r'rowheader"><div>([^<]+)<.*?class="tag (\w+)"', first, re.DOTALL)
    assert rows == [
        *(("bad", "stop"), ("orders", "stop"), ("logs", "warning")),
        *(("twin", "warning"), ("the plan", "warning")),
    ]
    decisions = page[places[4] : places[5]]
    resources = order_of(decisions, "App/bad", "App/twin", "App/Waitlist")
    assert resources == sorted(resources)
    assert "App/kept" not in decisions


def test_a_report_is_read_in_the_order_of_what_matters() -> None:
    """The verdict, the boxes, stops and warnings, what was skipped, then what was done."""
    stopped = happened(0.2, "stopped", name="orders-1-prod", rule=9, reason="its data is gone")
    skipped = happened(8.0, "skipped", reason="archived", detail="GLACIER", keys=["k"], **COPY)
    look = happened(0.1, "warning", text="look at this")
    records = [decided(), decided(1, "stop"), look, stopped, *copied(), skipped, ended(9, 3)]
    page = run_page(told("apply", *records))
    titles = re.findall(r'<h2 id="(?!verdict)\w+">([^<]+)</h2>', page)
    assert titles == [
        *("Stops and warnings", "Skipped", "Decisions", "Migrations"),
        *("Verification", "Versions and log"),
    ]
    warned_at, next_at = order_of(page, 'id="warnings"', 'id="left"')
    told_first = order_of(page[warned_at:next_at], "its data is gone", "look at this")
    assert told_first == sorted(told_first)
    resources = order_of(page[page.index('id="decisions"') :], "Shop/Orders1", "Shop/Orders0")
    assert resources == sorted(resources)


def test_a_key_that_was_skipped_is_told_once() -> None:
    """What the copy left out is missing in the comparison, and is not listed there again."""
    skipped = happened(8.0, "skipped", reason="archived", detail="", keys=["cold-1"], **COPY)
    records = [*copied(), skipped, *apart("missing", ["cold-1", "lost-1"]), ended(9, 4, "1 left")]
    page = run_page(told("apply", *records))
    assert (page.count("cold-1"), page.count("lost-1")) == (1, 1)
    assert ("Differences", "1") in figures(page)
    records = [*copied(), skipped, *apart("missing", ["cold-1"]), ended(9, 4, "1 left")]
    page = run_page(told("apply", *records))
    assert page.count("cold-1") == 1
    assert 'id="differences"' not in page
