"""The profile that reads the sources of a plan, and what their names mean then; pure.

A plain name of a fallback means a resource of the profile's own account and region, so where that
is another one it is named by its ARN from then on: in facts, in decisions, and on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Location, Wanted
from dataware.core.names import (
    ResourceName,
    full_name,
    is_regional,
    parse_name,
    partition_of,
    plain_name,
)


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """The profile by which sources are read, with the account and region that it is of."""

    profile: str
    account: str
    region: str

    def to_json(self) -> dict[str, str]:
        """The profile as in the plan file."""
        return {"profile": self.profile, "account": self.account, "region": self.region}

    @staticmethod
    def from_json(data: Mapping[str, Any] | None) -> SourceProfile | None:
        """What `to_json` wrote, if anything. Raises KeyError, TypeError and ValueError."""
        if data is None:
            return None
        values = [data[name] for name in ("profile", "account", "region")]
        if not all(isinstance(one, str) and one for one in values):
            raise ValueError("source_profile holds no three texts")
        return SourceProfile(*values)

    def name_fallbacks(self, kind: Kind, wanted: Wanted, account: str, region: str) -> Wanted:
        """The resource, whose fallbacks are named as in the account and region of a run.

        Raises InputError for an ARN in a partition of neither side, and for one resource twice.
        """
        if not is_read_by_profile(kind):
            return wanted
        home = Location("", account, region)
        names = tuple(self._name(kind, wanted, name, home) for name in wanted.fallbacks)
        if len(set(names)) != len(names):
            raise InputError(
                f"{wanted.id} gives one fallback twice, by its name and by its ARN: remove one of "
                "the two"
            )
        return replace(wanted, fallbacks=names)

    def _name(self, kind: Kind, wanted: Wanted, text: str, home: Location) -> str:
        parsed = parse_name(kind, text) or ResourceName(text, text)
        sides = {partition_of(home.region), partition_of(self.region)}
        if parsed.partition not in {None, *sides}:
            raise InputError(
                f"{wanted.id}: {text} is in partition {parsed.partition}, of which neither the run "
                f"nor the profile {self.profile} is: choose another profile"
            )
        if not is_regional(kind):
            return plain_name(kind, text)
        owner, region = parsed.account or self.account, parsed.region or self.region
        return full_name(kind, Location(parsed.name, owner, region), home)


def is_read_by_profile(kind: Kind) -> bool:
    """Whether the data of a type can pass through this machine, read by other credentials."""
    return kind.copying is not None and kind.copying.relays
