"""The records of runs on this machine: what each command saw, decided and did, a file for each run.

    {"record": 1, "run": "20261124-180102-417-3f", "command": "migrate", …}  how it began
    {"at": 0.412, "code": "found", "data": {"count": 78, …}}                 what happened, when
    {"at": 3.207, "code": "end", "data": {"exit_code": 0, …}}                how it ended

One JSON object a line. Without an end the run goes on (its file is locked then) or was killed.
Nothing rests on a record: it may be deleted at any time. It holds keys and names, and neither
values nor secrets.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from dataware.core.errors import InputError
from dataware.state.journal import state_folder
from dataware.state.lock import try_lock
from dataware.state.private import make_private, open_private

FORMAT = 1
SUFFIX = ".jsonl"

KEPT_RUNS = 200
KEPT_BYTES = 512 * 1024**2
"""The newest records are kept up to these bounds; older ones are removed when a run begins."""

BUFFER = 64 * 1024

TAIL = 64 * 1024
"""Bytes at the end of a record, in which its last line is looked for."""

LEAST_ID = 4
"""Characters of a migration's id by which it is found."""

NAMED = 5
"""Runs that an error names for choice."""


def runs_folder() -> Path:
    """Where the records of runs lie."""
    return state_folder() / "runs"


def new_run(now: float) -> str:
    """An id for a run that begins at `now`; later ids sort after earlier ones."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03}-{secrets.token_hex(1)}"


class RunFile:
    """The file of one run, locked while the run lasts; its methods raise OSError."""

    def __init__(self, folder: Path, run: str) -> None:
        """Begin the file, and remove what is too much of older ones."""
        make_private(folder, state_folder())
        self.path = folder / f"{run}{SUFFIX}"
        self._lock = threading.Lock()
        self.size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._file: BinaryIO = os.fdopen(open_private(self.path, flags), "wb", buffering=BUFFER)
        try_lock(self._file)
        prune(folder)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a record; it may wait in memory for `flush`."""
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":"), default=str) + "\n"
        with self._lock:
            self._file.write(line.encode())
            self.size += len(line)

    def flush(self) -> None:
        """Hand everything to the system, so that it outlives this process."""
        with self._lock:
            self._file.flush()

    def close(self) -> None:
        """End the file."""
        with self._lock:
            self._file.close()


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A record that is there: its file, its id, and the record of its beginning."""

    path: Path
    run: str
    beginning: Mapping[str, Any]

    @property
    def alive(self) -> bool:
        """Whether a process still writes it."""
        return _is_open(self.path)

    def last(self) -> Mapping[str, Any] | None:
        """The last record, which tells how the run ended; None if there is none or it is torn."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - TAIL))
            lines = file.read().splitlines()
        return _decode_line(lines[-1]) if len(lines) > 1 else None

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Everything that happened, in order; lines that are torn or damaged are passed over."""
        with self.path.open("rb") as file:
            next(file, None)
            for line in file:
                record = _decode_line(line)
                if record is not None and "code" in record:
                    yield record


def kept_runs(folder: Path) -> list[StoredRun]:
    """Every record that can be read, the newest first."""
    runs = (_kept_run(path) for path in reversed(_files(folder)))
    return [run for run in runs if run is not None]


def _kept_run(path: Path) -> StoredRun | None:
    """The record in a file; None for any other file."""
    try:
        with path.open("rb") as file:
            beginning = _decode_line(file.readline())
    except OSError:
        return None
    if beginning is None or beginning.get("record") != FORMAT:
        return None
    return StoredRun(path, str(beginning.get("run", path.stem)), beginning)


def find_run(folder: Path, wanted: str | None) -> StoredRun:
    """The newest run, the one whose id begins with `wanted`, or the record in that file.

    The id of a migration, as `dataware status` shows it, or the name or address of a side is as
    good: then it is the newest run that reports it. Raises InputError, with what there is, when
    that is no run or several.
    """
    if wanted is not None and (path := Path(wanted)).is_file():
        if (run := _kept_run(path)) is None:
            raise InputError(f"{path} is not a run record that this version of dataware can read")
        return run
    runs = kept_runs(folder)
    if not runs:
        raise InputError(
            f"no run record in {folder}; `dataware plan`, `apply`, `migrate`, `deploy` and "
            "`verify` write one, and DATAWARE_STATE names another folder"
        )
    fitting = [run for run in runs if wanted is None or run.run.startswith(wanted)]
    if wanted is None or len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InputError(
            f"{len(fitting)} runs begin with {wanted}: {_names(fitting)}; give more of the id"
        )
    for run in runs:
        if _concerns(run, wanted):
            return run
    raise InputError(f"no run begins with {wanted}; the newest are {_names(runs)}")


def _concerns(run: StoredRun, wanted: str) -> bool:
    """Whether something happened to a migration of that id, or to a side of that name."""
    name = wanted.partition("://")[2] or wanted
    for record in run.records():
        data = record.get("data")
        if isinstance(data, dict):
            migration = str(data.get("migration") or "")
            if name in (data.get("name"), data.get("source")):
                return True
            if migration and len(wanted) >= LEAST_ID and migration.startswith(wanted):
                return True
    return False


def prune(folder: Path, runs: int = KEPT_RUNS, size: int = KEPT_BYTES) -> None:
    """Remove the oldest records beyond a number and a size in bytes, but none that is written."""
    total = 0
    for position, path in enumerate(reversed(_files(folder))):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
            if position > 0 and (position >= runs or total > size) and not _is_open(path):
                path.unlink()


def _is_open(path: Path) -> bool:
    """Whether a process has the record open."""
    try:
        with path.open("rb") as file:
            return not try_lock(file)
    except OSError:
        return False


def _files(folder: Path) -> list[Path]:
    """The regular files that are named like records, the oldest first.

    Nothing here made a link or a pipe of that name, and whoever opens a pipe waits for its writer.
    """
    pattern = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{2}" + re.escape(SUFFIX))
    try:
        with os.scandir(folder) as entries:
            return sorted(
                folder / entry.name
                for entry in entries
                if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
            )
    except OSError:
        return []


def _names(runs: Sequence[StoredRun]) -> str:
    more = f" and {len(runs) - NAMED:,} more" if len(runs) > NAMED else ""
    named = (f"{run.run} ({run.beginning.get('command', '?')})" for run in runs[:NAMED])
    return ", ".join(named) + more


def _decode_line(line: bytes) -> Mapping[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
