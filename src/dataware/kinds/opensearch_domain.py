"""The card of AWS::OpenSearchService::Domain: kept, adopted or referenced by its name; not copied.

What is in a domain only its own endpoint tells, which takes a way into its network, so a domain
that exists counts as holding data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dataware.core.comparison import (
    ConfigurationComparison,
    LiveConfiguration,
    is_on,
    tags_form,
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.kind import Kind, Names, Permissions, Template
from dataware.core.model import Content, Existence, Facts, Setting, absent
from dataware.core.phases import DESCRIBE
from dataware.core.ports import Aws
from dataware.core.probing import problem_of
from dataware.core.tags import own_tags
from dataware.core.values import is_function

_DESCRIBE, _TAGS = "es:DescribeDomain", "es:ListTags"
_NAME = re.compile(r"[a-z][a-z0-9-]{2,27}")
AT_REST, BETWEEN = "EncryptionAtRestOptions", "NodeToNodeEncryptionOptions"


def check_name(name: str) -> str | None:
    """What is wrong with a domain's name, or None.

    Source: Amazon OpenSearch Service API Reference, CreateDomain, `DomainName`.
    """
    if not _NAME.fullmatch(name):
        return "a domain's name has 3 to 28 small letters, digits and -, and begins with a letter"
    return None


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`."""
    try:
        domain = _describe(aws, name)
    except NotFoundError:
        return absent(name)
    except LookupFailedError as error:
        return Facts(name, problems=(problem_of(error, _DESCRIBE),))
    deleted = "is being deleted: wait until it is gone, and run again"
    return Facts(
        name,
        Existence.EXISTS,
        Content.DATA,
        identity=str(domain.get("DomainId")),
        settings=_settings((domain.get(AT_REST) or {}).get("Enabled", False)),
        obstacle=deleted if domain.get("Deleted") else "",
    )


def _describe(aws: Aws, name: str) -> Mapping[str, Any]:
    with aws.translate_errors(f"domain {name}", _DESCRIBE):
        answer = aws.client("opensearch").describe_domain(DomainName=name)
    domain: Mapping[str, Any] = answer["DomainStatus"]
    return domain


def _settings(encrypted: object) -> dict[str, Setting]:
    """How well documents are protected; what is not literal is left out."""
    if not isinstance(encrypted, bool):
        return {}
    return {"encryption": Setting(int(encrypted), "on" if encrypted else "off")}


def _declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The settings of a template, with CloudFormation's defaults.

    Source: CloudFormation Template Reference, AWS::OpenSearchService::Domain.
    """
    options = properties.get(AT_REST, {})
    if is_function(options) or not isinstance(options, Mapping):
        return {}
    enabled = options.get("Enabled", False)
    return {} if is_function(enabled) else _settings(is_on(enabled))


def read_configuration(aws: Aws, name: str) -> LiveConfiguration:
    """The properties of a domain as it is.

    Raises NotFoundError without the domain, and LookupFailedError where nothing of it is seen.
    """
    domain = _describe(aws, name)
    properties = {
        one: domain[one] for one in ("EngineVersion", AT_REST, BETWEEN) if domain.get(one)
    }
    try:
        with aws.translate_errors(f"domain {name}", _TAGS):
            tags = aws.client("opensearch").list_tags(ARN=domain["ARN"])["TagList"]
    except (LookupFailedError, NotFoundError) as error:
        return LiveConfiguration(properties, {"Tags": problem_of(error, _TAGS)})
    return LiveConfiguration({**properties, "Tags": own_tags(tags)})


def _encryption(value: Any) -> dict[str, Any]:
    """Encryption at rest; which key an alias names, the configuration does not tell."""
    value = value or {}
    on, key = value.get("Enabled"), value.get("KmsKeyId")
    named = {"KmsKeyId": key.rpartition("/")[2] if isinstance(key, str) else key} if key else {}
    return {"Enabled": on if is_function(on) else is_on(on), **named}


def _between(value: Any) -> Any:
    on = (value or {}).get("Enabled")
    return on if is_function(on) else is_on(on)


def _is_fixed(name: str, live: Any, declared: Any) -> bool:
    """Whether the domain would be deleted and made again: its encryption is switched.

    Source: CloudFormation Template Reference, AWS::OpenSearchService::Domain
    EncryptionAtRestOptions (changed after it was set, it has the domain deleted and recreated).
    """
    return name == AT_REST and live["Enabled"] != declared["Enabled"]


COMPARISON = ConfigurationComparison(
    read=read_configuration,
    forms={
        "EngineVersion": lambda value: value or "",
        AT_REST: _encryption,
        BETWEEN: _between,
        "Tags": tags_form,
    },
    is_fixed=_is_fixed,
    left_out={AT_REST: ("EncryptionMode",)},
    # It may hold the password of a master user.
    hidden=("AdvancedSecurityOptions",),
)


def _arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
    return (f"arn:{partition}:es:{region}:{account}:domain/{name}",)


KIND = Kind(
    cfn_type="AWS::OpenSearchService::Domain",
    names=Names("opensearch-domain", "OpenSearch domain", "domain", "document", check_name),
    template=Template(
        identifier="DomainName",
        types=("AWS::OpenSearchService::Domain", "AWS::Elasticsearch::Domain"),
        declared_settings=_declared_settings,
        protective=(AT_REST,),
        replaced_by=("EngineMode",),
        replaced_once_set=(AT_REST,),
        # CloudFormation Template Reference, "UpdatePolicy attribute".
        replaced_without={"EngineVersion": "EnableVersionUpgrade"},
        hidden=("AdvancedSecurityOptions",),
    ),
    access=Permissions(
        phases={
            "probe": (_DESCRIBE,),
            DESCRIBE: (_DESCRIBE, _TAGS),
            "create": ("es:CreateDomain", "es:DescribeDomain", "es:AddTags"),
        },
        arns=_arns,
    ),
    probe=probe,
    comparison=COMPARISON,
)
