"""What options take: sizes, shares, accounts, and words that the inside has an enum for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any

import click

from dataware.cli.help import WordChoice

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def size(text: str) -> int:
    """A number of bytes such as 512MiB, 5GB or 1048576."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter(f"{text} is not a size: write one like 512MiB or 5GB")
    number, unit, binary = match.groups()
    amount = int(float(number) * (1024 if binary else 1000) ** _POWERS[unit.upper()])
    if amount < 1:
        raise click.BadParameter(f"{text} is too small: give at least one byte")
    return amount


def share(text: str) -> float:
    """A share such as 50% or 0.5, as a fraction above 0 and up to 1."""
    try:
        fraction = float(text.strip().removesuffix("%")) / (100 if "%" in text else 1)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction <= 1:
        raise click.BadParameter(f"{text} is not a percentage: write one like 50%")
    return fraction


def account(text: str) -> str:
    """An account: twelve digits."""
    if not re.fullmatch("[0-9]{12}", text):
        raise click.BadParameter(f"{text} is not an AWS account: it has twelve digits")
    return text


def role_arn(text: str) -> str:
    """The ARN of a role."""
    if not re.fullmatch(r"arn:[\w-]+:iam::[0-9]{12}:role/\S+", text):
        example = "arn:aws:iam::111122223333:role/copy"
        raise click.BadParameter(f"{text} is not the ARN of a role: write one like {example}")
    return text


def word_option(
    name: str, words: type[StrEnum], *, but: Collection[StrEnum] = (), **settings: Any
) -> Callable[[Any], Any]:
    """An option that takes one of the words of an enum, but not those in `but`, as its member."""

    def member(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
        return None if value is None else words(value)

    choices = WordChoice([word.value for word in words if word not in but])
    names = [name, settings.pop("to")] if "to" in settings else [name]
    return click.option(*names, type=choices, callback=member, **settings)
