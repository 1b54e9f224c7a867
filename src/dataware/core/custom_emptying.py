"""The rule of CDK's custom resources that empty another resource once they are removed; pure.

Source: the handlers of `autoDeleteObjects` and `autoDeleteImages` in the package aws-cdk-lib,
`custom-resource-handlers/dist`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataware.core.kind import ActingResources, CustomDeletion
from dataware.core.values import text_of

Deletions = Iterator[tuple[str, str]]


def make_emptying(target: str, tag: str, option: str, what: str) -> CustomDeletion:
    """The rule of what empties a resource once it is removed, if the resource has a tag by then.

    An update takes a tag away before it removes anything, so that only a tag that stays counts.
    """

    def find(
        was: ActingResources,
        now: ActingResources,
        _before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> Deletions:
        if has_tag(after, tag):
            for logical_id in was.keys() - now.keys():
                effect = f"all {what}, which CDK deletes when {logical_id} leaves"
                yield effect, f"keep logical id {logical_id}, or deploy it without {option} first"

    return CustomDeletion(target, find)


def has_tag(properties: Mapping[str, Any], tag: str) -> bool:
    """Whether a resource is declared with a tag that is true, or may be."""
    tags = properties.get("Tags")
    if not isinstance(tags, list):
        return tags is not None
    return any(
        isinstance(one, Mapping) and one.get("Key") == tag and text_of(one.get("Value")) != "false"
        for one in tags
    )
