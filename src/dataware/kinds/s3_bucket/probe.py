"""What stands under a bucket's name, without ever taking a denial for an absence.

A bucket is someone else's unless it answers to its expected owner or the caller's own list of
buckets shows it; of a stranger's bucket nothing further is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import (
    Content,
    Existence,
    Facts,
    Location,
    Owner,
    Ownership,
    Problem,
    Setting,
    Size,
    absent,
)
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.kinds.s3_bucket.account_regional import account_of
from dataware.kinds.s3_bucket.notes import REACTIONS, note_archived
from dataware.kinds.s3_bucket.settings import SETTINGS

_PAGE = 1000
_LISTING: Mapping[str, Any] = {
    "MaxKeys": _PAGE,
    # The answer then tells which archived objects can be read at the moment.
    "OptionalObjectAttributes": ["RestoreStatus"],
}


@dataclass
class _Look:
    """One look at one bucket; collects what could not be seen and what people should know."""

    aws: Aws
    name: str
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    listed_region: str | None = None

    @property
    def s3(self) -> Any:
        """The client, which names the expected owner in every call."""
        return self.aws.client("s3")

    def ask(self, operation: str, permission: str, **arguments: Any) -> dict[str, Any]:
        """Call an operation on the bucket; raises NotFoundError and LookupFailedError."""
        with self.aws.translate_errors(f"bucket {self.name}", permission):
            answer: dict[str, Any] = getattr(self.s3, operation)(Bucket=self.name, **arguments)
        return answer

    def trouble(self, error: LookupFailedError, call: str, permission: str) -> None:
        """Keep an unanswered question."""
        self.problems.append(error.problem or Problem(call, "Unknown", permission, str(error)))

    def skip(self, error: LookupFailedError, call: str, permission: str, consequence: str) -> None:
        """Keep an unanswered question on whose answer no decision rests."""
        self.trouble(error, call, permission)
        self.problems[-1] = self.problems[-1].meaning(consequence)


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`."""
    look = _Look(aws, name)
    try:
        head = look.ask("head_bucket", "s3:ListBucket")
    except NotFoundError:
        return _confirm_absence(look)
    except LookupFailedError as error:
        look.trouble(error, "HeadBucket", "s3:ListBucket")
        denied = error.code in {"403", "AccessDenied"}
        return _facts_when_denied(look) if denied else Facts(name, problems=tuple(look.problems))
    _note_region(look, head)
    content, size = _content(look)
    _note_uploads(look)
    _note_website(look)
    _note_reactions(look)
    return Facts(
        name,
        Existence.EXISTS,
        content,
        size=size,
        identity=_identity(look),
        settings=_settings(look),
        problems=tuple(look.problems),
        notes=tuple(look.notes),
        region=_region(head) or look.listed_region,
    )


def _confirm_absence(look: _Look) -> Facts:
    """What a 404 to HeadBucket means, which has no body and may come from anybody.

    Only the code NoSuchBucket, in an answer to another call, says that the bucket is not there.
    """
    permission = "s3:ListBucket"
    try:
        look.ask("list_objects_v2", permission, MaxKeys=1)
    except NotFoundError:
        return absent(look.name)
    except LookupFailedError as error:
        look.trouble(error, "ListObjectsV2", permission)
    else:
        why = "HeadBucket says that the bucket is not there, and ListObjectsV2 lists it"
        look.problems.append(Problem("HeadBucket", "404", None, why))
    return Facts(look.name, problems=tuple(look.problems))


def locate(aws: Aws, place: Location) -> str | None:
    """The region of a bucket, which answers no request that was sent to another one.

    HeadBucket names it in a header (Amazon S3 API Reference, HeadBucket), and the SDK follows its
    redirect. None if the bucket does not answer.
    """
    look = _Look(aws, place.name.rpartition(":::")[2])
    try:
        head = look.ask("head_bucket", "s3:ListBucket", ExpectedBucketOwner=place.owner)
    except (LookupFailedError, NotFoundError):
        return None
    return _region(head)


