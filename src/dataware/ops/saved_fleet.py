"""The plan of a fleet as its file has it, with what the guard said of each target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.core.fleet.plan import FleetPlan
from dataware.ops.inputs.fleet_plan_file import read_fleet_document
from dataware.ops.saved_plan import saved_plan_of


def read_saved_fleet(path: Path) -> tuple[FleetPlan, Mapping[str, Mapping[str, Any]]]:
    """The plan in a file, whole, and what is shown of each target's, by its name.

    Raises InputError for anything else.
    """
    made, data = read_fleet_document(path)
    shown: dict[str, Mapping[str, Any]] = {}
    targets = []
    for one, entry in zip(made.targets, data["targets"], strict=True):
        if one.plan is None:
            targets.append(one)
            continue
        try:
            saved = saved_plan_of(one.plan, entry["plan"])
        except InputError as error:
            raise InputError(f"{path}: target {one.target.name}: {error}") from error
        shown[one.target.name] = saved.shown
        targets.append(replace(one, plan=saved.plan))
    return replace(made, targets=tuple(targets)), shown
