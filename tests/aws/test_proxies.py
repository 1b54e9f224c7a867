"""What stands between us and AWS, seen through the SDK: one sentence that names it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataware.aws import Account, ClientSettings
from dataware.cli.context import make_wire
from dataware.core.errors import LookupFailedError
from dataware.http.endpoint import without_credentials
from support.servers import FaultProxy, answer

PAGE = b"<!DOCTYPE html><html><body>Proxy Authentication Required<br></body></html>"


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A proxy that nobody gets through."""
    with FaultProxy("http://127.0.0.1:1") as server:
        server.add(answer(407, PAGE, {"Proxy-Authenticate": "Basic"}))
        yield server


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["me:secret@", ""])
def test_a_proxy_that_wants_credentials_is_named(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, scheme: str, host: str
) -> None:
    """Whether it answers itself or refuses the tunnel: by its address, without its password."""
    address = proxy.endpoint.replace("http://", f"http://{host}")
    monkeypatch.setenv(f"{scheme}_proxy", address)
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    account = Account.open(
        make_wire,
        region="eu-central-1",
        endpoint_url=f"{scheme}://sts.example",
        client_settings=ClientSettings(first_attempts=1, attempts=1),
    )
    with pytest.raises(LookupFailedError) as caught:
        _ = account.account
    text = str(caught.value)
    assert proxy.endpoint.removeprefix("http://") in text
    assert "407" in text
    assert "secret" not in text
    assert "PROXY" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pw@proxy:1 x", "https://***@proxy:1 x"),
        ("http://token@h/a@b", "http://***@h/a@b"),
        ("http://a:p@ss@host", "http://***@host"),
        ("mail me@host", "mail me@host"),
        ("https://host/key@2", "https://host/key@2"),
    ],
)
def test_what_stands_before_a_host_is_not_shown(text: str, shown: str) -> None:
    """Passwords of addresses are secrets; paths are not."""
    assert without_credentials(text) == shown
