"""The journal of one migration: an append-only file on this machine.

Records survive a crash at any byte: a torn end is cut off when the file is opened again, and the
copy resumes from the record before it. Losing the newest records costs time and never data.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from dataware.core.errors import IncompleteError, InputError, RefusedError
from dataware.core.ports import Aws
from dataware.state.journal_line import FORMAT, encode, lines
from dataware.state.lock import try_lock
from dataware.state.private import make_private, open_private

HEADER = {"type": "journal", "format": FORMAT}
NAME_LENGTH = 80
FOREIGN = frozenset({errno.ELOOP, errno.EMLINK, errno.EINVAL, errno.EPERM})
"""Why a file or folder may be somebody else's: a link, a second name, a pipe, another owner."""


class FileJournal:
    """The Journal port over one file, which is locked while it is open.

    What a record says is for whoever wrote it; see `records`.
    """

    def __init__(self, path: Path) -> None:
        """Open the journal at `path`, or begin it. Raises Refused while another run has it."""
        self._path = path
        self._lock = threading.Lock()
        self._broken: OSError | None = None
        self._end = 0
        try:
            self._file = _open(path)
            self._resume()
        except OSError as error:
            raise self._unwritable(error) from error

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Every record, oldest first; reads the file, one at a time."""
        with _reading(self._path) as file:
            for line in lines(file):
                if line.number > 1 and line.record:
                    yield line.record

    def append(self, *records: Mapping[str, Any]) -> None:
        """Write records; they are on disk when this returns. Raises Incomplete when it cannot."""
        lines_ = b"".join(map(encode, records))
        with self._lock:
            self._write(lines_)

    def restart(self) -> None:
        """Forget every record, because a new migration begins."""
        with self._lock:
            try:
                self._file.truncate(0)
            except OSError as error:
                raise self._unwritable(error) from error
            self._end = 0
            self._write(encode(HEADER))

    def fileno(self) -> int:
        """The open file; a process that inherits it keeps it locked, where files lock so."""
        return self._file.fileno()

    def close(self) -> None:
        """Release the file; every record is on disk already."""
        self._file.close()

    def _resume(self) -> None:
        try:
            self._recover()
        except BaseException:
            self._file.close()
            raise

    def _recover(self) -> None:
        """Check what is there, cut off a torn end, and refuse a file that is damaged before it."""
        torn = 0
        with _reading(self._path) as file:
            for line in lines(file):
                if line.record is None:
                    torn = torn or line.number
                    continue
                if torn:
                    raise self._damage_error(torn)
                if line.number == 1 and line.record != HEADER:
                    raise self._format_error()
                self._end = line.end
        self._file.truncate(self._end)
        if self._end == 0:
            self._write(encode(HEADER))

    def _format_error(self) -> InputError:
        return InputError(
            f"the journal {self._path} is of another version of dataware: use the newer version, "
            "or move the file away to start the copy again"
        )

    def _damage_error(self, number: int) -> InputError:
        return InputError(
            f"the journal {self._path} is damaged at line {number}: move it away and run the same "
            "command again, which starts the copy again"
        )

    def _write(self, line: bytes) -> None:
        """Append and flush to the disk; after a failure nothing more is written."""
        if self._broken is not None:
            raise self._unwritable(self._broken)
        try:
            self._file.seek(self._end)
            _write_all(self._file, line)
            os.fsync(self._file.fileno())
        except OSError as error:
            self._broken = error
            raise self._unwritable(error) from error
        self._end += len(line)

    def _unwritable(self, error: OSError) -> IncompleteError:
        cure = "make it writable"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            cure = "free some space"
        elif error.errno in FOREIGN:
            cure = f"remove {error.filename} if it is not yours"
        return IncompleteError(
            f"the journal {self._path} cannot be written ({error.strerror}): {cure}, or set "
            "DATAWARE_STATE to another folder, and run the same command again to resume"
        )


def read_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """What the journal at `path` says, also while a run has it open; nothing is changed.

    It ends where the journal cannot be read any further; one that cannot be read says nothing.
    """
    try:
        with _reading(path) as file:
            for line in lines(file):
                if line.record is None or (line.number == 1 and line.record != HEADER):
                    return
                if line.number > 1:
                    yield line.record
    except OSError:
        return


class NoHomeError(InputError, FileNotFoundError):
    """Nobody says where files of this user belong: neither a variable nor the system."""

    def __init__(self) -> None:
        why = "this user has no home folder: set HOME, or DATAWARE_STATE to a folder for journals"
        super().__init__(why)
        self.filename, self.strerror = "~", why

    def __str__(self) -> str:
        return str(self.strerror)


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where journals live: DATAWARE_STATE, else the user's folder for state.

    Raises NoHomeError where there is neither.
    """
    if own := environ.get("DATAWARE_STATE"):
        return Path(own)
    if shared := environ.get("XDG_STATE_HOME"):
        return Path(shared) / "dataware"
    try:
        return Path.home() / ".local" / "state" / "dataware"
    except RuntimeError:
        raise NoHomeError from None


def journal_path(
    account: str,
    region: str,
    kind: str,
    target: str,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """The journal of a target; names that differ only in case get different files."""
    digest = hashlib.sha256(target.encode()).hexdigest()[:12]
    readable = quote(target, safe="").lstrip(".")[:NAME_LENGTH]
    return state_folder(environ) / account / region / kind / f"{readable}-{digest}.journal"


def _open(path: Path) -> BinaryIO:
    """The file behind the journal, locked and unbuffered; made if need be."""
    make_private(path.parent, state_folder())
    descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
    if not try_lock(file):
        file.close()
        raise RefusedError(
            f"another run has the journal {path} open: wait for it to end, or stop it, and run the"
            " same command again"
        )
    _keep_name(path.parent)
    return file


def _reading(path: Path) -> BinaryIO:
    """The file, to be read. Raises OSError, also for a link."""
    return os.fdopen(open_private(path, os.O_RDONLY), "rb")


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Write every byte; an unbuffered file may take only a part at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _keep_name(folder: Path) -> None:
    """Flush a folder, so that a new file in it survives a power failure."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class FileJournals:
    """The Journals port over the files of an account and region."""

    aws: Aws

    def open(self, kind: str, target: str) -> FileJournal:
        """Begin a journal, or go on with it. Raises Refused while another run has it."""
        return FileJournal(self._path(kind, target))

    def read(self, kind: str, target: str) -> Iterator[Mapping[str, Any]]:
        """What a journal says, also while a run has it open; nothing without one."""
        return read_records(self._path(kind, target))

    def _path(self, kind: str, target: str) -> Path:
        return journal_path(self.aws.account, self.aws.region, kind, target)
