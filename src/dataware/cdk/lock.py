"""Reads `dataware.lock.json` for a synth.

This module reads one file and nothing else: a synth whose decisions all stand in the lock file
makes no AWS call and imports no AWS SDK.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from dataware.core.lock_file import FILE, LockFile
from dataware.ops.inputs.files import read_environments


def read_lock() -> LockFile:
    """The lock file in the current folder; an empty lock if there is no file.

    Raises InputError for a file that is none.
    """
    path = Path.cwd() / FILE
    try:
        state = path.stat()
    except FileNotFoundError:
        return LockFile()
    return _read_once(path, state.st_mtime_ns, state.st_size)


# One synth asks once for every construct; size and time of change tell one file from the next.
@lru_cache(maxsize=4)
def _read_once(path: Path, _changed: int, _size: int) -> LockFile:
    return LockFile(read_environments(path))
