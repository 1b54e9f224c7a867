"""The card of AWS::ECR::Repository: looked at, kept, adopted, referenced, or copied by digest.

A repository holds data when it holds any image, tagged or not, archived or not. Not carried: the
times of pushes and pulls, scan findings, and what is said of the repository itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataware.core.copier import Copier, CopyOrder, CopyTools
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.estimate import Throughput
from dataware.core.kind import Copying, Kind, Names, Permissions, Template
from dataware.core.model import Content, Existence, Facts, Location, Problem, Setting, Size, absent
from dataware.core.phases import ACCOUNT, DESCRIBE
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.reader import Reader
from dataware.kinds.ecr_repository.comparison import COMPARISON
from dataware.kinds.ecr_repository.comparison import PERMISSIONS as DESCRIBE_ACTIONS
from dataware.kinds.ecr_repository.custom_resources import CUSTOM_DELETIONS

_DESCRIBE, _IMAGES = "ecr:DescribeRepositories", "ecr:DescribeImages"
_SKIPPED = "archived and will be skipped"
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
    """What stands under `name`, or under the ARN of another account's repository."""
    which = _arguments(name)
    try:
        with aws.translate_errors(f"repository {name}", _DESCRIBE):
            answer = aws.client("ecr").describe_repositories(
                **{key: one for key, one in which.items() if key == "registryId"},
                repositoryNames=[which["repositoryName"]],
            )
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _DESCRIBE),))
    repository = answer["repositories"][0]
    content, size, notes, problems = _look_inside(aws, name, which)
    return Facts(
        name,
        Existence.EXISTS,
        content,
        size=size,
        identity=str(repository.get("createdAt")),
        settings=_settings(
            repository.get("imageTagMutability"),
            repository.get("encryptionConfiguration", {}).get("encryptionType"),
        ),
        problems=problems,
        notes=notes,
    )


def _arguments(name: str) -> dict[str, str]:
    """A repository as calls take it: by its name, and by its account where that is another one."""
    if not name.startswith("arn:"):
        return {"repositoryName": name}
    *_, account, resource = name.split(":", 5)
    return {"registryId": account, "repositoryName": resource.partition("/")[2]}


def _look_inside(
    aws: Aws, name: str, which: Mapping[str, str]
) -> tuple[Content, Size | None, tuple[str, ...], tuple[Problem, ...]]:
    """Whether there are images, how many of the first page, and how many cannot be pulled.

    Without a status a listing holds active images only, so that a repository all of whose images
    are archived would look empty (Amazon ECR API Reference, DescribeImages).
    """
    pages = aws.client("ecr").get_paginator("describe_images")
    what = f"the images of repository {name}"
    try:
        with aws.translate_errors(what, _IMAGES):
            every = pages.paginate(**which, filter={"imageStatus": "ANY"})
            page = next((page for page in every if page["imageDetails"]), None)
    except (LookupFailedError, NotFoundError) as error:
        return Content.UNKNOWN, None, (), (problem_of(error, _IMAGES),)
    if page is None:
        return Content.EMPTY, Size(0, 0), (), ()
    images, more = page["imageDetails"], bool(page.get("nextToken"))
    size = sum(int(image.get("imageSizeInBytes") or 0) for image in images)
    counted = Size(len(images), size, exact=not more, at_least=more)
    return Content.DATA, counted, tuple(_note_archived(images, more=more)), ()


def _note_archived(images: Sequence[Mapping[str, Any]], *, more: bool) -> Iterator[str]:
    """How many images no copy can pull (Amazon ECR User Guide, "Archiving an image")."""
    count = sum(image.get("imageStatus", "ACTIVE") != "ACTIVE" for image in images)
    if count:
        among = f"the first {len(images):,}" if more else f"{len(images):,}"
        are = f"is {_SKIPPED}; restore it" if count == 1 else f"are {_SKIPPED}; restore them"
        yield f"{count:,} of {among} images {are} first"


def _foresee_skipped(facts: Facts) -> Iterator[str]:
    """Which of the notes on a source say that a copy will be incomplete."""
    return (note for note in facts.notes if _SKIPPED in note)


def _advise(properties: Mapping[str, Any], _size: Size) -> str | None:
    """That a policy of the new repository may delete what has just come over.

    Source: Amazon ECR User Guide, "Lifecycle policies": ages count from the push.
    """
    if not properties.get("LifecyclePolicy"):
        return None
    return (
        "its lifecycle policy may delete images during the copy, after which all count as pushed "
        "that day; declare it once the migration is complete"
    )


def _make_copier(tools: CopyTools, order: CopyOrder) -> Copier[Any]:
    from dataware.kinds.ecr_repository.copy.copier import (
        RepositoryCopier,
    )

    return RepositoryCopier(tools, order)


def _make_reader(aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> Reader:
    from dataware.kinds.ecr_repository.verify.reader import (
        RepositoryReader,
    )

    del all_versions
    return RepositoryReader(aws, place, deep=deep)


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


# Amazon ECR User Guide, "IAM permissions for pushing an image" and "… pulling an image".
_PULL = (_DESCRIBE, _IMAGES, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    if name.startswith("arn:"):
        return (name,)
    return (f"arn:{partition}:ecr:{region}:{account}:repository/{name}",)


KIND = Kind(
    cfn_type="AWS::ECR::Repository",
    names=Names("ecr-repository", "ECR repository", "repository", "image", check_name),
    template=Template(
        identifier="RepositoryName",
        declared_settings=_declared_settings,
        protective=("ImageTagMutability", "EncryptionConfiguration"),
        replaced_by=("EncryptionConfiguration",),
        custom_deletions=CUSTOM_DELETIONS,
    ),
    access=Permissions(
        phases={
            "probe": (_DESCRIBE, _IMAGES),
            "read": _PULL,
            "write": (*_PULL, *_PUSH),
            "verify": (_IMAGES, "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability"),
            ACCOUNT: ("ecr:GetAuthorizationToken",),
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
    copying=Copying(
        scheme="ecr",
        copier=_make_copier,
        reader=_make_reader,
        # Each image of these moves several layers at once.
        readers=1,
        writers=8,
        speed=Throughput(1.0),
        advice=_advise,
        foresee_skipped=_foresee_skipped,
        in_deployments=False,
    ),
    comparison=COMPARISON,
)
