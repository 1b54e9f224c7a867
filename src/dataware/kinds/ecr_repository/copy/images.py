"""Lists the images of a repository, tagged or not, archived or not.

Source: Amazon ECR API Reference, DescribeImages (without a status it lists active images only) and
ImageDetail.
"""

from __future__ import annotations

from dataclasses import dataclass

from dataware.core.model import Location
from dataware.core.ports import Aws

ACTIVE = "ACTIVE"
PERMISSION = "ecr:DescribeImages"


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a listing: what it is called, and whether it can be pulled."""

    digest: str
    tags: tuple[str, ...] = ()
    size: int = 0
    status: str = ACTIVE


def repository_name(place: Location) -> str:
    """The name of a repository, which another account's ARN holds as well."""
    return place.name.rpartition(":repository/")[2]


def list_images(aws: Aws, place: Location) -> list[Image]:
    """Every image of a repository, by digest. Raises LookupFailedError and NotFoundError."""
    pages = aws.client("ecr").get_paginator("describe_images")
    with aws.translate_errors(f"the images of repository {place.name}", PERMISSION):
        images = [
            Image(
                one["imageDigest"],
                tuple(sorted(one.get("imageTags") or ())),
                int(one.get("imageSizeInBytes") or 0),
                one.get("imageStatus") or ACTIVE,
            )
            for page in pages.paginate(
                registryId=place.owner,
                repositoryName=repository_name(place),
                filter={"imageStatus": "ANY"},
            )
            for one in page["imageDetails"]
        ]
    return sorted(images, key=lambda image: image.digest)
