"""The plan of a fleet in a file: inert JSON, read back only as it was written."""

from __future__ import annotations

from pathlib import Path

from dataware.core.errors import InputError
from dataware.core.fleet.plan import FleetPlan
from dataware.ops.inputs.files import check_wanted, write_json
from dataware.ops.inputs.reading import read_json


def save_fleet_plan(plan: FleetPlan, path: Path) -> None:
    """Write the file as a whole. Raises InputError."""
    write_json(path, plan.to_json())


def read_fleet_plan(path: Path) -> FleetPlan:
    """The plan in a file. Raises InputError."""
    data = read_json(path)
    try:
        plan = FleetPlan.from_json(data)
        for one in plan.resources:
            check_wanted(one.wanted)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return plan
