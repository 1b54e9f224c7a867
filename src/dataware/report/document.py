"""A plan as one document: nothing else is written, so that the output can be kept as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any, Self, TextIO

from dataware.core.events import Event, Level
from dataware.report.output import Output

Document = Callable[[Mapping[str, Any], Sequence[str]], str]
"""Makes the text of the payload of an event that ends a plan, and of the warnings before it."""


class DocumentRenderer:
    """Waits for the plan and writes its document; a command that makes no plan writes nothing.

    `documents` go by the code of the event that ends a plan.
    """

    def __init__(self, stream: TextIO, documents: Mapping[str, Document]) -> None:
        self._output = Output(stream)
        self._documents = documents
        self._warnings: list[str] = []
        self._lock = RLock()

    def __call__(self, event: Event) -> None:
        """Take note of an event; may be called from any thread."""
        with self._lock:
            if document := self._documents.get(event.code):
                self._output.write(document(event.data, self._warnings).rstrip("\n"))
            elif event.message.level is Level.WARNING:
                self._warnings.append(event.text())

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End; what there was to write is written."""
