"""Reads files and their sections strictly: what is not understood is never passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from dataware.core.errors import BadInput
from dataware.core.near import did_you_mean

Choice = TypeVar("Choice", bound=StrEnum)


def read_text(path: Path, *, holds: str = "at least one resource") -> str:
    """The text of a file. Raises BadInput when it cannot be read or is empty."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist: check the path") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not a text file in UTF-8: name a text file") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
    if not text.strip():
        raise BadInput(f"{path} is empty: it has to declare {holds}")
    return text


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping out of a file; `where` names it at the head of every complaint."""

    where: str
    data: Mapping[str, Any]

    def bad(self, what: str) -> BadInput:
        """A complaint about this section."""
        return BadInput(f"{self.where}: {what}")

    def only(self, known: Iterable[str]) -> None:
        """Refuse keys that have no meaning."""
        allowed = set(known)
        for key in self.data:
            if key not in allowed:
                raise self.bad(f"unknown field {key}, {did_you_mean(str(key), allowed)}")

    def text(self, field: str) -> str | None:
        """The string under `field`, None without it."""
        value = self.data.get(field)
        if field in self.data and not (isinstance(value, str) and value):
            raise self.bad(f"{field} has to be a string, not {_told(value)}")
        return value

    def required(self, field: str) -> str:
        """The string under `field`, which has to be there."""
        value = self.text(field)
        if value is None:
            raise self.bad(f"{field} is missing: add it")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """The string or the strings under `field`."""
        value = self.data.get(field, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
            raise self.bad(f"{field} has to be a string or a list of strings, not {_told(value)}")
        return tuple(values)

    def mapping(self, field: str) -> Mapping[str, Any]:
        """The mapping under `field`, empty without it."""
        value = self.data.get(field, {})
        if not isinstance(value, dict):
            raise self.bad(f"{field} has to be a table of properties, not {_told(value)}")
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


def _told(value: object) -> str:
    """A value in a complaint: its kind in the words of the file formats, and a short text."""
    words = {dict: "a table", list: "a list", bool: "a truth value", type(None): "nothing"}
    text = str(value)
    if type(value) in words or len(text) > 40:
        return words.get(type(value), "that")
    return f"{text!r}"
