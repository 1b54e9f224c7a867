"""The card of AWS::S3::Bucket.

Copies are made by the service itself, object by object; listings of both sides are merged as they
are read. Not carried: the source's ACLs, object locks and holds, the KMS key (the target's default
encryption applies, unless the run names another), and website redirects of objects that fit into
one CopyObject. Sources: Amazon S3 API Reference and User Guide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.kind import Copying, Kind, Names, Permissions, Template
from dataware.core.model import Location, Size
from dataware.core.phases import CARRY, DESCRIBE, UNDO, VERSIONS, VERSIONS_WRITE, WRITE_ACL
from dataware.core.ports import Aws
from dataware.core.reader import Reader
from dataware.kinds.s3_bucket.access_points import ACCESS_POINTS
from dataware.kinds.s3_bucket.account_regional import name_expression
from dataware.kinds.s3_bucket.comparison import COMPARISON
from dataware.kinds.s3_bucket.custom_resources import CUSTOM_DELETIONS, EFFECTS
from dataware.kinds.s3_bucket.describe import PERMISSIONS as DESCRIBE_ACTIONS
from dataware.kinds.s3_bucket.describe import describe_properties
from dataware.kinds.s3_bucket.notes import EXPIRES, foresee_skipped
from dataware.kinds.s3_bucket.probe import locate, probe
from dataware.kinds.s3_bucket.settings import SETTINGS, declared_settings, list_problems

if TYPE_CHECKING:
    from dataware.core.engines.card import EngineCard
    from dataware.core.follow.following import Following
    from dataware.core.rehearsal import Rehearsal

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OLD_NAME = re.compile(r"[A-Za-z0-9._-]{3,255}")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_name(name: str) -> str | None:
    """What is wrong with a bucket's name, or None (User Guide, bucket naming rules)."""
    if not _NAME.fullmatch(name):
        return (
            "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins "
            "and ends with a letter or digit"
        )
    if ".." in name or _ADDRESS.fullmatch(name):
        return "a bucket's name has no two dots in a row and does not look like an IP address"
    if name.startswith(_RESERVED_PREFIXES) or name.endswith(_RESERVED_SUFFIXES):
        return "a bucket's name may not begin or end with a part that S3 reserves for itself"
    return None


def check_existing_name(name: str) -> str | None:
    """What is wrong with the name of a bucket that stands, or None.

    Buckets made in us-east-1 before March 2018 have up to 255 characters, capital letters and
    underscores (User Guide, "General purpose bucket naming rules").
    """
    if not _OLD_NAME.fullmatch(name):
        return (
            "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens; before 2018 "
            "up to 255, with capitals and underscores"
        )
    if name.endswith(_RESERVED_SUFFIXES):
        return "a bucket's name may not end with a part that S3 reserves for itself"
    return None


def arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    """The bucket and its objects; names of buckets are unique without account and region."""
    bucket = name if name.startswith("arn:") else f"arn:{partition}:s3:::{name}"
    return (bucket, f"{bucket}/*")


