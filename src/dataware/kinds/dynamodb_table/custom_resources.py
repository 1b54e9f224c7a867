"""What custom resources of CDK delete of the data of a table.

Source: the handler of `replicationRegions` in the package aws-cdk-lib,
`custom-resource-handlers/dist`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.custom_emptying import Deletions
from dataware.core.kind import ActingResources, CustomDeletion
from dataware.core.values import text_of


def _find_replicas(
    was: ActingResources,
    now: ActingResources,
    _before: Mapping[str, Any],
    _after: Mapping[str, Any],
) -> Deletions:
    """The replicas that go with what made them."""
    for logical_id, one in was.items():
        later = now.get(logical_id)
        skips = text_of(one.get("SkipReplicaDeletion")) in {"true", "True"}
        if not skips and (later is None or later.get("Region") != one.get("Region")):
            region = text_of(one.get("Region")) or "another region"
            effect = f"its replica in {region}, which CDK deletes when {logical_id} leaves"
            yield effect, f"keep logical id {logical_id}"


CUSTOM_DELETIONS: Mapping[str, CustomDeletion] = {
    "Custom::DynamoDBReplica": CustomDeletion("TableName", _find_replicas)
}
