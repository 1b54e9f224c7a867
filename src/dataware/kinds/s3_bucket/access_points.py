"""Access points of buckets: how they are named, and the bucket-style alias that requests go to.

An access point is named by its ARN, or by the alias that S3 has given it, which stands wherever a
bucket's name does (Amazon S3 User Guide, "Referencing access points with ARNs, access point
aliases, or virtual-hosted-style URIs"). The source of a copy is named by the ARN (API Reference,
CopyObject, ``x-amz-copy-source``). Whoever owns the access point need not own the bucket, and the
expected owner of a request is the bucket's.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dataware.core.errors import InputError
from dataware.core.kind import IndirectName, IndirectNames
from dataware.core.model import Location
from dataware.core.ports import Aws

ALIAS_ENDING = "-s3alias"
PERMISSION = "s3:GetAccessPoint"
_ARN = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:s3:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":accesspoint/(?P<name>[a-z0-9-]{3,50}))(?:/object/(?P<prefix>.*))?",
    re.DOTALL,
)
_UNSUPPORTED = (
    (re.compile(r"arn:aws[a-z-]*:s3::.*|.*\.mrap(/.*)?", re.DOTALL), "a multi-region access point"),
    (re.compile(r"arn:aws[a-z-]*:s3-outposts:.*", re.DOTALL), "an access point of an Outpost"),
    (
        re.compile(r"arn:aws[a-z-]*:s3-object-lambda:.*|.*--ol-s3(/.*)?", re.DOTALL),
        "an Object Lambda access point",
    ),
)


def parse(text: str) -> IndirectName | None:
    """What the ARN or the alias of an access point says; None for anything else.

    Raises InputError for sorts of access points through which no copy is verified byte for byte.
    """
    for pattern, what in _UNSUPPORTED:
        if pattern.fullmatch(text) and not re.fullmatch(r"arn:aws[a-z-]*:s3:::.*", text):
            raise InputError(
                f"{text} is {what}, which dataware does not copy through: name an access point of "
                "one region, or the bucket itself"
            )
    if match := _ARN.fullmatch(text):
        return IndirectName(match["arn"], match["prefix"] or "", match["account"], match["region"])
    name, _, prefix = text.partition("/")
    return IndirectName(name, prefix) if name.endswith(ALIAS_ENDING) else None


def resolve(aws: Aws, place: Location) -> Location:
    """The place under the alias of an access point, owned by whoever owns the bucket.

    Raises LookupFailedError, and NotFoundError without the access point.
    """
    match = _ARN.fullmatch(place.name)
    if match is None:
        return place
    account, name = match["account"], match["name"]
    with aws.translate_errors(f"access point {name} of account {account}", PERMISSION):
        answer = aws.client("s3control").get_access_point(AccountId=account, Name=name)
    # An owner that a person has named is kept, and S3 refuses what is not theirs.
    owner = place.owner if place.owner != account else answer.get("BucketAccountId") or account
    return replace(place, name=answer["Alias"], owner=owner, access_point=place.name)


def check_pair(source: Location, target: Location) -> None:
    """Raise InputError for a copy between regions, which S3 does not make by access points.

    Amazon S3 User Guide, "Access point compatibility with S3 operations": "same-region copies
    only". What passes through this machine is read and written in its own region each.
    """
    through = [one for one in (source, target) if one.name.endswith(ALIAS_ENDING)]
    if through and source.region != target.region and not source.profile:
        named = through[0].access_point or through[0].name
        raise InputError(
            f"S3 copies through the access point {named} only within its region, not from "
            f"{source.region} to {target.region}: name the bucket itself"
        )


ACCESS_POINTS = IndirectNames(parse, resolve, check_pair)
