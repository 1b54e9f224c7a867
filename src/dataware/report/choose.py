"""Which renderer suits an output."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, Self, TextIO, TypedDict

from dataware.core.events import Event
from dataware.report.jsonlines import JsonRenderer
from dataware.report.plain import PlainRenderer


class Format(StrEnum):
    """What `--format` takes."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    GITHUB = "github"


DOCUMENTS = (Format.MARKDOWN, Format.HTML)
"""Formats in which a plan is one document; other commands do not have them."""


class Renderer(Protocol):
    """Takes events as they happen; leaving the context ends the display."""

    def __call__(self, event: Event) -> None:
        """Render an event; may be called from any thread."""
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(self, *_error: object) -> None:
        """End the display."""
        ...


MOST_DIGITS = 3
"""Of a width in COLUMNS; no output is wider, and rich fills lines up to theirs."""


class Appearance(TypedDict):
    """What variables say about an output: NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE and COLUMNS.

    `columns` is None for an output whose width nobody says, such as a pipe.
    """

    no_color: bool
    force_color: bool
    columns: int | None


def appearance(stream: TextIO, environ: Mapping[str, str]) -> Appearance:
    """How `stream` is to look; a word against colour wins over one for it."""
    no_color = bool(environ.get("NO_COLOR"))
    words = (environ.get(name, "").lower() for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
    forced = any(word not in {"", "0", "false"} for word in words)
    columns = environ.get("COLUMNS", "").lstrip("0")
    width = None
    if columns.isascii() and columns.isdecimal():
        width = int(columns) if len(columns) <= MOST_DIGITS else 10**MOST_DIGITS
    if width is None and stream.isatty():
        width = _columns_of(stream)
    return Appearance(no_color=no_color, force_color=forced and not no_color, columns=width)


def _columns_of(terminal: TextIO) -> int:
    """The width of this very terminal; standard output may be another one, or none."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except (OSError, ValueError):
        return shutil.get_terminal_size().columns


def make_renderer(
    format: Format,
    stream: TextIO,
    *,
    plain: bool,
    no_color: bool,
    is_tty: bool,
    force_color: bool = False,
    columns: int | None = None,
    full: bool = False,
) -> Renderer:
    """The renderer for `stream`.

    `is_tty` says that somebody watches, so that live bars make sense. `plain` takes away bars,
    colour and signs; `no_color` takes away colour and signs; `force_color` colours also what
    nobody watches. `columns` is the width of the output, where one is known; a
    `full` plan shows the facts and reasons of every resource.
    """
    if format is Format.JSON:
        return JsonRenderer(stream)
    if format in DOCUMENTS:
        return _document(format, stream)
    if format is Format.GITHUB:
        from dataware.report.github import GithubRenderer  # noqa: PLC0415 - for one kind of CI only

        return GithubRenderer(stream, signs=not (plain or no_color))
    if plain or not is_tty:
        return PlainRenderer(
            stream,
            signs=not (plain or no_color),
            color=force_color and not (plain or no_color),
            columns=columns,
            full=full,
        )
    # rich costs a third of the start-up time.
    from dataware.report.terminal import TerminalRenderer  # noqa: PLC0415 - for a terminal only

    return TerminalRenderer(stream, color=not no_color, full=full)


def _document(format: Format, stream: TextIO) -> Renderer:
    # A command that shows no document starts without what makes one.
    from dataware.report.document import DocumentRenderer  # noqa: PLC0415 - see above

    if format is Format.HTML:
        from dataware.report.html import fleet_page, plan_page  # noqa: PLC0415 - see above

        return DocumentRenderer(stream, {"plan": plan_page, "fleet": fleet_page})
    from dataware.report.fleet_markdown import fleet_markdown  # noqa: PLC0415 - see above
    from dataware.report.markdown import markdown  # noqa: PLC0415 - see above

    return DocumentRenderer(stream, {"plan": markdown, "fleet": fleet_markdown})
