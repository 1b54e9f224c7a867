"""Publishes what was measured: docs/benchmarks.md, its picture, and the figures as data.

The figures are kept in docs/benchmarks.json, each with where and when it was measured, so that
one benchmark can be run again without the others.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.bench import pinning
from tests.bench.chart import picture
from tests.bench.result import Goal, Result, table

DOCS = Path(__file__).resolve().parents[2] / "docs"
_PACKAGES = ("dataware", "boto3", "botocore", "urllib3", "pycurl", "msgspec", "uvloop")
_HEAD = """# Benchmarks

Written by `make bench`. Read the ratios and the CPU times: each tool was run in turns with the
others, on the same work, on the same machine. The other figures are context, and none of them says
anything about the speed of AWS: except where a section names a server, answers come from a
responder on this machine that costs its clients nothing but their own work. It checks each write
against the source and marks it in a ledger, and a run that loses or alters a single object or item
does not count.

{pinned} Other work on a machine makes times uneven, and CPU times less so; the load is given with
each section. What a program in Python costs depends by about a tenth on how its Python was built,
too; the builds of most distributions are optimised ones. The last column says what a tool loses of
30 objects or items that are hard to copy; in full it is in [fidelity](fidelity.md).

Run it again, all of it or by name:

```sh
make bench
make bench BENCH="s3 dynamodb --write"
make bench BENCH=--help
```

![Bars: how many objects or items a second each tool copies](benchmarks.svg)

"""
_MARK = {True: "yes", False: "**no**", None: "not measured"}


@dataclass(frozen=True, slots=True)
class Book:
    """All results so far, by the name of their benchmark, and what each tool loses.

    `pages` are texts of further pages that this run has made.
    """

    results: dict[str, dict[str, Any]]
    losses: dict[str, str]
    pages: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Book:
        """The book as it was last published; empty if it never was."""
        try:
            data = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls({}, {})
        return cls(data["results"], data["losses"])

    def enter(self, name: str, result: Result) -> None:
        """Put a result in, in place of an older one."""
        self.results[name] = {"measured": surroundings(), **result.to_json()}

    def publish(self, order: Sequence[str]) -> None:
        """Write the data, the picture and the page, in this order of benchmarks."""
        known = {name: self.results[name] for name in order if name in self.results}
        data = {"results": known, "losses": self.losses}
        results = {name: _result(one) for name, one in known.items()}
        _write("benchmarks.json", json.dumps(data, indent=1, ensure_ascii=False) + "\n")
        _write("benchmarks.svg", picture([one for one in results.values() if one.bars]))
        _write("benchmarks.md", self._page(results, [name for name in order if name not in known]))
        for name, text in self.pages.items():
            _write(name, text)

    def _page(self, results: Mapping[str, Result], missing: Sequence[str]) -> str:
        goals = [goal for result in results.values() for goal in result.goals]
        parts = [_HEAD.format(pinned=pinning.told()), goals_table(goals)]
        if missing:
            parts.append(f"\nNot measured for this page: {', '.join(missing)}.\n")
        for name, result in results.items():
            parts.append(f"\n{result.markdown()}\nMeasured: {self.results[name]['measured']}.\n")
        return "".join(parts)


def goals_table(goals: Sequence[Goal]) -> str:
    """Every goal, what was measured, and whether it is met."""
    rows = [[goal.text, goal.measured, _MARK[goal.met]] for goal in goals]
    met = sum(1 for goal in goals if goal.met)
    lines = table([["goal", "measured", "met"], *rows])
    head = f"## Goals\n\n{met} of {len(goals)} are met.\n\n"
    return head + "\n".join(lines) + "\n"


def surroundings() -> str:
    """Where, when and at which commit; absolute figures mean nothing without it."""
    found = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    where = f"{platform.system()} {platform.machine()}, {load}"
    return f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, {where}; {', '.join(found)}"


def _commit() -> str:
    asked = ("git", "describe", "--always", "--dirty", "--exclude", "*")
    done = subprocess.run(asked, cwd=DOCS, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _result(entry: Mapping[str, Any]) -> Result:
    return Result.from_json({name: one for name, one in entry.items() if name != "measured"})


def _write(name: str, text: str) -> None:
    (DOCS / name).write_text(text, encoding="utf-8")
