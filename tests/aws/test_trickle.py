"""Answers to the SDK that come byte by byte: each is given up after a time, with a sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dataware.aws import Account, ClientSettings
from dataware.cli.context import make_wire
from dataware.core.errors import LookupFailedError
from dataware.kinds.s3_bucket.verify.listings import read_listing
from support.servers import FaultProxy, answer, trickle

CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
    b"<Arn>arn:aws:iam::111122223333:user/u</Arn></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account whose every answer but the first takes for ever, though never silent for long."""
    with FaultProxy("http://127.0.0.1:1", record=False) as proxy:
        proxy.add(trickle(0.1), when=lambda seen: seen.operation != "GetCallerIdentity")
        proxy.add(answer(200, b" " * 10_000), when=lambda s: s.operation != "GetCallerIdentity")
        proxy.add(answer(200, CALLER), operation="GetCallerIdentity")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield Account.open(
            make_wire,
            region="eu-central-1",
            client_settings=ClientSettings(attempts=8, read_seconds=5, answer_seconds=0.5),
        )


def test_a_look_that_trickles_is_given_up(account: Account) -> None:
    """Of the stack that owns something nothing is known then."""
    with pytest.raises(LookupFailedError, match="got no complete response within"):
        account.owner_of("AWS::S3::Bucket", "some-bucket")


def test_a_page_that_trickles_is_given_up(account: Account) -> None:
    """So it is with what a verification reads undecoded."""
    with pytest.raises(LookupFailedError, match="got no complete response within"):
        account.fetch("s3", "list_objects_v2", read_listing, Bucket="some-bucket")


def test_a_body_that_trickles_is_given_up(account: Account) -> None:
    """And with the bytes of an object, once they do not come."""
    body = account.client("s3").get_object(Bucket="some-bucket", Key="key")["Body"]
    with pytest.raises(LookupFailedError, match="got no complete response within"):
        body.read()
