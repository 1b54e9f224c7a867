"""`--sse`, `--sse-kms-key-id`, `--acl` and `--request-payer`, from the command line to S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.cli import run
from support.servers import FaultProxy
from support.worlds import client, make_bucket

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
ALL_HEADERS = ("--sse", "AES256", "--acl", "bucket-owner-full-control")
PAIR = ("s3://old-bucket", "s3://new-bucket")
TABLES = ("dynamodb://old-one", "dynamodb://new-one")
READS_OBJECTS = {"ListObjectsV2", "HeadObject", "GetObject", "GetObjectTagging", "CopyObject"}


@pytest.fixture
def proxy(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """Two buckets, one of them full, behind what records requests."""
    monkeypatch.chdir(tmp_path)
    make_bucket("old-bucket", [{"Key": str(number), "Body": b"x"} for number in range(5)])
    make_bucket("new-bucket")
    with FaultProxy(aws_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def test_objects_arrive_encrypted_and_with_the_acl(proxy: FaultProxy) -> None:
    """Each copy says it, and the copy is verified."""
    ran = run("migrate", *PAIR, *ALL_HEADERS)
    assert ran.code == 0, ran
    copies = [seen.headers for seen in proxy.seen if seen.operation == "CopyObject"]
    assert len(copies) == 5
    for headers in copies:
        assert headers["x-amz-server-side-encryption"] == "AES256"
        assert headers["x-amz-acl"] == "bucket-owner-full-control"
    head = client("s3").head_object(Bucket="new-bucket", Key="1")
    assert head["ServerSideEncryption"] == "AES256"


@pytest.mark.parametrize("command", ["migrate", "verify"])
def test_who_pays_says_so_in_the_copy_and_in_the_verification(
    proxy: FaultProxy, command: str
) -> None:
    """Every read of an object or a listing, by the copier and by the SDK's clients."""
    if command == "verify":
        assert run("migrate", *PAIR).code == 0
        proxy.clear()
    ran = run(command, *PAIR, "--request-payer", *(["--deep"] if command == "migrate" else []))
    assert ran.code == 0, ran
    reads = [seen for seen in proxy.seen if seen.operation in READS_OBJECTS]
    assert len(reads) > 1
    silent = [each for each in reads if each.headers.get("x-amz-request-payer") != "requester"]
    assert silent == []


def test_a_copy_goes_by_the_alias_of_an_access_point(proxy: FaultProxy) -> None:
    """The alias stands wherever a bucket's name does; the copy is verified through it, too."""
    alias = "drop-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"
    make_bucket(alias, [{"Key": f"2024/{number}", "Body": b"x"} for number in range(3)])
    proxy.clear()
    ran = run("migrate", f"s3://{alias}/2024/", "s3://new-bucket/2024/")
    assert ran.code == 0, ran
    assert "Verified 3 objects: all by content" in ran.out
    sources = {seen.headers.get("x-amz-copy-source", "").partition("/")[0] for seen in proxy.seen}
    assert sources == {"", alias}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--sse", "none"), "'none' is not one of 'AES256', 'aws:kms', 'aws:kms:dsse'"),
        (("--acl", "everybody"), "'everybody' is not one of 'private'"),
        (("--sse-kms-key-id", KEY), "a KMS key needs the encryption aws:kms"),
        (("--sse", "AES256", "--sse-kms-key-id", KEY), "a KMS key needs the encryption aws:kms"),
        (("--sse", "aws:kms", "--sse-kms-key-id", "mine"), "mine is not a KMS key: give its ARN"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_no_request(
    proxy: FaultProxy, options: tuple[str, ...], why: str
) -> None:
    """Nothing is sent before."""
    ran = run("migrate", *PAIR, *options)
    assert ran.code == 1
    assert why in ran.err
    assert proxy.seen == []


@pytest.mark.parametrize(
    "options", [("--sse", "AES256"), ("--acl", "private"), ("--request-payer",)]
)
def test_tables_take_no_headers_of_objects(proxy: FaultProxy, options: tuple[str, ...]) -> None:
    """Their encryption is a property of the table."""
    ran = run("migrate", *TABLES, *options)
    assert ran.code == 1
    assert "are for objects, not for a table" in ran.err
    assert proxy.seen == []


def test_the_policy_has_what_the_headers_need(proxy: FaultProxy) -> None:
    """`iam-policy` takes the same options."""
    Path("dataware.toml").write_text(
        '[[resource]]\ntype = "AWS::S3::Bucket"\npreferred = "new-bucket"\n'
        'fallback = ["old-bucket"]\n'
    )
    options = ("--sse", "aws:kms", "--sse-kms-key-id", KEY, "--acl", "private")
    ran = run("iam-policy", "dataware.toml", "--for", "apply", *options)
    assert ran.code == 0, ran
    granted = {
        (action, arn)
        for one in json.loads(ran.out)["Statement"]
        for action in one["Action"]
        for arn in one["Resource"]
    }
    assert ("s3:PutObjectAcl", "arn:aws:s3:::new-bucket/*") in granted
    keys = {arn for action, arn in granted if action == "kms:GenerateDataKey"}
    assert [arn.rpartition("/")[2] for arn in keys] == [KEY]
    planned = run("iam-policy", "dataware.toml", "--for", "plan", *options)
    assert "PutObjectAcl" not in planned.out


def test_the_policies_of_both_sides_are_what_one_would_be(proxy: FaultProxy) -> None:
    """With credentials for each side, the source only reads, and nothing is in neither half."""
    Path("dataware.toml").write_text(
        '[[resource]]\ntype = "AWS::S3::Bucket"\npreferred = "new-bucket"\n'
        'fallback = ["old-bucket"]\n'
    )
    asked = ("iam-policy", "dataware.toml", "--for", "migrate", "--side")
    both, source, target = (granted_by(*asked, side) for side in ("both", "source", "target"))
    assert both == source | target
    assert {arn for _, arn in source} - {"*"} == {
        "arn:aws:s3:::old-bucket",
        "arn:aws:s3:::old-bucket/*",
    }
    assert not [action for action, _ in source if not action.startswith(("s3:Get", "s3:List"))]
    assert not [arn for _, arn in target if "old-bucket" in arn]


def granted_by(*command: str) -> set[tuple[str, str]]:
    """Every action with every resource of a printed policy."""
    ran = run(*command)
    assert ran.code == 0, ran
    return {
        (action, arn)
        for one in json.loads(ran.out)["Statement"]
        for action in one["Action"]
        for arn in one["Resource"]
    }


@pytest.mark.parametrize(
    ("engine", "action"),
    [("map", "CreateStack"), ("export-import", "ImportTable"), ("bulk", "StartBulkPutItems")],
)
def test_each_engine_that_is_asked_for_is_granted_what_it_takes(
    proxy: FaultProxy, engine: str, action: str
) -> None:
    """The policies of both sides, too: the source's exports, and the target's does the rest."""
    Path("dataware.toml").write_text(
        '[[resource]]\ntype = "AWS::DynamoDB::Table"\npreferred = "Orders-prod"\n'
        'fallback = ["Orders"]\n'
    )
    asked = ("iam-policy", "dataware.toml", "--for", "apply", "--engine", engine)
    assert action in {name.partition(":")[2] for name, _ in granted_by(*asked)}
    if engine == "export-import":
        source = granted_by(*asked, "--side", "source")
        writes = {name for name, arn in source if ":s3:::dataware-export-" in arn}
        assert writes == {"s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"}
        assert "dynamodb:ImportTable" not in {name for name, _ in source}
