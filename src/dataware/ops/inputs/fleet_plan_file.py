"""The plan of a fleet in a file: inert JSON, read back only as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.core.fleet.plan import FleetPlan
from dataware.ops.inputs.files import holds_json, is_plan, read_checked_json, write_json


def save_fleet_plan(plan: FleetPlan, path: Path) -> None:
    """Write the file as a whole. Raises InputError."""
    write_json(path, plan.to_json())


def is_fleet_plan(path: Path, *, of_app: bool = False) -> bool:
    """Whether a file is the plan of a fleet; False for what is no JSON object.

    With `of_app` it has to be one that holds the environments of an app.
    """
    return holds_json(path, "of_app" if of_app else "hash", rows="targets")


def read_fleet_document(path: Path) -> tuple[FleetPlan, Any]:
    """The plan in a file, and the JSON that it was read from. Raises InputError."""
    return read_checked_json(path, FleetPlan.from_json)


def refuse_plan(path: Path) -> None:
    """Raise InputError for a saved plan, of whatever sort, where an app is asked for."""
    if is_plan(path) or is_fleet_plan(path, of_app=True):
        raise InputError(f"{path} is a saved plan: run `dataware show {path}`")
    if is_fleet_plan(path):
        raise InputError(
            f"{path} is the plan of a fleet: run `dataware fleet apply {path}`, or show it with "
            f"`dataware show {path}`"
        )
