"""The independent servers run, so that a skipped cross-check is never a broken fixture."""

from __future__ import annotations

import subprocess
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from support.peers import (
    Download,
    DynamoDbLocal,
    Peer,
    Roto,
    UnavailableError,
    Weed,
)


def test_seaweedfs_serves_s3(weed: Weed) -> None:
    """SeaweedFS keeps an object and refuses a conditional copy over it."""
    s3 = boto3.client("s3", **weed.client_options())
    s3.create_bucket(Bucket="smoke")
    s3.put_object(Bucket="smoke", Key="a b", Body=b"data", Metadata={"k": "v"})
    found = s3.get_object(Bucket="smoke", Key="a b")
    assert (found["Body"].read(), found["Metadata"]) == (b"data", {"k": "v"})
    copy = {"Bucket": "smoke", "Key": "copy", "CopySource": "smoke/a b", "IfNoneMatch": "*"}
    s3.copy_object(**copy)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.copy_object(**copy)


def test_dynamodb_local_serves_dynamodb(dynamodb_local: DynamoDbLocal) -> None:
    """DynamoDB Local keeps an item."""
    dynamodb = boto3.client("dynamodb", **dynamodb_local.client_options())
    dynamodb.create_table(
        TableName="smoke",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="smoke", Item={"id": {"S": "1"}, "n": {"N": "1.0"}})
    assert dynamodb.scan(TableName="smoke")["Items"] == [{"id": {"S": "1"}, "n": {"N": "1"}}]


def test_roto_serves_both(roto: Roto) -> None:
    """roto keeps an object, and the account is the one that it was told."""
    s3 = boto3.client("s3", **roto.client_options())
    s3.create_bucket(Bucket="smoke")
    s3.put_object(Bucket="smoke", Key="a b", Body=b"data", Metadata={"k": "v"})
    found = s3.get_object(Bucket="smoke", Key="a b")
    assert (found["Body"].read(), found["Metadata"]) == (b"data", {"k": "v"})
    caller = boto3.client("sts", **roto.client_options()).get_caller_identity()
    assert caller["Account"] == roto.account


@pytest.mark.parametrize("peer", [Weed, DynamoDbLocal, Roto])
def test_a_peer_that_is_not_installed_says_how_to_get_it(
    peer: type[Peer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reason of the skip is the command that ends it."""
    monkeypatch.setenv("DATAWARE_CACHE", str(tmp_path))
    with pytest.raises(UnavailableError, match=r"not installed: .*python -m support\.peers"):
        peer().start()


def test_a_missing_java_is_the_reason(
    dynamodb_local: DynamoDbLocal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without Java the skip says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="needs Java 17, and there is no Java"):
        DynamoDbLocal().start()


def test_a_file_that_is_not_the_known_one_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A registry that hands out another file under the same name is not trusted."""
    monkeypatch.setenv("DATAWARE_CACHE", str(tmp_path))
    command = ("sh", "-c", "echo other > file")
    download = Download("peer", command, "file", "0" * 64, lambda _archive, target: target.mkdir())
    with pytest.raises(UnavailableError, match="not the file that this project knows"):
        download.install()
    assert not download.path.exists()


def test_a_failed_download_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tool's last line is the reason; a tool that is not there is named."""
    monkeypatch.setenv("DATAWARE_CACHE", str(tmp_path))
    for command, reason in (
        (("sh", "-c", "echo no network >&2; exit 1"), "cannot be downloaded: no network"),
        (("no-such-tool",), "no-such-tool is not installed"),
    ):
        download = Download("peer", command, "file", "", lambda _archive, target: target.mkdir())
        with pytest.raises(UnavailableError, match=reason):
            download.install()


def test_an_installed_peer_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What lies in the cache is not downloaded again."""
    monkeypatch.setenv("DATAWARE_CACHE", str(tmp_path))
    digest = subprocess.run(
        ["sh", "-c", "printf peer | sha256sum"], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    made = ("sh", "-c", "printf peer > file")
    Download("peer", made, "file", digest, lambda _archive, target: target.mkdir()).install()
    Download("peer", ("false",), "file", digest, lambda _archive, target: target.mkdir()).install()
