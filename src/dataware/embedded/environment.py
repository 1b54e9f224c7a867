"""The virtual environment of the embedded AWS, made once and kept in the user's cache.

The emulator pins an exact botocore, so it cannot share an environment with dataware. This module
starts no server.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path

from dataware.core.errors import DatawareError, InputError
from dataware.core.events import Event, event
from dataware.core.ports import Emit

EMULATOR_VERSION = "1.5.33"


Waiting = Callable[[str], AbstractContextManager[object]]
"""Is told what takes its time, and lasts as long as that."""


def wait_quietly(_what: str) -> AbstractContextManager[object]:
    """Tell nobody."""
    return nullcontext()


def ignore(_event: Event) -> None:
    """Listen to nothing."""


def embedded_python(emit: Emit = ignore, waiting: Waiting = wait_quietly) -> Path:
    """The interpreter whose environment holds the emulator; makes the environment if need be.

    `DATAWARE_EMBEDDED_PYTHON` names an interpreter that has it already. Raises DatawareError when
    the environment cannot be made.
    """
    if override := os.environ.get("DATAWARE_EMBEDDED_PYTHON"):
        return _check_interpreter(Path(override).expanduser())
    folder = cache_folder() / _environment_name()
    interpreter = folder / "bin" / "python"
    if interpreter.exists():
        return interpreter
    with _alone(folder):
        if not interpreter.exists():
            emit(event("note", text=f"Preparing the embedded AWS, once, in {folder}"))
            with waiting("Installing the local AWS emulator"):
                _make(folder)
    return interpreter


def cache_folder() -> Path:
    """Where dataware keeps what it can make again."""
    if chosen := os.environ.get("DATAWARE_CACHE"):
        return Path(chosen).expanduser().absolute()
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base).expanduser().absolute() / "dataware"
    try:
        return Path.home() / ".cache" / "dataware"
    except RuntimeError:
        raise InputError(
            "this user has no home folder: set HOME, or DATAWARE_CACHE to a folder for the embedded"
            " AWS"
        ) from None


def _check_interpreter(interpreter: Path) -> Path:
    if not os.access(interpreter, os.X_OK) or not interpreter.is_file():
        raise DatawareError(
            f"DATAWARE_EMBEDDED_PYTHON names {interpreter}, which is not an executable "
            "interpreter: correct the variable, or remove it so that dataware makes the "
            "environment"
        )
    return interpreter


def _requirements() -> str:
    return (files("dataware.embedded") / "requirements.txt").read_text(encoding="utf-8")


def _environment_name() -> str:
    """Another requirement, another Python, another folder: an old one is never half right."""
    digest = hashlib.sha256(_requirements().encode()).hexdigest()[:12]
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return f"ministack-{EMULATOR_VERSION}-{python}-{digest}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold off every other process that makes `folder`."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = (folder.parent / f"{folder.name}.lock").open("w")
    except OSError as error:
        raise DatawareError(
            f"The cache folder {folder.parent} cannot be written ({error.strerror}): set "
            "DATAWARE_CACHE to a folder that can"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder: Path) -> None:
    """Build next to `folder` and rename, so that it is either complete or not there."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as scratch:
        built = Path(scratch) / "environment"
        _run("make a virtual environment", sys.executable, "-m", "venv", str(built))
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(_requirements(), encoding="utf-8")
        options = ("--no-input", "--disable-pip-version-check", "--quiet")
        pip = (str(built / "bin" / "python"), "-m", "pip", "install", *options)
        _run("install the embedded AWS", *pip, "-r", str(requirements))
        # A folder without a working interpreter is a leftover of a Python that is gone.
        shutil.rmtree(folder, ignore_errors=True)
        built.rename(folder)


def _run(what: str, *command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise DatawareError(
            f"Cannot {what}: {_last_error(result.stderr or result.stdout)}; check the network and "
            "pip's configuration, or set DATAWARE_EMBEDDED_PYTHON to an interpreter that has "
            f"ministack {EMULATOR_VERSION}"
        )


def _last_error(output: str) -> str:
    """The line that says most: pip's last error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["no reason was given"])[-1].removeprefix("ERROR: ").rstrip(".")
