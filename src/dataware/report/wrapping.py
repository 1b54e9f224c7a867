"""Lines that fit into a window: broken between words, never inside a name that would fit."""

from __future__ import annotations

from rich.cells import cell_len


def wrap_text(text: str, width: int) -> str:
    """The text with line ends before the words that would cross the edge of the window."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}"
        if lines[-1] and cell_len(longer) > width and cell_len(word) <= width:
            lines.append(word)
        else:
            lines[-1] = longer if lines[-1] else word
    return "\n".join(lines)
