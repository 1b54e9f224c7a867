"""What a deployment asks for: the properties of its custom resource, which are strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.model import Location, OnConflict
from dataware.kinds import load
from dataware.ops.context import CopySettings
from dataware.ops.migration_job import MigrationJob


def job_of(properties: Mapping[str, Any], *, execution: str, now: float) -> MigrationJob:
    """The job in the properties of a custom resource. Raises ValueError for an unknown word."""
    policy, rate = properties.get("OnConflict"), properties.get("MaxRate")
    settings = CopySettings(
        on_conflict=OnConflict(policy) if policy else None,
        all_versions=properties.get("AllVersions") == "true",
        allow_skipped=properties.get("AllowSkipped") == "true",
        max_rate=float(rate) if rate else None,
        follow=bool(properties.get("Carrier")),
        enable_feed=properties.get("EnableStream") == "true",
    )
    return MigrationJob(
        properties["Type"],
        place_of(properties, "Source"),
        place_of(properties, "Target"),
        settings,
        execution,
        now + float(properties["Seconds"]),
        int(properties["Workers"]),
        environment=properties.get("Environment", {}),
        carrier=properties.get("Carrier", ""),
    )


def place_of(properties: Mapping[str, str], side: str) -> Location:
    """The place of one side: the properties that begin with its name."""
    return Location(
        properties[side],
        owner=properties[f"{side}Owner"],
        region=properties[f"{side}Region"],
        prefix=properties.get(f"{side}Prefix", ""),
    )


def physical_id(properties: Mapping[str, str]) -> str:
    """The same for create, update, failure and delete, as long as the target is the same."""
    prefix = properties.get("TargetPrefix", "")
    name = properties["Target"] + (f"/{prefix}" if prefix else "")
    return f"dataware:{load(properties['Type']).names.slug}:{name}"
