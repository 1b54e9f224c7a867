"""An exclusive lock on an open file, which ends with the process however that ends."""

from __future__ import annotations

import sys
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    LOCKED_BYTE = 1 << 40
    """A byte far beyond the data, because a locked byte cannot be read on this system."""

    def try_lock(file: BinaryIO) -> bool:
        """Take the lock, or say that another process has it."""
        position = file.tell()
        file.seek(LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(position)
        return True

else:
    import fcntl

    def try_lock(file: BinaryIO) -> bool:
        """Take the lock, or say that another process has it."""
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
