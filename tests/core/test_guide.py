"""Every rule is explained, with lines that are really seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataware.core import errors
from dataware.core.events import MESSAGES
from dataware.core.guide import COLUMNS, EXIT_CODES, GUIDE, conditions, read_more, rows_of
from dataware.core.model import Action
from dataware.core.rules import RULES
from dataware.core.table import TABLE
from support.cli import ALL_COMMANDS


def pattern(template: str) -> re.Pattern[str]:
    """What the lines of a template look like."""
    parts = re.split(r"\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}", template)
    return re.compile(".+".join(map(re.escape, parts)))


LINES = [(message.sign, pattern(message.template)) for message in MESSAGES.values()]


def test_every_rule_has_a_guide_with_a_name_of_its_own() -> None:
    """Whatever number a plan shows can be asked for, by number and by name."""
    assert GUIDE.keys() == RULES.keys()
    assert len({guide.name for guide in GUIDE.values()}) == len(GUIDE)
    assert not {guide.name for guide in GUIDE.values()} & MESSAGES.keys()


@pytest.mark.parametrize("number", GUIDE)
def test_the_line_that_is_shown_is_one_that_dataware_writes(number: int) -> None:
    """The example has the sign and the words of an event."""
    example = GUIDE[number].example
    fits = [
        p for sign, p in LINES if example.startswith(sign) and p.fullmatch(example, len(sign) + 1)
    ]
    assert fits, example
    if f"rule {number}" not in example:
        assert "Stopped" not in example


@pytest.mark.parametrize("number", GUIDE)
def test_a_rule_holds_by_a_row_or_says_when(number: int) -> None:
    """The explanation says when a rule holds, from the table itself where it can."""
    assert list(rows_of(number)) or GUIDE[number].also


@pytest.mark.parametrize("number", GUIDE)
def test_a_stop_comes_with_a_recipe(number: int) -> None:
    """Who is stopped is told what to do."""
    stops = any(row.action is Action.STOP for _, row in rows_of(number))
    assert GUIDE[number].do or not stops


def test_every_row_can_be_put_in_words() -> None:
    """Each column of the table has words for people."""
    for row in TABLE:
        said = conditions(row)
        assert said.count(": ") == len(row.when)
    assert all(COLUMNS.values())


def test_recipes_name_commands_that_exist() -> None:
    """A command or option in a recipe is one of dataware's."""
    text = " ".join(recipe for guide in GUIDE.values() for recipe in guide.do)
    named = set(re.findall(r"`dataware ([a-z-]+)", text))
    assert named
    assert named <= set(ALL_COMMANDS)
    options = {name for command in ALL_COMMANDS.values() for p in command.params for name in p.opts}
    assert set(re.findall(r"(--[a-z-]+)", text)) <= options


def test_every_exit_code_of_an_error_is_explained() -> None:
    """The codes of the error tree are those that the guide knows."""
    kinds = [
        errors.DatawareError,
        errors.SidesDifferError,
        errors.RefusedError,
        errors.IncompleteError,
    ]
    assert EXIT_CODES.keys() == {0, *(kind.exit_code for kind in kinds)}
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    assert all(f"| {code} | " in page for code in EXIT_CODES)


def test_rules_to_read_about_stand_in_one_command() -> None:
    """Each rule once, in order."""
    assert read_more({11, 9}) == "`dataware explain 9 11`"
