"""Copies that cannot be whole: what they leave out, and the consent that they need."""

from __future__ import annotations

from typing import Any

from dataware.calc.words import list_words, with_article
from dataware.core.errors import RefusedError
from dataware.core.kind import Kind
from dataware.ops.context import CopySettings

NOT_CARRIED = "not_carried"
"""What a record calls what its migration has left out, which so is no complete one."""


def list_not_carried(kind: Kind) -> tuple[str, ...]:
    """What of a resource no copy carries; empty for a type that is copied whole."""
    return kind.copying.not_carried if kind.copying else ()


def describe_partial(kind: Kind) -> str:
    """What a copy leaves out, in a clause."""
    return f"it leaves out {list_words(list_not_carried(kind))}"


def require_consent(kind: Kind, settings: CopySettings) -> None:
    """Raise RefusedError where a copy would be partial and nobody has agreed to that."""
    if list_not_carried(kind) and not settings.allow_partial:
        raise RefusedError(
            f"a copy of {with_article(kind.noun)} is partial: {describe_partial(kind)}; nothing "
            "was changed: accept that with --allow-partial"
        )


def record_end(kind: Kind, compared: int) -> dict[str, Any]:
    """What the record says of a migration that has ended well, and of what it has left out."""
    left_out = list_not_carried(kind)
    partial = {NOT_CARRIED: list(left_out)} if left_out else {}
    return {"verified": compared, "unit": kind.unit, **partial}
