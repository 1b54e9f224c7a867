"""Folders and files of this user alone: no link is followed, and no one else's is used."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

PRIVATE, OWN = 0o700, 0o600
_LINK = "it is a link, which is not followed"


def make_private(folder: Path, root: Path) -> None:
    """Make `folder`, and what is missing above it, for this user alone.

    Folders from `root` on have to be real ones of this user, and those below it are closed to
    others. Raises OSError.
    """
    above = [folder, *folder.parents]
    below = above[: above.index(root) + 1] if root in above else [folder]
    for each in reversed(below):
        _make(each)
        status = each.stat() if each == root else each.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise OSError(errno.ELOOP, _LINK, str(each))
        _check_owner(status, each)
        if each != root and os.name == "posix" and status.st_mode & 0o077:
            each.chmod(PRIVATE)


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a regular file of this user; made with `flags` for this user alone.

    Raises OSError, also for a link and for a file that has a second name.
    """
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_NONBLOCK", 0)  # a pipe in its place must not hold the run up
    try:
        descriptor = os.open(path, flags, OWN)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise OSError(errno.ELOOP, _LINK, str(path)) from error
        raise
    try:
        _check_file(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_file(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if status.st_nlink > 1:
        raise OSError(errno.EMLINK, "it has a second name elsewhere", str(path))
    _check_owner(status, path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=PRIVATE)
    except FileNotFoundError:
        _make(folder.parent)
        folder.mkdir(mode=PRIVATE, exist_ok=True)
    except FileExistsError:
        if not folder.is_dir():
            raise


def _check_owner(status: os.stat_result, path: Path) -> None:
    if os.name == "posix" and status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it belongs to another user", str(path))
