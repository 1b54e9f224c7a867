"""Runs a command and measures it: wall time, CPU time of all its processes, peak of its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.bench.pinning import running_on

_SAMPLE_SECONDS = 0.02
_OF_TOOLS = ("AWS_", "DATAWARE_", "XDG_", "RCLONE_", "S3_", "S5CMD_", "PYTHONDONTWRITEBYTECODE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command; `cpu` is user and system time, `rss` the peak in bytes.

    The peak is that of the largest of its processes; `samples` are moments, and the CPU time that
    was taken until then. `rereads` says how many writes the responder had to parse.
    """

    seconds: float
    cpu: float
    rss: int
    output: str = ""
    started: float = 0.0
    samples: Sequence[tuple[float, float]] = field(default=(), repr=False)
    rereads: int = 0

    @property
    def megabytes(self) -> float:
        """The peak of the memory in MB (10^6 bytes)."""
        return self.rss / 1e6

    def until(self, moment: float) -> Run:
        """The same run up to a moment of the system's clock, from its start on."""
        seconds = min(moment - self.started, self.seconds)
        ends = ((self.started, 0.0), (self.started + self.seconds, self.cpu))
        samples = [ends[0], *self.samples, ends[1]]
        at = min(bisect_left(samples, (moment, 0.0)), len(samples) - 1)
        (before, least), (after, most) = samples[at - 1 : at + 1] if at else (ends[0], ends[0])
        share = min(1.0, (moment - before) / (after - before)) if after > before else 1.0
        return replace(self, seconds=seconds, cpu=least + share * (most - least), samples=())


class RunError(Exception):
    """A measured command ended in error, so there is nothing to compare."""


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    folder: Path,
    limit: float | None = None,
    *,
    cores: frozenset[int],
) -> Run:
    """Run a command to its end in `folder`, on some cores. Raises RunError with its last output."""
    with tempfile.TemporaryFile() as output:
        before, started = _children_cpu(), time.monotonic()
        with running_on(cores):
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        with _Watch(process.pid) as watch:
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise RunError(f"{' '.join(command)} took more than {limit} s") from None
        seconds, cpu = time.monotonic() - started, _children_cpu() - before
        output.seek(0)
        text = output.read().decode(errors="replace")
    if status:
        raise RunError(f"{' '.join(command)} ended with {status}:\n{text[-2000:]}")
    return Run(seconds, cpu, watch.peak, text, started, tuple(watch.samples))


def _children_cpu() -> float:
    """CPU time of every child that was waited for; others run on while one is measured."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class _Watch:
    """Watches the CPU time and the high-water marks of a process and its descendants.

    What `wait4` reports of memory would begin at that of this process, from which the child is
    forked. Where there is no /proc nothing is seen.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak = 0
        self.samples: list[tuple[float, float]] = []

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            cpu = 0.0
            for pid in _tree(self._pid):
                cpu += cpu_seconds(pid)
                self.peak = max(self.peak, _high_water(pid))
            self.samples.append((time.monotonic(), cpu))


def _tree(pid: int) -> list[int]:
    """A process and its living descendants."""
    found = [pid]
    for each in found:
        try:
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and of its descendants that have ended; 0 where none is told."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # Behind the name, which is in brackets: utime, stime, cutime and cstime are 14 to 17 of all.
    return sum(map(int, text.rpartition(")")[2].split()[11:15])) / _TICKS


def _high_water(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    marks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return max(marks, default=0)


def clean_environ(server: Mapping[str, str], **more: str) -> dict[str, str]:
    """The environment of a measured process: nothing of the user's settings leads it elsewhere.

    Python keeps what it compiles, as it does for everybody, so that only the first run compiles.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_TOOLS)}
    return {**kept, **server, **more}
