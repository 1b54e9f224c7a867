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
def database() -> dict[str, Any]:
    """The resource types that `cdk diff` knows."""
    path = node_modules(PROJECT) / "aws-cdk" / "db.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        types = json.load(file)["schema"]["resource"]["entities"]
    return {one["cloudFormationType"]: one["properties"] for one in types}


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
