"""A file that is named on the command line, refused in a sentence where no system can open it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import click

_MISSING = (errno.ENOENT, errno.ENOTDIR)
_SHOWN = 60


class FilePath(click.Path):
    """A path which the system can look up; whether it has to exist is for the command to say."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse a name that is too long, goes in circles, or lies where nobody may look."""
        try:
            Path(value).stat()
        except OSError as error:
            if error.errno not in _MISSING:
                self.fail(f"{_shorten_path(value)} cannot be opened: {error.strerror}", param, ctx)
        except ValueError as error:
            self.fail(f"{_shorten_path(value)} cannot be opened: {error}", param, ctx)
        return super().convert(value, param, ctx)


def _shorten_path(value: Any) -> str:
    text = str(Path(value)) if "\0" not in str(value) else repr(str(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
