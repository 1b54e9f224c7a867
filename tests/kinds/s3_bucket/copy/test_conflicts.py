"""What the target holds of its own, against the embedded AWS."""

from __future__ import annotations

import pytest

from dataware.aws.session import Account
from dataware.core.copier import SkipReason
from dataware.core.errors import RefusedError
from dataware.core.model import OnConflict
from dataware.core.ports import Request, Response
from dataware.embedded import EmbeddedAws
from support import buckets
from support.buckets import (
    copy,
    fault,
    get,
    order,
    put,
)


@pytest.fixture
def aws(aws_server: EmbeddedAws) -> Account:
    """An account with two empty buckets, `old` and `new`."""
    account = buckets.account()
    for name in ("old-bucket", "new-bucket"):
        account.client("s3").create_bucket(Bucket=name)
    return account


@pytest.mark.parametrize(
    ("policy", "content", "why"),
    [
        (None, b"theirs", "another object"),
        (OnConflict.TARGET, b"theirs", "kept the target's"),
        (OnConflict.SOURCE, b"ours", None),
    ],
)
def test_conflicts_follow_the_policy(
    aws: Account, policy: OnConflict | None, content: bytes, why: str | None
) -> None:
    """An object of someone else is replaced only if the policy says so, and always named."""
    put(aws, "same", b"same")
    put(aws, "same", b"same", "new-bucket")
    put(aws, "key", b"ours")
    put(aws, "key", b"theirs", "new-bucket")
    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket", on_conflict=policy))
    assert get(aws, "key") == content
    assert outcome.same == 1
    if why is None:
        assert (outcome.copied, outcome.skipped) == (1, ())
    else:
        (left,) = outcome.skipped
        assert (left.key, left.reason) == ("key", SkipReason.CONFLICT)
        assert why in left.detail


def test_the_policy_stop_ends_the_run(aws: Account) -> None:
    """With `stop`, the first conflict ends everything and names the key."""
    put(aws, "a key", b"ours")
    put(aws, "a key", b"theirs", "new-bucket")
    with pytest.raises(RefusedError, match="a key"):
        copy(aws, order(aws, "old-bucket", "new-bucket", on_conflict=OnConflict.STOP))
    assert get(aws, "a key") == b"theirs"


@pytest.mark.parametrize(
    ("policy", "copied", "why"),
    [(None, 0, "another object"), (OnConflict.SOURCE, 0, "while it is replaced")],
)
def test_a_target_that_keeps_changing_is_left(
    aws: Account, policy: OnConflict | None, copied: int, why: str
) -> None:
    """The policy `source` replaces the object that was seen, and no newer one."""
    put(aws, "key", b"ours")
    put(aws, "key", b"theirs", "new-bucket")

    def refuse(request: Request) -> Response | None:
        return fault(412, "PreconditionFailed") if request.method == "PUT" else None

    the_order = order(aws, "old-bucket", "new-bucket", on_conflict=policy)
    outcome, requests = copy(aws, the_order, answer=refuse)
    assert outcome.copied == copied
    assert why in outcome.skipped[0].detail
    puts = [request.headers for request in requests if request.method == "PUT"]
    etag = aws.client("s3").head_object(Bucket="new-bucket", Key="key")["ETag"]
    assert [headers.get("if-match") for headers in puts] == ([etag] if policy else [])


def test_an_archived_source_replaces_nothing(aws: Account) -> None:
    """The policy `source` cannot bring over what cannot be read."""
    put(aws, "cold", b"ours", StorageClass="DEEP_ARCHIVE")
    put(aws, "cold", b"theirs", "new-bucket")
    the_order = order(aws, "old-bucket", "new-bucket", on_conflict=OnConflict.SOURCE)
    (left,) = copy(aws, the_order)[0].skipped
    assert left.reason is SkipReason.ARCHIVED
    assert get(aws, "cold", "new-bucket") == b"theirs"


def test_a_target_that_goes_away_is_filled(aws: Account) -> None:
    """A doubtful object of the target that is deleted meanwhile makes room for ours."""
    put(aws, "key", b"ours")
    put(aws, "key", b"theirs", "new-bucket")

    def delete(request: Request) -> Response | None:
        if request.method == "HEAD":
            aws.client("s3").delete_object(Bucket="new-bucket", Key="key")
        return None

    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"), answer=delete)
    assert (outcome.copied, outcome.skipped) == (1, ())
    assert get(aws, "key") == b"ours"


def test_a_lost_answer_is_not_a_conflict(aws: Account) -> None:
    """When the service copied but the answer was lost, the next try finds our own object."""
    put(aws, "key", b"ours")

    def precede(request: Request) -> Response | None:
        if request.method == "PUT":
            put(aws, "key", b"ours", "new-bucket")
            return Response(412, {}, b"<Error><Code>PreconditionFailed</Code></Error>")
        return None

    outcome, _ = copy(aws, order(aws, "old-bucket", "new-bucket"), answer=precede)
    assert (outcome.same, outcome.skipped) == (1, ())
