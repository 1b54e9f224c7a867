"""The command line: argv, to options, to one use case, to an exit code.

Nothing heavy is imported before a command runs, so that `dataware --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from dataware.cli.process.signals import CommandSignals

__all__ = ["main", "run"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    with CommandSignals() as signals:
        return _run(sys.argv[1:] if arguments is None else arguments, signals)


def run() -> NoReturn:
    """Run the command that was typed, and end the process with its exit code.

    No signal that comes once the code is known changes it.
    """
    signals = CommandSignals()
    signals.take()
    code = _run(sys.argv[1:], signals)
    signals.end(code)
    sys.exit(code)


def _run(arguments: Sequence[str], signals: CommandSignals) -> int:
    from dataware.cli.process.gc import relaxed_gc  # noqa: PLC0415 - only a run needs it
    from dataware.cli.process.streams import forgiving_streams  # noqa: PLC0415 - see above

    with relaxed_gc(), forgiving_streams():
        try:
            # Only a run needs click.
            from dataware.cli.run_command import run_command  # noqa: PLC0415 - see above

            return run_command(list(arguments), signals.settle)
        except KeyboardInterrupt as error:
            # Before the command, or between two lines of what runs it.
            signals.settle()
            from dataware.cli.run_command import report_failure  # noqa: PLC0415 - see above

            return report_failure(arguments, error)
