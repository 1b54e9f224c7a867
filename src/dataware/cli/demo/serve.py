"""`dataware demo --serve`: the embedded AWS as a server, for a shell beside it."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory

from dataware.cli.process.signals import StopSignal
from dataware.cli.process.streams import find_lost_output
from dataware.cli.settings import AwsOptions
from dataware.cli.wait_indicator import show_waiting
from dataware.core.events import event
from dataware.embedded import EmbeddedAws
from dataware.report import Format, appearance, make_renderer

ANY_PORT = 0

LEADING_ELSEWHERE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that would lead a shell to another AWS than the one it was pointed at."""


def serve(port: int | None, *, plain: bool) -> int:
    """Run the embedded AWS until Ctrl-C or SIGTERM; then forget it, and answer 0.

    Standard output gets the shell commands that point a shell at it, all at once and only when it
    answers, and nothing else: ``dataware demo --serve > aws.sh &``, then ``. ./aws.sh``. Standard
    error gets the words for people. `port` None takes any free one. Raises DatawareError if it is
    taken.
    """
    look = appearance(sys.stderr, os.environ)
    with (
        make_renderer(Format.TEXT, sys.stderr, plain=plain, is_tty=False, **look) as render,
        StopSignal(graceful=False),
        TemporaryDirectory(prefix="dataware-demo-") as folder,
    ):
        try:
            waiting = partial(show_waiting, AwsOptions(plain=plain))
            with EmbeddedAws(emit=render, waiting=waiting, port=port or ANY_PORT) as aws:
                sys.stdout.write(_pointing_at(aws, Path(folder) / "state"))
                if find_lost_output(sys.stdout):
                    return 0  # no shell can be pointed at it; the caller says why
                render(event("done", text=f"Local AWS emulator running at {aws.endpoint}"))
                hint = (
                    "Source the lines on standard output to use it in a shell; stop it with "
                    "Ctrl-C or kill"
                )
                render(event("note", text=hint))
                while True:
                    signal.pause()
        except KeyboardInterrupt:
            render(event("note", text="Emulator stopped; its data is gone"))
    return 0


def _pointing_at(aws: EmbeddedAws, state: Path) -> str:
    """Commands of a POSIX shell that point it at `aws`; journals go to the folder `state`."""
    variables = {**aws.environ(), "DATAWARE_STATE": str(state)}
    exports = [f"export {name}={quote(value)}" for name, value in variables.items()]
    return "\n".join([f"unset {' '.join(LEADING_ELSEWHERE)}", *exports]) + "\n"
