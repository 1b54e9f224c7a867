"""Which renderer suits an output."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, Self, TextIO

from dataware.core.events import Event
from dataware.report.jsonlines import JsonRenderer
from dataware.report.plain import PlainRenderer


class Format(StrEnum):
    """What `--format` takes."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


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


def make_renderer(
    format: Format, stream: TextIO, *, plain: bool, no_color: bool, is_tty: bool
) -> Renderer:
    """The renderer for `stream`.

    `is_tty` says that somebody watches, so that live bars make sense. `plain` takes away bars,
    colour and signs; `no_color` takes away colour and signs.
    """
    if format is Format.JSON:
        return JsonRenderer(stream)
    if format in DOCUMENTS:
        return _document(format, stream)
    if plain or not is_tty:
        return PlainRenderer(stream, signs=not (plain or no_color))
    # rich costs a third of the start-up time.
    from dataware.report.terminal import TerminalRenderer  # noqa: PLC0415 - for a terminal only

    return TerminalRenderer(stream, color=not no_color)


def _document(format: Format, stream: TextIO) -> Renderer:
    # A command that shows no document starts without what makes one.
    from dataware.report.document import DocumentRenderer  # noqa: PLC0415 - see above

    if format is Format.HTML:
        from dataware.report.html import plan_page  # noqa: PLC0415 - see above

        return DocumentRenderer(stream, plan_page)
    from dataware.report.markdown import markdown  # noqa: PLC0415 - see above

    return DocumentRenderer(stream, markdown)
