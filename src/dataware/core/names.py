"""Names of resources, and ARNs in their place: which account and region a name means.

An app may name a resource by its ARN, which says in which account and region it lives. A name alone
means the account and region of the run. Pure: what an ARN looks like comes from the card of a kind
(`Permissions.arns`). Nothing here asks whether a resource exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Location, Wanted

PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
)
"""How the regions of a partition begin; all others are of ``aws`` (botocore, partitions.json)."""

PLACEHOLDERS = ("NAME", "ACCOUNT", "REGION", "PARTITION")


URL_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
"""The domains of partitions other than ``aws`` and ``aws-us-gov`` (botocore, partitions.json)."""


@dataclass(frozen=True, slots=True)
class ResourceName:
    """A name with what its ARN says; None stands for what the run decides."""

    text: str
    name: str
    partition: str | None = None
    account: str | None = None
    region: str | None = None


def partition_of(region: str) -> str:
    """The partition of a region."""
    return next((name for start, name in PARTITIONS if region.startswith(start)), "aws")


def url_suffix_of(partition: str) -> str:
    """The domain of a partition, as `AWS::URLSuffix` gives it."""
    return URL_SUFFIXES.get(partition, "amazonaws.com")


def is_arn(text: str) -> bool:
    """Whether a text is meant for an ARN, however it is spelt."""
    return text.strip().lower().startswith("arn:")


_STACK = re.compile(
    r"arn:aws[a-z-]*:cloudformation:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":stack/(?P<name>[^/]+)(/[^/]+)?"
)


def parse_stack(text: str) -> tuple[str, str | None, str | None]:
    """The name, account and region in the name or the ARN of a stack; None where it says neither.

    Source: AWS CloudFormation User Guide, "Stack ID".
    """
    match = _STACK.fullmatch(text)
    return (match["name"], match["account"], match["region"]) if match else (text, None, None)


def parse_name(kind: Kind, text: str) -> ResourceName | None:
    """The parts of a name or an ARN of the kind; None for an ARN of anything else."""
    if not is_arn(text):
        return ResourceName(text, text)
    pattern = _arn_pattern(kind)
    match = pattern.fullmatch(text) if pattern else None
    if match is None:
        return None
    parts = match.groupdict()
    return ResourceName(
        text, parts["name"], parts["partition"], parts.get("account"), parts.get("region")
    )


def plain_name(kind: Kind, text: str) -> str:
    """The name in a name or an ARN."""
    parsed = parse_name(kind, text)
    return parsed.name if parsed else text


def name_problem(kind: Kind, text: str, *, created: bool = False) -> str | None:
    """What is wrong with a name or an ARN, in one clause, or None.

    The rules for a name that is to be `created` may be stricter than those of earlier years.
    """
    parsed = parse_name(kind, text)
    if parsed is None:
        return _arn_problem(kind, text)
    check = kind.names.check if created else kind.names.find_problem
    if (why := check(parsed.name)) is not None:
        return _part_problem(kind, parsed) or why
    region, partition = parsed.region, parsed.partition
    if region is not None and partition != partition_of(region):
        return (
            f"region {region} is in partition {partition_of(region)}, not in {partition}: "
            "correct the ARN"
        )
    return None


@dataclass(frozen=True, slots=True)
class NameFields:
    """What names are called where a person writes them: the preferred one, a fallback, them all."""

    preferred: str
    fallback: str
    fallbacks: str


def find_mistake(
    kind: Kind,
    preferred: str,
    fallbacks: Sequence[str],
    fields: NameFields,
    *,
    created: bool = False,
) -> str | None:
    """What is wrong with the names of a resource, and what to do, or None.

    Where the preferred resource will be `created`, its name has to be one of today.
    """
    names = [(fields.preferred, preferred), *((fields.fallback, name) for name in fallbacks)]
    for word, name in names:
        if problem := name_problem(kind, name, created=created and name == preferred):
            return f"{word} {name!r} is not a valid {kind.noun} name: {problem}"
    # Some services take one name with and without a slash before it.
    identities = [identify_name(kind, name, "", "") for name in fallbacks]
    if identify_name(kind, preferred, "", "") in identities:
        return (
            f"{preferred} is both {fields.preferred} and one of {fields.fallbacks}: "
            "remove one of the two"
        )
    pairs = zip(fallbacks, identities, strict=True)
    twice = next((name for name, one in pairs if identities.count(one) > 1), None)
    if twice is not None:
        return f"{twice} is listed twice in {fields.fallbacks}: remove one of the two"
    return None


def place_of(kind: Kind, text: str, account: str, region: str) -> Location:
    """The place that a name means to a caller in an account and region.

    Services take the ARN in place of the name for what belongs to another account (Amazon DynamoDB
    API Reference, Scan, TableName).
    """
    parsed = parse_name(kind, text) or ResourceName(text, text)
    owner = parsed.account or account
    name = parsed.name if owner == account else text
    return Location(name, owner, parsed.region or region)


def full_name(kind: Kind, place: Location, home: Location) -> str:
    """The name of a place as somebody in the account and region of `home` has to say it.

    That is the name alone, unless it would mean something else there.
    """
    same = (place.owner, place.region) == (home.owner, home.region)
    if same or is_arn(place.name) or not is_regional(kind):
        return place.name
    return kind.access.arns(place.name, place.owner, place.region, partition_of(place.region))[0]


def identify_name(kind: Kind, text: str, account: str, region: str) -> tuple[str, str]:
    """What two names have in common exactly if they mean the same resource.

    Types that declare the same kind of thing share the kind's name. An ARN need not hold the name:
    that of a user pool holds its id.
    """
    parsed = parse_name(kind, text) or ResourceName(text, text)
    where = (parsed.account or account, parsed.region or region)
    arns = kind.access.arns(parsed.name, *where, partition_of(where[1]))
    if not arns:
        return kind.names.slug, text
    held = PLACEHOLDERS[0] in kind.access.arns(*PLACEHOLDERS)[0]
    return kind.names.slug, arns[0] if held else f"{arns[0]} {parsed.name}"


def find_shared_name(
    wanted: Iterable[tuple[Kind, Wanted]], account: str = "", region: str = ""
) -> tuple[Wanted, Wanted] | None:
    """Two resources that prefer one name, or None.

    `account` and `region` are those of a resource that leaves them open. A table's name can be used
    again in another account or region, a bucket's cannot.
    """
    names: dict[tuple[str, str], Wanted] = {}
    for kind, one in wanted:
        key = identify_name(kind, one.preferred, one.account or account, one.region or region)
        if key in names:
            return names[key], one
        names[key] = one
    return None


def is_regional(kind: Kind) -> bool:
    """Whether the same name means other resources in other accounts or regions."""
    arns = kind.access.arns(*PLACEHOLDERS)
    return bool(arns) and "REGION" in arns[0]


def localize_names(kind: Kind, wanted: Wanted, account: str, region: str) -> Wanted:
    """The wanted resource as it is named in the account and region of a run.

    ARNs of that account and region become names, others stay as they are. Raises InputError for a
    resource that is meant for another environment, and for ARNs that no look from here can reach.
    """
    _check_environment(wanted, account, region)
    preferred = _local_name(kind, wanted, wanted.preferred, account, region)
    if is_arn(preferred):
        raise InputError(
            f"{wanted.id}: the preferred name {preferred} is not in account {account}, {region}, "
            "where the run creates it; choose both with --region and --profile, or give a name"
        )
    fallbacks = tuple(_local_name(kind, wanted, name, account, region) for name in wanted.fallbacks)
    twice = preferred in fallbacks or len(set(fallbacks)) != len(fallbacks)
    if twice and any(map(is_arn, (wanted.preferred, *wanted.fallbacks))):
        raise InputError(
            f"{wanted.id} gives one {kind.noun} twice, by its name and by its ARN: remove one of "
            "the two"
        )
    return replace(wanted, preferred=preferred, fallbacks=fallbacks, account=account, region=region)


def _check_environment(wanted: Wanted, account: str, region: str) -> None:
    environment = (wanted.account or account, wanted.region or region)
    if environment != (account, region):
        raise InputError(
            f"{wanted.id} is meant for account {environment[0]}, {environment[1]}, but this run is "
            f"in account {account}, {region}: choose them with --profile and --region"
        )


def _local_name(kind: Kind, wanted: Wanted, text: str, account: str, region: str) -> str:
    parsed = parse_name(kind, text)
    if parsed is None or not is_arn(text):
        return text
    here = partition_of(region)
    if parsed.partition != here:
        raise InputError(
            f"{wanted.id}: {text} is in partition {parsed.partition}, but the run is in {here}, "
            "and no credentials work in both; copy the data by other means"
        )
    same = parsed.account in {None, account} and parsed.region in {None, region}
    return parsed.name if same else text


@lru_cache(maxsize=16)
def _pattern_of(arn: str) -> re.Pattern[str]:
    pattern = re.escape(arn)
    groups = {
        "PARTITION": "(?P<partition>aws[a-z-]*)",
        "REGION": r"(?P<region>[a-z]{2,}(?:-[a-z]+)+-[0-9]+)",
        "ACCOUNT": "(?P<account>[0-9]{12})",
        "NAME": "(?P<name>.+)",
    }
    for placeholder, group in groups.items():
        pattern = pattern.replace(placeholder, group)
    # In a policy it stands for a character that the service makes up.
    pattern = pattern.replace(r"\?", "[A-Za-z0-9?]")
    return re.compile(pattern, re.DOTALL)


def _arn_pattern(kind: Kind) -> re.Pattern[str] | None:
    """What matches the kind's ARNs: the ARN of placeholders, with groups in their places.

    None for a kind that is known by name only: where nothing is copied, nothing comes from
    elsewhere.
    """
    arns = kind.access.arns(*PLACEHOLDERS) if kind.is_copied_by_plans else ()
    return _pattern_of(arns[0]) if arns else None


def _arn_problem(kind: Kind, text: str) -> str:
    """Why an ARN is none of the kind."""
    pattern = _arn_pattern(kind)
    if pattern is None:
        return f"give the name of the {kind.noun} instead of an ARN"
    example = kind.access.arns(*PLACEHOLDERS[:3], "aws")[0]
    looks = f"the ARN of a {kind.short} looks like {example}"
    if pattern.fullmatch(text.strip().lower()):
        return f"its service, region and account are written in lower case and digits; {looks}"
    service, own = text.split(":")[2:3], example.split(":")[2]
    if service and service[0].lower() != own:
        return f"it is an ARN of {service[0] or 'no service'}, not of {own}; {looks}"
    return looks


def _part_problem(kind: Kind, parsed: ResourceName) -> str | None:
    """Why an ARN names a part of a resource, or something in it, and not the resource."""
    if parsed.partition is None or "/" not in parsed.name:
        return None
    name, _, rest = parsed.name.partition("/")
    part = rest.partition("/")[0]
    what = "part of"
    if part in kind.names.parts:
        what = f"{part} of"
    elif kind.copying and kind.copying.prefixes:
        what = f"{kind.unit} in"
    article = "an" if what[0] in "aeiou" else "a"
    return f"it names {article} {what} the {kind.short} {name}: end the ARN after {name}"
