"""Runs many seeds, on several processes: `make soak SEEDS=100000`, or one that is looked at."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from multiprocessing import Pool

from support.simulator.run import TABLES, WORLDS, run_seed

CHUNK = 200
TELL_SECONDS = 30.0


def run_chunk(first: int, of: str) -> tuple[int, list[str]]:
    """Run the seeds of one chunk: how many turns they took, and which promises were broken."""
    outcomes = [run_seed(seed, of=of) for seed in range(first, first + CHUNK)]
    return sum(one.turns for one in outcomes), [one.broken for one in outcomes if one.broken]


def soak(first: int, seeds: int, processes: int, of: str) -> int:
    """Run `seeds` seeds, tell of each that breaks a promise, and how far it is."""
    began = told = time.monotonic()
    turns, broken, done = 0, 0, 0
    chunks = range(first, first + seeds, CHUNK)
    with Pool(processes) as pool:
        for more, lines in pool.imap_unordered(partial(run_chunk, of=of), chunks):
            turns, broken, done = turns + more, broken + len(lines), done + CHUNK
            for line in lines:
                print(line, flush=True)
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                print(f"{done} seeds, {broken} broken, {told - began:.0f} s", flush=True)
    seconds = time.monotonic() - began
    print(f"{done} seeds of {of} from {first} on, {turns} turns, {broken} broken, {seconds:.0f} s")
    return 1 if broken else 0


def main() -> int:
    """Soak, or print what happens in one seed."""
    parser = argparse.ArgumentParser(prog="python -m support.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=2, help="how many processes run them")
    parser.add_argument("--of", choices=tuple(WORLDS), default=TABLES, help="what is followed")
    parser.add_argument("--seed", type=int, help="print what happens in this one seed instead")
    given = parser.parse_args()
    if given.seed is None:
        return soak(given.first, given.seeds, given.processes, given.of)
    outcome = run_seed(given.seed, tracing=True, of=given.of)
    print("\n".join(outcome.trace))
    print(outcome.broken or f"SEED={given.seed}: every promise was kept")
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
