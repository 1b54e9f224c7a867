"""The certificates that are trusted are read once, and nobody is trusted who was not before."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from dataware.aws import Account, AssumedRole, ClientSettings
from dataware.aws.certificates import context_for
from dataware.core.errors import LookupFailedError
from support.accounts import open_account

CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
    b"<Arn>arn:aws:iam::111122223333:user/u</Arn></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)
ASSUMED = (
    b"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>a</AccessKeyId>"
    b"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    b"<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    b"</AssumeRoleResponse>"
)
VERSIONING = b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'


class _Service(BaseHTTPRequestHandler):
    """Says who the caller is, gives the keys of a role, and knows a bucket without versions."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Any question to STS."""
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(ASSUMED if b"AssumeRole" in asked else CALLER)

    def do_GET(self) -> None:
        """Any question to S3."""
        self._answer(VERSIONING)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # so that each call is a connection
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Reads:
    """Counts what OpenSSL is made to read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: list[object] = []
        read = ssl.SSLContext.load_verify_locations

        def count(context: ssl.SSLContext, *places: object) -> None:
            self.files.append(places[0])
            read(context, *places)  # type: ignore[arg-type]  # as they were given

        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", count)


@pytest.fixture
def authority() -> trustme.CA:
    """Who signs for the service."""
    return trustme.CA()


@pytest.fixture
def service(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a service that is reached by TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which that authority stands, as the user has set it."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
    return path


def _open(service: str) -> Account:
    once = ClientSettings(first_attempts=1, attempts=1)
    return open_account(region="eu-central-1", endpoint_url=service, client_settings=once)


def test_many_connections_of_many_accounts_read_the_file_once(
    service: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever service they are to, and at the same time."""
    reads = _Reads(monkeypatch)
    accounts = [_open(service) for _ in range(3)]

    def ask(account: Account) -> str:
        account.client("s3").get_bucket_versioning(Bucket="bucket")
        return account.account

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ask, accounts * 4)) == {"111122223333"}
    assert reads.files == [str(bundle)]


def test_a_file_that_has_changed_is_read_again(
    service: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long run goes on when the certificates are renewed under it."""
    right = bundle.read_text()
    trustme.CA().cert_pem.write_to_path(str(bundle))
    account = _open(service)
    with pytest.raises(LookupFailedError):
        account.client("s3").get_bucket_versioning(Bucket="bucket")
    bundle.write_text(right)
    assert account.account == "111122223333"


def test_what_one_profile_trusts_no_other_one_does(
    service: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is a trust of its own."""
    assert _open(service).account == "111122223333"
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(other))
    with pytest.raises(LookupFailedError, match="certificate is not trusted"):
        _ = _open(service).account
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with pytest.raises(LookupFailedError, match="certificate is not trusted"):
        _ = _open(service).account
    assert context_for(str(bundle)) is not context_for(str(other))


def test_a_role_is_assumed_with_the_same_certificates(
    service: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose service is asked for once more in each account of a fleet."""
    assert _open(service).account
    reads = _Reads(monkeypatch)
    role = AssumedRole("arn:aws:iam::111122223333:role/dataware")
    assert _open(service).assume(role).account
    assert reads.files == []


def test_a_file_that_is_not_there_is_said_to_be_missing(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is without any of this."""
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(LookupFailedError, match="No such file"):
        _ = _open(service).account
