"""The copier against SeaweedFS, which enforces conditions that the embedded AWS ignores."""

from __future__ import annotations

import pytest

from dataware.aws.session import Account
from dataware.cli.transport import make_wire
from dataware.core.copier import SkipReason
from dataware.core.model import OnConflict
from dataware.core.ports import Request, Response
from support import buckets
from support.buckets import (
    DIFFICULT_KEYS,
    copy,
    get,
    many_keys,
    order,
    partitions,
    put,
    small_pages,
)
from support.peers import Weed

# SeaweedFS itself changes or refuses these: what looks like a path, control characters, long names.
_NOT_FOR_WEED = {
    *("trail/", "/lead", "x//y", "..", ".", "a/../b", "a/./b", "a\\b"),
    *("nl\nx", "cr\rx", "c\x01z", "k" * 1024),
}
LARGE = 6 * 1024**2


class WeedAccount(Account):
    """An account whose number is known, because SeaweedFS has no STS."""

    @property
    def account(self) -> str:
        """The number that SeaweedFS was told."""
        return Weed.account


@pytest.fixture
def aws(weed: Weed, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account of SeaweedFS's administrator."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", weed.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", weed.secret)
    return WeedAccount.open(make_wire, region=buckets.REGION, endpoint_url=weed.endpoint)


@pytest.fixture
def pair(aws: Account) -> tuple[str, str]:
    """The names of two new buckets."""
    return buckets.make_pair(aws)


def test_keys_arrive(aws: Account, pair: tuple[str, str]) -> None:
    """A server of other authors understands the same encoding."""
    keys = [key for key in DIFFICULT_KEYS if key not in _NOT_FOR_WEED]
    for key in keys:
        put(aws, key, key.encode(), pair[0])
    outcome, _ = copy(aws, order(aws, *pair))
    assert (outcome.copied, outcome.skipped) == (len(keys), ())
    assert all(get(aws, key, pair[1]) == key.encode() for key in keys)


def test_a_split_bucket_is_copied_once(
    aws: Account, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of other authors begins and ends listings at the same places."""
    small_pages(monkeypatch)
    names = many_keys(key for key in DIFFICULT_KEYS if key not in _NOT_FOR_WEED)
    for key in names:
        put(aws, key, key.encode(), pair[0])
    the_order = order(aws, *pair)
    assert len(partitions(aws, the_order)) >= 4
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.same, outcome.skipped) == (len(names), 0, ())
    aws.client("s3").delete_object(Bucket=pair[1], Key="data/00060.bin")
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.same) == (1, len(names) - 1)
    assert all(get(aws, key, pair[1]) == key.encode() for key in names)


@pytest.mark.parametrize("threshold", [LARGE, LARGE - 1], ids=["at once", "in parts"])
@pytest.mark.parametrize("policy", [None, OnConflict.SOURCE])
def test_an_object_that_comes_in_between_is_not_replaced(
    aws: Account, pair: tuple[str, str], threshold: int, policy: OnConflict | None
) -> None:
    """Whoever writes to the target between listing and copy wins, unless the policy says else."""
    put(aws, "key", b"x" * LARGE, pair[0])
    came: list[Request] = []

    def come_in_between(request: Request) -> Response | None:
        if request.method in {"PUT", "POST"} and not came:
            came.append(request)
            put(aws, "key", b"theirs", pair[1])
        return None

    the_order = order(
        aws, *pair, multipart_threshold=threshold, part_size=5 * 1024**2, on_conflict=policy
    )
    outcome, _ = copy(aws, the_order, answer=come_in_between)
    if policy is None:
        assert [left.reason for left in outcome.skipped] == [SkipReason.CONFLICT]
        assert get(aws, "key", pair[1]) == b"theirs"
    else:
        assert outcome.copied == 1
        assert get(aws, "key", pair[1]) == b"x" * LARGE
    assert not aws.client("s3").list_multipart_uploads(Bucket=pair[1]).get("Uploads")


def test_an_object_in_parts_keeps_everything(aws: Account, pair: tuple[str, str]) -> None:
    """Headers, metadata and tags arrive, and the mark does not become part of the object."""
    kept = {"ContentType": "text/x", "CacheControl": "max-age=1", "Metadata": {"a": "1"}}
    put(aws, "key", b"x" * LARGE, pair[0], Tagging="t=1%2B", **kept)
    the_order = order(aws, *pair, multipart_threshold=LARGE - 1, part_size=5 * 1024**2)
    outcome, _ = copy(aws, the_order)
    assert (outcome.copied, outcome.skipped) == (1, ())
    head = aws.client("s3").head_object(Bucket=pair[1], Key="key")
    assert {name: head[name] for name in kept} == kept
    tags = aws.client("s3").get_object_tagging(Bucket=pair[1], Key="key")["TagSet"]
    assert tags == [{"Key": "t", "Value": "1+"}]
    assert get(aws, "key", pair[1]) == b"x" * LARGE
    assert copy(aws, the_order)[0].same == 1
