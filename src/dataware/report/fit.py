"""How text is fitted to an output: measured, shortened in its middle, broken between words."""

from __future__ import annotations

from dataclasses import dataclass

NARROW = 16
"""Columns that text is laid out for at least."""


@dataclass(frozen=True, slots=True)
class Fit:
    """An output of `width` columns, or a pipe without an edge; `ascii` for one without signs."""

    width: int | None = None
    ascii: bool = False

    def measure(self, text: str) -> int:
        """The columns that text takes."""
        if self.width is None:
            return len(text)
        from rich.cells import cell_len  # noqa: PLC0415 - a pipe starts without rich

        return cell_len(text)

    def pad(self, text: str, width: int) -> str:
        """The text with spaces behind it, up to `width` columns."""
        return text + " " * (width - self.measure(text))

    def encode(self, text: str) -> str:
        """The text without signs that a plain output has no room for."""
        if not self.ascii:
            return text
        return text.replace("→", "->").replace("·", "-").replace("…", "...")

    def shorten(self, text: str, width: int) -> str:
        """The text in at most `width` columns: where it is too long, its middle is left out."""
        if self.width is None or self.measure(text) <= width:
            return text
        from dataware.report.bar import shorten_name  # noqa: PLC0415 - a pipe starts without rich

        if self.ascii:
            return self.encode(shorten_name(text, max(1, width - 2)))
        return shorten_name(text, max(1, width))

    def shorten_within(self, text: str, behind: str, width: int) -> str:
        """Text and what stands behind it in one line, of which only the text is shortened."""
        if not behind:
            return self.shorten(text, width)
        room = width - self.measure(behind) - 2
        if room < NARROW:
            return self.shorten(f"{text}, {behind}", width)
        return f"{self.shorten(text, room)}, {behind}"

    def clip(self, text: str, indent: int = 0) -> str:
        """The text behind an indent, never wider than the output."""
        return text if self.width is None else self.shorten(text, max(1, self.width - indent))

    def fold(self, text: str, indent: int) -> list[str]:
        """The text as lines behind an indent: broken between words, and in one that is too wide."""
        if self.width is None:
            return [text]
        from rich.cells import chop_cells  # noqa: PLC0415 - a pipe starts without rich

        from dataware.report.wrapping import wrap_text  # noqa: PLC0415 - see above

        room = max(1, self.width - indent)
        lines = wrap_text(text, room).split("\n")
        return [part for line in lines for part in chop_cells(line, room) or [""]]
