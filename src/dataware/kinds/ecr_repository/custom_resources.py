"""What custom resources of CDK delete of the images of a repository."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.core.custom_emptying import make_emptying
from dataware.core.kind import CustomDeletion

CUSTOM_DELETIONS: Mapping[str, CustomDeletion] = {
    "Custom::ECRAutoDeleteImages": make_emptying(
        "RepositoryName", "aws-cdk:auto-delete-images", "autoDeleteImages", "images"
    )
}
