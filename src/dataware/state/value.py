"""What a marker's parameter holds: its name in the Parameter Store and its JSON value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.model import MarkerState

ROOT = "/dataware/markers"
VERSION = 1
LIMIT = 4096
"""Bytes that a standard parameter holds."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
GIVEN_UP = ("reason", "checkpoint", "ended")
"""What of the progress goes first when a value would be too large, one after another."""


class NewerValueError(ValueError):
    """The value has the format of a newer version."""


@dataclass(frozen=True, slots=True)
class Value:
    """The record of a migration into `target`.

    `holder` says where the run lives and `token` the same for machines, `started` when it began
    (ISO 8601), and `released` that it ended without finishing. `detail` is small progress; what of
    it goes first when a value would be too large, `GIVEN_UP` says.
    """

    state: MarkerState
    target: str
    source: str | None
    run: str | None
    identity: str | None
    created: bool
    started: str
    holder: str
    token: str = ""
    released: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


def parameter_name(kind: str, target: str) -> str:
    """The parameter of a target; names that the Parameter Store does not take are digested."""
    if PLAIN_NAME.fullmatch(target):
        return f"{ROOT}/{kind}/{target}"
    digest = hashlib.sha256(target.encode()).hexdigest()[:16]
    return f"{ROOT}/{kind}/{re.sub(r'[^A-Za-z0-9_.-]', '-', target)[:200]}.{digest}"


def kind_of(name: str) -> str:
    """The kind in a parameter's name."""
    return name[len(ROOT) + 1 :].partition("/")[0]


def target_of(name: str) -> str:
    """The target in a parameter's name, in its digested form where the name has that."""
    return name.rpartition("/")[2]


def encode(value: Value) -> str:
    """The JSON of a value, within the limit; progress is given up before facts are."""
    detail = dict(value.detail)
    text = _text(value, detail)
    for name in GIVEN_UP:
        if len(text) <= LIMIT:
            return text
        if name in detail:
            del detail[name]
            text = _text(value, detail)
    return text if len(text) <= LIMIT else _text(value, {})


def decode(text: str) -> Value:
    """The value of a JSON text. Raises ValueError for what this version cannot read.

    Of these a newer version's is a NewerValueError.
    """
    try:
        raw = json.loads(text)
        version = raw["version"]
        if type(version) is int and version > VERSION:
            raise NewerValueError(f"its format is {version}, this version reads {VERSION}")
        if type(version) is not int or version != VERSION:
            raise ValueError(f"version {version}")
        fields = {name: raw[name] for name in Value.__slots__ if name != "state"}
        return Value(state=MarkerState(raw["state"]), **fields)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no such field: {error}") from error


def _text(value: Value, detail: Mapping[str, Any]) -> str:
    fields = {name: getattr(value, name) for name in Value.__slots__}
    text = json.dumps({"version": VERSION, **fields, "detail": detail}, separators=(",", ":"))
    # Two braces are a reference to another parameter; they can only stand inside of a string.
    return text.replace("{{", "{\\u007b")
