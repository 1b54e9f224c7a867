"""How late changes are carried, and how long writers rest for a cut-over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from tests.bench.jobs import DATAWARE, make_table
from tests.bench.measure import RunError
from tests.bench.names import SOURCE, TARGET
from tests.bench.pinning import running_on
from tests.bench.result import Goal, Result
from tests.bench.world import World

P99_SECONDS = 2.0
DOWN_SECONDS = 15.0
LONGEST = 900.0
_INCOMPLETE = 4
_SETTLED_SECONDS = 3.0
_WRITERS = (
    "import sys, urllib.request as u; "
    "u.build_opener(u.ProxyHandler({{}})).open('{url}', data=b'{{\"rate\": {rate}}}')"
)


@dataclass(frozen=True, slots=True)
class Work:
    """A table of `items`, changed `rate` times a second, and for how many seconds it is watched."""

    items: int
    rate: float
    seconds: float


def live(world: World, lag: Work, cut: Work) -> Result:
    """Follow a table that is written to, and cut another one over."""
    result = Result(
        "Live: a table that is written to all the time", ("what", "measured"), notes=[*_NOTES]
    )
    _measure_lag(world, lag, result)
    _measure_cutover(world, cut, result)
    return result


_NOTES = (
    "the lag is from a change in the source to its value in the target, as the responder sees both;"
    " what DynamoDB Streams itself takes comes on top",
    "the downtime is from the freeze to the end of the cut-over; 10 s of it are the settle time,"
    " which is always waited for",
    "no peer runs beside it: scylla-migrator needs Spark, and the pull request to AWS's tools for"
    " DynamoDB needs exports, which no server here makes",
)


def _measure_lag(world: World, work: Work, result: Result) -> None:
    with _following(world, work) as (process, _environ):
        _wait_until_carried(world, process, work)
        world.responder.change_writers(None)
        time.sleep(work.seconds)
        told = world.responder.report()
        os.kill(process.pid, signal.SIGINT)
        if process.wait(60) != _INCOMPLETE:
            raise RunError(f"the follow ended with {process.returncode}")
    if told["backwards"] or told["lags"] < work.rate * work.seconds / 2:
        raise RunError(f"not followed: {told}")
    what = f"{work.rate:,.0f} changes a second in {work.items:,} items, for {work.seconds:.0f} s"
    lags = f"median {told['median']:.2f} s, longest {told['longest']:.2f} s"
    result.rows += [(what, f"{told['lags']:,} changes carried; {lags}")]
    result.goals.append(Goal.at_most(f"lag, 99 of 100 of {what}", P99_SECONDS, told["p99"], " s"))


def _measure_cutover(world: World, work: Work, result: Result) -> None:
    with _following(world, work) as (process, environ):
        _wait_until_carried(world, process, work)
        hooks = [_hook(world, 0), _hook(world, work.rate)]
        command = [*DATAWARE, "cutover", TARGET, "--freeze", hooks[0], "--thaw", hooks[1]]
        command += ["--watch", "1s", "--format", "json"]
        started = time.time()
        with running_on(world.cores):
            cut = subprocess.Popen(command, env=dict(environ), stdout=subprocess.PIPE, text=True)
        seconds, switched = _read_switch(cut)
        told = world.responder.report()
    if cut.returncode or told["rested"] is None or told["different"] or told["backwards"]:
        raise RunError(f"not switched (exit {cut.returncode}): {told}")
    down = switched - told["rested"]
    what = f"{work.items:,} items, {work.rate:,.0f} changes a second"
    result.rows += [
        (f"cut-over of {what}: compared before the freeze", f"{told['rested'] - started:.1f} s"),
        ("different afterwards", f"{told['different']:,} of {work.items:,}"),
        ("downtime as dataware tells it", seconds),
    ]
    result.goals.append(Goal.at_most(f"downtime of {what}", DOWN_SECONDS, down, " s"))


def _read_switch(cut: subprocess.Popen[str]) -> tuple[str, float]:
    """The downtime that is told, and when it was; waits for the end. Raises RunError without."""
    switch: tuple[str, float] | None = None
    lines: list[str] = []
    for line in cut.stdout or ():
        lines.append(line)
        one = json.loads(line)
        if one["code"] == "cut-over":
            switch = one["data"]["seconds"], time.time()
    cut.wait(60)
    if switch is None:
        raise RunError(f"the cut-over ended with {cut.returncode}:\n{''.join(lines)[-2000:]}")
    return switch


@contextmanager
def _following(
    world: World, work: Work
) -> Iterator[tuple[subprocess.Popen[bytes], Mapping[str, str]]]:
    """A `migrate --follow` that goes on, and the environment in which it does."""
    virtual = {"source": SOURCE, "target": TARGET, "size": work.items, "rate": work.rate}
    world.fresh(live=virtual)
    for name in (SOURCE, TARGET):
        make_table(world, name)
    command = [*DATAWARE, "migrate", f"dynamodb://{SOURCE}", f"dynamodb://{TARGET}", "--follow"]
    with TemporaryDirectory(prefix="dataware-bench-") as home, TemporaryFile() as output:
        environ = world.environ(home)
        with running_on(world.cores):
            process = subprocess.Popen(
                command, env=dict(environ), stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield process, environ
        except RunError as error:
            raise RunError(f"{error}\n{_last_of(output)}") from error
        finally:
            process.kill()
            process.wait()


def _wait_until_carried(world: World, process: subprocess.Popen[bytes], work: Work) -> None:
    """Wait until all is copied and what is not carried yet came in the last few seconds."""
    until = time.time() + LONGEST
    while process.poll() is None and time.time() < until:
        told = world.responder.report()
        most = work.rate * _SETTLED_SECONDS
        if told["copied"] == work.items and told["different"] <= most:
            return
        time.sleep(1.0)
    raise RunError(f"not followed, exit {process.returncode}: {world.responder.report()}")


def _hook(world: World, rate: float) -> str:
    code = _WRITERS.format(url=f"{world.responder.endpoint}/-/writers", rate=rate)
    return f'{sys.executable} -c "{code.replace(chr(34), chr(92) + chr(34))}"'


def _last_of(output: IO[Any]) -> str:
    output.seek(0)
    text: str = output.read().decode(errors="replace")
    return text[-2000:]
