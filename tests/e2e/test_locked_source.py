"""A deployment without the profile that read the source which the lock file names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.assemblies import assembly, opted_in, prepare_project
from support.cli import TABLE, run
from support.worlds import KEYS, client, make_table, varied_items

THEIRS = "arn:aws:dynamodb:us-east-1:444455556666:table/orders"


@pytest.mark.parametrize("has_twin", [False, True])
def test_nothing_is_deployed_beside_the_source_of_the_lock_file(
    aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_twin: bool
) -> None:
    """Neither an empty table, nor one with the data of what has that name here."""
    monkeypatch.chdir(tmp_path)
    prepare_project()
    resource = {
        "Type": TABLE,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"TableName": "orders-prod", "BillingMode": "PAY_PER_REQUEST", **KEYS},
    }
    assembly(Path("prepared"), App={"Orders": opted_in(resource, "orders")})
    if has_twin:
        make_table("orders", varied_items(3))
    assert run("plan", "prepared", "--lock").code == 0
    lock = Path("dataware.lock.json")
    document = json.loads(lock.read_text())
    (entries,) = document["environments"].values()
    (entry,) = entries.values()
    entry |= {"action": "migrate", "rule": 3, "source": THEIRS}
    lock.write_text(json.dumps(document))
    ran = run("deploy", "--yes")
    assert ran.code == 3, ran
    assert f"fills orders-prod from {THEIRS}, which was not looked at" in ran.err
    assert "orders-prod" not in client("dynamodb").list_tables()["TableNames"]
