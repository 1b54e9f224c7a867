"""Follows a bucket by differences: both sides are listed again and again, and what differs is
carried by a compare-and-swap on both ends.

Nothing is switched on at the source. `copier` is that of `copy`, which keeps on record what it
writes; `carrier` brings keys to the current state of the source, and never replaces or deletes an
object that the follow did not write.
"""

from collections.abc import Collection, Iterator
from typing import NoReturn

from dataware.core.errors import InputError, RefusedError
from dataware.core.follow.following import Following
from dataware.core.follow.forecast import FeedOptions, FollowForecast
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.kinds.s3_bucket.follow.carrier import BucketCarrier
from dataware.kinds.s3_bucket.follow.copier import RecordingCopier
from dataware.kinds.s3_bucket.verify.reader import BucketReader


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


def _list_tags(aws: Aws, place: Location) -> Iterator[tuple[bytes, str]]:
    """The current objects by key, relative to the prefix, with their ETags."""
    reader = BucketReader(aws, place, deep=False)
    for part in reader.parts():
        for page in reader.pages(part):
            for record in page.records:
                yield record[0], record[1].decode()


def _check_undo(aws: Aws, place: Location) -> None:
    """Raise RefusedError for a bucket whose former objects an undo would overwrite for good.

    Amazon S3 User Guide, "How S3 Versioning works": with versioning a write keeps what it replaces,
    and a delete makes a marker.
    """
    name = place.name.rpartition(":::")[2]
    with aws.translate_errors(f"bucket {name}", "s3:GetBucketVersioning"):
        answer = aws.client("s3").get_bucket_versioning(
            Bucket=name, ExpectedBucketOwner=place.owner
        )
    if answer.get("Status") != "Enabled":
        raise RefusedError(
            f"nothing was changed, because bucket {name} keeps no versions, which an undo needs to "
            "replace objects safely: enable versioning and run again"
        )


ACLS = "ACLs that change"
UNREAD = "metadata, tags and ACLs that change on the same bytes; --deep sees metadata and tags"

BLIND_SPOTS = {False: f"a follow does not see {UNREAD}", True: f"a follow does not see {ACLS}"}

LISTING, READING = (
    "lists both sides again and again",
    "lists both sides again and again, and reads every object of both each time",
)


def _forecast_follow(_aws: Aws, bucket: str, options: FeedOptions) -> FollowForecast:
    """Both sides are compared, whatever else the bucket has."""
    way, spot = (READING, ACLS) if options.deep else (LISTING, UNREAD)
    return FollowForecast(bucket, way=way, blind_spots=(spot,))


FOLLOWING = Following(
    feed_noun="",
    find_feed=_find_feed,
    enable_feed=_refuse_feed,
    disable_feed=_disable_feed,
    make_feed=_refuse_feed,
    make_carrier=BucketCarrier,
    find_expired=_find_expired,
    forecast=_forecast_follow,
    make_copier=RecordingCopier,
    list_tags=_list_tags,
    check_undo=_check_undo,
    blind_spots=BLIND_SPOTS,
)

__all__ = ["FOLLOWING"]
