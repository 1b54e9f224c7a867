"""A machine whose clock is wrong by twenty minutes: AWS refuses it, and is asked by its own time.

The proxy answers as AWS does: what is signed for a time more than a quarter of an hour away is
refused, with the service's own time in the header of the answer (IAM User Guide, "Troubleshoot
Signature Version 4 signing").
"""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path

import pytest

from support.accounting import check_identity, journal_of
from support.cli import run
from support.migrations import MIGRATIONS
from support.servers import Fault, FaultProxy, Forward, Reply, Seen, json_error, xml_error

MINUTES = 20
QUERY_ERROR = b"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"
DATE = re.compile(rb"(?i)\r\ndate: [^\r]*")


class Clock:
    """A service whose clock is `ahead` seconds before ours, from the n-th request on.

    `refused` counts by operation what was signed for another time.
    """

    def __init__(self, ahead: float, after: int = 0) -> None:
        self.ahead = ahead
        self.after = after
        self.refused: Counter[str] = Counter()
        self.asked = 0

    def __call__(self, seen: Seen, forward: Forward) -> Reply:
        """Answer, with the service's time on it."""
        self.asked += 1
        ahead = self.ahead if self.asked > self.after else 0.0
        now = time.time() + ahead
        signed = datetime.strptime(seen.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        right = abs(signed.replace(tzinfo=UTC).timestamp() - now) < 900
        if not right:
            self.refused[seen.operation] += 1
        reply = forward(seen) if right else refusal(seen)(seen, forward)
        head = DATE.sub(b"", reply.head)
        said = b"\r\nDate: " + formatdate(now, usegmt=True).encode() + b"\r\n\r\n"
        return Reply(head.removesuffix(b"\r\n\r\n") + said, reply.body)


def refusal(seen: Seen) -> Fault:
    """How each sort of service says that a signature is of another time."""
    if "x-amz-target" in seen.headers:
        return json_error("InvalidSignatureException", message="Signature expired")
    if "form-urlencoded" in seen.headers.get("content-type", ""):
        return lambda _seen, _forward: Reply.of(403, QUERY_ERROR, {"Content-Type": "text/xml"})
    if seen.method == "HEAD":
        return lambda _seen, _forward: Reply.of(403)
    return xml_error("RequestTimeTooSkewed", 403)


@pytest.mark.parametrize(("kind", "minutes"), [("table", -MINUTES), ("bucket", MINUTES)])
def test_a_clock_that_is_wrong_is_corrected_for_every_call(
    kind: str, minutes: int, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """Plan, markers, creation, copy and verification all go by the clock of AWS."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    clock = Clock(minutes * 60.0)
    fault_proxy.add(clock)
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert "✅ Verified" in ran.out
    assert clock.refused, "a clock that nobody minds shows nothing"
    assert sum(clock.refused.values()) < 2 * 64, "what is learnt is kept"
    fault_proxy.clear()
    assert migration.arrived()
    check_identity(journal_of(clean_environment), len(migration.content("old-one")))


@pytest.mark.parametrize("kind", MIGRATIONS)
def test_a_clock_that_is_set_in_the_middle_of_a_run_is_followed(
    kind: str, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """From some request on the times differ, and the run does not lose its place."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    clock = Clock(MINUTES * 60.0, after=40)
    fault_proxy.add(clock)
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert clock.refused
    fault_proxy.clear()
    assert migration.arrived()
    check_identity(journal_of(clean_environment), len(migration.content("old-one")))
