"""What it costs to start: the version, and a plan of one resource."""

from __future__ import annotations

import compileall
from pathlib import Path

from tests.bench.jobs import DATAWARE, TABLE_APP, prepare_table
from tests.bench.measure import Run
from tests.bench.result import Goal, Result
from tests.bench.world import World

import dataware

MOST_OF_VERSION, MOST_OF_PLAN = 0.12, 0.60


def starting(world: World, turns: int) -> Result:
    """The CPU time of all processes, in turns; the least of each counts, as others may disturb."""
    prepare_table(world, 10, existing=False)
    (world.folder / "dataware.toml").write_text(TABLE_APP)
    # As pip leaves a package that it installs.
    compileall.compile_dir(Path(dataware.__file__).parent, quiet=2)
    commands = {"--version": ["--version"], "plan of one resource": ["plan"]}
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, words in commands.items():
            runs[name].append(world.measured([*DATAWARE, *words]))
    least = {name: min(each, key=lambda run: run.cpu) for name, each in runs.items()}
    result = Result("Starting: what a short command costs", ["command", "CPU s", "peak MB"])
    for name, run in least.items():
        result.rows.append([f"dataware {name}", f"{run.cpu:.2f}", f"{run.megabytes:.0f}"])
    for name, most in zip(commands, (MOST_OF_VERSION, MOST_OF_PLAN), strict=True):
        text = f"dataware {name} takes at most {most:.2f} s of CPU"
        result.goals.append(Goal.at_most(text, most, least[name].cpu, " s"))
    return result
