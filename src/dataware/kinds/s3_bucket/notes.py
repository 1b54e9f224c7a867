"""What people should know of a bucket before objects are copied, from answers of the API; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataware.core.events import format_count
from dataware.core.model import Facts
from dataware.kinds.s3_bucket.storage_classes import ARCHIVE_CLASSES

EXPIRES = "its lifecycle expires objects"
SKIPPED = "archived and will be skipped"


def foresee_skipped(facts: Facts) -> Iterator[str]:
    """Which of the notes on a source say that a copy will be incomplete."""
    return (note for note in facts.notes if SKIPPED in note)


def note_archived(listed: Sequence[Mapping[str, Any]], *, more: bool) -> Iterator[str]:
    """How many of the listed objects no copy can read; `more` says that others follow.

    A listing tells which of them are restored, but does not show the archive tiers of
    INTELLIGENT_TIERING (Amazon S3 API Reference, ListObjectsV2).
    """
    count = sum(
        one.get("StorageClass") in ARCHIVE_CLASSES
        and "RestoreExpiryDate" not in (one.get("RestoreStatus") or {})
        for one in listed
    )
    if count:
        among = f"the first {len(listed):,}" if more else f"{len(listed):,}"
        are = f"is {SKIPPED}; restore it" if count == 1 else f"are {SKIPPED}; restore them"
        yield f"{count:,} of {among} objects {are} first"


@dataclass(frozen=True, slots=True)
class ObjectTrigger:
    """What a bucket does with new objects: the call that tells it, and the note on an answer."""

    call: str
    operation: str
    permission: str
    describe: Callable[[Mapping[str, Any]], Iterator[str]]
    unseen: str


def _describe_notifications(answer: Mapping[str, Any]) -> Iterator[str]:
    """Whether anything is notified (API Reference, GetBucketNotificationConfiguration)."""
    if any(name.endswith(("Configuration", "Configurations")) for name in answer):
        yield "it sends event notifications, also for objects that are copied into it"


def describe_expiry(answer: Mapping[str, Any]) -> Iterator[str]:
    """Whether objects expire; a copy is a new object (API Reference, LifecycleExpiration)."""
    rules = [rule for rule in answer.get("Rules", ()) if rule.get("Status") == "Enabled"]
    expiring = [rule["Expiration"] for rule in rules if rule.get("Expiration")]
    days = [int(one["Days"]) for one in expiring if one.get("Days")]
    if days:
        age = format_count(min(days), "day")
        yield f"{EXPIRES} after {age}, also copied ones"
    elif any(one.get("Date") for one in expiring):
        yield f"{EXPIRES} from a date on, also copied ones"


REACTIONS = (
    ObjectTrigger(
        "GetBucketNotificationConfiguration",
        "get_bucket_notification_configuration",
        "s3:GetBucketNotification",
        _describe_notifications,
        "whether it sends notifications is unknown",
    ),
    ObjectTrigger(
        "GetBucketLifecycleConfiguration",
        "get_bucket_lifecycle_configuration",
        "s3:GetLifecycleConfiguration",
        describe_expiry,
        "whether it expires objects is unknown",
    ),
)
