"""Numbers on the command line, refused in words instead of a formula."""

from __future__ import annotations

import math
from typing import Any

import click


class WholeNumber(click.IntRange):
    """A whole number within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no such number, and say which ones are."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a whole number {_describe_bounds(self)}", param, ctx)


class Number(click.FloatRange):
    """A number within bounds, and never one without end."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no such number, and say which ones are; `nan` is in no range."""
        try:
            number = super().convert(value, param, ctx)
        except click.BadParameter:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number {_describe_bounds(self)}", param, ctx)
        return number


def _describe_bounds(bounds: click.IntRange | click.FloatRange) -> str:
    if bounds.min_open:
        return f"above {bounds.min:g}"
    if bounds.max is None:
        return f"of at least {bounds.min:g}"
    return f"from {bounds.min:g} to {bounds.max:g}"
