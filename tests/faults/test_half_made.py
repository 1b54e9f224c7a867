"""One of several targets is left half made: failed on the way, in a run that goes on or is killed.

The emulator makes a resource whole or not at all. So it makes all of them, and the proxy answers
for CloudFormation that the creation of one has failed after it had begun, in the words that the
service uses: what stands under that name then lacks something that its template says.
Source: AWS CloudFormation User Guide, "Choose how to handle failures when provisioning resources",
and API Reference, StackEvent.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from support.cli import (
    BUCKET,
    KEYED_BY_PK,
    TABLE,
    Ran,
    ended,
    launch,
    run,
    toml_resource,
    write_toml,
)
from support.killing import Strike
from support.many import complete_targets, written_targets
from support.servers import FaultProxy, Forward, Reply, Seen
from support.worlds import (
    client,
    items_of,
    make_bucket,
    make_table,
    objects_of,
    stacks,
    varied_items,
    varied_objects,
)

WHOLE = ("alpha-prod", "gamma-prod", "files-prod")
HALF = "beta-prod"
MEMBER = re.compile(rb"<member>.*?</member>", re.DOTALL)
MADE, FAILED = b"<ResourceStatus>CREATE_COMPLETE<", b"<ResourceStatus>CREATE_FAILED<"
STARTED = b"<ResourceStatus>CREATE_IN_PROGRESS</ResourceStatus>"
WHY = b"<ResourceStatusReason>%s</ResourceStatusReason>"
REASON = re.compile(rb"<ResourceStatusReason>.*?</ResourceStatusReason>")


def answer_half_made(seen: Seen, forward: Forward) -> Reply:
    """What CloudFormation says of a stack in which the creation of `HALF` failed on the way."""
    reply = forward(seen)
    body = MEMBER.sub(lambda found: _rewrite(found[0]), reply.body)
    if seen.operation == "DescribeStacks":
        body = body.replace(b"<StackStatus>CREATE_COMPLETE<", b"<StackStatus>CREATE_FAILED<")
    return Reply.of(reply.status, body, {"Content-Type": "text/xml"})


def _rewrite(member: bytes) -> bytes:
    """The row or event of a stack, as it is where the resource has failed."""
    if b"<LogicalResourceId>" + half_id() + b"<" not in member:
        return member
    if STARTED in member:
        return REASON.sub(WHY % b"Resource creation Initiated", member)
    if MADE in member:
        member = member.replace(MADE, FAILED)
        return REASON.sub(WHY % b"its time to live was not set", member)
    return member


def half_id() -> bytes:
    """What the half-made table is called in a holding stack with others."""
    from dataware.aws.joint_creation import joint_logical_id

    return joint_logical_id(TABLE, HALF).encode()


def break_creation(proxy: FaultProxy) -> None:
    """From now on CloudFormation answers so, in every run."""
    proxy.clear()
    for operation in ("DescribeStacks", "ListStackResources", "DescribeStackEvents"):
        proxy.add(answer_half_made, operation=operation)


@pytest.fixture
def app(fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three tables and a bucket to migrate together."""
    monkeypatch.chdir(tmp_path)
    for name in ("alpha", "beta", "gamma"):
        make_table(name, varied_items(8))
    make_bucket("files", varied_objects(6))
    tables = [
        toml_resource(TABLE, f"{name}-prod", name, properties=KEYED_BY_PK)
        for name in ("alpha", "beta", "gamma")
    ]
    return write_toml(Path("dataware.toml"), *tables, toml_resource(BUCKET, "files-prod", "files"))


def check_others(done: set[str]) -> None:
    """The whole ones hold their data and are complete; nothing is claimed of the other one."""
    assert complete_targets() == done == set(WHOLE)
    for name in ("alpha", "gamma"):
        assert items_of(f"{name}-prod") == items_of(name)
    assert objects_of("files-prod") == objects_of("files")
    assert items_of(HALF) == {}
    assert stacks() == [], "no holding stack is left"


def check_way_out(proxy: FaultProxy, app: Path) -> None:
    """Nothing is copied into it before it is deleted; then the same command finishes it alone."""
    proxy.clear()
    refused = run("apply", app)
    assert refused.code == 3, refused
    assert f"the creation of {HALF} failed on the way" in refused.err + refused.out
    assert not set(written_targets(proxy.seen))
    check_others(complete_targets())
    client("dynamodb").delete_table(TableName=HALF)
    proxy.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert set(written_targets(proxy.seen)) == {HALF}
    assert items_of(HALF) == items_of("beta")
    assert complete_targets() == {*WHOLE, HALF}
    assert stacks() == []
    assert run("apply", app).lines[-1].startswith("✅ Nothing to copy")


def test_one_that_failed_on_the_way_is_never_filled(fault_proxy: FaultProxy, app: Path) -> None:
    """The others are copied and verified; it is told what is there, and what to do with it."""
    break_creation(fault_proxy)
    ran = run("apply", app)
    assert ran.code == 4, ran
    assert f"created only a part of {HALF}: its time to live was not set" in ran.err
    check_others(complete_targets())
    check_way_out(fault_proxy, app)


MOMENTS = {
    "its failure was seen": ("DescribeStackEvents", True),
    "the others are copied": ("BatchWriteItem", False),
    "the stack was removed": ("DeleteStack", True),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_beside_one_that_failed_the_next_run_goes_on(
    moment: str, fault_proxy: FaultProxy, app: Path
) -> None:
    """Whether it had come to know of that or not: the others are finished, and it is not filled."""
    operation, answered = MOMENTS[moment]
    killed = kill(fault_proxy, Strike(1, answered=answered), app, operation)
    assert killed.code == -signal.SIGKILL
    assert HALF not in complete_targets()
    break_creation(fault_proxy)
    again = run("apply", app)
    assert again.code in {3, 4}, again
    assert HALF in again.err
    check_others(complete_targets())
    check_way_out(fault_proxy, app)


def kill(proxy: FaultProxy, strike: Strike, app: Path, operation: str) -> Ran:
    """How a run ends that is killed while CloudFormation answers so."""
    break_creation(proxy)
    proxy.add(strike, operation=operation)
    process = launch("apply", app)
    strike.aim(process)
    ran = ended(process)
    assert strike.struck
    return ran
