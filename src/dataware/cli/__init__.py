"""The command line: argv, to options, to one use case, to an exit code.

Nothing heavy is imported before a command runs, so that `dataware --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from dataware.cli.process.streams import forgiving_streams  # noqa: PLC0415 - only a run needs it

    with forgiving_streams():
        from dataware.cli.run_command import run_command  # noqa: PLC0415 - only a run needs click

        return run_command(list(sys.argv[1:] if arguments is None else arguments))
