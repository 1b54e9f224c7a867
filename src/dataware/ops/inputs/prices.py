"""Prices: those that come with dataware, and a person's own in a JSON file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.estimate import Prices
from dataware.ops.inputs.reading import InputSection, read_text

OWN = "prices"
"""What a person's own prices are called unless they say so themselves."""

_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])(-[0-9]{2})?")


def list_prices() -> Prices:
    """The list prices that come with dataware, with their date and region."""
    text = files("dataware.ops.inputs").joinpath("prices.json").read_text(encoding="utf-8")
    return Prices.from_json({**json.loads(text), "filled": ()})


def read_prices(path: Path | None) -> Prices:
    """The prices in a file, list prices for the units that it leaves out; None: list prices.

    Raises InputError for what is no price.
    """
    prices = list_prices()
    if path is None:
        return prices
    section = InputSection(str(path), _object(path))
    section.only(("name", "date", "region", "source", "usd"))
    usd = _usd(section, prices.usd)
    return replace(
        prices,
        name=section.text("name") or OWN,
        date=_date(section),
        region=section.required_text("region"),
        source=section.text("source") or str(path),
        usd={**prices.usd, **usd},
        filled=tuple(sorted(prices.usd.keys() - usd.keys())),
    )


def _object(path: Path) -> Mapping[str, Any]:
    text = read_text(path, holds="prices")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not valid JSON: line {error.lineno}: {error.msg}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path} holds no prices: it must be a JSON object with date, region, usd")
    return data


def _date(section: InputSection) -> str:
    date = section.required_text("date")
    if not _DATE.fullmatch(date):
        raise section.bad(f"date cannot be {date!r}: write year and month, such as 2026-11")
    return date


def _usd(section: InputSection, prices: Mapping[str, float]) -> Mapping[str, float]:
    usd = section.mapping("usd")
    if not usd:
        raise section.bad(f"usd is missing: give the price of {' or '.join(prices)} in US dollars")
    for unit, price in usd.items():
        if unit not in prices:
            raise section.bad(f"usd has an unknown unit {unit}, {did_you_mean(unit, prices)}")
        number = isinstance(price, int | float) and not isinstance(price, bool)
        if not number or not isfinite(price) or price < 0:
            raise section.bad(f"usd of {unit} must be a number of US dollars, 0 or more")
    return {unit: float(price) for unit, price in usd.items()}
