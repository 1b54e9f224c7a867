"""Runs a command and measures it: wall time, CPU time, and the peak of its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command; `cpu` is user and system time, `rss` the peak in bytes."""

    seconds: float
    cpu: float
    rss: int
    output: str

    @property
    def megabytes(self) -> float:
        """The peak of the memory in MB (10^6 bytes)."""
        return self.rss / 1e6


class Failed(Exception):
    """A measured command ended in error, so there is nothing to compare."""


def run(command: Sequence[str], environ: Mapping[str, str], folder: Path) -> Run:
    """Run a command to its end in `folder`. Raises Failed with the end of its output."""
    with tempfile.TemporaryFile() as output:
        before, started = _children_cpu(), time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        with _Peak(process.pid) as peak:
            status = process.wait()
        seconds, cpu = time.monotonic() - started, _children_cpu() - before
        output.seek(0)
        text = output.read().decode(errors="replace")
    if status:
        raise Failed(f"{' '.join(command)} ended with {status}:\n{text[-2000:]}")
    return Run(seconds, cpu, peak.bytes, text)


def _children_cpu() -> float:
    """CPU time of every child that was waited for; others run on while one is measured."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class _Peak:
    """Watches the high-water mark of a process.

    What `wait4` reports would begin at the memory of this process, from which the child is forked.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = 0

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            for line in lines:
                if line.startswith("VmHWM:"):
                    self.bytes = max(self.bytes, int(line.split()[1]) * 1024)


def clean_environ(server: Mapping[str, str], **more: str) -> dict[str, str]:
    """The environment of a measured process: nothing of the user's settings leads it elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "DATAWARE_", "XDG_"))
    }
    return {**kept, **server, **more}
