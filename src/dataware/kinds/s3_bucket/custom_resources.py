"""What custom resources of CDK delete of the objects of a bucket.

Source: the handlers of `autoDeleteObjects` and `BucketDeployment` in the package aws-cdk-lib,
`custom-resource-handlers/dist`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from dataware.core.custom_emptying import Deletions, make_emptying
from dataware.core.kind import ActingResources, CustomDeletion
from dataware.core.values import text_of

DEPLOYMENT = "Custom::CDKBucketDeployment"
OWNED = "aws-cdk:cr-owned:"
"""What the tags begin with by which CDK knows into which buckets files are deployed."""


def prunes(properties: Mapping[str, Any]) -> bool:
    """Whether a deployment of files deletes what its source does not have."""
    return text_of(properties.get("Prune", True)) not in {"false", "False"}


def find_prefix(properties: Mapping[str, Any]) -> str:
    """The prefix into which files are deployed; empty for a whole bucket."""
    prefix = text_of(properties.get("DestinationBucketKeyPrefix", ""))
    return (prefix or "").strip("/")


def _find_pruned(
    was: ActingResources,
    now: ActingResources,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Deletions:
    """What a deployment of files deletes that did not do so before, and one that leaves."""
    more = _count_elsewhere(now, after) - _count_elsewhere(was, before)
    for prefix in sorted(more):
        effect = f"every object{_under(prefix)} that a new deployment in another stack lacks"
        yield effect, "deploy it under a prefix of its own, or see that its prune is false"
    had = {find_prefix(one) for one in was.values() if prunes(one)}
    for logical_id, one in now.items():
        if prunes(one) and (prefix := find_prefix(one)) not in had:
            effect = f"every object{_under(prefix)} that {logical_id} does not deploy itself"
            yield effect, f"set prune of {logical_id} to false, or deploy under a prefix of its own"
    stays = {find_prefix(one) for one in now.values()}
    for logical_id, one in was.items():
        retained = text_of(one.get("RetainOnDelete", True)) in {"true", "True"}
        if not retained and (prefix := find_prefix(one)) not in stays:
            effect = f"every object{_under(prefix)}, because {logical_id} leaves it"
            yield effect, f"deploy {logical_id} with retainOnDelete first"


def _count_elsewhere(here: ActingResources, bucket: Mapping[str, Any]) -> Counter[str]:
    """How many deployments of files other stacks have into a bucket, by their prefix.

    CDK marks the bucket with a tag for each, also for one of another stack.
    """
    tags = bucket.get("Tags")
    listed = tags if isinstance(tags, list) else []
    keys = [str(one.get("Key")) for one in listed if isinstance(one, Mapping)]
    marks = [one.removeprefix(OWNED) for one in keys if one.startswith(OWNED)]
    every = Counter(one.rpartition(":")[0].strip("/") for one in marks)
    return every - Counter(map(find_prefix, here.values()))


def _under(prefix: str) -> str:
    return f" under {prefix}/" if prefix else ""


def describe_pruning(properties: Mapping[str, Any]) -> tuple[Any, str] | None:
    """The bucket into which files are deployed, and what is deleted of what it holds."""
    if not prunes(properties):
        return None
    where = _under(find_prefix(properties))
    clause = f"deletes every object{where} that it does not deploy itself, unless prune is false"
    return properties.get("DestinationBucketName"), clause


CUSTOM_DELETIONS: Mapping[str, CustomDeletion] = {
    "Custom::S3AutoDeleteObjects": make_emptying(
        "BucketName", "aws-cdk:auto-delete-objects", "autoDeleteObjects", "objects"
    ),
    DEPLOYMENT: CustomDeletion("DestinationBucketName", _find_pruned),
}
EFFECTS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, str] | None]] = {
    DEPLOYMENT: describe_pruning
}
