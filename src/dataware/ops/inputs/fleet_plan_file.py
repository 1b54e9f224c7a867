"""The plan of a fleet in a file: inert JSON, read back only as it was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.core.fleet.plan import FleetPlan
from dataware.ops.inputs.files import check_wanted, write_json
from dataware.ops.inputs.reading import read_json


def save_fleet_plan(plan: FleetPlan, path: Path) -> None:
    """Write the file as a whole. Raises InputError."""
    write_json(path, plan.to_json())


def is_fleet_plan(path: Path) -> bool:
    """Whether a file is the plan of a fleet; False for what is no JSON object."""
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and "hash" in data and isinstance(data.get("targets"), list)


def read_fleet_plan(path: Path) -> FleetPlan:
    """The plan in a file. Raises InputError."""
    return read_fleet_document(path)[0]


def read_fleet_document(path: Path) -> tuple[FleetPlan, Any]:
    """The plan in a file, and the JSON that it was read from. Raises InputError."""
    data = read_json(path)
    try:
        plan = FleetPlan.from_json(data)
        for one in plan.resources:
            check_wanted(one.wanted)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return plan, data
