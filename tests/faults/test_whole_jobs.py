"""What holds for every request, output and record of whole jobs, whatever they copy.

Each S3 call names the account that must own the bucket; nothing is ever sent to a source that could
change it; and no secret stands in what is shown or kept.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from support.cli import Ran, bucket_app, run, table_app
from support.servers import FaultProxy, Seen
from support.worlds import client, make_bucket, make_table, varied_items, varied_objects

READS_OF_S3 = frozenset({"GET", "HEAD"})
READS_OF_TABLES = frozenset(
    {
        "BatchGetItem",
        "DescribeContinuousBackups",
        "DescribeTable",
        "DescribeTimeToLive",
        "GetItem",
        "Scan",
    }
)
OF_NO_BUCKET = frozenset({"ListBuckets", "CreateBucket"})
"""Calls that name no bucket that stands: they know no expected owner (Amazon S3 API Reference)."""

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIsecretkeyEXAMPLE",
    "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjsessiontokenEXAMPLE",
}


def prepared(folder: Path) -> tuple[Path, Path]:
    """Sources of every sort, and the apps that prefer other names."""
    make_table("old-one", varied_items(40))
    make_bucket("old-one", varied_objects(20))
    s3 = client("s3")
    for name in ("old-versions", "new-versions"):
        make_bucket(name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="old-versions", Key="key", Body=b"1")
    s3.delete_object(Bucket="old-versions", Key="key")
    s3.put_object(Bucket="old-versions", Key="key", Body=b"x" * 60_000)
    make_bucket("new-parts")
    return (
        bucket_app(folder / "bucket.toml", "new-one", "old-one"),
        table_app(folder / "table.toml", "new-one", "old-one"),
    )


def jobs(folder: Path) -> list[Ran]:
    """Everything that can be done with them, from the plan to the verification."""
    bucket, table = prepared(folder)
    parts = ("--multipart-threshold", "40000", "--part-size", "20000")
    ran = []
    for app in (bucket, table):
        plan = folder / f"{app.stem}.json"
        ran.append(run("plan", app, "--out", plan))
        ran.append(run("apply", plan))
        ran.append(run("plan", app, "--format", "json"))
    ran.append(
        run("migrate", "s3://old-versions", "s3://new-versions", "--versions", "all", *parts)
    )
    ran.append(run("migrate", "s3://old-versions", "s3://new-parts", *parts))
    ran.append(run("verify", "s3://old-versions", "s3://new-versions", "--versions", "all"))
    ran.append(run("verify", "s3://old-one", "s3://new-one", "--deep"))
    ran.append(run("verify", "dynamodb://old-one", "dynamodb://new-one"))
    ran.append(run("status", "--format", "json"))
    ran.append(run("report", "--out", folder / "report.html"))
    return ran


def bucket_of(seen: Seen) -> str:
    """The bucket of a request to S3."""
    return unquote(seen.path.removeprefix("/").partition("/")[0])


def is_s3(seen: Seen) -> bool:
    """Whether a request is to S3."""
    return "/s3/aws4_request" in seen.headers.get("authorization", "")


@pytest.fixture
def done(
    fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Ran], list[Seen]]:
    """The jobs, and what was sent for them."""
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    ran = jobs(tmp_path)
    ours = [seen for seen in fault_proxy.seen if "dataware/" in seen.headers.get("user-agent", "")]
    return ran, ours


def test_whole_jobs_keep_every_promise(
    done: tuple[list[Ran], list[Seen]], clean_environment: Path, tmp_path: Path
) -> None:
    """Owners in every call, no write to a source, no secret anywhere."""
    ran, ours = done
    assert [each.code for each in ran] == [0] * len(ran), [each.out + each.err for each in ran]
    _check_owners(ours)
    _check_sources(ours)
    _check_secrets(ran, clean_environment, tmp_path)


def _check_owners(ours: list[Seen]) -> None:
    to_s3 = [seen for seen in ours if is_s3(seen) and seen.operation not in OF_NO_BUCKET]
    assert {seen.operation for seen in to_s3} >= {
        *("HeadBucket", "ListObjectsV2", "ListObjectVersions", "CopyObject", "HeadObject"),
        *("CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload", "DeleteObject"),
        *("GetObject", "GetObjectTagging", "GetBucketVersioning", "ListMultipartUploads"),
    }
    for seen in to_s3:
        assert "x-amz-expected-bucket-owner" in seen.headers, seen.operation
        if "x-amz-copy-source" in seen.headers:
            assert "x-amz-source-expected-bucket-owner" in seen.headers, seen.operation


def _check_sources(ours: list[Seen]) -> None:
    for seen in ours:
        if is_s3(seen) and bucket_of(seen).startswith("old-"):
            assert seen.method in READS_OF_S3, seen.target
        elif (
            seen.headers.get("x-amz-target", "").startswith("DynamoDB") and b"old-one" in seen.body
        ):
            assert seen.operation in READS_OF_TABLES, seen.operation


def _check_secrets(ran: list[Ran], home: Path, folder: Path) -> None:
    kept = [path for place in (home, folder) for path in place.rglob("*") if path.is_file()]
    assert any(path.suffix == ".journal" for path in kept)
    texts = [each.out + each.err for each in ran]
    texts += [path.read_bytes().decode("latin-1") for path in kept]
    for secret in SECRETS.values():
        assert not any(secret in text for text in texts)
