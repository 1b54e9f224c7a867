"""Threads share their memory once a process is told to."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

THREADS = """
import sys, threading
from dataware.cli.process.malloc import limit_malloc_arenas
if sys.argv[1] == "shared":
    limit_malloc_arenas()
met, over = threading.Barrier(5), threading.Event()
def hold():
    taken = [bytes(100_000) for _ in range(10)]
    met.wait()
    over.wait()
threads = [threading.Thread(target=hold) for _ in range(4)]
for thread in threads:
    thread.start()
met.wait()
import ctypes
ctypes.CDLL(None).malloc_stats()
over.set()
"""


def _arenas(how: str) -> int:
    untuned = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_"))}
    run = subprocess.run(
        [sys.executable, "-c", THREADS, how],
        capture_output=True,
        text=True,
        check=True,
        env=untuned,
    )
    return run.stderr.count("Arena ")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_one_arena() -> None:
    """Without it there would be one for each thread, and what one frees is lost to the others."""
    assert _arenas("own") > 1
    assert _arenas("shared") == 1
