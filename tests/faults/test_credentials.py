"""Credentials that expire on the way: renewed where they can be, else the run can be resumed."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.accounting import check_identity, check_sums, journal_of
from support.cli import Ran, ended, launch, run
from support.migrations import MIGRATIONS
from support.servers import Fault, FaultProxy, Forward, Reply, Seen, json_error, xml_error

EVERY_KIND = pytest.mark.parametrize("kind", MIGRATIONS)
EXPIRED_QUERY = "<ErrorResponse><Error><Code>{}</Code></Error></ErrorResponse>"


def refusal(seen: Seen, code: str) -> Fault:
    """An error in the words of the service that was asked."""
    if "x-amz-target" in seen.headers:
        return json_error(f"{code}Exception")
    if "form-urlencoded" in seen.headers.get("content-type", ""):
        body = EXPIRED_QUERY.format(code).encode()
        return lambda _seen, _forward: Reply.of(403, body, {"Content-Type": "text/xml"})
    return xml_error(code, 400)


def expired(seen: Seen, forward: Forward) -> Reply:
    """The credentials have expired, for every service."""
    return refusal(seen, "ExpiredToken")(seen, forward)


def check_resumable(ran: Ran) -> None:
    """Exit 4 and one sentence that says what to renew."""
    assert ran.code == 4, ran
    assert "the AWS credentials from environment variables have expired" in ran.err
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err


VERIFYING = {"table": ("Scan", 24), "bucket": ("ListObjectsV2", 60)}
"""What a verification reads by, and the writes that are all made when it begins."""


@EVERY_KIND
def test_credentials_that_expire_for_good_leave_a_run_to_be_resumed(
    kind: str, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """From one request on no service lets the caller in: exit 4, and new ones complete the run."""
    migration = MIGRATIONS[kind]
    migration.fill()
    planned = len(migration.content("old-one"))
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    gone = threading.Event()

    def expiring(seen: Seen, forward: Forward) -> Reply:
        gone.set()
        return expired(seen, forward)

    fault_proxy.add(expiring, operation=migration.write, skip=5)
    fault_proxy.add(expired, when=lambda _seen: gone.is_set())
    check_resumable(ended(launch("apply", app)))
    check_sums(journal_of(clean_environment), planned)
    assert fault_proxy.count(migration.write) < 5 + 64, "expired credentials are not asked again"
    fault_proxy.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert migration.arrived()
    check_identity(journal_of(clean_environment), planned)


@EVERY_KIND
def test_credentials_that_expire_in_the_verification_leave_a_run_to_be_resumed(
    kind: str, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """All is copied, nothing is verified, so nothing is complete; the next run verifies."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    operation, writes = VERIFYING[kind]
    copied = threading.Event()

    def counting(seen: Seen, forward: Forward) -> Reply:
        reply = forward(seen)
        if fault_proxy.count(migration.write) == writes:
            copied.set()
        return reply

    fault_proxy.add(counting, operation=migration.write)
    fault_proxy.add(expired, operation=operation, when=lambda _seen: copied.is_set())
    ran = run("apply", app)
    check_resumable(ran)
    assert "Successfully migrated" not in ran.out
    fault_proxy.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert "✅ Verified" in again.out
    check_identity(journal_of(clean_environment), len(migration.content("old-one")))


USES = 60
"""Requests for which one token is good."""


class Issuer:
    """Hands out short-lived credentials, and lets nobody in whose token is used up."""

    def __init__(self) -> None:
        self.uses: Counter[str] = Counter()
        self._issued = 0
        self._lock = threading.Lock()

    def issue(self, _seen: Seen, _forward: Forward) -> Reply:
        """Credentials that end in a few minutes, so that they are due to be renewed at once."""
        with self._lock:
            self._issued += 1
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))
        keys = {"AccessKeyId": "000000000000", "SecretAccessKey": "test"}
        body = json.dumps({**keys, "Token": f"token-{self._issued}", "Expiration": until})
        return Reply.of(200, body.encode(), {"Content-Type": "application/json"})

    def check(self, seen: Seen, forward: Forward) -> Reply:
        """Pass a request on, unless its token has expired."""
        token = seen.headers["x-amz-security-token"]
        with self._lock:
            self.uses[token] += 1
            good = self.uses[token] <= USES
        return forward(seen) if good else expired(seen, forward)


@pytest.fixture
def issuer(aws_server: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """The credentials of a container: from an address, and good for a while only."""
    del aws_server  # it sets keys of its own, which go first
    issuer = Issuer()
    with FaultProxy("http://127.0.0.1:1", record=False) as server:
        server.add(issuer.issue)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.endpoint}/credentials")
        yield issuer


@EVERY_KIND
def test_credentials_that_are_renewed_on_the_way_are_used(
    kind: str, fault_proxy: FaultProxy, issuer: Issuer, tmp_path: Path, clean_environment: Path
) -> None:
    """No token lasts as long as the run: what one is too old for is signed with the next."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(issuer.check)
    ran = run("apply", app)
    assert ran.code == 0, ran
    fault_proxy.clear()
    assert sum(issuer.uses.values()) > USES, "one token would have been enough"
    assert len(issuer.uses) > 1
    assert migration.arrived()
    check_identity(journal_of(clean_environment), len(migration.content("old-one")))
