"""A run is called by its id, by its migrations, and by what they copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import InputError
from dataware.state.run_names import (
    names_of_migrations,
    names_on_record,
    resolve_migration,
)
from dataware.state.runs import FORMAT, RunFile, new_run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of records."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    return tmp_path / "runs"


def keep(folder: Path, at: float, *happened: dict[str, Any]) -> str:
    """The record of a run with these events."""
    run = new_run(at)
    file = RunFile(folder, run)
    file.write({"record": FORMAT, "run": run, "command": "apply"})
    for data in happened:
        file.write({"at": 0.0, "code": "migrated", "data": data})
    file.close()
    return run


def test_the_run_of_one_migration_stands_for_it(folder: Path) -> None:
    """Its id, or the beginning of it, as `report --list` shows it."""
    run = keep(folder, 0.0, {"name": "new", "migration": "abc123"})
    keep(folder, 1e9, {"name": "other", "migration": "def456"})
    assert resolve_migration(folder, run) == "abc123"
    assert resolve_migration(folder, "19700101-") == "abc123"


@pytest.mark.parametrize("name", ["new", "20240101-backup", "s3://a/b", "abc123", "20240101"])
def test_any_other_name_is_left_as_it_is(folder: Path, name: str) -> None:
    """A table may be called nearly like a run."""
    keep(folder, 0.0, {"name": "new", "migration": "abc123"})
    assert resolve_migration(folder, name) == name


def test_a_run_of_several_migrations_names_them(folder: Path) -> None:
    """To be chosen from: by id, and by the resource where its name was told."""
    orders = {"migration": "abc123", "name": "orders-prod"}
    run = keep(folder, 0.0, orders, {"migration": "def456"})
    chosen = r"made 2 migrations: name one of orders-prod \(abc123\), def456"
    with pytest.raises(InputError, match=chosen):
        resolve_migration(folder, run)


def test_names_on_record_are_those_of_runs_migrations_and_sides(folder: Path) -> None:
    """The newest first, each once, and nothing that a shell could not show."""
    older = keep(folder, 0.0, {"name": "new", "source": "old", "migration": "abc123"})
    newer = keep(folder, 1e9, {"name": "new", "source": "a\nb"})
    assert names_on_record(folder) == [newer, older, "new", "old", "abc123"]
    assert names_on_record(folder / "nowhere") == []


def test_names_of_migrations_leave_out_what_was_only_looked_at(folder: Path) -> None:
    """A plan of a hundred names has no migration that `status` could show."""
    run = keep(
        folder,
        0.0,
        {"name": "seen-prod", "source": "seen"},
        {"name": "new", "source": "old", "migration": "abc123"},
    )
    keep(folder, 1e9, {"name": "planned"})
    assert names_of_migrations(folder) == [run, "new", "old", "abc123"]
