"""Words of which a property takes only a few: what is none of them would be refused; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataware.calc.suggest import did_you_mean
from dataware.core.values import find_function

Choices = Mapping[str, tuple[str, ...]]
"""The words that a property takes, by its path: names with dots between, ``*`` for each of a list,
as in ``KeySchema.*.KeyType``."""


def list_wrong_words(properties: Mapping[str, Any], choices: Choices) -> Iterator[str]:
    """Each property whose literal value is none of its words, and which may be meant."""
    for path, words in choices.items():
        for value in _values_at(properties, path.split(".")):
            if isinstance(value, str) and find_function(value) is None and value not in words:
                name = path.replace(".*", "")
                yield f"{name} cannot be {value}, {did_you_mean(value, words)}"


def _values_at(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for one in value:
            yield from _values_at(one, path[1:])
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:])
