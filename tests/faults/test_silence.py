"""Connections that break, and servers that go silent or trickle: every wait has a deadline.

The deadlines are settings of the account, and short here. What a transport makes of each such
fault is the contract in `tests/wire/test_transport.py`, for every transport; here whole runs meet
them, with whatever transport an account gives.
"""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from dataware.aws import Account, ClientSettings, SystemClock
from dataware.cli.context import make_context
from dataware.cli.process.signals import StopSignal
from dataware.cli.transport import transport
from dataware.core.errors import IncompleteError
from dataware.core.model import Location
from dataware.http.endpoint import Limits
from dataware.ops.context import CopySettings
from dataware.ops.migrate_by_hand import migrate
from dataware.wire import RetryBudget, RetryingWire
from support.accounting import check_identity, check_sums, journal_of
from support.cli import BUCKET, TABLE
from support.copying import Events
from support.migrations import MIGRATIONS, Migration
from support.servers import (
    Fault,
    FaultProxy,
    delay,
    drop,
    drop_after,
    silent_after,
    trickle,
    truncate,
)
from support.worlds import make_bucket, make_table, varied_items, varied_objects

SILENCE, ANSWER = 1.0, 1.6
"""Seconds after which a silent server, and an answer that never ends, are given up."""

PLANNED = 24

FAULTS: dict[str, Fault] = {
    "reset before": drop,
    "reset after": drop_after,
    "reset in the middle": truncate(10),
    "silent": delay(3),
    "silent after its work": silent_after(3),
    "trickling": trickle(0.1),
}
TYPES = {"table": TABLE, "bucket": BUCKET}
WRITES = {"table": "PutItem", "bucket": "CopyObject"}
READS = {"table": "Scan", "bucket": "ListObjectsV2"}
EVERY_KIND = pytest.mark.parametrize("kind", MIGRATIONS)


def open_impatient(attempts: int) -> Account:
    """An account whose every wait is short."""
    limits = Limits(connect_seconds=2, read_seconds=SILENCE, answer_seconds=ANSWER)
    budget = RetryBudget(attempts=attempts, seconds=20, base=0.01, cap=0.05)
    return Account.open(
        lambda access, tell: RetryingWire(
            transport(access, limits), SystemClock(), random.Random(1).random, tell, budget
        ),
        client_settings=ClientSettings(attempts=4, connect_seconds=2, read_seconds=SILENCE),
    )


def prepared(kind: str) -> Migration:
    """A filled source, and a target that stands, so that every write is conditional."""
    migration = MIGRATIONS[kind]
    if kind == "table":
        make_table("old-one", varied_items(PLANNED))
    else:
        make_bucket("old-one", varied_objects(PLANNED))
    migration.make("new-one")
    return migration


def copy(kind: str, attempts: int = 14) -> None:
    """One `dataware migrate`, without patience."""
    account = open_impatient(attempts)
    context = make_context(account, Events(), StopSignal(graceful=True), strict=False)
    old, new = (Location(name, account.account, account.region) for name in ("old-one", "new-one"))
    migrate(context, TYPES[kind], old, new, CopySettings())


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@EVERY_KIND
def test_a_run_outlives_broken_and_silent_connections(
    kind: str, fault: Fault, fault_proxy: FaultProxy, clean_environment: Path
) -> None:
    """Some reads and writes get no answer, done or not: all arrives, and each key counts once."""
    migration = prepared(kind)
    fault_proxy.clear()
    fault_proxy.add(fault, operation=WRITES[kind], times=3)
    # The first look at each side goes through the SDK, which bounds silence, but no whole answer.
    fault_proxy.add(fault, operation=READS[kind], times=1, skip=2)
    copy(kind)
    fault_proxy.clear()
    assert migration.arrived()
    check_identity(journal_of(clean_environment), PLANNED)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("table", "reset before"),
        ("table", "silent after its work"),
        ("bucket", "reset before"),
        ("bucket", "trickling"),
    ],
)
def test_a_server_that_never_answers_ends_the_run(
    kind: str, name: str, fault_proxy: FaultProxy, clean_environment: Path
) -> None:
    """Nothing hangs: after the deadlines there is an error, and the next run completes."""
    migration = prepared(kind)
    fault_proxy.clear()
    fault_proxy.add(FAULTS[name], operation=WRITES[kind], skip=4)
    before = time.monotonic()
    with pytest.raises(IncompleteError, match="after 2 tries"):
        copy(kind, attempts=2)
    assert time.monotonic() - before < 60
    check_sums(journal_of(clean_environment), PLANNED)
    fault_proxy.clear()
    copy(kind)
    assert migration.arrived()
    check_identity(journal_of(clean_environment), PLANNED)


def test_what_was_given_up_leaves_no_thread_behind(fault_proxy: FaultProxy) -> None:
    """Threads of requests that were given up end with them, not with the server."""
    prepared("bucket")
    fault_proxy.clear()
    fault_proxy.add(trickle(0.1), operation="CopyObject", skip=4)
    with pytest.raises(IncompleteError):
        copy("bucket", attempts=2)
    deadline = time.monotonic() + 20
    while [one for one in threading.enumerate() if one.name.startswith("dataware-wire")]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
