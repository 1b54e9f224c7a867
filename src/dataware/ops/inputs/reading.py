"""Reads files and their sections strictly: what is not understood is never passed over."""

from __future__ import annotations

import json
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.values import MOST_LEVELS, Computed, count_levels, find_function

Choice = TypeVar("Choice", bound=StrEnum)

HANDED_ON = ("/dev/fd", "/dev/stdin", "/proc")
"""Where a pipe is what the shell hands on, and not a file of its own that nobody may write to."""


def read_text(path: Path, *, holds: str = "at least one resource") -> str:
    """The text of a file. Raises InputError when it cannot be read or is empty."""
    try:
        _check_readable(path)
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: check the path") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file in UTF-8: name a text file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if not text.strip():
        raise InputError(f"{path} is empty: it has to declare {holds}")
    return text


def _check_readable(path: Path) -> None:
    """Refuse what is no file: to open a pipe without a writer would wait for ever."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder: name a file in it")
    if not stat.S_ISREG(mode) and not str(path).startswith(HANDED_ON):
        raise InputError(f"{path} is not a regular file: name a text file")


def read_json(path: Path) -> Any:
    """The document in a JSON file. Raises InputError with the line of the mistake."""
    return parse_json(read_text(path), path)


def parse_json(text: str, path: Path) -> Any:
    """The document in a JSON text out of the file `path`. Raises InputError.

    A key that stands twice in an object is refused, of which JSON would keep the last.
    """

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
            raise InputError(f"{path} is not valid JSON: key {twice} is given twice")
        return built

    try:
        document = json.loads(text, object_pairs_hook=build)
    except json.JSONDecodeError as error:
        where = f"{path} is not valid JSON: line {error.lineno}"
        raise InputError(f"{where}: {error.msg}{hint_of_braces(text)}") from error
    except ValueError as error:
        raise InputError(
            f"{path} is not valid JSON: it holds a number of too many digits"
        ) from error
    except RecursionError:
        raise nested_too_deep(path) from None
    check_depth(document, path)
    return document


def hint_of_braces(text: str) -> str:
    """What to do about a text that looks as if a template engine still has to fill it in."""
    engine = re.search(r"\{\{(?!\s*resolve:)|\{%", text)
    return "; it has braces of a template engine ({{ … }}): render it first" if engine else ""


def check_depth(document: object, path: Path) -> None:
    """Refuse a document that is nested deeper than anything that is meant."""
    if count_levels(document) > MOST_LEVELS:
        raise nested_too_deep(path)


def nested_too_deep(path: Path) -> InputError:
    """The complaint about a document that is nested too deep."""
    return InputError(f"{path} is nested more than {MOST_LEVELS} levels deep: write it flatter")


@dataclass(frozen=True, slots=True)
class InputSection:
    """A mapping out of a file; `where` names it at the head of every complaint."""

    where: str
    data: Mapping[str, Any]

    def bad(self, what: str) -> InputError:
        """A complaint about this section."""
        return InputError(f"{self.where}: {what}")

    def only(self, fields: Iterable[str]) -> None:
        """Refuse keys that have no meaning."""
        for error in self.unknown_fields(fields):
            raise error

    def unknown_fields(self, fields: Iterable[str]) -> Iterator[InputError]:
        """A complaint about each key that has no meaning."""
        allowed = set(fields)
        for key in self.data:
            if key not in allowed:
                yield self.bad(f"unknown field {key}, {did_you_mean(str(key), allowed)}")

    def text(self, field: str) -> str | None:
        """The string under `field`, None without it."""
        value = self.data.get(field)
        if field in self.data and not _is_literal_text(value):
            raise self.bad(f"{field} must be a string, not {describe_value(value)}{cure(value)}")
        return value

    def required_text(self, field: str) -> str:
        """The string under `field`, which has to be there."""
        value = self.text(field)
        if value is None:
            raise self.bad(f"{field} is missing: add it")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """The string or the strings under `field`."""
        value = self.data.get(field, [])
        values = value if isinstance(value, list) else [value]
        odd = [one for one in values if not _is_literal_text(one)]
        if odd:
            description = f"{describe_value(odd[0])}{cure(odd[0])}"
            raise self.bad(f"{field} must be a string or a list of strings, not {description}")
        return tuple(values)

    def mapping(self, field: str) -> Mapping[str, Any]:
        """The mapping under `field`, empty without it."""
        value = self.data.get(field, {})
        if not isinstance(value, dict):
            raise self.bad(
                f"{field} must be a table of properties, not {describe_value(value)}{cure(value)}"
            )
        return value

    def choice(self, field: str, choices: type[Choice]) -> Choice | None:
        """One of a few words under `field`, None without it."""
        value = self.text(field)
        if value is None:
            return None
        try:
            return choices(value)
        except ValueError:
            raise self.bad(f"{field} cannot be {value}, {did_you_mean(value, choices)}") from None


def _is_literal_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and find_function(value) is None


def describe_value(value: object) -> str:
    """A value in a complaint: its function, or its kind in the words of the file formats."""
    if (function := find_function(value)) is not None:
        return f"what a function gives ({function})"
    words = {dict: "a table", list: "a list", bool: "a truth value", type(None): "nothing"}
    text = str(value)
    if type(value) in words or len(text) > 40:
        return words.get(type(value), "that")
    return f"{text!r}" if isinstance(value, str) else f"the number {text}"


def cure(value: object) -> str:
    """What to do where a text is needed and a value is none."""
    if isinstance(value, Computed) and value.reason:
        return f", whose value is unknown: {value.reason}"
    if find_function(value) is not None:
        return ": write it out, because dataware looks before CloudFormation resolves anything"
    if isinstance(value, bool | int | float):
        return ": put it in quotes"
    return ""
