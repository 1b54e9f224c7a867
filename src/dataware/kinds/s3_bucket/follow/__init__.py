"""Follows a bucket by differences: both sides are listed again and again, and what differs is
carried by a compare-and-swap on both ends.

Nothing is switched on at the source. `copier` is that of `copy`, which keeps on record what it
writes; `carrier` brings keys to the current state of the source, and never replaces or deletes an
object that the follow did not write.
"""

from collections.abc import Collection
from typing import NoReturn

from dataware.core.errors import InputError
from dataware.core.follow.following import Following
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.kinds.s3_bucket.follow.carrier import BucketCarrier
from dataware.kinds.s3_bucket.follow.copier import RecordingCopier


def _find_feed(_aws: Aws, _bucket: str) -> None:
    """Notifications and metadata tables are part of a bucket's configuration, so none is used."""
    return


def _refuse_feed(_aws: Aws, bucket: str) -> NoReturn:
    raise InputError(f"bucket {bucket} is followed by comparing listings, not by a feed")


def _disable_feed(_aws: Aws, _bucket: str, _feed: str) -> bool:
    return False


def _find_expired(
    source: tuple[Aws, Location],
    target: tuple[Aws, Location],
    keys: Collection[bytes],
    now: float,
) -> frozenset[bytes]:
    """An object that a lifecycle rule of the target has removed is carried again, as any other."""
    del source, target, keys, now
    return frozenset()


FOLLOWING = Following(
    feed_noun="",
    find_feed=_find_feed,
    enable_feed=_refuse_feed,
    disable_feed=_disable_feed,
    make_feed=_refuse_feed,
    make_carrier=BucketCarrier,
    find_expired=_find_expired,
    make_copier=RecordingCopier,
)

__all__ = ["FOLLOWING"]
