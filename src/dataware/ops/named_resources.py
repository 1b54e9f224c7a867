"""What two places that a person has named hold, before anything is done with them.

Nothing found is no success where somebody named the part of a bucket in which it should be.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from urllib.parse import unquote

from dataware.core.errors import InputError, LookupFailedError, RefusedError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Location
from dataware.core.ports import Aws, Emit
from dataware.core.reader import MakeReader
from dataware.ops.history_check import WAY_ON

_PATTERN = re.compile(r"[*?]+|\[[^\]]+\]|\{[^{}]*,[^{}]*\}")
"""What is a pattern for shells, the AWS CLI and s5cmd."""


def address_of(kind: Kind, place: Location) -> str:
    """A place as people write it."""
    if place.name.startswith("arn:"):
        return place.name
    scheme = kind.require_copying().scheme
    return f"{scheme}://{place.name}" + (f"/{place.prefix}" if place.prefix else "")


def _holds_anything(make: MakeReader, aws: Aws, place: Location, *, all_versions: bool) -> bool:
    """Whether a part of a bucket holds any record, by one page of its listing."""
    reader = make(aws, place, all_versions=all_versions, deep=False)
    return any(page.records for page in reader.pages(""))


def check_part(kind: Kind, aws: Aws, place: Location, *, all_versions: bool) -> None:
    """Raise InputError where a named part of a bucket holds nothing, Refused for history alone."""
    if not place.prefix or kind.copying is None:
        return
    if _holds_anything(kind.copying.reader, aws, place, all_versions=all_versions):
        return
    if not all_versions and holds_history(kind.copying.reader, aws, place):
        raise RefusedError(
            f"nothing was changed, because {address_of(kind, place)} {kind.copying.history}, so "
            f"nothing would be copied; {WAY_ON}"
        )
    raise InputError(describe_empty(kind, place))


def holds_history(make: MakeReader | None, aws: Aws, place: Location) -> bool:
    """Whether older versions are there; who may not list them is told that nothing is there."""
    if make is None:
        return False
    with suppress(LookupFailedError):
        return _holds_anything(make, aws, place, all_versions=True)
    return False


def describe_empty(kind: Kind, place: Location) -> str:
    """Why nothing may have been found under a prefix, and what to write instead."""
    named = address_of(kind, place)
    text = f"{named} holds nothing: no key of the {kind.noun} {place.name} begins with"
    text += f" {place.prefix}"
    at = address_of(kind, replace(place, prefix="")) + "/"
    if pattern := _PATTERN.search(place.prefix):
        plain = at + place.prefix[: pattern.start()]
        return f"{text}; a prefix is text, not a pattern, so leave the {pattern[0]} out: {plain}"
    if place.prefix.startswith("/"):
        plain = at + place.prefix.lstrip("/")
        return f"{text}; few keys begin with /, so leave it out: {plain}"
    if (plain := unquote(place.prefix)) != place.prefix:
        return f"{text}; a prefix is written as it is, without escapes: {at}{plain}"
    return f"{text}; check the prefix, its case, and whether it ends with /"


def warn_of_slashes(emit: Emit, kind: Kind, source: Location, target: Location) -> None:
    """Warn where only one of two prefixes ends between folders, because names are put together."""
    ends = [not place.prefix or place.prefix.endswith("/") for place in (source, target)]
    if ends[0] == ends[1]:
        return
    slash = "/" if not ends[0] else ""
    key, copy = f"{source.prefix}{slash}NAME", f"{target.prefix}{slash}NAME"
    text = (
        f"only one of {address_of(kind, source)} and {address_of(kind, target)} ends with /, so "
        f"the key {key} becomes {copy}; end both with / or neither"
    )
    emit(event("warning", text=text, source=source.name, name=target.name))
