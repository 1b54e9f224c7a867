"""The card of AWS::ECR::Repository: looked at, kept, adopted or referenced; not copied.

A repository holds data when it holds any image, tagged or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Existence, Facts, Setting, absent
from dataware.core.phases import DESCRIBE
from dataware.core.ports import Aws
from dataware.core.probing import find_content, problem_of
from dataware.kinds.ecr_repository.comparison import COMPARISON
from dataware.kinds.ecr_repository.comparison import PERMISSIONS as DESCRIBE_ACTIONS

_DESCRIBE, _LIST = "ecr:DescribeRepositories", "ecr:ListImages"
_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(f"(?:{_PART}/)*{_PART}")
_REGISTRY = re.compile(r"\.dkr[.-]ecr[.-]")
"""In the address of a registry (Amazon ECR User Guide, "Amazon ECR private registries")."""

_SHORTEST, _LONGEST = 2, 256


def check_name(name: str) -> str | None:
    """What is wrong with a repository's name, or None.

    Source: Amazon ECR API Reference, CreateRepository, `repositoryName`.
    """
    if not _SHORTEST <= len(name) <= _LONGEST:
        return f"a repository's name has {_SHORTEST} to {_LONGEST} characters"
    if _REGISTRY.search(name):
        return "it is the address of an image: give the part between its first / and the tag"
    if not _NAME.fullmatch(name):
        return "a repository's name has small letters, digits and ._- in parts divided by /"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`."""
    ecr = aws.client("ecr")
    try:
        with aws.translate_errors(f"repository {name}", _DESCRIBE):
            answer = ecr.describe_repositories(repositoryNames=[name])
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _DESCRIBE),))
    repository = answer["repositories"][0]
    pages = ecr.get_paginator("list_images").paginate(repositoryName=name)
    content, problems = find_content(
        aws, f"the images of repository {name}", _LIST, pages, "imageIds"
    )
    return Facts(
        name,
        Existence.EXISTS,
        content,
        identity=str(repository.get("createdAt")),
        settings=_settings(
            repository.get("imageTagMutability"),
            repository.get("encryptionConfiguration", {}).get("encryptionType"),
        ),
        problems=problems,
    )


def _settings(mutability: object, encryption: object) -> dict[str, Setting]:
    """How well images are protected; what is not literal is left out."""
    settings = {}
    if isinstance(mutability, str):
        settings["image_tags"] = Setting(int(mutability.startswith("IMMUTABLE")), mutability)
    if isinstance(encryption, str):
        settings["encryption"] = Setting(int(encryption.startswith("KMS")), encryption)
    return settings


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    Source: AWS CloudFormation User Guide, AWS::ECR::Repository.
    """
    encryption = properties.get("EncryptionConfiguration", {"EncryptionType": "AES256"})
    if isinstance(encryption, Mapping):
        encryption = encryption.get("EncryptionType")
    return _settings(properties.get("ImageTagMutability", "MUTABLE"), encryption)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:ecr:{region}:{account}:repository/{name}",)


KIND = Kind(
    cfn_type="AWS::ECR::Repository",
    names=Names("ecr-repository", "ECR repository", "repository", "image", check_name),
    template=Template(
        identifier="RepositoryName",
        declared_settings=_declared_settings,
        protective=("ImageTagMutability", "EncryptionConfiguration"),
        replaced_by=("EncryptionConfiguration",),
    ),
    access=Permissions(
        phases={
            "probe": (_DESCRIBE, _LIST),
            DESCRIBE: DESCRIBE_ACTIONS,
            "create": (
                "ecr:CreateRepository",
                "ecr:DescribeRepositories",
                "ecr:PutImageScanningConfiguration",
                "ecr:PutLifecyclePolicy",
                "ecr:SetRepositoryPolicy",
                "ecr:TagResource",
            ),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
