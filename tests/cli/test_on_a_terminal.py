"""Commands on a real terminal, as a person sees them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from dataware.embedded import EmbeddedAws
from support.cli import run, table_app
from support.ptys import Terminal
from support.worlds import client, make_table

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def waitlist(aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Items under the older name, and the app that prefers another one."""
    monkeypatch.chdir(tmp_path)
    make_table("Waitlist", ({"pk": {"S": str(n)}} for n in range(9)))
    return table_app(Path("dataware.toml"), "Waitlist-prod", "Waitlist")


def tables() -> list[str]:
    """The names of all tables."""
    names: list[str] = client("dynamodb").list_tables()["TableNames"]
    return names


def test_a_plan_is_read_in_ten_seconds(waitlist: Path) -> None:
    """At 80 columns: where it is, a row, the sum and the command that goes on."""
    with Terminal(("-m", "dataware.cli", "plan", waitlist)) as terminal:
        assert terminal.ended() == 0
    lines = [ESCAPES.sub("", line).rstrip() for line in terminal.written.splitlines()]
    assert all(cell_len(line) <= 80 for line in lines)
    looking, empty, head, space, row, takes, end, *rest = lines
    assert looking.startswith("🔍 Looking at 1 resource")
    assert head.endswith(" · us-east-1 · nothing has been changed")
    assert (empty, space, end) == ("", "", "")
    assert row.split() == [
        *(">", "Waitlist-prod", "copy", "from", "Waitlist", "rule", "3"),
    ]
    assert takes.strip().startswith("about 9 items, ")
    assert rest == [
        "ℹ️  Plan: 1 to copy.  ~1 s, less than $0.01",
        f"ℹ️  Next: dataware apply {waitlist}",
    ]


def test_all_shows_the_lines_of_decisions_too(waitlist: Path) -> None:
    """Whoever asks for everything gets the older lines, the facts and the reasons."""
    with Terminal(("-m", "dataware.cli", "plan", waitlist, "--all")) as terminal:
        assert terminal.ended() == 0
    text = " ".join(ESCAPES.sub("", terminal.written).split())
    older = "🔄 Fallback table has data, creating preferred and migrating: Waitlist → Waitlist-prod"
    assert older in text
    assert "preferred Waitlist-prod: absent" in text


def test_apply_shows_the_plan_and_asks(waitlist: Path) -> None:
    """A word that is neither is asked again; no is a refusal, and nothing was changed."""
    with Terminal(("-m", "dataware.cli", "apply", waitlist)) as terminal:
        shown = ESCAPES.sub("", terminal.until("[y/N]"))
        terminal.type("maybe\n")
        terminal.until("maybe is neither")
        terminal.type("n\n")
        assert terminal.ended() == 3
    assert "copy from Waitlist" in shown
    assert "Copy 1 resource (about 9 items, " in shown
    assert "because the answer was no" in " ".join(terminal.written.split())
    assert tables() == ["Waitlist"]


def test_ctrl_c_at_the_question_changes_nothing(waitlist: Path) -> None:
    """It ends the question at once, and is no yes."""
    with Terminal(("-m", "dataware.cli", "apply", waitlist)) as terminal:
        terminal.until("[y/N]")
        terminal.until_idle()
        terminal.interrupt()
        assert terminal.ended() == 3
    assert tables() == ["Waitlist"]


@pytest.mark.parametrize("answer", ["typed", "--yes"])
def test_apply_goes_on_after_a_yes(waitlist: Path, answer: str) -> None:
    """Typed, or said on the command line, where nothing is asked; the older lines are told then."""
    arguments = ("--yes",) if answer == "--yes" else ()
    with Terminal(("-m", "dataware.cli", "apply", waitlist, *arguments)) as terminal:
        if not arguments:
            terminal.until("[y/N]")
            terminal.type("y\n")
        assert terminal.ended() == 0
    assert ("[y/N]" in terminal.written) is not bool(arguments)
    assert "Successfully migrated data to Waitlist-prod" in terminal.written
    assert tables() == ["Waitlist", "Waitlist-prod"]


def test_an_apply_that_changes_nothing_asks_nothing(waitlist: Path) -> None:
    """What is in place needs no yes."""
    assert run("apply", waitlist).code == 0
    with Terminal(("-m", "dataware.cli", "apply", waitlist)) as terminal:
        assert terminal.ended() == 0
    assert "[y/N]" not in terminal.written
