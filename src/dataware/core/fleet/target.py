"""A target: an account and region in which an app is deployed, with the way in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.errors import InputError
from dataware.core.names import is_arn, partition_of

ACCOUNT = re.compile(r"\d{12}", re.ASCII)
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/[\w+=,.@/-]+", re.ASCII)
_ROLE_NAME = re.compile(r"[\w+=,.@/-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class FleetTarget:
    """A place of the fleet: `name` tells it apart, `account` and `region` say where it is.

    Its credentials are those of `profile` (None: of the command), with which the `role`, an ARN,
    is assumed if there is one. `parameters` are those of the template, and `stack` is the stack of
    the app that is meant.
    """

    name: str
    account: str
    region: str
    profile: str | None = None
    role: str | None = None
    external_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    stack: str | None = None

    @property
    def place(self) -> str:
        """Account and region, for people."""
        return f"{self.account}, {self.region}"

    def to_json(self) -> dict[str, Any]:
        """The target as in a fleet's plan file, without parameters, which may be secrets."""
        return {
            "name": self.name,
            "account": self.account,
            "region": self.region,
            "profile": self.profile,
            "role": self.role,
            "external_id": self.external_id,
            "tags": dict(self.tags),
            "stack": self.stack,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> FleetTarget:
        """Read it back. Raises InputError for anything else."""
        texts = ("name", "account", "region")
        maybe = ("profile", "role", "external_id", "stack")
        valid = (
            all(isinstance(data.get(name), str) for name in texts)
            and all(isinstance(data.get(name), str | None) for name in maybe)
            and is_table_of_texts(data.get("tags"))
        )
        if not valid:
            raise InputError("a target of the fleet's plan is damaged; make the plan again")
        fields: Any = {name: data.get(name) for name in (*texts, *maybe, "tags")}
        return FleetTarget(**fields)


def is_table_of_texts(value: object) -> bool:
    """Whether a value is a table in which every name has a text."""
    return isinstance(value, Mapping) and all(
        isinstance(one, str) for pair in value.items() for one in pair
    )


def role_arn(role: str, account: str, region: str) -> str:
    """The ARN of a role that is given by its name, or by its ARN. Raises InputError.

    Source: IAM User Guide, "IAM identifiers" (a path may stand before the name).
    """
    if not is_arn(role):
        if _ROLE_NAME.fullmatch(role) is None:
            raise InputError(f"role {role!r} is not a role: write its name or its ARN")
        return f"arn:{partition_of(region)}:iam::{account}:role/{role.lstrip('/')}"
    match = _ROLE.fullmatch(role)
    if match is None:
        raise InputError(f"role {role} is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME")
    if match["account"] != account:
        raise InputError(
            f"role {role} is of account {match['account']}, not of {account}: name one of the "
            "target's account"
        )
    return role
