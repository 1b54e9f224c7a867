"""Prices: those that come along, and a person's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import InputError
from dataware.core.model import Size
from dataware.kinds import kinds
from dataware.ops.inputs.prices import list_prices, read_prices

WHOLE = {
    "dynamodb.write-unit": 1e-6,
    "dynamodb.read-unit": 2e-7,
    "dynamodb.restore-gb": 0.2,
    "dynamodb.export-gb": 0.2,
    "dynamodb.import-gb": 0.2,
    "s3.put": 6e-6,
    "s3.get": 5e-7,
    "s3.batch-job": 0.3,
    "s3.batch-object": 2e-6,
    "transfer.out-gb": 0.1,
    "lambda.gb-second": 2e-5,
}


def written(path: Path, data: object) -> Path:
    """A file of prices."""
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def priced(usd: Any, **more: str) -> dict[str, Any]:
    """The content of such a file."""
    return {"date": "2026-12", "region": "eu-central-1", "usd": usd, **more}


def test_every_unit_that_a_kind_charges_has_a_price() -> None:
    """No unit of a copy counts as free because its name is written in two ways."""
    copied = [kind.copying for kind in kinds() if kind.copying]
    charged = {name for each in copied for name in each.charges(Size(10, 1000))}
    limited = {name for each in copied for name in each.speed.units}
    assert charged
    assert limited <= charged <= list_prices().usd.keys()


def test_list_prices_say_of_when_and_where_they_are() -> None:
    """Date, region and source stand in the data."""
    prices = list_prices()
    assert str(prices) == f"list prices of us-east-1, {prices.date}"
    assert "https://aws.amazon.com/" in prices.source
    assert read_prices(None) == prices


def test_a_whole_file_replaces_the_list(tmp_path: Path) -> None:
    """Nothing of the list is left, and the file says what it is called."""
    path = written(tmp_path / "p.json", priced(WHOLE, name="our prices", source="contract 7"))
    prices = read_prices(path)
    assert (prices.usd, prices.filled, prices.source) == (WHOLE, (), "contract 7")
    assert str(prices) == "our prices of eu-central-1, 2026-12"


def test_a_part_is_filled_up_from_the_list(tmp_path: Path) -> None:
    """What the file leaves out has its list price, and is named."""
    prices = read_prices(written(tmp_path / "p.json", priced({"s3.put": 0})))
    assert prices.usd == {**list_prices().usd, "s3.put": 0.0}
    assert prices.filled == tuple(sorted(WHOLE.keys() - {"s3.put"}))
    assert (prices.name, prices.source) == ("prices", str(tmp_path / "p.json"))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("{", "not valid JSON: line 1"),
        ("[]", "must be a JSON object"),
        (json.dumps({"usd": WHOLE}), "date is missing"),
        (json.dumps({"date": "2026-12", "usd": {"s3.put": 1}}), "region is missing"),
        (json.dumps(priced(WHOLE) | {"date": "soon"}), "such as 2026-11"),
        (json.dumps(priced({})), "usd is missing"),
        (json.dumps(priced([1])), "usd must be a table"),
        (json.dumps(priced({"s3.putt": 1})), "unknown unit s3.putt, did you mean s3.put?"),
        (json.dumps(priced({"s3.put": "1"})), "number of US dollars"),
        (json.dumps(priced({"s3.put": True})), "number of US dollars"),
        (json.dumps(priced({"s3.put": -1})), "0 or more"),
        ('{"date": "2026-12", "region": "r", "usd": {"s3.put": NaN}}', "number of US dollars"),
        (json.dumps(priced(WHOLE, euro="1")), "unknown field euro"),
    ],
)
def test_a_bad_file_gets_one_sentence(tmp_path: Path, content: str, complaint: str) -> None:
    """It names the file, what is wrong, and what to write."""
    path = tmp_path / "prices.json"
    path.write_text(content)
    with pytest.raises(InputError) as refused:
        read_prices(path)
    assert str(path) in str(refused.value)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Like every other input."""
    with pytest.raises(InputError, match=r"none\.json does not exist"):
        read_prices(tmp_path / "none.json")
