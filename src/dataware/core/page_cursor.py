"""Listings that come in pages, and servers that would never let one end; pure.

Every page names where the next one begins. A server that names a place again, directly or after
others, goes in circles; one that answers nothing but empty pages does not move on either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.model import Problem

EMPTY_PAGES: int = 1000
"""How many empty pages in a row are still taken for a listing that moves on."""

EMPTY_REPEATS: int = 8
"""How often an empty page may name itself as the next one: that is a look that came too early."""


class PageCursor:
    """Follows where the pages of a listing continue, and keeps two of these places.

    A place is compared with one that was kept at a power of two, so that a circle of any length is
    seen after at most three times its length (R. P. Brent, "An improved Monte Carlo factorization
    algorithm").
    """

    def __init__(self, call: str, what: str) -> None:
        self._call = call
        self._what = what
        self._kept: object = None
        self._pages = self._until = 1
        self._empty = self._repeats = 0

    def advance(self, place: object, *, entries: int = 1) -> None:
        """Go on to `place` after a page of `entries` entries; LookupFailedError in a circle."""
        self._empty = 0 if entries else self._empty + 1
        self._repeats = 0 if entries else self._repeats
        if place == self._kept:
            self._repeats += 1
            if entries or self._repeats >= EMPTY_REPEATS:
                raise self._stuck("RepeatedCursor", "names a page again that it has already shown")
        if self._empty >= EMPTY_PAGES:
            raise self._stuck("EmptyPages", f"answers {EMPTY_PAGES} empty pages in a row")
        if self._pages == self._until:
            self._kept, self._until, self._pages = place, self._until * 2, 0
        self._pages += 1

    def _stuck(self, code: str, how: str) -> LookupFailedError:
        return LookupFailedError(
            f"cannot access all of {self._what}: {self._call} {how}, so its listing never ends; "
            "check --endpoint-url and proxies",
            Problem(self._call, code, None, how),
        )


def list_pages(
    cursor: PageCursor, ask: Callable[..., Mapping[str, Any]], field: str = "NextToken"
) -> Iterator[Mapping[str, Any]]:
    """Every page of a listing for which the SDK has no paginator; `field` names the next one.

    Raises LookupFailedError in a circle, and what `ask` raises.
    """
    page = ask()
    yield page
    while place := page.get(field):
        cursor.advance(place)
        page = ask(**{field: place})
        yield page
