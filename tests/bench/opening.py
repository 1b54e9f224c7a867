"""How long a large report takes to be made, and to open in a browser."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from tests.bench.measure import RunError
from tests.bench.result import Goal, Result
from tests.bench.world import World

from dataware.report.html import run_page
from support.browser import install, milliseconds_to_open
from support.peers import UnavailableError
from support.tales import Record, apart, copied, decided, ended, told

MOST = 2.0
TURNS = 3


def opening(world: World, resources: int, differences: int) -> Result:
    """Pages of many resources and of many differences, opened in Chromium; the slowest counts."""
    try:
        install()
    except UnavailableError as error:
        raise RunError(str(error)) from error
    keys = (f"customer-{number:08}@example.com" for number in range(differences))
    large = {
        f"{resources:,} resources": _many(resources),
        f"{differences:,} differences": [*apart("missing", keys), ended(9, 2)],
    }
    result = Result("The report: large pages", ["page", "made in", "size", "opened in"])
    for name, records in large.items():
        page, seconds = _made(world.folder, records)
        opened = max(milliseconds_to_open(page) for _ in range(TURNS)) / 1000
        size = f"{page.stat().st_size / 1e6:.1f} MB"
        result.rows.append([name, f"{seconds:.1f} s", size, f"{opened:.2f} s"])
        result.goals.append(
            Goal.at_most(f"a report of {name} opens in at most {MOST:.0f} s", MOST, opened, " s")
        )
    return result


def _many(resources: int) -> Iterable[Record]:
    """A run of so many decisions, each with its migration."""
    yield from (decided(number) for number in range(resources))
    for number in range(resources):
        name = {"name": f"orders-{number}-prod", "source": f"orders-{number}"}
        yield from ({**one, "data": {**one["data"], **name}} for one in copied(seconds=4))
    yield ended(9, 0)


def _made(folder: Path, records: Iterable[Record]) -> tuple[Path, float]:
    story, path, start = told("apply", *records), folder / "report.html", time.perf_counter()
    path.write_text(run_page(story), encoding="ascii")
    return path, time.perf_counter() - start
