"""What people call a run by: its id, the ids of its migrations, and the names that they copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dataware.core.errors import InputError
from dataware.state.runs import StoredRun, kept_runs

RUN_ID = re.compile(r"\d{8}-[0-9a-f-]*")
"""How the id of a command's run begins; the id of a migration has no hyphen."""

COMPLETED_RUNS = 30
COMPLETED_RECORDS = 500
"""How far a completion looks back, and how far into each run: a person waits for it."""


def resolve_migration(folder: Path, name: str) -> str:
    """The id of the migration that a run of this id made; any other name is answered as it is.

    Raises InputError for a run that made several.
    """
    if RUN_ID.fullmatch(name) is None:
        return name
    runs = [run for run in kept_runs(folder) if run.run.startswith(name)]
    ids = {id: target for run in runs[:1] for id, target in _targets_of(run).items()}
    if len(runs) != 1 or not ids:
        return name
    if len(ids) > 1:
        named = ", ".join(f"{target} ({id})" if target else id for id, target in ids.items())
        raise InputError(f"run {runs[0].run} made {len(ids)} migrations: name one of {named}")
    return next(iter(ids))


def migrations_of(run: StoredRun) -> list[str]:
    """The ids of the migrations that a run made or continued, in order."""
    return list(_targets_of(run))


def _targets_of(run: StoredRun) -> dict[str, str]:
    """The targets of the migrations of a run by their ids, in order; empty where none is told."""
    targets: dict[str, str] = {}
    for record in run.records():
        data: object = record.get("data")
        if not isinstance(data, dict):
            continue
        if isinstance(id := data.get("migration"), str) and id:
            targets.setdefault(id, str(data.get("name") or ""))
    return targets


def names_on_record(folder: Path) -> list[str]:
    """Ids of runs and migrations, and the names in them, those of the newest run first."""
    newest = kept_runs(folder)[:COMPLETED_RUNS]
    names = [run.run for run in newest]
    for run in newest:
        names += _names_in(run)
    return list(dict.fromkeys(names))


def names_of_migrations(folder: Path) -> list[str]:
    """The same of runs that migrate, without the names that a run only looked at."""
    names: list[str] = []
    for run in kept_runs(folder)[:COMPLETED_RUNS]:
        if sides := list(_names_in(run, migrated=True)):
            names += [run.run, *sides]
    return list(dict.fromkeys(names))


def _names_in(run: StoredRun, *, migrated: bool = False) -> Iterator[str]:
    for record in islice(run.records(), COMPLETED_RECORDS):
        data = record.get("data")
        if not isinstance(data, dict) or (migrated and not data.get("migration")):
            continue
        for field in ("name", "source", "migration"):
            value = data.get(field)
            if isinstance(value, str) and value.isprintable():
                yield value
