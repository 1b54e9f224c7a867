"""Names that belong to another account, from the start or suddenly: nothing is read or written.

The proxy enforces what S3 does with the expected owner of a request (Amazon S3 User Guide,
"Verifying bucket ownership with bucket owner condition"); the emulator ignores it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.accounting import check_sums, journal_of
from support.cli import run
from support.migrations import MIGRATIONS, Migration
from support.servers import FaultProxy, Forward, Reply, Seen, xml_error

OURS, THEIRS = "000000000000", "111122223333"
SIDES = pytest.mark.parametrize("side", ["old-one", "new-one"])
DENIED = xml_error("AccessDenied", 403)
NO_BUCKETS = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
MOVING = {"CopyObject", "UploadPartCopy", "GetObject", "PutObject"}


class Owners:
    """Refuses a request whose expected owner is not the owner; some buckets change hands.

    A bucket in `sniped` belongs to another account from the given number of copies on.
    """

    def __init__(self, **sniped: int) -> None:
        self.sniped = {name.replace("_", "-"): at for name, at in sniped.items()}
        self.copies = 0
        self.served: list[Seen] = []

    def __call__(self, seen: Seen, forward: Forward) -> Reply:
        """Answer as S3 does."""
        if "/s3/aws4_request" not in seen.headers.get("authorization", ""):
            return forward(seen)
        if seen.operation == "ListBuckets" and THEIRS in map(self.owner, self.sniped):
            return Reply.of(200, NO_BUCKETS)
        self.copies += seen.operation == "CopyObject"
        wanted = {
            seen.path.removeprefix("/").partition("/")[0]: "x-amz-expected-bucket-owner",
            seen.headers.get("x-amz-copy-source", "").partition("/")[0]: (
                "x-amz-source-expected-bucket-owner"
            ),
        }
        for bucket, header in wanted.items():
            if bucket and seen.headers.get(header) != self.owner(bucket):
                return Reply.of(403, b"") if seen.method == "HEAD" else DENIED(seen, forward)
        self.served.append(seen)
        return forward(seen)

    def owner(self, bucket: str) -> str | None:
        """Who has a bucket now."""
        at = self.sniped.get(bucket)
        return THEIRS if at is not None and self.copies >= at else OURS


def prepared() -> Migration:
    """A bucket with data, and an empty one."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    migration.make("new-one")
    return migration


@SIDES
def test_a_bucket_of_another_account_is_refused_before_the_first_byte(
    side: str, fault_proxy: FaultProxy
) -> None:
    """Whichever side it is, with the name alone nothing is copied, read or recorded."""
    migration = prepared()
    fault_proxy.clear()
    owners = Owners(**{side.replace("-", "_"): 0})
    fault_proxy.add(owners)
    ran = run("migrate", "s3://old-one", "s3://new-one")
    assert ran.code == 3, ran
    assert f"cannot confirm that the S3 bucket {side} belongs to account" in ran.err
    asked = {seen.operation for seen in fault_proxy.seen}
    assert not asked & (MOVING | {"PutParameter"})
    fault_proxy.clear()
    assert migration.content("new-one") == {}


@SIDES
def test_a_wrong_account_on_the_command_line_is_refused(side: str, fault_proxy: FaultProxy) -> None:
    """Who names an owner that the bucket does not have gets nothing out of it."""
    migration = prepared()
    fault_proxy.clear()
    fault_proxy.add(Owners())
    option = "--source-owner" if side == "old-one" else "--target-owner"
    ran = run("migrate", "s3://old-one", "s3://new-one", option, THEIRS)
    assert ran.code in {1, 3, 4}, ran
    assert "Traceback" not in ran.err
    fault_proxy.clear()
    assert migration.content("new-one") == {}


def test_a_partners_bucket_is_copied_once_its_owner_is_named(fault_proxy: FaultProxy) -> None:
    """What the refusal advises works: with the account of its owner every object arrives."""
    migration = prepared()
    fault_proxy.clear()
    owners = Owners(old_one=0)

    def served(seen: Seen, forward: Forward) -> Reply:
        """Let the emulator, whose own bucket it is, take the partner's for the caller's."""
        return owners(
            seen,
            lambda one: forward(
                replace(one, head=one.head.replace(THEIRS.encode(), OURS.encode()))
            ),
        )

    fault_proxy.add(served)
    command = ("migrate", "s3://old-one", "s3://new-one")
    assert "name its account with --source-owner" in run(*command).err
    ran = run(*command, "--source-owner", THEIRS)
    assert ran.code == 0, ran
    fault_proxy.clear()
    assert migration.content("new-one") == migration.content("old-one")


@SIDES
@pytest.mark.parametrize("at", [1, 30])
def test_a_bucket_that_changes_hands_on_the_way_gets_and_gives_nothing_more(
    side: str, at: int, fault_proxy: FaultProxy, clean_environment: Path
) -> None:
    """From that moment on no object moves, and the run is not complete."""
    migration = prepared()
    fault_proxy.clear()
    owners = Owners(**{side.replace("-", "_"): at})
    fault_proxy.add(owners)
    ran = run("migrate", "s3://old-one", "s3://new-one")
    assert ran.code in {1, 3, 4}, ran
    assert "Successfully" not in ran.out
    assert sum(seen.operation == "CopyObject" for seen in owners.served) < at
    fault_proxy.clear()
    assert len(migration.content("new-one")) < at
    check_sums(journal_of(clean_environment), 60)


def test_a_plan_for_another_account_is_not_applied(
    fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved plan names its account, and is refused with the credentials of another one."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    app = migration.write_app(tmp_path)
    saved = tmp_path / "plan.json"
    assert run("plan", app, "--out", saved).code == 0
    fault_proxy.clear()
    with monkeypatch.context() as other:
        other.setenv("AWS_ACCESS_KEY_ID", THEIRS)
        ran = run("apply", saved)
    assert ran.code == 3, ran
    assert OURS in ran.err
    assert THEIRS in ran.err
    assert not {seen.operation for seen in fault_proxy.seen} & (MOVING | {"PutParameter"})
