"""What the responder can answer: below that, a benchmark measures its clients."""

from __future__ import annotations

import sys

from tests.bench.measure import Run
from tests.bench.names import BATCH, SOURCE, TARGET
from tests.bench.result import Goal, Result
from tests.bench.world import World

LEAST_COPIES = 20_000.0
LEAST_BATCHES = 10_000.0
CONNECTIONS = 64
_COLUMNS = ("answers", "a second by its CPU time", "µs of its CPU each", "as timed", "client's CPU")


def limit(world: World, copies: int) -> Result:
    """Prepared requests, unsigned, as fast as the responder answers them."""
    result = Result("The responder's own limit", _COLUMNS)
    rates = []
    for name, kind, size, per_answer in (
        ("copies", "bucket", copies, 1),
        ("batches", "table", copies * 5, BATCH),
    ):
        run, cpu = _load(world, name, kind, size)
        answers = size // per_answer
        rates.append(answers / max(cpu, 0.01))
        what = "copies of an object" if kind == "bucket" else f"batches of {BATCH} items"
        result.rows.append(
            (
                what,
                f"{rates[-1]:,.0f}",
                f"{cpu / answers * 1e6:,.0f}",
                f"{answers / run.seconds:,.0f}/s",
                f"{run.cpu / answers * 1e6:,.0f} µs",
            )
        )
    result.goals = [
        Goal.at_least(
            "the responder answers at least 20,000 copies/s", LEAST_COPIES, rates[0], "/s"
        ),
        Goal.at_least(
            "the responder answers at least 10,000 batches/s", LEAST_BATCHES, rates[1], "/s"
        ),
    ]
    result.notes = [
        f"{CONNECTIONS} connections; the client sends prepared requests without a signature. "
        "Every write is checked against the source and marked in a ledger, also here",
    ]
    return result


def _load(world: World, name: str, kind: str, size: int) -> tuple[Run, float]:
    """The client's run, and the CPU time that the responder took meanwhile."""
    world.responder.become(**{kind: {"source": SOURCE, "target": TARGET, "size": size}})
    before = world.responder.cpu
    arguments = (name, world.responder.endpoint, str(size), str(CONNECTIONS))
    run = world.measured([sys.executable, "-m", "tests.bench.load", *arguments])
    cpu = world.responder.cpu - before
    report = world.responder.report()
    if report["written"] != size or report["wrong"] or report["reread"]:
        raise RuntimeError(f"the responder lost count: {report}")
    return run, cpu
