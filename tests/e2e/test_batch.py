"""A bucket is copied by a job of S3: killed on the way, finished by the same command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws
from support.batch_reports import HOSTILE
from support.cli import ended, launch, run
from support.killing import Strike, journals, struck_run
from support.s3_batch import BatchServer
from support.servers import FaultProxy
from support.worlds import client, make_bucket, objects_of

TOML = """
[[resource]]
type = "AWS::S3::Bucket"
id = "Uploads"
preferred = "uploads-prod"
fallback = "uploads"
"""

ROLE = "arn:aws:iam::000000000000:role/batch"
COMMAND = ("apply", "dataware.toml", "--yes", "--engine", "batch", "--batch-role", ROLE)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    """An AWS for these tests."""
    with EmbeddedAws() as server:
        yield server


@pytest.fixture
def batch(
    server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BatchServer]:
    """A stand-in for the jobs, beside an AWS with a bucket of keys that are hard to write."""
    server.reset()
    monkeypatch.chdir(tmp_path)
    Path("dataware.toml").write_text(TOML)
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    fill()
    with BatchServer(server.endpoint) as batch:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", batch.endpoint)
        yield batch


def fill() -> None:
    """Some objects that a job copies, and one of each sort that it does not."""
    keys = [key.decode() for key in HOSTILE if b"\0" not in key and key.decode().isprintable()]
    objects: list[dict[str, Any]] = [
        {"Key": key, "Body": key.encode(), "Metadata": {"number": str(at)}, "Tagging": "team=space"}
        for at, key in enumerate(keys)
    ]
    rare = {"Key": "rare", "Body": b"rare", "StorageClass": "STANDARD_IA"}
    make_bucket("uploads", [*objects, rare])
    s3 = client("s3")
    upload = s3.create_multipart_upload(Bucket="uploads", Key="parts")["UploadId"]
    place = {"Bucket": "uploads", "Key": "parts", "UploadId": upload}
    part = s3.upload_part(**place, PartNumber=1, Body=b"in parts")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})


def check_whole() -> None:
    """Both buckets are equal for boto3, and nothing but them is left."""
    before, after = objects_of("uploads"), objects_of("uploads-prod")
    assert before.keys() == after.keys()
    for key, one in before.items():
        assert one == after[key], key
    names = [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
    assert sorted(names) == ["uploads", "uploads-prod"]


def test_a_job_copies_what_it_can_and_this_machine_the_rest(batch: BatchServer) -> None:
    """The manifest has no object in another class, or in parts; the report is in the journal."""
    key = next(iter(sorted(objects_of("uploads"))))
    batch.left_out = {key if isinstance(key, str) else key.decode()}
    ran = run(*COMMAND)
    assert ran.code == 0, ran
    (asked,) = batch.requests
    assert asked["ConfirmationRequired"] == "true"
    assert asked["RoleArn"] == ROLE
    assert asked["Report"]["ReportScope"] == "AllTasks"
    assert asked["Operation"]["S3PutObjectCopy"]["UnModifiedSinceConstraint"]
    assert "copied and 1 failed" in ran.out
    assert "the job did not copy" in ran.out
    assert "(AccessDenied)" in ran.out
    text = "".join(
        path.read_text() for path in journals(Path.cwd()) or Path("state").rglob("*.journal")
    )
    assert "AccessDenied" in text
    check_whole()
    again = run(*COMMAND)
    assert (again.code, len(batch.requests)) == (0, 1), again


@pytest.mark.parametrize(
    ("path", "method", "answered"),
    [("/v20180820/jobs", "POST", False), ("/v20180820/jobs", "POST", True), ("", "GET", False)],
)
def test_a_killed_run_goes_on_with_the_same_job(
    batch: BatchServer,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    method: str,
    answered: bool,
) -> None:
    """Whether the request got through or not, there is one job in the end, and all objects."""
    with FaultProxy(batch.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", proxy.endpoint)
        strike = Strike(1, answered=answered)

        def when(seen: Any) -> bool:
            return seen.method == method and (not path or seen.path == path)

        struck = struck_run(proxy, strike, *COMMAND, when=when)
        assert strike.struck, struck
        ran = ended(launch(*COMMAND))
    assert ran.code == 0, ran
    assert len(batch.jobs) == 1
    check_whole()


def test_a_job_goes_on_when_the_command_is_stopped(batch: BatchServer) -> None:
    """That is told, with what ends it; the next run waits for the same job."""
    batch.gate.clear()
    process = launch(*COMMAND)
    while not batch.jobs and process.poll() is None:
        signal.sigtimedwait([], 0.05)
    process.send_signal(signal.SIGINT)
    stopped = ended(process)
    assert stopped.code == 4, stopped
    assert "goes on in AWS" in stopped.err
    batch.gate.set()
    ran = run(*COMMAND)
    assert ran.code == 0, ran
    assert len(batch.jobs) == 1
    check_whole()


def test_what_somebody_wrote_between_a_kill_and_the_next_run_is_kept(
    batch: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest of before has that key; the job with it never copies, another one leaves it."""
    with FaultProxy(batch.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", proxy.endpoint)
        strike = Strike(1, answered=True)
        struck_run(proxy, strike, *COMMAND, when=lambda seen: seen.method == "POST")
        assert strike.struck
        key = min(objects_of("uploads"))
        s3 = client("s3")
        s3.put_object(Bucket="uploads-prod", Key=key, Body=b"theirs")
        ran = ended(launch(*COMMAND, "--on-conflict", "target"))
    assert ran.code == 0, ran
    assert "has changed since it was listed" in ran.out + ran.err
    assert s3.get_object(Bucket="uploads-prod", Key=key)["Body"].read() == b"theirs"
    assert objects_of("uploads-prod").keys() == objects_of("uploads").keys()
    assert [job["status"] for job in batch.jobs.values()] == ["Cancelled", "Complete"]


def test_what_somebody_writes_while_a_job_is_prepared_is_kept(batch: BatchServer) -> None:
    """The target is looked at again right before the job may begin."""
    key = min(objects_of("uploads"))

    def write() -> None:
        batch.before_wait = lambda: None
        client("s3").put_object(Bucket="uploads-prod", Key=key, Body=b"theirs")

    batch.before_wait = write
    ran = run(*COMMAND)
    assert ran.code == 4, ran
    assert "1 conflict" in ran.out + ran.err
    there = client("s3").get_object(Bucket="uploads-prod", Key=key)["Body"].read()
    assert there == b"theirs"
    assert [job["status"] for job in batch.jobs.values()] == ["Cancelled", "Complete"]


def test_a_job_that_failed_is_followed_by_another_one(batch: BatchServer) -> None:
    """The reason is told, and the same command begins anew with what is left."""
    batch.broken = "the role may not read"
    ran = run(*COMMAND)
    assert ran.code == 4, ran
    assert "the role may not read" in ran.err
    batch.broken = ""
    again = run(*COMMAND)
    assert again.code == 0, again
    assert len(batch.jobs) == 2
    check_whole()


def test_without_a_role_a_job_is_refused(batch: BatchServer) -> None:
    """And into a bucket that somebody else made; nothing is changed."""
    ran = run(*COMMAND[:-2])
    assert ran.code == 3, ran
    assert "no role is named that the service may assume" in ran.err
    client("s3").create_bucket(Bucket="uploads-prod")
    ran = run(*COMMAND)
    assert ran.code == 3, ran
    assert "this run did not make uploads-prod" in ran.err
    assert not batch.jobs
