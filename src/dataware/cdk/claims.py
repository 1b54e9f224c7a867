"""Which names the constructs of an app lay claim to, so that two never want the same.

Names are compared by ARN: a bucket's name is unique everywhere, a table's in its account and
region. Only strings are kept, by the app's number in the process; a construct that goes away in
Python lives on in the app.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from constructs import Construct

from dataware.cdk.request import ResourceRequest
from dataware.cdk.stack_scope import StackScope
from dataware.cdk.versions import add_warning


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims within one app: construct paths by ARN."""

    preferred: dict[str, str] = field(default_factory=dict)
    fallbacks: dict[str, list[str]] = field(default_factory=dict)


_BY_APP: dict[str, Claims] = {}


def claim(construct: Construct, asked: ResourceRequest, home: StackScope) -> None:
    """Record what a construct wants.

    Raises ValueError if another one prefers the same name; warns where a name is one construct's
    preferred and another's fallback.
    """
    claims = _BY_APP.setdefault(home.app, Claims())
    place = (home.account, home.region, "aws")
    arn = _key(asked, asked.preferred, place)
    other = claims.preferred.setdefault(arn, asked.path)
    if other != asked.path:
        raise ValueError(
            f"{asked.path}: {other} has the same preferred_name {asked.preferred}: two resources "
            "cannot share a name"
        )
    for path in claims.fallbacks.get(arn, []):
        _warn(construct, path, asked.preferred, asked.path)
    for name in asked.fallbacks:
        arn = _key(asked, name, place)
        claims.fallbacks.setdefault(arn, []).append(asked.path)
        if arn in claims.preferred:
            _warn(construct, asked.path, name, claims.preferred[arn])


def _key(asked: ResourceRequest, name: str, place: tuple[str, str, str]) -> str:
    """The ARN with the name behind it, which not every ARN holds."""
    return f"{asked.kind.access.arns(name, *place)[0]} {name}"


def _warn(construct: Construct, path: str, name: str, owner: str) -> None:
    text = f"{path} falls back to {name}, which {owner} prefers: data may move between the two"
    add_warning(construct, "dataware:shared-name", text)