def charges(size: Size) -> dict[str, float]:
    """Requests of a copy and its verification: one copy of each object, four listings.

    Both are charged as a PUT, and a listing names 1,000 keys a page (Amazon S3 pricing). Storage
    classes other than STANDARD cost more, and so do the requests for objects that need a closer
    look. The looks that split a large bucket are some 200 more.
    """
    return {"s3.put": size.items + 4.0 * -(-size.items // 1000)}


def count_verify_requests(size: Size) -> dict[str, float]:
    """Requests of the verification alone: a listing of each side."""
    return {"s3.put": 2.0 * -(-size.items // 1000)}


_READ_OBJECTS = ("s3:GetObject", "s3:GetObjectTagging")
_WRITE_OBJECTS = (
    "s3:ListBucket",
    *_READ_OBJECTS,
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:PutObjectAnnotation",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:AbortMultipartUpload",
)
# What --versions all takes beyond the other phases.
_VERSIONS = (
    "s3:ListBucketVersions",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTagging",
    "s3:GetBucketVersioning",
)

# Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3": these
# are checked against an object, all others here against the bucket.
_OF_OBJECTS = {
    *_READ_OBJECTS,
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObjectAnnotation",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTagging",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectAnnotation",
    "s3:PutObjectTagging",
}


def _governs(action: str, arn: str) -> bool:
    return (action in _OF_OBJECTS) is arn.endswith("/*")


_SETTINGS = tuple(setting.permission for setting in SETTINGS)


def _make_copier(tools: CopyTools, order: CopyOrder) -> Copier[Any]:
    from dataware.kinds.s3_bucket.copy.copier import make

    return make(tools, order)


def make_reader(aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
    """The reader of a place; does no I/O."""
    if all_versions:
        from dataware.kinds.s3_bucket.verify.versions import HistoryReader

        return HistoryReader(aws, place, deep=deep)
    from dataware.kinds.s3_bucket.verify.reader import BucketReader

    return BucketReader(aws, place, deep=deep)


def _following() -> Following:
    from dataware.kinds.s3_bucket.follow import FOLLOWING

    return FOLLOWING


def _rehearsal() -> Rehearsal:
    from dataware.kinds.s3_bucket.rehearsal import BUCKET_REHEARSAL

    return BUCKET_REHEARSAL


def _engines() -> tuple[EngineCard, ...]:
    from dataware.kinds.s3_bucket.engines import BUCKET_ENGINES

    return BUCKET_ENGINES


KIND = Kind(
    cfn_type="AWS::S3::Bucket",
    names=Names("s3-bucket", "S3 bucket", "bucket", "object", check_name, check_existing_name),
    template=Template(
        identifier="BucketName",
        name_expression=name_expression,
        name_parts=("BucketNamePrefix",),
        list_problems=list_problems,
        describe=describe_properties,
        declared_settings=declared_settings,
        protective=(
            "BucketEncryption",
            "PublicAccessBlockConfiguration",
            "VersioningConfiguration",
            "ObjectLockEnabled",
        ),
        policies=("AWS::S3::BucketPolicy",),
        # CloudFormation Template Reference, AWS::S3::Bucket: "Update requires: Replacement".
        replaced_by=("ObjectLockEnabled", "BucketNamespace", "BucketNamePrefix"),
        effects=EFFECTS,
        custom_deletions=CUSTOM_DELETIONS,
    ),
    access=Permissions(
        phases={
            "probe": (
                "s3:ListBucket",
                "s3:ListBucketVersions",
                "s3:ListBucketMultipartUploads",
                "s3:GetBucketWebsite",
                "s3:GetBucketNotification",
                "s3:GetLifecycleConfiguration",
                *_SETTINGS,
            ),
            "read": ("s3:ListBucket", *_READ_OBJECTS, "s3:GetObjectAnnotation"),
            "write": _WRITE_OBJECTS,
            "verify": ("s3:ListBucket", *_READ_OBJECTS),
            DESCRIBE: DESCRIBE_ACTIONS,
            "account": ("s3:ListAllMyBuckets",),
            VERSIONS: _VERSIONS,
            WRITE_ACL: ("s3:PutObjectAcl",),
            # A delete marker is made by deleting.
            VERSIONS_WRITE: ("s3:DeleteObject",),
            CARRY: ("s3:DeleteObject",),
            UNDO: ("s3:GetBucketVersioning", *_WRITE_OBJECTS, "s3:DeleteObject"),
            "create": (
                "s3:CreateBucket",
                "s3:PutBucketObjectLockConfiguration",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
            ),
        },
        arns=arns,
        informing=(
            "s3:ListBucketMultipartUploads",
            "s3:GetBucketWebsite",
            "s3:GetBucketNotification",
            "s3:GetLifecycleConfiguration",
            *_SETTINGS,
        ),
        ownership=("s3:ListAllMyBuckets", "s3:ListBucket"),
        governs=_governs,
    ),
    probe=probe,
    copying=Copying(
        scheme="s3",
        copier=_make_copier,
        reader=make_reader,
        prefixes=True,
        batch=25,
        # A listing is slow to answer and cheap to read; a reader holds up to four pages of it,
        # 2 MB.
        readers=16,
        writers=256,
        charges=charges,
        verify_charges=count_verify_requests,
        foresee_skipped=foresee_skipped,
        expiry_note=EXPIRES,
        following=_following,
        rehearsal=_rehearsal,
        engines=_engines,
        object_headers=True,
        relays=True,
        history="holds only older versions and delete markers, and no current object",
    ),
    locate=locate,
    comparison=COMPARISON,
    indirect=ACCESS_POINTS,
)