def _region(head: Mapping[str, Any]) -> str | None:
    region: str | None = head["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    return region or None


def _facts_when_denied(look: _Look) -> Facts:
    """A 403: ours if the caller's own list shows the name, or no one else can have it.

    Any other is a stranger's.
    """
    try:
        created = _find_creation_time(look)
    except LookupFailedError as error:
        why = f"only s3:ListAllMyBuckets can show whether it is yours ({error.problem or error})"
        created = None
    else:
        why = "the account's own list of buckets does not show it"
    maker = account_of(look.name)
    if created is None and (maker is None or maker != look.aws.account):
        problem = Problem("HeadBucket", "403", "s3:ListAllMyBuckets", why)
        return Facts(
            look.name,
            Existence.EXISTS,
            Content.UNKNOWN,
            Owner(Ownership.FOREIGN),
            problems=(problem,),
        )
    return Facts(
        look.name,
        Existence.EXISTS,
        Content.UNKNOWN,
        identity=created,
        problems=tuple(look.problems),
        region=look.listed_region,
    )


def _find_creation_time(look: _Look) -> str | None:
    """When the bucket was created, from the caller's own list; None if it is not there.

    The list says the region, too (Amazon S3 API Reference, ListBuckets, BucketRegion).
    """
    more: dict[str, str] = {}
    cursor = PageCursor("ListBuckets", "the list of buckets")
    while True:
        with look.aws.translate_errors("the list of buckets", "s3:ListAllMyBuckets"):
            page = look.s3.list_buckets(Prefix=look.name, MaxBuckets=_PAGE, **more)
        for bucket in page.get("Buckets", ()):
            if bucket["Name"] == look.name:
                look.listed_region = bucket.get("BucketRegion")
                return str(bucket["CreationDate"].isoformat())
        if not page.get("ContinuationToken"):
            return None
        more = {"ContinuationToken": page["ContinuationToken"]}
        cursor.advance(more, entries=len(page.get("Buckets", ())))


def _identity(look: _Look) -> str | None:
    """The creation date: it changes when a bucket is deleted and made again."""
    try:
        return _find_creation_time(look)
    except LookupFailedError as error:
        look.trouble(error, "ListBuckets", "s3:ListAllMyBuckets")
        look.problems[-1] = look.problems[-1].meaning(
            "its creation date is unknown, so a re-created bucket cannot be detected",
            decides=True,
        )
        return None


def _note_region(look: _Look, head: Mapping[str, Any]) -> None:
    region = _region(head)
    if region and region != look.aws.region:
        look.notes.append(f"it is in region {region}, not in {look.aws.region}")


def _content(look: _Look) -> tuple[Content, Size | None]:
    try:
        page = _first_objects(look)
    except (LookupFailedError, NotFoundError) as error:
        look.trouble(LookupFailedError(str(error), error.problem), "ListObjectsV2", "s3:ListBucket")
        return Content.UNKNOWN, None
    listed = page.get("Contents", [])
    more = bool(page["IsTruncated"])
    size = Size(len(listed), sum(one["Size"] for one in listed), exact=not more, at_least=more)
    look.notes.extend(note_archived(listed, more=page["IsTruncated"]))
    older = _older_versions(look, bool(listed))
    if listed:
        return Content.DATA, size
    if older is None:
        return Content.UNKNOWN, size
    return (Content.DATA if older else Content.EMPTY), size


def _first_objects(look: _Look) -> Mapping[str, Any]:
    """The first page that shows an object, or the last one: an empty page need not be the last."""
    more: dict[str, str] = {}
    cursor = PageCursor("ListObjectsV2", f"bucket {look.name}")
    while True:
        page = look.ask("list_objects_v2", "s3:ListBucket", **_LISTING, **more)
        if page.get("Contents") or not page["IsTruncated"]:
            return page
        more = {"ContinuationToken": page.get("NextContinuationToken", "")}
        cursor.advance(more, entries=0)


def _older_versions(look: _Look, has_objects: bool) -> bool | None:
    """Whether older versions exist; None if that cannot be seen.

    An empty bucket is searched to the end of its delete markers, any other for one page.
    """
    older = markers = False
    try:
        for page in _version_pages(look):
            markers = markers or bool(page.get("DeleteMarkers"))
            older = older or any(not one["IsLatest"] for one in page.get("Versions", ()))
            if older or has_objects:
                break
    except (LookupFailedError, NotFoundError) as error:
        problem = LookupFailedError(str(error), error.problem)
        look.trouble(problem, "ListObjectVersions", "s3:ListBucketVersions")
        return None
    if older:
        look.notes.append("it holds older versions, which are only copied with --versions all")
    elif markers and not has_objects:
        look.notes.append("it holds nothing but delete markers")
    return older


def _version_pages(look: _Look) -> Iterator[Mapping[str, Any]]:
    more: dict[str, str] = {}
    cursor = PageCursor("ListObjectVersions", f"bucket {look.name}")
    while True:
        page = look.ask("list_object_versions", "s3:ListBucketVersions", MaxKeys=_PAGE, **more)
        yield page
        if not page["IsTruncated"]:
            return
        more = {
            "KeyMarker": page.get("NextKeyMarker", ""),
            "VersionIdMarker": page.get("NextVersionIdMarker", ""),
        }
        listed = page.get("Versions", ()), page.get("DeleteMarkers", ())
        cursor.advance(more, entries=sum(map(len, listed)))


def _note_uploads(look: _Look) -> None:
    permission = "s3:ListBucketMultipartUploads"
    try:
        page = look.ask("list_multipart_uploads", permission, MaxUploads=1)
    except NotFoundError:
        return
    except LookupFailedError as error:
        look.skip(
            error, "ListMultipartUploads", permission, "whether uploads are unfinished is unknown"
        )
        return
    if page.get("Uploads"):
        look.notes.append("it holds unfinished uploads, which are not data and are not copied")


def _note_website(look: _Look) -> None:
    """Only websites follow the redirects of objects, which no listing shows and no copy carries."""
    permission = "s3:GetBucketWebsite"
    try:
        look.ask("get_bucket_website", permission)
    except NotFoundError:
        return
    except LookupFailedError as error:
        look.skip(error, "GetBucketWebsite", permission, "whether it serves a website is unknown")
        return
    look.notes.append(
        "it serves a website: redirects of objects (x-amz-website-redirect-location) are not "
        "copied, except those of objects above 5 GiB"
    )


def _note_reactions(look: _Look) -> None:
    """What happens to objects that are copied into the bucket; no decision rests on it."""
    for reaction in REACTIONS:
        try:
            answer = look.ask(reaction.operation, reaction.permission)
        except NotFoundError:
            continue
        except LookupFailedError as error:
            look.skip(error, reaction.call, reaction.permission, reaction.unseen)
            continue
        look.notes.extend(reaction.describe(answer))


def _settings(look: _Look) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    for setting in SETTINGS:
        try:
            answer = look.ask(setting.operation, setting.permission)
        except NotFoundError:
            answer = {}
        except LookupFailedError as error:
            consequence = f"{setting.name} is not compared"
            look.skip(error, setting.call, setting.permission, consequence)
            continue
        settings[setting.name] = setting.rank(answer)
    return settings
