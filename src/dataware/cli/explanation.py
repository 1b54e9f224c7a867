"""What there is to say about a rule, an exit code or an event."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.calc.suggest import suggestion_for
from dataware.core.errors import InputError
from dataware.core.events import MESSAGES
from dataware.core.glossary import TERMS
from dataware.core.guide import EXIT_CODES, GUIDE, conditions, rows_of
from dataware.core.rules import RULES

RULE = re.compile(r"(?:rule)?[\s-]*(\d+)", re.IGNORECASE)
EXIT = re.compile(r"exit(?:[\s-]*code)?[\s-]*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A part of an explanation; `items` are listed, each below its head."""

    head: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say about one thing."""

    title: str
    parts: tuple[Paragraph, ...] = ()


def join_topics(words: Sequence[str]) -> list[str]:
    """The topics in some words: ``rule 9``, ``exit 3`` and ``lock file`` are one each."""
    text = re.sub(r"\b(rule|exit(?:[ -]code)?)[ -](?=\d)", r"\1-", " ".join(words), flags=re.I)
    for topic in TERMS:
        text = re.sub(rf"\b{topic.replace('-', ' ')}\b", topic, text, flags=re.I)
    return text.replace("exit code", "exit-code").split()


def explain_topic(topic: str) -> Explanation:
    """Explain a rule, an exit code, an event or a word. Raises InputError."""
    names = {guide.name: number for number, guide in GUIDE.items()}
    if (match := EXIT.fullmatch(topic)) and int(match[1]) in EXIT_CODES:
        return exit_code(int(match[1]))
    if (match := RULE.fullmatch(topic)) and int(match[1]) in RULES:
        return rule(int(match[1]))
    word = topic.lower()
    if word in names:
        return _with_word(word, rule(names[word]))
    if word in MESSAGES:
        return _with_word(word, message(word))
    if word in TERMS:
        return Explanation(_describe_term(word))
    if match := RULE.fullmatch(topic):
        raise InputError(f"there is no rule {match[1]}: the rules are 1 to {max(RULES)}")
    if match := EXIT.fullmatch(topic):
        raise InputError(f"{match[1]} is not an exit code: they are 0 to {max(EXIT_CODES)}")
    choices = [*names, *MESSAGES, *TERMS, *(f"exit-{code}" for code in EXIT_CODES)]
    hint = suggestion_for(topic, choices) or ": `dataware explain` lists all topics"
    raise InputError(f"unknown topic {topic}{hint}")


def _with_word(word: str, page: Explanation) -> Explanation:
    """The explanation, with what its name means where that is a word of the glossary, too."""
    if word not in TERMS:
        return page
    return Explanation(page.title, (*page.parts, Paragraph("The word", (_describe_term(word),))))


def _describe_term(word: str) -> str:
    term = TERMS[word]
    return f"{term.word[0].upper()}{term.word[1:]}: {term.meaning}."


def rule(number: int) -> Explanation:
    """A rule: what it says, what to do, why, what is seen, and the rows by which it holds."""
    guide = GUIDE[number]
    facts = [
        f"row {at}: {conditions(row) or 'always'} → {row.action}" for at, row in rows_of(number)
    ]
    parts = [
        Paragraph("What to do", guide.do),
        Paragraph("Why", (guide.why,)),
        Paragraph("Example output", (guide.example,)),
        Paragraph("Conditions", (*facts, *((guide.also,) if guide.also else ()))),
    ]
    title = f"Rule {number} ({guide.name}): {RULES[number]}"
    return Explanation(title, tuple(part for part in parts if part.items))


def exit_code(code: int) -> Explanation:
    """An exit code, which is the same for every command."""
    meaning, advice = EXIT_CODES[code]
    return Explanation(f"Exit code {code}: {meaning}.", (Paragraph("What to do", (advice,)),))


def message(code: str) -> Explanation:
    """An event: its level and its line."""
    kind = MESSAGES[code]
    line = f"{kind.sign} {kind.template}".replace("  ", " ")
    parts = (Paragraph("Line", (line,)), Paragraph("Level", (str(kind.level),)))
    return Explanation(f"Event {code}: its fields stand in braces.", parts)


def contents() -> Explanation:
    """Every rule and exit code in one line."""
    rules = tuple(f"{number} ({GUIDE[number].name}): {text}" for number, text in RULES.items())
    codes = tuple(f"exit {code}: {meaning}" for code, (meaning, _) in EXIT_CODES.items())
    return Explanation(
        "dataware explain TOPIC explains a rule, an exit code, an event by its code, or a word.",
        (
            Paragraph("Rules", rules),
            Paragraph("Exit codes", codes),
            Paragraph("Words", (", ".join(TERMS),)),
        ),
    )


def lines(one: Explanation, width: int) -> Iterator[str]:
    """The explanation as text of at most `width` columns."""
    yield from textwrap.wrap(one.title, width)
    for part in one.parts:
        yield ""
        yield part.head
        for item in part.items:
            yield from textwrap.wrap(
                item,
                width,
                initial_indent="  - " if len(part.items) > 1 else "  ",
                subsequent_indent="    " if len(part.items) > 1 else "  ",
                break_long_words=False,
                break_on_hyphens=False,
            )


def topics() -> dict[str, Any]:
    """Everything that can be explained, with a line about it, for completion."""
    numbers = {str(number): text for number, text in RULES.items()}
    names = {guide.name: RULES[number] for number, guide in GUIDE.items()}
    codes = {f"exit-{code}": meaning for code, (meaning, _) in EXIT_CODES.items()}
    words = {topic: term.meaning for topic, term in TERMS.items()}
    return {**words, **numbers, **names, **codes}
