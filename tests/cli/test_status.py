"""`dataware status` beside a copy that goes on: on a terminal, in a pipe, as JSON."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from support.cli import ended, launch_python, run
from support.ptys import Terminal
from support.servers import FaultProxy, Gate, json_error
from support.worlds import make_table, varied_items

WATCH = ("-m", "dataware.cli", "status", "--watch", "--interval", "1")


@contextmanager
def copy_under_way(proxy: FaultProxy) -> Iterator[tuple[Gate, subprocess.Popen[str]]]:
    """A copy of two tables that is held after some items, until the gate is opened."""
    make_table("old-one", varied_items(200))
    make_table("new-one")
    gate = Gate()
    proxy.add(gate, operation="PutItem", skip=40, times=None)
    copy = launch_python("migrate", "dynamodb://old-one", "dynamodb://new-one")
    try:
        while proxy.count("PutItem") < 41:
            assert copy.poll() is None
            time.sleep(0.05)
        yield gate, copy
    finally:
        gate.open()
        copy.kill()
        copy.communicate()


def test_a_copy_is_watched_from_another_process_until_it_ends(fault_proxy: FaultProxy) -> None:
    """The watcher sees it run, then sees it complete, and ends by itself."""
    with copy_under_way(fault_proxy) as (gate, copy):
        watcher = launch_python("status", "--watch", "--interval", "1", "--format", "json")
        assert watcher.stdout is not None
        first = json.loads(watcher.stdout.readline())
        gate.open()
        assert ended(copy).code == 0
        rest = [json.loads(line) for line in ended(watcher).lines]
    assert (first["code"], first["data"]["name"]) == ("watch-progress", "new-one")
    assert first["data"]["state"] == "running"
    assert [one["code"] for one in rest if one["code"] != "watch-progress"] == [
        "migration-completed",
        "done",
    ]
    assert rest[-2]["data"]["verified"] == 200
    assert rest[-2]["data"]["run"] == first["data"]["run"]


def test_ctrl_c_ends_the_watching_and_nothing_else(fault_proxy: FaultProxy) -> None:
    """On a terminal there is a bar; the watcher leaves with exit code 0, and the copy goes on."""
    with copy_under_way(fault_proxy) as (gate, copy):
        with Terminal(WATCH) as terminal:
            assert "\x1b[" in terminal.until("new-one")
            terminal.interrupt()
            assert terminal.ended() == 0, terminal.written
            assert "Traceback" not in terminal.written
        gate.open()
        assert ended(copy).code == 0


def test_a_service_that_throttles_ends_no_watching(fault_proxy: FaultProxy) -> None:
    """Once it has begun, what cannot be seen for a moment is warned of and tried again."""
    with copy_under_way(fault_proxy) as (gate, copy):
        watcher = launch_python("status", "--watch", "--interval", "1", "--plain")
        assert watcher.stdout is not None
        assert "old-one → new-one: " in watcher.stdout.readline()
        denied = json_error("AccessDeniedException")
        fault_proxy.add(denied, operation="GetParametersByPath", times=2)
        assert watcher.stdout.readline().startswith("warning: cannot read the records")
        assert watcher.stdout.readline() == "info: the records can be read again\n"
        gate.open()
        assert ended(copy).code == 0
        seen = ended(watcher)
    assert seen.code == 0, seen
    assert "complete: 200 items verified" in seen.out


def test_status_tells_why_a_copy_has_ended(fault_proxy: FaultProxy) -> None:
    """In a pipe it is one line for each record, with the reason and what the journal knows."""
    make_table("old-one", varied_items(30))
    make_table("new-one")
    fault_proxy.add(json_error("AccessDeniedException"), operation="PutItem", skip=10, times=None)
    assert run("migrate", "dynamodb://old-one", "dynamodb://new-one").code == 4
    (line,) = run("status", "new-one", "--plain").lines
    assert line.startswith("info: old-one → new-one: incomplete: ")
    assert "AccessDenied" in line
    (happened,) = run("status", "--format", "json").events
    assert (happened["code"], happened["data"]["state"]) == ("migration-status", "incomplete")
    assert "dynamodb:PutItem" in happened["data"]["failure_reason"]
    assert happened["data"]["failure_reason"].startswith(
        "10 items are in new-one, but nothing more"
    )


@pytest.mark.parametrize(("columns", "words"), [(50, "  complete, 3 items"), (80, "RESOURCE")])
def test_a_terminal_shows_a_table_or_paragraphs(
    fault_proxy: FaultProxy, columns: int, words: str
) -> None:
    """Whichever is wide enough."""
    assert fault_proxy
    make_table("old-one", varied_items(3))
    make_table("new-one")
    assert run("migrate", "dynamodb://old-one", "dynamodb://new-one").code == 0
    with Terminal(("-m", "dataware.cli", "status"), columns=columns) as terminal:
        assert terminal.ended() == 0
    assert words in terminal.written


@pytest.mark.parametrize("watching", [(), ("--watch",)])
def test_a_record_of_a_newer_version_hides_no_other(
    fault_proxy: FaultProxy, watching: tuple[str, ...]
) -> None:
    """Every record is told of; then the exit code says that one of them could not be read."""
    assert fault_proxy
    make_table("old-one", varied_items(3))
    make_table("new-one")
    assert run("migrate", "dynamodb://old-one", "dynamodb://new-one").code == 0
    newer = "/dataware/markers/dynamodb-table/newer"
    boto3.client("ssm").put_parameter(Name=newer, Value='{"version":3}', Type="String")
    ran = run("status", "--plain", *watching)
    assert ran.code == 1, ran
    assert watching or "info: old-one → new-one: complete: 3 items verified" in ran.out
    assert f"the marker {newer} was written by a newer version of dataware" in ran.out
    assert ran.err.startswith("failed: 1 of 2 records cannot be read, such as: the marker ")
    assert ran.err.endswith("upgrade dataware\n")
    assert run("status", "new-one").code == 0


@pytest.mark.parametrize("columns", [50, 200])
def test_a_terminal_shows_it_and_says_so_at_the_end(fault_proxy: FaultProxy, columns: int) -> None:
    """The row on standard output, and the sentence on standard error."""
    assert fault_proxy
    newer = "/dataware/markers/dynamodb-table/newer"
    boto3.client("ssm").put_parameter(Name=newer, Value='{"version":3}', Type="String")
    with Terminal(("-m", "dataware.cli", "status"), columns=columns) as terminal:
        assert terminal.ended() == 1
    assert "newer" in terminal.written
    assert terminal.written.count("upgrade") == 2


def test_a_name_without_a_record_is_bad_input(fault_proxy: FaultProxy) -> None:
    """With and without --watch."""
    assert fault_proxy
    for arguments in (("nowhere",), ("nowhere", "--watch")):
        ran = run("status", *arguments)
        assert ran.code == 1
        assert "no migration into nowhere is recorded" in ran.err
