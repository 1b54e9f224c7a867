"""Roles that a caller hands to a service, and the services that may get them; pure.

Sources: IAM User Guide, "Grant a user permissions to pass a role to an AWS service" (the resource
of `iam:PassRole` is the role) and "AWS global condition context keys and IAM condition context
keys" (`iam:PassedToService`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

PASS_ROLE: Final = "iam:PassRole"  # noqa: S105 - an action
PASSED_TO_SERVICE: Final = "iam:PassedToService"


class PassedRole(NamedTuple):
    """A role by its ARN, which may hold wildcards, and the services that it is handed to."""

    role: str
    services: tuple[str, ...]


def make_pass_statements(roles: Iterable[PassedRole]) -> list[dict[str, Any]]:
    """The statements that let a caller pass each role to its services, and to no other.

    Raises ValueError for a role without a service, which could be passed to any.
    """
    services: dict[str, set[str]] = defaultdict(set)
    for one in roles:
        if not one.services:
            raise ValueError(f"no service is named that {one.role} is passed to")
        services[one.role].update(one.services)
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for role, names in services.items():
        together[tuple(sorted(names))].append(role)
    return [
        {
            "Effect": "Allow",
            "Action": [PASS_ROLE],
            "Resource": sorted(arns),
            "Condition": {"StringEquals": {PASSED_TO_SERVICE: list(names)}},
        }
        for names, arns in sorted(together.items())
    ]
