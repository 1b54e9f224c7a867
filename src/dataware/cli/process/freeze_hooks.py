"""The commands that stop the writers of a source and let them go on, and what postpones that."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from dataware.core.errors import ServiceError

SHOWN = 200
"""Characters of a command's own words that its error shows."""


@dataclass(frozen=True, slots=True)
class ShellHooks:
    """The FreezeHooks port: two commands for the shell; None where a person has done it by hand.

    A command that takes longer than `seconds` has failed, and may have done its work or not.
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
        try:
            done = subprocess.run(  # noqa: S602 - a person's own command, as a person typed it
                command,
                shell=True,
                timeout=self.seconds,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                # Ctrl-C is for dataware, which still needs the command.
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceError(
                f"the command of {option} took longer than {self.seconds:.0f} s"
            ) from error
        except OSError as error:
            raise ServiceError(f"the command of {option} cannot run ({error.strerror})") from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-SHOWN:]
            text = f"the command of {option} ended with {done.returncode}"
            raise ServiceError(f"{text}: {said}" if said else text)


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
