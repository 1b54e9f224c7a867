"""Source and target of a migration inside a deployment: what they are, and what may be done there.

The permissions are those that the kinds declare, scoped to the two resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from dataware.calc.words import with_article
from dataware.cdk.request import cdk_property, is_token
from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.phases import ACCOUNT, COPIED_FROM, COPIED_TO, PROBE, VERSIONS, VERSIONS_WRITE
from dataware.kinds import kinds
from dataware.ops.inputs.addresses import check_distinct, parse_address
from dataware.ops.policy import Permission, list_permissions
from dataware.state.marker_value import ROOT, parameter_name

Resource: TypeAlias = str | s3.IBucket | dynamodb.ITable
"""A bucket or table as a construct, or an address: ``s3://bucket/prefix``, ``dynamodb://table``."""

MARKER = ("ssm:GetParameter", "ssm:PutParameter")


@dataclass(frozen=True, slots=True)
class MigrationSide:
    """One side; `construct` is what has to be deployed before, `key` encrypts it."""

    kind: Kind
    name: str
    owner: str
    region: str
    prefix: str = ""
    construct: IConstruct | None = None
    key: kms.IKey | None = None

    def with_key(self, key: kms.IKey | None) -> MigrationSide:
        """The side with a key that the caller names."""
        return self if key is None else replace(self, key=key)

    def properties(self, word: str) -> dict[str, str]:
        """The side as properties of the custom resource, which begin with `word`."""
        prefix = {f"{word}Prefix": self.prefix} if self.prefix else {}
        where = {f"{word}Owner": self.owner, f"{word}Region": self.region}
        return {word: self.name, **where, **prefix}

    def arns(self, partition: str) -> tuple[str, ...]:
        """The ARNs of the resource."""
        return self.kind.access.arns(self.name, self.owner, self.region, partition)

    def record(self) -> str:
        """The Parameter Store name of the migration's record; a pattern if it is not known yet."""
        if is_token(self.name):
            return f"{ROOT}/{self.kind.names.slug}/*"
        whole = f"{self.name}/{self.prefix}" if self.prefix else self.name
        return parameter_name(self.kind.names.slug, whole)


def sides(
    scope: Construct,
    source: Resource,
    target: Resource,
    owner: str | None = None,
    region: str | None = None,
) -> tuple[MigrationSide, MigrationSide]:
    """Both sides, checked; `owner` and `region` are the source's. Raises ValueError."""
    stack = Stack.of(scope)
    try:
        one, other = _side(stack, source), _side(stack, target)
        one = replace(one, owner=owner or one.owner, region=region or one.region)
        if one.kind is not other.kind:
            raise ValueError(
                f"{scope.node.path}: the source is {with_article(one.kind.noun)} and the target "
                f"{with_article(other.kind.noun)}: both must be of the same kind"
            )
        if isinstance(source, str) and isinstance(target, str):
            same = {one.kind.cfn_type: one.kind}
            check_distinct(parse_address(source, same), parse_address(target, same))
    except InputError as error:
        raise ValueError(f"{scope.node.path}: {error}") from error
    if other.region != stack.region:
        raise ValueError(
            f"{scope.node.path}: the target is in {other.region}, and its stack in {stack.region}: "
            "data is migrated by the stack of the target"
        )
    return one, other


def _side(stack: Stack, resource: Resource) -> MigrationSide:
    account, region = stack.account, stack.region
    copied = {kind.cfn_type: kind for kind in kinds() if kind.is_copied_in_deployments}
    if isinstance(resource, str):
        address = parse_address(resource, copied)
        place = address.place(account, region)
        return MigrationSide(address.kind, place.name, place.owner, place.region, place.prefix)
    # Interfaces of CDK cannot be checked at run time, so the names tell what it is.
    for kind in copied.values():
        attribute = cdk_property(kind)
        if (name := getattr(resource, attribute, None)) is not None:
            return MigrationSide(
                kind,
                _literal(resource, attribute) or name,
                account,
                region,
                construct=resource,
                key=resource.encryption_key,
            )
    words = ", ".join(dict.fromkeys(f"no {kind.short}" for kind in copied.values()))
    raise ValueError(f"{resource!r} is {words} and no address of one")


def _literal(resource: IConstruct, attribute: str) -> str | None:
    """The name that was written out for a resource of this app; permissions are scoped to it."""
    name = getattr(resource.node.default_child, attribute, None)
    return name if isinstance(name, str) and not is_token(name) else None


def look_permissions(both: Iterable[MigrationSide], partition: str) -> list[Permission]:
    """What looking at both sides takes; what IAM cannot scope is granted everywhere."""
    both = list(both)
    probed = [one for side in both for one in _permissions(side, (PROBE,), partition)]
    everywhere = both[0].kind.access.phases.get(ACCOUNT, ())
    return [*probed, *([(everywhere, ("*",))] if everywhere else [])]


def copy_permissions(
    source: MigrationSide, target: MigrationSide, partition: str, *, all_versions: bool
) -> list[Permission]:
    """What copying and verifying takes."""
    read, written = ((VERSIONS,), (VERSIONS, VERSIONS_WRITE)) if all_versions else ((), ())
    return [
        *_permissions(source, (*COPIED_FROM, *read), partition),
        *_permissions(target, (*COPIED_TO, *written), partition),
    ]


def record_permission(stack: Stack, side: MigrationSide, actions: tuple[str, ...]) -> Permission:
    """What the record of the migration into one side takes."""
    names = {side.record().removeprefix("/"), replace(side, prefix="").record().removeprefix("/")}
    return actions, tuple(
        stack.format_arn(
            service="ssm",
            resource="parameter",
            resource_name=name,
            region=side.region,
            account=side.owner,
        )
        for name in sorted(names)
    )


def _permissions(
    side: MigrationSide, phases: Iterable[str], partition: str
) -> Iterator[Permission]:
    """What phases take of a side."""
    return list_permissions(side.kind.access, side.arns(partition), phases)
