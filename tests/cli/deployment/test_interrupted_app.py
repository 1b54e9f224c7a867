"""Ctrl-C while CDK runs the programs that stand for the app."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dataware.cli.deployment.bundling_app import describe_bundling
from dataware.cli.deployment.checked_app import describe_check

# A shell that runs these tests in the background ignores Ctrl-C for all that it starts.
HEARS = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
WAITS = "echo begun >&2; exec sleep 600"


@pytest.mark.parametrize(
    "describe",
    [
        lambda: describe_bundling(WAITS, ["**"]),
        lambda: describe_check(WAITS, Path("nowhere"), ["App"]),
    ],
    ids=["bundling", "checked"],
)
def test_an_interrupt_is_no_traceback(describe: Callable[[], dict[str, str]]) -> None:
    """A terminal tells the whole group; the command itself says what became of it."""
    told = describe()
    with subprocess.Popen(
        [sys.executable, "-c", HEARS, *shlex.split(told["CDK_APP"])],
        env={**os.environ, **told},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "begun\n"
        os.killpg(running.pid, signal.SIGINT)
        said = running.stderr.read()
    assert (running.returncode, said) == (130, "")
