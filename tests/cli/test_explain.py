"""`dataware explain`: rules, exit codes and events in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataware.cli.commands.explain import WIDEST
from dataware.cli.explanation import explain_topic, join_topics, lines, topics
from dataware.core.errors import InputError
from dataware.core.guide import EXIT_CODES, GUIDE
from dataware.core.rules import RULES
from dataware.embedded import EmbeddedAws
from support.cli import run, table_app
from support.worlds import make_table, varied_items


@pytest.mark.parametrize("words", [["9"], ["rule", "9"], ["rule-9"], ["Rule 9"], ["lost-data"]])
def test_a_rule_is_found_by_number_and_by_name(words: list[str]) -> None:
    """What it says, what to do, why, what is seen, when it holds."""
    ran = run("explain", *words)
    assert ran.code == 0
    assert ran.out.startswith(f"Rule 9 (lost-data): {RULES[9]}")
    heads = [line for line in ran.lines if line in {part.head for part in explain_topic("9").parts}]
    assert heads == ["What to do", "Why", "Example output", "Conditions"]
    assert "row " in ran.out


@pytest.mark.parametrize("topic", topics())
@pytest.mark.parametrize("width", [40, WIDEST])
def test_everything_that_completion_offers_is_explained_in_any_width(
    topic: str, width: int
) -> None:
    """No line is longer than the terminal."""
    shown = list(lines(explain_topic(topic), width))
    assert shown
    assert all(len(line) <= max(width, 60) for line in shown)


def test_exit_codes_and_events_are_explained() -> None:
    """What a script and a log show can be asked for."""
    assert run("explain", "exit", "4").out.startswith(f"Exit code 4: {EXIT_CODES[4][0]}")
    assert run("explain", "exit code 3").out.startswith("Exit code 3")
    assert "Slowing down" in run("explain", "slowed").out


def test_several_topics_at_once() -> None:
    """A plan with two stops is explained by one command."""
    assert join_topics(["rule", "9", "exit", "4", "11"]) == ["rule-9", "exit-4", "11"]
    out = run("explain", "9", "11").out
    assert "Rule 9 (" in out
    assert "Rule 11 (" in out


def test_without_a_topic_everything_is_listed() -> None:
    """Each rule with its name, each exit code with its meaning."""
    out = run("explain").out
    assert all(f"{number} ({guide.name}): " in out for number, guide in GUIDE.items())
    assert all(f"exit {code}: " in out for code in EXIT_CODES)


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("99", f"the rules are 1 to {max(RULES)}"),
        ("rule-99", "there is no rule 99: "),
        ("exit-7", "they are 0 to 4"),
        ("exit-7", "7 is not an exit code"),
        ("lost-dat", "did you mean lost-data?"),
        ("qqqqqq", "`dataware explain` lists all topics"),
    ],
)
def test_what_is_not_there_leads_on(topic: str, hint: str) -> None:
    """A slip is told with what may have been meant."""
    with pytest.raises(InputError, match=r"no rule|not an exit code|unknown topic") as raised:
        explain_topic(topic)
    assert hint in str(raised.value)


def test_a_script_gets_fields() -> None:
    """With --format json an explanation is an event."""
    (told,) = run("explain", "9", "--format", "json").events
    explanation = told["data"]["explanation"]
    assert explanation["parts"][0]["head"] == "What to do"


@pytest.mark.parametrize("number", [number for number, guide in GUIDE.items() if guide.do])
def test_what_to_do_comes_first(number: int) -> None:
    """Who is stopped reads the way on before twenty rows of the table."""
    heads = [part.head for part in explain_topic(str(number)).parts]
    assert heads[0] == "What to do"
    assert heads[-1] == "Conditions"


def test_a_stop_says_how_to_learn_more(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line of a plan with stops, and the refusal to apply it, name the command."""
    del aws_server
    monkeypatch.chdir(tmp_path)
    make_table("old-one", varied_items(3))
    app = table_app(tmp_path / "dataware.toml", "new-one", "old-one", on_error="stop")
    make_table(
        "new-one",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    planned = run("plan", app)
    assert planned.code == 3, planned
    assert planned.lines[-1].startswith("ℹ️  `dataware explain 13` explains the stop")
    assert "`dataware explain 13`" in run("apply", app).err
