"""Stands in for the AWS command line, which takes too long to install: the same words, by boto3.

``python -m support.aws_command SERVICE CALL --option VALUE …`` makes the call and prints nothing;
``… SERVICE wait WAITER --option VALUE …`` waits. Options are named after the members of the call's
input, a ``file://`` value is read, and what has no value is a switch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name


def settings(words: Sequence[str]) -> dict[str, str | bool]:
    """The options, by name without hyphens; True for a switch."""
    found: dict[str, str | bool] = {}
    for word, following in zip(words, [*words[1:], "--"], strict=True):
        if word.startswith("--"):
            switch = following.startswith("--")
            found[word.replace("-", "")] = True if switch else _value(following)
    return found


def _value(word: str) -> str:
    path = word.removeprefix("file://")
    return word if path == word else Path(path).read_text(encoding="utf-8")


def members(client: Any, call: str, given: dict[str, str | bool]) -> dict[str, str | bool]:
    """The options under the names that the call knows them by; KeyError for one it lacks."""
    shape = client.meta.service_model.operation_model(call).input_shape
    names = {name.lower(): name for name in shape.members}
    return {names[name]: value for name, value in given.items()}


def main(words: Sequence[str]) -> None:
    """Make one call."""
    service, command, *rest = words
    given = settings(rest)
    client = boto3.client(service, region_name=given.pop("region", None))
    if command == "wait":
        waiter = client.get_waiter(rest[0].replace("-", "_"))
        waiter.wait(**members(client, waiter.config.operation, given))
        return
    calls = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
    call = calls[command]
    getattr(client, xform_name(call))(**members(client, call, given))


if __name__ == "__main__":
    main(sys.argv[1:])
