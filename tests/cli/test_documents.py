"""Formats in which a plan is a document, and prices of one's own, at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from dataware.report import DOCUMENTS
from support.cli import ALL_COMMANDS, run, saved, table_app
from support.worlds import make_table

OTHERS = sorted(
    name
    for name, command in ALL_COMMANDS.items()
    if name not in ("plan", "show") and any(option.name == "format" for option in command.params)
)


@pytest.fixture
def waitlist(aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Items under the older name, and the app that prefers another one."""
    monkeypatch.chdir(tmp_path)
    make_table("Waitlist", ({"pk": {"S": str(n)}} for n in range(9)))
    return table_app(Path("dataware.toml"), "Waitlist-prod", "Waitlist")


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("command", OTHERS)
def test_only_a_plan_is_a_document(command: str, document: str) -> None:
    """Another command refuses the format as bad usage, in one sentence that names what it has."""
    ran = run(command, "--format", document)
    assert (ran.code, ran.out) == (1, "")
    assert f"'{document}' is not one of 'text', 'json'" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_markdown_is_all_that_is_written(waitlist: Path) -> None:
    """Standard output is the document, also where a file is saved; the exit code is the plan's."""
    arguments = ("--format", "markdown", "--out", "plan.json", "--detailed-exitcode")
    ran = run("plan", waitlist, *arguments)
    assert (ran.code, ran.err) == (2, "")
    assert ran.lines[0] == "## 🔄 dataware: 1 to copy"
    assert ran.lines[-1] == "</details>"
    assert saved(Path("plan.json"))["resources"][0]["action"] == "migrate"


def test_a_page_is_all_that_is_written(waitlist: Path) -> None:
    """Standard output is one HTML file with the decisions and their facts."""
    ran = run("plan", waitlist, "--format", "html")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0] == "<!doctype html>"
    assert ran.lines[-1] == "</html>"
    assert "Plan: 1 to copy.  ~" in ran.out
    assert "Waitlist-prod is absent and Waitlist has data (rule 3)" in ran.out


@pytest.mark.usefixtures("waitlist")
def test_a_plan_that_cannot_be_made_is_no_document() -> None:
    """The reason goes to standard error, and what was redirected stays empty."""
    ran = run("plan", "nope.toml", "--format", "markdown")
    assert (ran.code, ran.out) == (1, "")
    assert "nope.toml does not exist" in ran.err


def test_own_prices_count_and_are_named(waitlist: Path) -> None:
    """The sum and the saved plan say whose prices they are; what differs is a note."""
    prices = {"date": "2026-12", "region": "eu-central-1", "usd": {"dynamodb.write-unit": 1}}
    Path("prices.json").write_text(json.dumps(prices))
    ran = run("plan", waitlist, "--prices", "prices.json", "--out", "plan.json")
    assert ran.code == 0
    assert ", $9.00 at prices of eu-central-1, 2026-12" in ran.out
    assert "the plan is for us-east-1, where prices may differ" in ran.out
    assert "prices.json names no price for dynamodb.export-gb, dynamodb.import-gb, " in ran.out
    assert saved(Path("plan.json"))["prices"]["region"] == "eu-central-1"


def test_a_bad_file_of_prices_is_refused_before_anything_is_asked(waitlist: Path) -> None:
    """One sentence that names the file; nothing is looked at."""
    Path("prices.json").write_text("[]")
    for arguments in (("plan", waitlist), ("deploy",)):
        ran = run(*arguments, "--prices", "prices.json")
        assert (ran.code, ran.out) == (1, "")
        assert "prices.json holds no prices" in ran.err
