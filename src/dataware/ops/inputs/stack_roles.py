"""The roles that CDK assumes for a stack, as its synth writes them.

Source: AWS CDK documentation, "Cloud assembly schema" (`assumeRoleArn`, `lookupRole`), and
"Customize CDK stack synthesis" (the placeholders of an environment).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.names import partition_of
from dataware.ops.inputs.wanted import StackEnvironment


@dataclass(frozen=True, slots=True)
class StackRole:
    """A role by its ARN, and the external id that its trust policy asks for."""

    arn: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class StackRoles:
    """The roles of one stack: that for looking up what is there, and that for deploying."""

    lookup: StackRole | None = None
    deploy: StackRole | None = None


NO_ROLES = StackRoles()


def read_roles(properties: Mapping[str, Any], environment: StackEnvironment) -> StackRoles:
    """The roles in the properties of a stack's artifact; none where it leaves them open."""
    lookup = properties.get("lookupRole")
    return StackRoles(
        _read_role(lookup, "arn", environment) if isinstance(lookup, Mapping) else None,
        _read_role(properties, "assumeRoleArn", environment),
    )


def _read_role(
    holder: Mapping[str, Any], name: str, environment: StackEnvironment
) -> StackRole | None:
    arn, external_id = holder.get(name), holder.get("assumeRoleExternalId")
    if not isinstance(arn, str) or environment.account is None or environment.region is None:
        return None
    places = {
        "${AWS::Partition}": partition_of(environment.region),
        "${AWS::AccountId}": environment.account,
        "${AWS::Region}": environment.region,
    }
    for placeholder, value in places.items():
        arn = arn.replace(placeholder, value)
    return StackRole(arn, external_id if isinstance(external_id, str) else None)
