"""Paginators of the SDK's clients that end.

The SDK notices a page that names itself as the next one; a circle of several pages it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.page_cursor import PageCursor


def end_circles(client: Any) -> None:
    """Let the paginators of a client raise LookupFailedError where they would go in circles."""
    make: Callable[[str], Any] = client.get_paginator

    def paginator(name: str) -> _Paginator:
        return _Paginator(make(name), client.meta.method_to_api_mapping[name])

    client.get_paginator = paginator


@dataclass(frozen=True, slots=True)
class _Paginator:
    """A paginator of the SDK."""

    made: Any
    call: str

    def paginate(self, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """The pages."""
        names = self.made._pagination_cfg["output_token"]
        tokens = [names] if isinstance(names, str) else names
        cursor = PageCursor(self.call, "what is asked for")
        for page in self.made.paginate(**arguments):
            yield page
            place = [page.get(name) for name in tokens]
            if any(place):
                cursor.advance(place)
