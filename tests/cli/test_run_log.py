"""Each command that looks at data or moves it leaves a record, and is not in its own way for it."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from dataware.cli.current_run import slot
from dataware.cli.run_log import RunLog, shown_arguments, with_run_log
from dataware.core.events import Event, event
from dataware.embedded import EmbeddedAws
from dataware.embedded.environment import ignore
from dataware.state.runs import StoredRun, find_run, kept_runs, runs_folder
from support.cli import ALL_COMMANDS, launch_python, run, table_app
from support.worlds import make_table

PAIR = ("dynamodb://Old", "dynamodb://New")


def the_run() -> StoredRun:
    """The newest run on record."""
    return find_run(runs_folder(), None)


def codes(kept: StoredRun) -> list[str]:
    """The codes on record, in order."""
    return [str(record["code"]) for record in kept.records()]


@pytest.fixture
def pair(aws_server: EmbeddedAws) -> EmbeddedAws:
    """A table with 60 items, and one with an item of its own."""
    make_table("Old", ({"pk": {"S": f"k{n:02}"}} for n in range(60)))
    make_table("New", [{"pk": {"S": "k07"}, "mine": {"S": "secret-value"}}])
    return aws_server


@pytest.mark.usefixtures("pair")
def test_a_copy_leaves_what_happened() -> None:
    """Account, progress, keys left behind, counts and the end are on record, and no value is."""
    ran = run("migrate", *PAIR, "--endpoint-url", os.environ["AWS_ENDPOINT_URL"])
    assert ran.code == 4
    kept = the_run()
    records = {str(record["code"]): record["data"] for record in kept.records()}
    assert kept.beginning["command"] == "migrate"
    assert kept.beginning["arguments"][:2] == list(PAIR)
    assert set(kept.beginning["versions"]) >= {"dataware", "Python", "boto3", "system"}
    assert records["where"] == {"account": "000000000000", "region": "us-east-1"}
    assert records["progress"]["done"] == 59, "what is skipped does not count as done"
    assert [("k07" in key) for key in records["skipped"]["keys"]] == [True]
    assert records["copy-totals"]["copied"] == 59
    assert records["copy-totals"]["skip_reasons"] == {"conflict": 1}
    assert records["end"]["exit_code"] == 4
    assert "1 item not copied to New" in records["end"]["reason"]
    assert "secret-value" not in kept.path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("pair")
def test_the_record_of_a_migration_names_the_run_of_the_command() -> None:
    """`status` shows the id by which `report` makes the report."""
    assert run("migrate", *PAIR, "--on-conflict", "target").code == 0
    (status,) = run("status", "--plain").lines
    assert status.endswith(f"run {the_run().run}")
    (again,) = run("status", the_run().run, "--plain").lines
    assert again.rpartition(";")[2] == status.rpartition(";")[2]


@pytest.mark.parametrize(
    ("command", "code", "hinted"),
    [
        ("apply", 0, True),
        ("migrate", 4, True),
        ("plan", 0, False),
        ("verify", 0, False),
        ("verify", 2, True),
    ],
)
def test_the_report_is_pointed_at_where_one_is_wanted(
    command: str, code: int, hinted: bool
) -> None:
    """Also where the records lie in a temporary folder, as in a container."""
    assert runs_folder().is_relative_to(tempfile.gettempdir())
    with click.Context(ALL_COMMANDS[command], info_name=command) as context:
        log = RunLog(context, ignore)
    log.end(code, None)
    assert (log.hint is not None) is hinted


@pytest.mark.usefixtures("pair")
def test_a_comparison_leaves_every_difference() -> None:
    """Also those beyond the few that are shown."""
    ran = run("verify", *PAIR)
    assert ran.code == 2
    apart = {
        r["data"]["difference"]: r["data"]["keys"]
        for r in the_run().records()
        if r["code"] == "compared-different"
    }
    assert {side: len(keys) for side, keys in apart.items()} == {"missing": 59, "different": 1}


def test_a_plan_leaves_its_decisions(pair: EmbeddedAws, tmp_path: Path) -> None:
    """Decisions stand with their facts, and without the properties of the app."""
    assert run("plan", table_app(tmp_path / "dataware.toml", "Newer", "Old")).code == 0
    (decided,) = [r["data"] for r in the_run().records() if r["code"] == "decision"]
    assert (decided["action"], decided["rule"], decided["noun"]) == ("migrate", 3, "DynamoDB table")
    assert decided["fallbacks"][0]["content"] == "data"
    assert "wanted" not in decided
    assert codes(the_run())[-1] == "end"


def test_what_looks_at_no_data_leaves_none(aws_server: EmbeddedAws) -> None:
    """`status`, and a command that never reaches an account, are not runs."""
    assert run("status").code == 0
    assert run("migrate", "dynamodb://a", "s3://b").code == 1
    assert kept_runs(runs_folder()) == []


@pytest.mark.usefixtures("pair")
def test_a_record_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    """Without a folder for the record the run goes on, and says so once."""
    runs_folder().parent.mkdir(parents=True)
    runs_folder().write_text("in the way")
    ran = run("verify", *PAIR)
    assert ran.code == 2
    told = [line for line in ran.lines if "no record of this run is kept" in line]
    assert len(told) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_from_outside_is_told_of(number: int, pair: EmbeddedAws) -> None:
    """Ctrl-C is an end like any other; of a killed run there is what it had done, and no end."""
    more = ({"pk": {"S": f"m{n:05}"}, "pad": {"S": "x" * 300}} for n in range(3000))
    make_table("Large", more)
    make_table("Larger")
    state = str(runs_folder().parent)
    process = launch_python(
        *("migrate", "dynamodb://Large", "dynamodb://Larger", "--max-rate", "200"),
        DATAWARE_STATE=state,
    )
    assert process.stdout is not None
    while "Migrated batch" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(number)
    process.wait(30)
    ends = [record["data"] for record in the_run().records() if record["code"] == "end"]
    assert [end["exit_code"] for end in ends] == ([4] if number == signal.SIGINT else [])
    assert "found" in codes(the_run())
    assert not the_run().alive


def test_arguments_are_shown_without_secrets() -> None:
    """Credentials in an address, and what goes to another program, are left out."""
    words = [
        *("--endpoint-url", "http://me:pass@127.0.0.1:4566/?token=abc", "--yes"),
        *("--on-conflict", "target", "--max-share", "50%", "--", "-c", "password=abc"),
    ]
    with ALL_COMMANDS["deploy"].make_context("deploy", words, parent=None) as context:
        assert shown_arguments(context) == [
            "--yes",
            *("--on-conflict", "target", "--max-share", "0.5"),
            *("--endpoint-url", "http://127.0.0.1:4566"),
            *("…", "…"),
        ]
    assert isinstance(context, click.Context)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("127.0.0.1:9", "127.0.0.1:9"),
        ("localhost", "localhost"),
        ("me:secret@host:9", "host:9"),
        ("http://[::1]:9/secret", "http://[::1]:9"),
        ("https://me:secret@host?secret", "https://host"),
        ("http://", "…"),
        ("http://host:secret", "…"),
    ],
)
def test_an_address_is_recorded_as_far_as_it_is_one(given: str, shown: str) -> None:
    """With and without a scheme; never with a password, a path or a query."""
    words = ["--endpoint-url", given, "s3://a", "s3://b"]
    with ALL_COMMANDS["verify"].make_context("verify", words, parent=None) as context:
        assert shown in shown_arguments(context)
        assert "secret" not in " ".join(shown_arguments(context))


def test_a_command_of_two_parts_leaves_one_record() -> None:
    """`deploy` opens the account before and after CDK runs; both belong to one run."""
    told: list[Event] = []
    aws: Any = SimpleNamespace(account="111122223333", region="eu-central-1")
    with slot() as current, ALL_COMMANDS["deploy"].make_context("deploy", ["--yes"]):
        for text in ("before", "after"):
            with_run_log(told.append, aws)(event("note", text=text))
        assert current.record is not None
        current.record.end(0, None)
    (kept,) = kept_runs(runs_folder())
    assert [record["data"].get("text") for record in kept.records()][1:3] == ["before", "after"]
    assert [one.text() for one in told] == ["before", "after"]
