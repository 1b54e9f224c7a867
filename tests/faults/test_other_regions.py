"""A bucket that lives in another region than the caller's: found beforehand, or by its redirect.

The proxy does what S3 does: it answers no request for a bucket that is signed for another region
than the bucket's, but names the right one (Amazon S3 User Guide, "Making requests using the REST
API"). The emulator itself does that for HeadBucket only.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataware.core.errors import LookupFailedError
from support.accounting import check_identity, journal_of
from support.cli import bucket_app, run
from support.memory_aws import saying
from support.memory_buckets import fault
from support.memory_jobs import filled
from support.servers import FaultProxy, Forward, Reply, Seen
from support.worlds import make_bucket, objects_of, varied_objects

SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/s3/")
REDIRECT = b"<Error><Code>PermanentRedirect</Code><Message>another region</Message></Error>"
HERE = "us-east-1"


class Regions:
    """A fault that answers as S3 does for buckets that are at home in some regions.

    Unless they are `told`, HeadBucket answers without its header, as behind some gateways.
    """

    def __init__(self, old: str, new: str, *, told: bool = True) -> None:
        self.homes = {"old-one": old, "new-one": new}
        self.told = told
        self.redirected: list[str] = []
        for name, home in self.homes.items():
            there = {"CreateBucketConfiguration": {"LocationConstraint": home}}
            objects = varied_objects(60) if name == "old-one" else ()
            make_bucket(name, objects, **({} if home == HERE else there))

    def __call__(self, seen: Seen, forward: Forward) -> Reply:
        """Refuse what is signed for another region than the bucket's."""
        bucket = seen.path.removeprefix("/").partition("/")[0]
        home = self.homes.get(bucket, HERE)
        if seen.operation == "HeadBucket":
            return forward(seen) if self.told else Reply.of(200)
        if region_of(seen) in {None, home}:
            return forward(seen)
        self.redirected.append(seen.operation)
        body = b"" if seen.method == "HEAD" else REDIRECT
        return Reply.of(301, body, {"x-amz-bucket-region": home})


def region_of(seen: Seen) -> str | None:
    """The region for which a request to S3 is signed."""
    scope = SCOPE.search(seen.headers.get("authorization", ""))
    return scope[1] if scope else None


@pytest.mark.parametrize(
    ("old", "new"),
    [("eu-west-1", HERE), ("eu-west-1", "ap-southeast-2"), (HERE, "eu-west-1")],
    ids=["source", "both", "target"],
)
def test_a_bucket_of_another_region_is_copied(
    old: str, new: str, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """Plan, copy and verification reach it; no request of the copy is redirected."""
    regions = Regions(old, new)
    app = bucket_app(tmp_path / "dataware.toml", "new-one", "old-one")
    fault_proxy.clear()
    fault_proxy.add(regions)
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert "✅ Verified 60 objects" in ran.out
    copies = [seen for seen in fault_proxy.seen if seen.operation == "CopyObject"]
    assert {region_of(seen) for seen in copies} == {new}
    assert "CopyObject" not in regions.redirected
    assert run("verify", "s3://old-one", "s3://new-one").code == 0
    fault_proxy.clear()
    assert objects_of("new-one") == objects_of("old-one")
    check_identity(journal_of(clean_environment), 60)


def test_migrate_finds_the_region_of_both_sides(fault_proxy: FaultProxy) -> None:
    """An address of a bucket names no region, so both are looked for."""
    regions = Regions("eu-west-1", "eu-central-1")
    fault_proxy.clear()
    fault_proxy.add(regions)
    ran = run("migrate", "s3://old-one", "s3://new-one")
    assert ran.code == 0, ran
    fault_proxy.clear()
    assert objects_of("new-one") == objects_of("old-one")


@pytest.mark.parametrize("transport", ["curl", "botocore"])
def test_a_migration_that_begins_in_the_wrong_region_is_redirected(
    fault_proxy: FaultProxy,
    clean_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
) -> None:
    """It carries on where the buckets are: every object is copied there, once."""
    monkeypatch.setenv("DATAWARE_TRANSPORT", transport)
    regions = Regions("eu-west-1", "ap-southeast-2", told=False)
    fault_proxy.clear()
    fault_proxy.add(regions)
    ran = run("migrate", "s3://old-one", "s3://new-one")
    assert ran.code == 0, ran
    assert "✅ Verified 60 objects" in ran.out
    copies = [region_of(seen) for seen in fault_proxy.seen if seen.operation == "CopyObject"]
    assert copies.count("ap-southeast-2") == 60
    assert regions.redirected.count("CopyObject") == len(copies) - 60
    fault_proxy.clear()
    assert objects_of("new-one") == objects_of("old-one")
    check_identity(journal_of(clean_environment), 60)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "PermanentRedirect"),
        (400, "AuthorizationHeaderMalformed"),
        (400, "IllegalLocationConstraintException"),
    ],
)
def test_a_redirect_that_cannot_be_followed_ends_the_run(status: int, code: str) -> None:
    """It concerns every key, so it is one error and not one for each of them."""
    job = filled("bucket", 20)
    job.aws.add(saying(fault(status, code)), "CopyObject")
    with pytest.raises(LookupFailedError, match=code):
        job.run()
    assert not job.content("new")


def test_a_bucket_that_is_new_somewhere_is_waited_for() -> None:
    """307 says that the name is not known everywhere yet; some time later it is."""
    job = filled("bucket", 20)
    job.aws.add(saying(fault(307, "TemporaryRedirect")), "CopyObject", times=30)
    job.run()
    job.check_whole()
