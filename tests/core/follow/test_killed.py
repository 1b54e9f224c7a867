"""kill -9 after any step of a follow: what the feed has passed over is on disk."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.follow_memory import LogFeed, SideCarrier

from dataware.core.follow.loop import FollowLoop, FollowPorts, FollowStep
from dataware.state.follow_file import FollowFile

LOG = [(float(number), b"k%d" % (number % 7)) for number in range(20)]

FOLLOWER = """
import os, signal, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from tests.core.follow.test_killed import make_loop
loop, source, target, file = make_loop(Path({path!r}))
for number in range({steps}):
    step = loop.step(100.0 + number)
print(step.value, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def make_loop(path: Path) -> tuple[FollowLoop, dict[bytes, int], dict[bytes, int], FollowFile]:
    """A follow over a log that has an end, from where the last process left it."""
    source: dict[bytes, int] = {b"k%d" % number: number for number in range(0, 7, 2)}
    target: dict[bytes, int] = {b"k%d" % number: -1 for number in range(7)}
    file = FollowFile(path, "run")
    feed = LogFeed(LOG, page=8)
    loop = FollowLoop(FollowPorts(feed, SideCarrier(source, target), file, file), chunk=3)
    if file.position() is None:
        file.save_position({"at": 0})
    loop.open(99.0)
    loop.allow_carrying(0.0)
    return loop, source, target, file


@pytest.mark.parametrize(
    ("steps", "last"),
    [
        (1, FollowStep.POLLED),
        (2, FollowStep.RECORDED),
        (3, FollowStep.CHECKPOINTED),
        (4, FollowStep.CARRIED),
        (5, FollowStep.SETTLED),
    ],
)
def test_a_process_that_is_killed_after_a_step_leaves_every_key_to_the_next_one(
    steps: int, last: FollowStep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the keys on disk and the checkpoint, and anywhere else."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    path, root = tmp_path / "x" / "target.follow", Path(__file__).parents[3]
    script = FOLLOWER.format(path=str(path), steps=steps, paths=[str(root), str(root / "tests")])
    killed = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False
    )
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, f"{last.value}\n")

    loop, source, target, file = make_loop(path)
    # What the killed process had carried is in its own target; here every key has to come.
    kept = {key for _, key in LOG} if last is not FollowStep.SETTLED else None
    now = 200.0
    while loop.quiet_rounds < 2:
        now += 1.0
        loop.step(now)
    changed = {key for key, value in target.items() if value != -1} | (
        {b"k%d" % number for number in range(7)} - target.keys()
    )
    expected = kept or {b"k3", b"k4", b"k5", b"k6"}
    assert changed >= expected
    assert {key: target[key] for key in changed & target.keys()} == {
        key: source[key] for key in changed & source.keys()
    }
    file.close()
