"""An outage or throttling that outlasts every retry: incomplete, and the next run goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from dataware.wire.retry import RetryBudget
from support.accounting import check_identity, check_sums, journal_of
from support.cli import Ran, run
from support.migrations import MIGRATIONS
from support.servers import Fault, FaultProxy, Forward, Reply, Seen, json_error, xml_error

EVERY_KIND = pytest.mark.parametrize("kind", MIGRATIONS)


def gone(_seen: Seen, _forward: Forward) -> Reply:
    """The service answers nothing but errors."""
    return Reply.of(503, b"", {})


THROTTLED: dict[str, Fault] = {
    "table": json_error("ProvisionedThroughputExceededException"),
    "bucket": xml_error("SlowDown", 503),
}
ENDLESS: dict[str, Callable[[str], Fault]] = {
    "throttled": THROTTLED.__getitem__,
    "out of order": lambda _kind: gone,
}


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds of retries stand for five minutes of them."""
    monkeypatch.setattr("dataware.wire.retry.RetryBudget", partial(RetryBudget, seconds=2.0))


def check_resumable(ran: Ran) -> None:
    """Exit 4, and one sentence that says what happened and how to go on."""
    assert ran.code == 4, ran
    assert "run the same command again" in ran.err
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err


@EVERY_KIND
@pytest.mark.parametrize("how", ENDLESS)
def test_what_does_not_end_leaves_a_run_to_be_resumed(
    how: str, kind: str, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """From one write on the service does not take any: nothing is lost, and the rest follows."""
    migration = MIGRATIONS[kind]
    migration.fill()
    planned = len(migration.content("old-one"))
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(ENDLESS[how](kind), operation=migration.write, skip=5)
    check_resumable(run("apply", app))
    check_sums(journal_of(clean_environment), planned)
    assert "incomplete" in run("status").out
    fault_proxy.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert "Resuming the migration" in again.out
    assert migration.arrived()
    check_identity(journal_of(clean_environment), planned)
