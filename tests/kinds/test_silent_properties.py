"""No property that a template may declare stays silently untrue after an adoption.

Every property, and every part of one, that CloudFormation knows of an adopted type is declared
otherwise than it is: it is told as a difference, or as not compared. The types come from the
database in the pinned CDK command line.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from dataware.core.comparison import (
    LiveConfiguration,
    PropertyVerdict,
    compare_configuration,
    list_uncompared,
)
from dataware.core.kind import Kind
from dataware.kinds import kinds
from kinds.test_replacement import read_entities

Path = tuple[str | int, ...]
REGION = "us-east-1"
DEEPEST = 8

# A form wants words and numbers that mean something to it.
SAMPLES: dict[str, Any] = {
    "Status": "Enabled",
    "ExpirationDate": "2030-01-01",
    "TransitionDate": "2030-01-01",
    "LifecyclePolicyText": '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", '
    '"countType": "imageCountMoreThan", "countNumber": 5}, "action": {"type": "expire"}}]}',
    "ObjectSizeGreaterThan": "5",
    "ObjectSizeLessThan": "7",
    "Region": REGION,
}
OTHERS: dict[str, Any] = {
    "Status": "Disabled",
    "ExpirationDate": "2031-01-01",
    "TransitionDate": "2031-01-01",
    "LifecyclePolicyText": '{"rules": []}',
    "ObjectSizeGreaterThan": "6",
    "ObjectSizeLessThan": "8",
    "Region": "eu-west-1",
}

MEANINGLESS: dict[str, set[str]] = {
    # A label, and the only word that there is for a lock.
    "AWS::S3::Bucket": {"Id", "ObjectLockEnabled"},
    # KMS is the only one.
    "AWS::DynamoDB::Table": {"SSEType"},
    "AWS::DynamoDB::GlobalTable": {"SSEType"},
    # The registry of the account, which is the only one that a template can mean.
    "AWS::ECR::Repository": {"RegistryId"},
}
"""What changes nothing of a resource."""

OLDER = {"NoncurrentVersionExpirationInDays", "NoncurrentVersionTransition", "Transition"}
"""Older words for what another part of the same rule says."""


def sample(value_type: dict[str, Any], name: str, depth: int = 0) -> Any:  # noqa: PLR0911 - a type each
    """A value of a type with all that it may hold."""
    kind = value_type["type"]
    if kind == "ref" and depth < DEEPEST:
        definition = read_entities("typeDefinition", "$id")[value_type["reference"]["$ref"]]
        return {
            part: sample(one["type"], part, depth + 1)
            for part, one in definition["properties"].items()
            if part not in OLDER
        }
    if kind == "array":
        return [sample(value_type["element"], name, depth + 1)]
    if kind == "map":
        return {"key": sample(value_type["element"], name, depth + 1)}
    if kind == "tag":
        return {"Key": "a", "Value": "b"}
    if kind == "union":
        return sample(value_type["types"][0], name, depth)
    if kind in {"integer", "number"}:
        return 5
    if kind == "boolean":
        return True
    return SAMPLES.get(name, "text" if kind == "string" else {"a": "b"})


def leaves_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """The places of all values inside of a value."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves_of(one, (*path, name))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from leaves_of(one, (*path, at))
    else:
        yield path


def change(value: Any, path: Path) -> Any:
    """The value with another one at a place."""
    changed = copy.deepcopy(value)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    names = [step for step in path if isinstance(step, str)]
    before = inside[path[-1]]
    if isinstance(before, bool):
        inside[path[-1]] = not before
    elif isinstance(before, int):
        inside[path[-1]] = before + 1
    else:
        inside[path[-1]] = OTHERS.get(names[-1], f"{before}2")
    return changed


CARDS = [kind for kind in kinds() if kind.template.is_adoptable]


@pytest.mark.parametrize("kind", CARDS, ids=lambda kind: kind.cfn_type)
def test_every_part_that_differs_is_told(kind: Kind) -> None:
    """As a difference, as unknown, or as not compared; nothing passes for the same."""
    template, card = kind.template, kind.comparison
    named = {template.identifier, *template.name_parts, *(card.not_live if card else ())}
    silent = []
    for name, one in read_entities("resource", "cloudFormationType")[kind.cfn_type][
        "properties"
    ].items():
        if name in named:
            continue
        live = {name: sample(one["type"], name)}
        if card is not None:
            # What is compared has a meaning, so that a difference is not told for want of one.
            same = compare_configuration(card, LiveConfiguration(live), live)
            assert {each.verdict for each in same} <= {PropertyVerdict.SAME}, same
        for path in leaves_of(live):
            if len(path) > 1 and path[-1] in MEANINGLESS.get(kind.cfn_type, ()):
                continue
            declared = change(live, path)
            told = list(list_uncompared(card, declared, named))
            if card is not None:
                there = LiveConfiguration(card.in_region(live, REGION))
                told += compare_configuration(card, there, card.in_region(declared, REGION))
            if all(each.verdict is PropertyVerdict.SAME for each in told):
                silent.append(".".join(map(str, path)))
    assert silent == []
