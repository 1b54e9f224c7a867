"""What a plan asks of AWS: every question once, and no more with every resource than it takes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.cli import run
from support.servers import FaultProxy, Seen
from support.worlds import KEYS, make_bucket, make_table, retained

MOST_CALLS = {"bucket": 21, "table": 11}
"""Calls for one more resource: both of its names, one of which is there and full."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)


def bucket(name: str) -> Mapping[str, Any]:
    """A bucket that falls back to an older one."""
    declared = retained("AWS::S3::Bucket", BucketName=name)
    return {**declared, "Metadata": {"Dataware": {"Fallback": [f"{name}-old"]}}}


def table(name: str) -> Mapping[str, Any]:
    """A table that falls back to an older one."""
    declared = retained("AWS::DynamoDB::Table", TableName=name, **KEYS)
    declared["Properties"]["BillingMode"] = "PAY_PER_REQUEST"
    return {**declared, "Metadata": {"Dataware": {"Fallback": [f"{name}-old"]}}}


def asked_for(proxy: FaultProxy, resources: Mapping[str, Any]) -> list[Seen]:
    """The requests of a plan."""
    Path("app.json").write_text(json.dumps({"Resources": resources}))
    proxy.clear()
    ran = run("plan", "app.json")
    assert ran.code in {0, 3}, ran
    return list(proxy.seen)


@pytest.mark.parametrize("kind", MOST_CALLS)
@pytest.mark.parametrize("there", ["", "-old"])
def test_a_plan_asks_nothing_twice_and_each_resource_takes_so_many_calls(
    kind: str, there: str, fault_proxy: FaultProxy
) -> None:
    """Whether the preferred one is there, and compared with its template, or the older one."""
    names = [f"things-{number}" for number in range(3)]
    for name in names:
        if kind == "bucket":
            make_bucket(f"{name}{there}", [{"Key": "key", "Body": b"data"}])
        else:
            make_table(f"{name}{there}", [{"pk": {"S": "a"}}])
    declare = bucket if kind == "bucket" else table
    one = asked_for(fault_proxy, {"Thing0": declare(names[0])})
    three = asked_for(
        fault_proxy, {f"Thing{number}": declare(name) for number, name in enumerate(names)}
    )
    questions = Counter((seen.operation, seen.target, seen.body) for seen in three)
    assert [each for each, count in questions.items() if count > 1] == []
    assert (len(three) - len(one)) / 2 <= MOST_CALLS[kind], Counter(s.operation for s in three)
