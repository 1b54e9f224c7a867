"""Reads SOURCE and TARGET: ``s3://bucket/prefix``, ``dynamodb://table``, or an ARN.

What an address looks like comes from the cards of the kinds: the scheme, and the ARN of a name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataware.calc.suggest import did_you_mean
from dataware.calc.words import with_article
from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Location
from dataware.core.names import PLACEHOLDERS, identify_name, is_arn, parse_name

if TYPE_CHECKING:
    from dataware.ops.inputs.wanted import Kinds


@dataclass(frozen=True, slots=True)
class ResourceAddress:
    """A resource, or the keys of it that begin with `prefix`; None means the caller's own."""

    text: str
    kind: Kind
    name: str
    prefix: str = ""
    account: str | None = None
    region: str | None = None

    def place(self, account: str, region: str) -> Location:
        """The address as a place, with the caller's account and region where it names none.

        Services take the ARN in place of the name for what belongs to another account.
        """
        by_arn = self.text.startswith("arn:") and self.account not in {None, account}
        name = self.text if by_arn else self.name
        return Location(name, self.account or account, self.region or region, self.prefix)

    def owned_by(self, owner: str | None) -> ResourceAddress:
        """The address with an owner that was named beside it; None changes nothing.

        Raises InputError where ARNs name the account, because there a name alone means one's own.
        """
        if owner is None or owner == self.account:
            return self
        if "ACCOUNT" in self.kind.access.arns("NAME", "ACCOUNT", "REGION", "PARTITION")[0]:
            example = self.kind.access.arns(self.name, owner, self.region or "REGION", "aws")[0]
            raise InputError(
                f"{self.text} cannot be given the owner {owner}: name the {self.kind.noun} of "
                f"another account by its ARN, such as {example}"
            )
        return replace(self, account=owner)


def parse_pair(source: str, target: str, kinds: Kinds) -> tuple[ResourceAddress, ResourceAddress]:
    """Both sides of a copy: of one kind, and not the same place for this caller."""
    one, other = parse_sides(source, target, kinds)
    check_distinct(one, other)
    return one, other


def parse_sides(source: str, target: str, kinds: Kinds) -> tuple[ResourceAddress, ResourceAddress]:
    """Both sides of a copy, of one kind. Raises InputError."""
    one, other = parse_address(source, kinds), parse_address(target, kinds)
    if one.kind is not other.kind:
        here, there = (with_article(side.kind.noun) for side in (one, other))
        raise InputError(
            f"{source} is {here} and {target} {there}: both sides must be of the same kind"
        )
    return one, other


def parse_address(text: str, kinds: Kinds) -> ResourceAddress:
    """One side of a copy. Raises InputError."""
    scheme, separator, rest = text.partition("://")
    copied = (kind for kind in kinds.values() if kind.copying)
    # Two types may be one thing (table, global table); the first of the catalogue stands for it.
    # Cards are loaded up to that one.
    kind = next((one for one in copied if one.require_copying().scheme == scheme), None)
    if separator and kind is not None:
        return _from_indirect(text, [kind]) or _check_address(ResourceAddress(text, kind, rest))
    return _parse_unnamed(text, kinds)


def _parse_unnamed(text: str, kinds: Kinds) -> ResourceAddress:
    """An address that begins with the scheme of no type. Raises InputError where it is no ARN."""
    copied = [kind for kind in kinds.values() if kind.copying]
    if is_arn(text):
        if address := _from_indirect(text, copied):
            return address
        _refuse_uncopied(text, "".join(text.lower().split(":")[2:3]), kinds)
        return _from_arn(text, copied)
    scheme, separator, _ = text.partition("://")
    by_scheme = {kind.require_copying().scheme: kind for kind in copied}
    if not separator:
        prefix, _, name = text.partition(":/")
        schemes = [prefix] if prefix in by_scheme and name else sorted(by_scheme)
        rest = name.lstrip("/") if prefix in by_scheme and name else text or "name"
        examples = " or ".join(f"{one}://{rest}" for one in schemes)
        raise InputError(f"{text or 'The empty address'} needs a scheme: {examples}")
    _refuse_uncopied(text, scheme, kinds)
    near = did_you_mean(scheme, by_scheme)
    raise InputError(f"{text} has the unknown scheme {scheme}://, {near}")


def _from_indirect(text: str, kinds: list[Kind]) -> ResourceAddress | None:
    """An address by another way than the resource's own name; None for any other."""
    for kind in kinds:
        scheme = f"{kind.require_copying().scheme}://"
        named = text if is_arn(text) else text.removeprefix(scheme)
        if kind.indirect is None or (named == text and not is_arn(text)):
            continue
        if parsed := kind.indirect.parse(named):
            name, prefix, account, region = parsed
            return ResourceAddress(name, kind, name, prefix, account, region)
    return None


def _refuse_uncopied(text: str, word: str, kinds: Kinds) -> None:
    """Say of a kind that dataware knows and does not copy that it does not. Raises InputError."""
    for kind in kinds.values():
        arns = kind.access.arns(*PLACEHOLDERS)
        names = {kind.names.slug.partition("-")[0], *(arn.split(":")[2] for arn in arns[:1])}
        if kind.copying is None and word in names:
            raise InputError(
                f"{text} is {with_article(kind.noun)}, which dataware neither copies nor "
                "compares: copy it with another tool; `dataware plan` can inspect it"
            )


def _from_arn(text: str, kinds: list[Kind]) -> ResourceAddress:
    for kind in kinds:
        parsed = parse_name(kind, text)
        if parsed is not None:
            return _check_address(
                ResourceAddress(
                    text, kind, parsed.name, account=parsed.account, region=parsed.region
                )
            )
    copied_kinds = [kind for kind in kinds if kind.is_copied_by_plans]
    forms = dict.fromkeys(
        kind.access.arns("NAME", "ACCOUNT", "REGION", "aws")[0] for kind in copied_kinds
    )
    examples = " or ".join(forms)
    raise InputError(f"{text} is not the ARN of a resource that dataware copies: write {examples}")


def _check_address(address: ResourceAddress) -> ResourceAddress:
    """The address with its prefix split off, if its kind has prefixes, and its name checked."""
    kind, name, prefix = address.kind, address.name, ""
    if kind.require_copying().prefixes:
        name, _, prefix = name.partition("/")
    if problem := kind.names.find_problem(name):
        raise InputError(
            f"{address.text}: {name or 'the name'} is not a valid {kind.noun} name: {problem}"
        )
    return ResourceAddress(address.text, kind, name, prefix, address.account, address.region)


def check_distinct(
    one: ResourceAddress,
    other: ResourceAddress,
    account: str | None = None,
    region: str | None = None,
) -> None:
    """Refuse two addresses that mean the same keys, given the caller's account and region."""
    here = [
        (identify_name(at.kind, at.name, "", ""), at.account or account, at.region or region)
        for at in (one, other)
    ]
    if here[0] != here[1]:
        return
    if one.prefix == other.prefix:
        raise InputError(f"{one.text} and {other.text} are the same place: name two different ones")
    if one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix):
        raise InputError(
            f"{one.text} and {other.text} overlap, one holds the other: choose separate "
            "prefixes, each ending with /"
        )
