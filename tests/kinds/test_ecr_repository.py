"""The card of ECR repositories."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dataware.core.model import Content, Existence
from dataware.embedded import EmbeddedAws
from dataware.kinds.ecr_repository import KIND, check_name, probe
from support.dynamo import account


def test_an_untagged_image_is_data(aws_server: EmbeddedAws) -> None:
    """Images count, not tags: a digest that is pulled by its id must not be stranded."""
    aws = account()
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="app/web")
    assert probe(aws, "app/web").content is Content.EMPTY
    ecr.put_image(repositoryName="app/web", imageManifest=json.dumps({"schemaVersion": 2}))
    facts = probe(aws, "app/web")
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.DATA)
    assert facts.physical_id is None


IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/web"


@pytest.mark.parametrize("name", ["ab", "app/web", "a-b_c.d/e__f", "a" * 256])
def test_good_names_pass(name: str) -> None:
    """Names of the service's own rule are accepted."""
    assert check_name(name) is None


@pytest.mark.parametrize("name", ["", "a", "App", "a//b", "/ab", "ab/", "a b", "a" * 257, IMAGE])
def test_bad_names_are_told(name: str) -> None:
    """What the service would refuse is told beforehand."""
    assert check_name(name)


@pytest.mark.parametrize(
    ("properties", "labels"),
    [
        ({}, {"image_tags": "MUTABLE", "encryption": "AES256"}),
        ({"ImageTagMutability": "IMMUTABLE"}, {"image_tags": "IMMUTABLE", "encryption": "AES256"}),
        (
            {"EncryptionConfiguration": {"EncryptionType": "KMS"}},
            {"image_tags": "MUTABLE", "encryption": "KMS"},
        ),
        ({"EncryptionConfiguration": {"Fn::If": ["A", {}, {}]}}, {"image_tags": "MUTABLE"}),
        ({"ImageTagMutability": {"Ref": "X"}}, {"encryption": "AES256"}),
    ],
)
def test_declared_settings_leave_out_what_is_not_literal(
    properties: dict[str, Any], labels: dict[str, str]
) -> None:
    """A function is not a setting; what is left out of a template has CloudFormation's default."""
    found = KIND.template.declared_settings(properties)
    assert {name: setting.label for name, setting in found.items()} == labels


def test_a_new_name_or_encryption_replaces_a_repository() -> None:
    """Its name is its identifier, and CloudFormation replaces it for another encryption."""
    assert not KIND.template.renamed_in_place
    assert "EncryptionConfiguration" in KIND.template.replaced_by
