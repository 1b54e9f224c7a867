"""Which names the constructs of an app lay claim to, so that two never want the same.

A bucket's name is unique everywhere, a table's in its account and region. Only strings are kept, by
the app's number in the process; a construct that goes away in Python lives on in the app.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from constructs import Construct

from dataware.cdk.request import ResourceRequest
from dataware.cdk.stack_scope import StackScope
from dataware.cdk.versions import add_warning
from dataware.core.names import identify_name


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims within one app: construct paths by what names a resource."""

    preferred: dict[tuple[str, str], str] = field(default_factory=dict)
    fallbacks: dict[tuple[str, str], list[str]] = field(default_factory=dict)


_BY_APP: dict[str, Claims] = {}


def claim(construct: Construct, request: ResourceRequest, home: StackScope) -> None:
    """Record what a construct wants.

    Raises ValueError if another one prefers the same name; warns where a name is one construct's
    preferred and another's fallback.
    """
    claims = _BY_APP.setdefault(home.app, Claims())
    name_key = partial(identify_name, request.kind, account=home.account, region=home.region)
    key = name_key(request.preferred)
    other = claims.preferred.setdefault(key, request.path)
    if other != request.path:
        raise ValueError(
            f"{request.path}: {other} has the same preferred_name {request.preferred}: two "
            "resources cannot share a name"
        )
    for path in claims.fallbacks.get(key, []):
        _warn(construct, path, request.preferred, request.path)
    for name in request.fallbacks:
        key = name_key(name)
        claims.fallbacks.setdefault(key, []).append(request.path)
        if key in claims.preferred:
            _warn(construct, request.path, name, claims.preferred[key])


def _warn(construct: Construct, path: str, name: str, owner: str) -> None:
    text = f"{path} falls back to {name}, which {owner} prefers: data may move between the two"
    add_warning(construct, "dataware:shared-name", text)
