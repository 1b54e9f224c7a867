"""The server manager: it starts, serves one account, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.core.errors import DatawareError, InputError
from dataware.embedded import EmbeddedAws
from dataware.embedded import server as server_module


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _runs(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _port(server: EmbeddedAws) -> int:
    return urlsplit(server.endpoint).port or 0


def test_the_environment_leads_boto3_to_the_server(aws_server: EmbeddedAws) -> None:
    """`environ()` alone is enough for the SDK: endpoint, account and region."""
    assert boto3.client("sts").get_caller_identity()["Account"] == aws_server.account
    assert boto3.client("s3").meta.region_name == aws_server.region


def test_reset_forgets_everything(aws_server: EmbeddedAws) -> None:
    """After a reset the account is as it was at the start."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket")
    aws_server.reset()
    assert s3.list_buckets()["Buckets"] == []


def test_two_servers_are_two_worlds_and_end_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each has its own port and its own data; afterwards port, process and files are gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with EmbeddedAws(account="111111111111") as first, EmbeddedAws() as second:
        names = []
        for server in (first, second):
            with pytest.MonkeyPatch.context() as patch:
                for name, value in server.environ().items():
                    patch.setenv(name, value)
                s3 = boto3.client("s3")
                names.append([each["Name"] for each in s3.list_buckets()["Buckets"]])
                s3.create_bucket(Bucket="bucket")
        pids, ports = (first.pid, second.pid), (_port(first), _port(second))
    assert names == [[], []]
    assert not any(_runs(pid) for pid in pids)
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()
    assert list(tmp_path.iterdir()) == []


def test_it_listens_on_the_loopback_address_only(embedded: EmbeddedAws) -> None:
    """No other machine can reach the server."""
    port = f"{_port(embedded):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    listening = "0A"
    addresses = {row[1] for row in rows if row[3] == listening and row[1].endswith(f":{port}")}
    assert addresses == {f"0100007F:{port}"}


def test_the_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Even a kill -9 of the parent leaves neither a server nor its files behind."""
    program = (
        "from dataware.embedded import EmbeddedAws\n"
        "server = EmbeddedAws().start()\n"
        "print(server.pid, flush=True)\n"
        "input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    with parent.stdout, parent.stdin:
        child = int(parent.stdout.readline())
        assert _runs(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert _ends_within(child, 10)
        assert list(tmp_path.iterdir()) == []


def test_persisted_data_survive_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a folder to persist in, the next server goes on where the last one stopped."""
    for run in range(2):
        with EmbeddedAws(persist=tmp_path / "kept") as server:
            for name, value in server.environ().items():
                monkeypatch.setenv(name, value)
            s3 = boto3.client("s3")
            if run == 0:
                s3.create_bucket(Bucket="bucket")
                s3.put_object(Bucket="bucket", Key="a//b", Body=b"data", Metadata={"k": "v"})
            found = s3.get_object(Bucket="bucket", Key="a//b")
            assert found["Body"].read() == b"data"
            assert found["Metadata"] == {"k": "v"}


def test_a_taken_port_is_named(embedded: EmbeddedAws) -> None:
    """Asking for a port that is in use is one clear sentence."""
    with pytest.raises(DatawareError, match=f"cannot listen on 127.0.0.1:{_port(embedded)}"):
        EmbeddedAws(port=_port(embedded)).start()


def test_a_server_that_does_not_start_quotes_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An interpreter without the emulator fails with the last lines of the log, and no rest."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("DATAWARE_EMBEDDED_PYTHON", sys.executable)
    with pytest.raises(DatawareError, match=r"did not start; its log ends with: .*ministack"):
        EmbeddedAws().start()
    assert list(tmp_path.iterdir()) == []


def test_an_account_has_twelve_digits() -> None:
    """Any other access key would not name an account."""
    with pytest.raises(InputError, match="12 digits"):
        EmbeddedAws(account="test")


def test_a_server_that_is_not_running_has_no_endpoint() -> None:
    """Using it before the start is an error, not a wrong address."""
    server = EmbeddedAws()
    for use in (lambda: server.endpoint, lambda: server.pid, server.environ):
        with pytest.raises(DatawareError, match="not running"):
            use()
    server.stop()


def test_a_second_start_is_the_same_server(embedded: EmbeddedAws) -> None:
    """Starting what runs changes nothing."""
    before = embedded.endpoint
    assert embedded.start().endpoint == before


def test_the_users_proxy_exceptions_are_kept(
    embedded: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment does not come between the SDK and the server."""
    monkeypatch.setenv("no_proxy", "example.org,127.0.0.1")
    assert embedded.environ()["NO_PROXY"] == "example.org,127.0.0.1"
    assert embedded.environ()["no_proxy"] == "example.org,127.0.0.1"


def test_a_server_that_ignores_the_request_to_end_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopping takes a bounded time, whatever the server does."""
    monkeypatch.setattr(server_module, "_STOP_SECONDS", 0.2)
    server = EmbeddedAws().start()
    pid = server.pid
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert _ends_within(pid, 10)


def test_auth_mode_denies_what_no_policy_allows(auth_server: EmbeddedAws) -> None:
    """With `auth` a new user may do nothing, and the error is IAM's."""
    iam = boto3.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    theirs = boto3.client(
        "dynamodb",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    with pytest.raises(ClientError) as caught:
        theirs.list_tables()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
