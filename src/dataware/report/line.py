"""How an event becomes one line of text.

With signs a line is ``sign + " " + text``. Without them (`--plain`, `NO_COLOR`, or an output that
cannot encode them) it is ``word + ": " + text``, where the word tells the level:

    info        something to know          ok          done, or as it should be
    change      something is changed       progress    how far a copy is
    warning     look at this               failed      not done
    detail      only kept in the record of the run
"""

from __future__ import annotations

from typing import TextIO

from dataware.core.events import Event, Level
from dataware.core.printable import escape_unprintable

WORDS = {
    Level.INFO: "info",
    Level.SUCCESS: "ok",
    Level.CHANGE: "change",
    Level.PROGRESS: "progress",
    Level.WARNING: "warning",
    Level.FAILURE: "failed",
    Level.DETAIL: "detail",
}


def line(event: Event, *, signs: bool) -> str:
    """The line of an event, without a line end."""
    text = escape_unprintable(event.text())
    if signs:
        return f"{event.message.sign} {text}"
    return f"{WORDS[event.message.level]}: {text}"


def can_show_signs(stream: TextIO) -> bool:
    """Whether the stream's encoding holds the signs."""
    try:
        "✅🔄→".encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def encodable(text: str, stream: TextIO) -> str:
    """The text with what the stream cannot encode replaced, so that writing never raises."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("→", "->")
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text
