"""How a repository as it is compares with its template before a stack adopts it.

Sources: CloudFormation Template Reference, AWS::ECR::Repository ("Update requires" of its
properties); Amazon ECR User Guide, "Lifecycle policy properties" and "Automate the cleanup of
images by using lifecycle policies" (images are deleted within 24 hours).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dataware.core.comparison import ConfigurationComparison, LiveConfiguration, is_on, tags_form
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import Problem
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags
from dataware.core.values import is_function

LIFECYCLE = "LifecyclePolicy"
FIXED = ("EncryptionConfiguration",)
PERMISSIONS = (
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:ListTagsForResource",
)


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a repository as it is, and what cannot be read of them.

    Raises NotFoundError without the repository, and LookupFailedError where nothing of it is seen.
    """
    ecr = aws.client("ecr")
    with aws.translate_errors(f"repository {name}", "ecr:DescribeRepositories"):
        repository = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    encryption = repository.get("encryptionConfiguration") or {}
    properties: dict[str, Any] = {
        "ImageTagMutability": repository.get("imageTagMutability"),
        "ImageScanningConfiguration": {
            "ScanOnPush": (repository.get("imageScanningConfiguration") or {}).get("scanOnPush")
        },
        "EncryptionConfiguration": {
            "EncryptionType": encryption.get("encryptionType"),
            "KmsKey": encryption.get("kmsKey"),
        },
    }
    unread: dict[str, Problem] = {}
    parts: Mapping[tuple[str, str], Callable[[], Any]] = {
        (LIFECYCLE, "ecr:GetLifecyclePolicy"): lambda: {
            "LifecyclePolicyText": ecr.get_lifecycle_policy(repositoryName=name)[
                "lifecyclePolicyText"
            ]
        },
        ("Tags", "ecr:ListTagsForResource"): lambda: own_tags(
            ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
        ),
    }
    for (property_name, permission), ask in parts.items():
        try:
            with aws.translate_errors(f"repository {name}", permission):
                properties[property_name] = ask()
        except NotFoundError:
            continue
        except LookupFailedError as error:
            unread[property_name] = problem_of(error, permission)
    return LiveConfiguration(properties, unread)


def _encryption(value: Any) -> dict[str, Any]:
    """The encryption; which key an alias names, the configuration does not tell."""
    value = value or {}
    key = value.get("KmsKey")
    is_comparable = isinstance(key, str) and "alias/" not in key
    named = {"KmsKey": key.rpartition("/")[2]} if isinstance(key, str) and is_comparable else {}
    return {"EncryptionType": value.get("EncryptionType") or "AES256", **named}


def _scanning(value: Any) -> Any:
    on = (value or {}).get("ScanOnPush")
    return on if is_function(on) else is_on(on)


def _policy(value: Any) -> list[Any]:
    """The rules of a lifecycle policy, in the order in which they apply."""
    if is_function(value):
        raise TypeError(value)
    text = (value or {}).get("LifecyclePolicyText")
    if text is None:
        return []
    if not isinstance(text, str):
        raise TypeError(text)
    rules = json.loads(text)["rules"]
    return [
        {"selection": rule["selection"], "action": rule["action"]}
        for rule in sorted(rules, key=lambda rule: int(rule["rulePriority"]))
    ]


def find_expiring(name: str, live: Any, declared: Any) -> str | None:
    """The images that a declared lifecycle policy would delete and the live one does not.

    An image that a rule keeps is kept from the later rules, too, so that nothing but a policy of
    the same rules, each of which keeps as much or more, deletes no more.
    """
    if name != LIFECYCLE or declared is None or live == declared:
        return None
    try:
        has, wants = _policy(live), _policy(declared)
        deletes = [rule for rule in wants if rule["action"].get("type") == "expire"]
        if not deletes or (len(has) == len(wants) and all(map(_keeps_as_much, has, wants))):
            return None
        return "; ".join(_describe(deletes))
    except (AttributeError, KeyError, TypeError, ValueError):
        return "its declared lifecycle policy cannot be read, and may delete images"


def _keeps_as_much(live: Mapping[str, Any], declared: Mapping[str, Any]) -> bool:
    has, wants = dict(live["selection"]), dict(declared["selection"])
    fewer = int(wants.pop("countNumber", 0)) < int(has.pop("countNumber", 0))
    return not fewer and has == wants and live["action"] == declared["action"]


def _describe(rules: list[Any]) -> Iterator[str]:
    for rule in rules:
        selection = rule["selection"]
        status = selection.get("tagStatus", "any")
        which = "images" if status == "any" else f"{status} images"
        number, unit = selection.get("countNumber"), selection.get("countUnit", "days")
        if selection.get("countType") == "imageCountMoreThan":
            yield f"{which} beyond the newest {number} are deleted"
        else:
            yield f"{which} are deleted after {number} {unit}"


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "EncryptionConfiguration": _encryption,
        LIFECYCLE: _policy,
        "ImageTagMutability": lambda value: value or "MUTABLE",
        "ImageScanningConfiguration": _scanning,
        "Tags": tags_form,
    },
    is_fixed=lambda name, _live, _declared: name in FIXED,
    # A repository that is encrypted with a key of KMS stays so, whatever its template leaves out.
    even_undeclared=FIXED,
    find_deletion=find_expiring,
    # It says what CloudFormation does when it deletes the repository.
    not_live=("EmptyOnDelete",),
)
