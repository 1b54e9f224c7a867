"""An app in which one resource falls back to what another one is about to fill."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cli import KEYED_BY_PK, TABLE, run, toml_resource, write_toml
from support.worlds import client, items_of, make_table

ITEMS = [{"pk": {"S": str(number)}} for number in range(5)]


@pytest.fixture(autouse=True)
def older_table(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data under the oldest name alone."""
    monkeypatch.chdir(tmp_path)
    make_table("Orders", ITEMS)


def app(archive: str) -> Path:
    """Two tables, the first of which falls back to a table that is not there yet, or to Orders."""
    return write_toml(
        Path("app.toml"),
        toml_resource(TABLE, "Orders-2026", archive, properties=KEYED_BY_PK),
        toml_resource(TABLE, "Orders-prod", "Orders", properties=KEYED_BY_PK),
    )


def test_what_is_filled_first_is_the_source_of_the_other() -> None:
    """Nothing is made or copied as long as both are meant; then each gets all of it."""
    ran = run("apply", app("Orders-prod"))
    assert ran.code == 3, ran
    assert "Orders-2026 would copy from Orders-prod, which" in ran.out
    assert client("dynamodb").list_tables()["TableNames"] == ["Orders"]
    assert run("apply", "app.toml", "--only", "Orders-prod").code == 0
    ran = run("apply", "app.toml")
    assert ran.code == 0, ran
    assert items_of("Orders-2026") == items_of("Orders-prod") == items_of("Orders")


def test_one_older_source_serves_both() -> None:
    """Nothing waits for anything else then."""
    assert run("apply", app("Orders")).code == 0
    assert items_of("Orders-2026") == items_of("Orders-prod") == items_of("Orders")
