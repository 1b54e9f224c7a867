"""How soon a copy ends when it is told to, and how much of it is done again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from tempfile import TemporaryDirectory

from tests.bench.contenders import of_tables
from tests.bench.jobs import prepare_table
from tests.bench.measure import RunError
from tests.bench.result import Goal, Result
from tests.bench.world import World

MOST_SECONDS = 2.0
INTERVAL_SECONDS = 10.0
"""How often a run beats, with its checkpoint, in its marker."""

_LATENCY = 0.025
_INCOMPLETE = 4


def stopping(world: World, items: int) -> Result:
    """Ctrl-C in the middle of a table; then the same command to its end."""
    columns = ("what", "measured")
    result = Result(f"Stopping: a table of {items:,} items, 25 ms latency", columns)
    command = of_tables(world)[0].command
    prepare_table(world, items, existing=False, latency=_LATENCY)
    with TemporaryDirectory(prefix="dataware-bench-") as home:
        environ = world.environ(home)
        ended, rate = _interrupted(world, command, environ)
        before = world.responder.report()
        again = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    after = world.responder.report()
    if again.returncode or after["written"] != items or after["wrong"]:
        raise RunError(f"it did not go on to the end: {after}\n{again.stdout[-500:]}{again.stderr}")
    twice = after["twice"] - before["twice"]
    result.rows = [
        ("written when Ctrl-C came to an end", f"{before['written']:,}"),
        ("seconds from Ctrl-C to the end of the program", f"{ended:.2f}"),
        ("written again afterwards", f"{twice:,}"),
        ("lost", f"{items - after['written']:,}"),
    ]
    most = rate * INTERVAL_SECONDS
    result.goals = [
        Goal.at_most("Ctrl-C ends a copy within 2 s", MOST_SECONDS, ended, " s"),
        Goal(
            "at most one checkpoint interval (10 s) is done again",
            f"{twice:,} items, as many as {twice / rate:.2f} s of copying",
            twice <= most,
        ),
    ]
    return result


def _interrupted(
    world: World, command: tuple[str, ...], environ: dict[str, str]
) -> tuple[float, float]:
    """Seconds from Ctrl-C to the end, and the items a second until then. Raises RunError."""
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while process.poll() is None and world.responder.report()["written"] < 5_000:
        time.sleep(0.05)
    time.sleep(0.1)
    told = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    ended = time.monotonic() - told
    if process.returncode != _INCOMPLETE:
        raise RunError(f"ended with {process.returncode} instead of {_INCOMPLETE}: {output[-500:]}")
    report = world.responder.report()
    span = max(report["last"] - report["first"], 0.001)
    return ended, report["written"] / span
