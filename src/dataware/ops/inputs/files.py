"""Plan files and the lock file: inert JSON, written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from dataware.core.errors import InputError
from dataware.core.fleet.plan import FleetPlan
from dataware.core.lock_file import (
    FILE,
    check_merged,
    lock_document,
    lock_entries,
    lock_key,
    parse_environments,
)
from dataware.core.model import Wanted
from dataware.core.plan import Plan
from dataware.kinds import load
from dataware.ops.inputs.reading import InputSection, parse_json, read_json, read_text
from dataware.ops.inputs.wanted import check_names, check_properties

LOCK = Path(FILE)

PlanDocument = TypeVar("PlanDocument", Plan, FleetPlan)


def is_plan(path: Path) -> bool:
    """Whether a file is a plan, rather than an app; False for what is no JSON object."""
    return holds_json(path, "version", rows="resources")


def holds_json(path: Path, field: str, *, rows: str) -> bool:
    """Whether a file is a JSON object that has a field, and rows in another one."""
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and field in data and isinstance(data.get(rows), list)


def read_plan(path: Path) -> Plan:
    """The plan in a file. Raises InputError."""
    return read_plan_document(path)[0]


def read_plan_document(path: Path) -> tuple[Plan, Any]:
    """The plan in a file, and the JSON that it was read from. Raises InputError."""
    return read_checked_json(path, Plan.from_json)


def read_checked_json(path: Path, read: Callable[[Any], PlanDocument]) -> tuple[PlanDocument, Any]:
    """What `read` makes of a file's JSON, with that; its resources are checked as an input's."""
    data = read_json(path)
    try:
        plan = read(data)
        for one in plan.resources:
            check_wanted(one.wanted)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return plan, data


def check_wanted(wanted: Wanted) -> None:
    """Refuse what no input would have let into a plan."""
    kind = load(wanted.type)
    section = InputSection(f"resource {wanted.id}", {})
    check_names(section, kind, wanted.preferred, wanted.fallbacks)
    check_properties(section, kind, wanted.properties)


def check_writable(path: Path) -> None:
    """Raise InputError unless a file can be written at `path`; asked before AWS is."""
    if str(path) == "-":
        raise InputError("- is not a file: name one, or print the plan with --format json")
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file")
    if _is_special(path):
        return
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path} cannot be written: folder {folder} is not writable")


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan file."""
    write_json(path, plan.to_json())


def read_environments(path: Path = LOCK) -> dict[str, Any]:
    """What the lock file holds; nothing without one.

    Raises InputError for a file into which no decision can be written: asked before anything else
    is done, so that nothing is done in vain.
    """
    if not path.exists():
        return {}
    text = read_text(path, holds="decisions; remove it")
    check_merged(text, path)
    return parse_environments(parse_json(text, path), path)


def save_lock(
    plan: Plan, path: Path = LOCK, *, stacks: Iterable[str] = (), prune: bool = False
) -> list[str]:
    """Write the plan's decisions into the lock file, beside those of other stacks and stages.

    Answers with the stale entries: those of the plan's stacks and of `stacks`, in the plan's
    account and region, that the plan has no decision on. They stay, because another stage of the
    same stack may need them, unless `prune` removes them.
    """
    environments = read_environments(path)
    here = f"{plan.account}/{plan.region}"
    before, entries = dict(environments.get(here) or {}), lock_entries(plan)
    planned = {*stacks, *(entry["stack"] for entry in entries.values())}
    stale = sorted(
        key
        for key, entry in before.items()
        if key not in entries and isinstance(entry, dict) and entry.get("stack") in planned
    )
    gone = {*(stale if prune else ()), *_under_other_types(plan)}
    others = {key: entry for key, entry in before.items() if key not in gone}
    environments[here] = others | entries
    # Sorted, so that the order of constructs in the app makes no difference in version control.
    write_json(path, lock_document(environments), sort_keys=True)
    return stale


def _under_other_types(plan: Plan) -> set[str]:
    """The keys of the plan's resources as other types that declare the same kind of thing."""
    return {
        lock_key(cfn_type, one.wanted.preferred)
        for one in plan.resources
        for cfn_type in load(one.wanted.type).all_types
        if cfn_type != one.wanted.type
    }


def write_json(path: Path, data: object, *, sort_keys: bool = False) -> None:
    """Write a file as a whole. Raises InputError."""
    text = json.dumps(data, indent=2, sort_keys=sort_keys, ensure_ascii=False) + "\n"
    try:
        if _is_special(path):
            path.write_text(text, encoding="utf-8")
        else:
            _replace(Path(os.path.realpath(path)), text)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def _is_special(path: Path) -> bool:
    """Whether this is a device or a pipe, which is written to and never replaced."""
    return path.exists() and not path.is_file()


def _replace(path: Path, text: str) -> None:
    """Replace a file at once, so that a reader never sees half of it."""
    name = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        # A file that is new here gets the mode that the umask leaves.
        with name.open("x", encoding="utf-8") as file:
            file.write(text)
        name.replace(path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise
