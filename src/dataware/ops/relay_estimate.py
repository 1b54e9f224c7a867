"""What it takes to bring data through this machine: time, and what AWS charges for data out."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from dataware.calc.measures import duration, volume
from dataware.core.engines.card import price_of
from dataware.core.events import Event, event
from dataware.core.model import Size
from dataware.ops.inputs.prices import list_prices

BYTES_A_SECOND = 50 * 1000**2
"""What an ordinary line carries each way; a guess, which the event says."""

GIGABYTE = 1000**3
DATA_OUT = "transfer.out-gb"


def relay_event(size: Size, done: int, words: Mapping[str, object]) -> Event:
    """That the data passes through this machine: how much is left of it, how long, and for what.

    Data that leaves a region for the internet is charged to the source; a machine in the region of
    the source is charged nothing (Amazon S3 pricing, "Data transfer").
    """
    remaining = max(0, size.items - done)
    bytes_ = size.bytes if not done or not size.items else size.bytes * remaining // size.items
    seconds = ceil(bytes_ / BYTES_A_SECOND)
    usd = round(price_of(list_prices(), DATA_OUT) * bytes_ / GIGABYTE, 2)
    return event(
        "through-this-machine",
        size=volume(bytes_),
        time=duration(seconds),
        cost=f"${usd:,.2f}",
        bytes=bytes_,
        seconds=seconds,
        usd=usd,
        **words,
    )
