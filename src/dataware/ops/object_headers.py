"""The headers of a copy's objects, and who pays for its requests: checked, kept and found again.

A migration that is resumed goes on with what it began with, because a bucket whose objects are
encrypted in two ways is what nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Marker, MarkerState
from dataware.core.object_headers import ObjectHeaders
from dataware.ops.context import CopySettings

OBJECT_HEADERS = "object_headers"
"""What a record calls the headers of the objects, and that requests are paid for."""

_PAYS = "requester_pays"


def check_object_headers(settings: CopySettings, kinds: Iterable[Kind]) -> None:
    """Raise InputError for headers that S3 does not take, or where nothing that is copied has any.

    Tables have their encryption and their policies as properties, not by the item.
    """
    headers = settings.object_headers
    if problem := headers.problem():
        raise InputError(problem)
    if not (headers or settings.requester_pays):
        return
    nouns = {kind.short for kind in kinds if not (kind.copying and kind.copying.object_headers)}
    if len(nouns) == len({kind.short for kind in kinds}):
        what = f"a {nouns.pop()}" if len(nouns) == 1 else "anything here"
        raise InputError(
            f"--sse, --acl and --request-payer are for objects, not for {what}; leave them out"
        )


def record_headers(settings: CopySettings) -> dict[str, object]:
    """What the record keeps of the headers; nothing where there are none."""
    headers = settings.object_headers
    detail: dict[str, object] = {
        "encryption": headers.encryption,
        "kms_key": headers.kms_key,
        "acl": headers.acl,
        _PAYS: settings.requester_pays,
    }
    detail = {name: value for name, value in detail.items() if value}
    return {OBJECT_HEADERS: detail} if detail else {}


def with_recorded_headers(settings: CopySettings, marker: Marker) -> CopySettings:
    """The settings, with what an unfinished migration began with where they say nothing."""
    recorded = marker.detail.get(OBJECT_HEADERS)
    if marker.state is not MarkerState.RUNNING or not isinstance(recorded, Mapping):
        return settings
    before = ObjectHeaders(
        *(str(recorded.get(name, "")) for name in ("encryption", "kms_key", "acl"))
    )
    return replace(
        settings,
        object_headers=settings.object_headers.over(before),
        requester_pays=settings.requester_pays or recorded.get(_PAYS) is True,
    )
