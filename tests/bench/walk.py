"""Reads a bucket's listing as a migration does: ``python -m tests.bench.walk READERS``.

It asks the copier for its partitions and reads as many of them at a time as there are readers (0:
as many as a copy has), and writes nothing. Prints the number of objects that it was given to copy.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from tests.bench.names import SOURCE, TARGET

from dataware.aws import SystemClock
from dataware.cli.context import open_account
from dataware.cli.process.gc import relaxed_gc
from dataware.cli.settings import AwsOptions
from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.model import Location
from dataware.kinds import kinds


async def _walk(readers: int) -> int:
    account = open_account(
        AwsOptions(
            profile=None, region=None, endpoint_url=None, format="text", plain=True, debug=False
        )
    )
    wire = account.wire(lambda _reason: None)
    try:
        kind = next(kind for kind in kinds() if kind.cfn_type == "AWS::S3::Bucket")
        places = [Location(name, account.account, account.region) for name in (SOURCE, TARGET)]
        copying = kind.require_copying()
        copier = copying.copier(CopyTools(account, wire, SystemClock()), CopyOrder(*places))
        waiting = list(reversed(await copier.partitions()))
        reading = (_read(copier, waiting) for _ in range(readers or copying.readers))
        return sum(await asyncio.gather(*reading))
    finally:
        await wire.close()


async def _read(copier: Copier[Any], waiting: list[str]) -> int:
    """Read partitions until none is left; how many units they held."""
    found = 0
    while waiting:
        async for page in copier.read(waiting.pop(), None):
            found += sum(unit.items for unit in page.units)
    return found


if __name__ == "__main__":
    with relaxed_gc():
        sys.stdout.write(f"{asyncio.run(_walk(int(sys.argv[1])))}\n")
