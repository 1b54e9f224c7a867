"""The pages in a real browser: no error, no request, nothing in the way of anybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.core.model import Action
from dataware.embedded import EmbeddedAws
from dataware.report.html import plan_page, run_page
from dataware.report.html.story import Story, story_of
from support.browser import check_page, evaluate, milliseconds_to_open, required
from support.cli import run, table_app
from support.plans import migration, one, payload, plan_of, threat
from support.tales import apart, attacked, beginning, copied, decided, ended, facts, told
from support.worlds import make_table

pytestmark = pytest.mark.xdist_group("browser")

LONGEST = 20_000.0
"""Milliseconds that a large page may take to open on a machine that is busy with other tests; on
an idle one it takes less than a tenth. `tests.bench` measures it."""

MANY = 100_000


@pytest.fixture(autouse=True)
def a_browser() -> None:
    """These tests need Chromium."""
    required()


def written(folder: Path, story: Story) -> Path:
    """The page of a story as a file."""
    page = folder / "report.html"
    page.write_text(run_page(story), encoding="utf-8")
    return page


@pytest.fixture
def reported(aws_server: EmbeddedAws, tmp_path: Path) -> Iterator[Path]:
    """The page of a real run that met conflicts, and left them behind."""
    name = "customer {:03} </script><img src=x onerror=alert(1)>"
    make_table("Old", ({"pk": {"S": name.format(n)}, "v": {"N": "1"}} for n in range(300)))
    make_table("New", ({"pk": {"S": name.format(n)}, "v": {"N": "2"}} for n in range(230, 310)))
    assert run("migrate", "dynamodb://Old", "dynamodb://New").code == 4
    page = tmp_path / "report.html"
    assert run("report", "--out", page).code == 0
    yield page


def test_the_report_of_a_real_run_is_sound(reported: Path) -> None:
    """Conflicts and extras of a copy over the embedded AWS are told, in every theme and width."""
    text = reported.read_text(encoding="utf-8")
    assert "Incomplete: run the same command to resume" in text
    assert "230 items" in text
    findings = check_page(reported)
    assert not findings, findings


def test_the_plan_of_a_real_run_is_sound(aws_server: EmbeddedAws, tmp_path: Path) -> None:
    """A run that only looked has a page of its decisions."""
    make_table("Old", [{"pk": {"S": "a"}}])
    assert run("plan", table_app(tmp_path / "dataware.toml", "New", "Old")).code == 0
    page = tmp_path / "report.html"
    assert run("report", "--out", page).code == 0
    findings = check_page(page)
    assert not findings, findings


def test_the_page_of_a_plan_with_stops_is_sound(tmp_path: Path) -> None:
    """What must not happen is read first, in every theme and width."""
    plan = plan_of(migration(), one(Action.STOP, "bad"), guard=(threat("orders"),))
    page = tmp_path / "plan.html"
    page.write_text(plan_page(payload(plan), []), encoding="utf-8")
    assert "A deployment would lose orders." in page.read_text(encoding="utf-8")
    findings = check_page(page)
    assert not findings, findings


def test_whatever_is_in_a_name_the_page_stays_sound(tmp_path: Path) -> None:
    """Names made to break out of the page do nothing, also once the script shows them."""
    page = written(tmp_path, story_of(beginning("migrate"), attacked()))
    findings = check_page(page)
    assert not findings, findings
    images = evaluate(page, f"{searched('differences', 'onerror')}, document.images.length")
    assert images == 0


BROKEN = """(() => {
    const broken = [];
    const walk = document.createTreeWalker(
        document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        if (walk.currentNode.parentElement.closest("script, svg, details:not([open])")) continue;
        for (const word of walk.currentNode.textContent.matchAll(/[A-Z]?[a-z0-9.]+|[A-Z]+/g)) {
            const range = document.createRange();
            range.setStart(walk.currentNode, word.index);
            range.setEnd(walk.currentNode, word.index + word[0].length);
            const lines = Array.from(range.getClientRects(), (each) => Math.round(each.top));
            const tops = new Set(lines);
            if (tops.size > 1) broken.push(word[0]);
        }
    }
    return broken;
})()"""


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_no_word_of_a_usual_name_is_broken(tmp_path: Path, width: int) -> None:
    """Names are broken at their separators, and long ones before a capital, wherever they stand."""
    warning = "compare with `dataware verify s3://spaceport-uploads s3://spaceport-uploads-prod`"
    more = {"id": "Spaceport/Uploads", "warnings": [warning]}
    long = {"id": "SpaceportSessionHistoryOfEverythingStack/TableOfSessionsWithoutAnyLimit"}
    stopped = decided(
        3, "stop", **long, preferred=facts("SpaceportSessionHistoryOfEverything-prod")
    )
    records = [decided(1, **more), decided(2, "import"), stopped, ended(1, 3)]
    page = written(tmp_path, told("plan", *records))
    assert evaluate(page, BROKEN, width=width) == []
    assert evaluate(page, "document.querySelectorAll('#decisions code').length", width=width) == 1


PLACED = """(() => {
    const found = document.querySelectorAll(".box");
    const boxes = Array.from(found, (box) => box.getBoundingClientRect());
    const rows = new Set(boxes.map((box) => Math.round(box.top)));
    const wide = boxes.every((box) => box.right <= innerWidth && box.left >= 0);
    const over = Array.from(document.querySelectorAll("nav a"))
        .filter((link) => link.getBoundingClientRect().right > innerWidth);
    return [boxes.length, rows.size, wide, over.length];
})()"""


@pytest.mark.parametrize(("width", "rows"), [(390, 5), (1280, 2)])
def test_the_boxes_of_a_plan_are_whole_and_no_word_is_broken(
    tmp_path: Path, width: int, rows: int
) -> None:
    """On a phone one below the other, on a desk in two rows; every link is to be seen."""
    name = "SpaceportSessionHistoryOfEverything"
    plan = plan_of(migration(name), one(Action.STOP, f"{name}-2"), guard=(threat(f"{name}-3"),))
    page = tmp_path / "plan.html"
    page.write_text(plan_page(payload(plan), []), encoding="utf-8")
    broken, placed = evaluate(page, f"[{BROKEN}, {PLACED}]", width=width)
    assert (broken, placed) == ([], [5, rows, True, 0])


def searched(table: str, text: str) -> str:
    """An expression that searches a table of the page."""
    form = f"document.querySelector('#{table} form')"
    wish = "new Event('input', {bubbles: true})"
    return f"{form}.elements.find.value = '{text}', {form}.dispatchEvent({wish})"


def shown(table: str) -> str:
    """An expression for what a table shows: its status, and its rows."""
    part = f"document.querySelector('#{table} {{}}')"
    rows = f"document.querySelectorAll('#{table} tbody tr').length"
    return f"[{part.format('.shown')}.textContent, {rows}]"


def test_a_hundred_thousand_differences_open_and_can_be_searched(tmp_path: Path) -> None:
    """Every difference is in the page; it opens soon all the same, and finds each key."""
    keys = [f"customer-{n:06}@example.com" for n in range(MANY)]
    page = written(tmp_path, told("verify", *apart("missing", keys), ended(9, 2)))
    assert milliseconds_to_open(page) < LONGEST
    search = searched("differences", "customer-0999")
    press = "document.querySelector('#differences [name=on]').click()"
    steps = [shown("differences"), *(f"({act}, {shown('differences')})" for act in (search, press))]
    assert evaluate(page, f"[{', '.join(steps)}]") == [
        ["The first 50 of 100,000.", 50],
        ["1 to 50 of 100.", 50],
        ["51 to 100 of 100.", 50],
    ]


def test_ten_thousand_resources_open(tmp_path: Path) -> None:
    """Every decision is in the page; it opens soon all the same, and can be searched."""
    records = [decided(n) for n in range(10_000)]
    page = written(tmp_path, told("plan", *records, *copied(), ended(9, 0)))
    assert milliseconds_to_open(page) < LONGEST
    search = searched("decisions", "orders-1234-prod")
    assert evaluate(page, f"{search}, {shown('decisions')}") == ["1 to 1 of 1.", 1]
