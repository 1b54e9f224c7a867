"""What replaces a resource, against the database in the pinned CDK command line."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import pytest

from dataware.kinds import CATALOGUE, load
from support.cdk_cli import PROJECT, node_modules


@cache
def read_database() -> dict[str, Any]:
    """What the CDK command line knows of resource types."""
    path = node_modules(PROJECT) / "aws-cdk" / "db.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        schema: dict[str, Any] = json.load(file)["schema"]
    return schema


@cache
def read_entities(sort: str, key: str) -> dict[str, Any]:
    """The entities of a sort by one of their fields."""
    return {one[key]: one for one in read_database()[sort]["entities"]}


def database() -> dict[str, Any]:
    """The properties of the resource types that `cdk diff` knows."""
    entities = read_entities("resource", "cloudFormationType")
    return {name: one["properties"] for name, one in entities.items()}


@pytest.mark.parametrize("cfn_type", CATALOGUE)
def test_every_property_whose_change_replaces_is_on_the_card(cfn_type: str) -> None:
    """The guard stops a replacement only where the card knows of it."""
    kind = load(cfn_type)
    replacing = {
        name
        for name, one in database()[cfn_type].items()
        if one.get("causesReplacement", "no") != "no"
    }
    named = set() if kind.template.renamed_in_place else {kind.template.identifier}
    assert replacing <= {*named, *kind.template.replaced_by}
    assert {*named, *kind.template.replaced_by} <= database()[cfn_type].keys()
