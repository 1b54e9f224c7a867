"""The commands that stop the writers of a source and let them go on, and what postpones that."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from dataware.core.errors import ServiceError

SHOWN = 120
"""Characters of a command's own words that its error shows."""


@dataclass(frozen=True, slots=True)
class ShellHooks:
    """The FreezeHooks port: two commands for the shell; None where a person has done it by hand.

    A command that takes longer than `seconds` is ended with all that it began, and has failed; it
    may have done its work or not.
    """

    freeze_command: str | None
    thaw_command: str | None
    seconds: float

    def freeze(self) -> None:
        """Stop the writers."""
        self._run("--freeze", self.freeze_command)

    def thaw(self) -> None:
        """Let the writers go on."""
        self._run("--thaw", self.thaw_command)

    def _run(self, option: str, command: str | None) -> None:
        if command is None:
            return
        # A file and no pipe: an app that the command leaves running may keep it open, and write.
        with TemporaryFile() as output:
            try:
                process = subprocess.Popen(  # noqa: S602 - a person's own command, as typed
                    command,
                    shell=True,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    # Ctrl-C is for dataware, which still needs the command.
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise ServiceError(f"the command of {option} cannot run ({error})") from error
            try:
                code = process.wait(self.seconds)
            except subprocess.TimeoutExpired as error:
                _end_all(process)
                raise ServiceError(
                    f"the command of {option} took longer than {self.seconds:.0f} s"
                ) from error
            message = _read_end(output)
        if code:
            text = f"the command of {option} ended with {code}"
            raise ServiceError(f"{text}: {message}" if message else text)


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """End a command with what it has begun, so that none of it comes after what is done next."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_end(output: IO[bytes]) -> str:
    """The last words of a command, on one line."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - 4 * SHOWN))
    text = " ".join(output.read().decode("utf-8", "replace").split())
    return text if len(text) <= SHOWN else f"…{text[1 - SHOWN :]}"


@dataclass(frozen=True, slots=True)
class FileGate:
    """The CutoverGate port: closed while `postpone` exists, and before the time `at`."""

    postpone: Path | None
    at: float | None

    def is_requested(self) -> bool:
        """Whoever types the command asks for it."""
        return True

    def is_open(self, now: float) -> bool:
        """Whether nothing postpones it."""
        return not (self.postpone and self.postpone.exists()) and (self.at or 0.0) <= now
