"""Reads `fleet.toml`: the targets of a fleet, and how it is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataware.aws.organization import OrganizationAccount
from dataware.core.errors import InputError
from dataware.core.fleet.target import ACCOUNT, REGION, FleetTarget, is_table_of_texts, role_arn
from dataware.core.fleet.waves import WaveSettings, make_waves
from dataware.ops.inputs.fleet_fields import ORGANIZATION, TARGET, WAVES
from dataware.ops.inputs.reading import InputSection, read_text
from dataware.ops.inputs.toml_file import parse_toml

ListAccounts = Callable[[str | None], Sequence[OrganizationAccount]]
"""Lists the accounts in use of an organization with the credentials of a profile."""


@dataclass(frozen=True, slots=True)
class FleetFile:
    """What a `fleet.toml` says."""

    targets: tuple[FleetTarget, ...]
    waves: WaveSettings


def read_fleet(path: Path, list_accounts: ListAccounts) -> FleetFile:
    """The targets of the file, and those of its organization. Raises InputError."""
    document = InputSection(
        str(path), parse_toml(path, read_text(path, holds="at least one [[target]]"))
    )
    document.only(["waves", "target", "organization"])
    tables = document.data.get("target", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise document.bad("target must be tables: begin each with a line [[target]]")
    targets = [one for at, table in enumerate(tables, 1) for one in _read_target(path, at, table)]
    if "organization" in document.data:
        section = InputSection(f"{path}, organization", document.mapping("organization"))
        targets += _read_organization(section, list_accounts)
    if not targets:
        raise document.bad("it names no target: begin each with a line [[target]]")
    _check_together(document, targets)
    return FleetFile(tuple(targets), _read_waves(path, document, targets))


def _read_target(path: Path, at: int, table: Mapping[str, Any]) -> Iterator[FleetTarget]:
    name = table.get("name")
    section = InputSection(f"{path}, target {at}{f' ({name})' if name else ''}", table)
    section.only(TARGET)
    account = section.required_text("account")
    if ACCOUNT.fullmatch(account) is None:
        raise section.bad(f"{account} is not an account: write its 12 digits")
    target = FleetTarget(
        _target_name(section, section.required_text("name")),
        account,
        "",
        profile=section.text("profile"),
        external_id=section.text("external_id"),
        tags=_read_table(section, "tags"),
        parameters=_read_table(section, "parameters"),
        stack=section.text("stack"),
    )
    yield from _in_regions(section, target)


def _target_name(section: InputSection, name: str) -> str:
    if "/" in name or not name.isprintable() or name != name.strip():
        raise section.bad(
            f"name {name!r} cannot be: write it without a slash and control characters"
        )
    return name


def _in_regions(section: InputSection, target: FleetTarget) -> Iterator[FleetTarget]:
    """The target in each region that the section names, under a name of its own."""
    if ("region" in section.data) == ("regions" in section.data):
        raise section.bad("region is missing: give one region, or a list as regions")
    regions = section.texts("regions") or (section.required_text("region"),)
    role = section.text("role")
    for region in regions:
        if REGION.fullmatch(region) is None:
            raise section.bad(f"{region} is not a region, such as eu-central-1")
        name = target.name if len(regions) == 1 else f"{target.name}/{region}"
        try:
            arn = role_arn(role, target.account, region) if role else None
        except InputError as error:
            raise section.bad(str(error)) from error
        yield replace(target, name=name, region=region, role=arn)


def _read_organization(section: InputSection, list_accounts: ListAccounts) -> list[FleetTarget]:
    """A target for every account in use that has the tags, in every region."""
    section.only(ORGANIZATION)
    section.required_text("role")
    wanted, excluded = _read_table(section, "tags"), section.texts("exclude")
    targets = [
        one
        for one in list_accounts(section.text("profile"))
        if one.id not in excluded and wanted.items() <= dict(one.tags).items()
    ]
    if not targets:
        raise section.bad("no account in use has these tags: correct them, or leave them out")
    names = [one.name for one in targets]
    return [
        target
        for one in targets
        for target in _in_regions(
            section,
            FleetTarget(
                _account_name(one, alone=names.count(one.name) == 1),
                one.id,
                "",
                profile=section.text("profile"),
                external_id=section.text("external_id"),
                tags=one.tags,
                parameters=_read_table(section, "parameters"),
                stack=section.text("stack"),
            ),
        )
    ]


def _account_name(account: OrganizationAccount, *, alone: bool) -> str:
    """The name of an account, by which nothing else is meant: with its digits if two share it."""
    name = account.name.replace("/", "-").strip()
    return name if alone else f"{name} {account.id}"


def _read_table(section: InputSection, field: str) -> Mapping[str, str]:
    table = section.mapping(field)
    if not is_table_of_texts(table):
        raise section.bad(
            f'{field} must be a table of strings, such as {field} = {{ stage = "prod" }}'
        )
    return dict(table)


def _read_waves(path: Path, document: InputSection, targets: Sequence[FleetTarget]) -> WaveSettings:
    section = InputSection(f"{path}, waves", document.mapping("waves"))
    section.only(WAVES)
    usual = WaveSettings()
    settings = WaveSettings(
        _read_number(section, "max_concurrent", usual.max_concurrent, least=1),
        _read_number(section, "tolerance", usual.tolerance, least=0),
        section.text("canary"),
    )
    try:
        make_waves(targets, settings)
    except InputError as error:
        raise section.bad(str(error)) from error
    return settings


def _read_number(section: InputSection, field: str, usual: int, *, least: int) -> int:
    value = section.data.get(field, usual)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise section.bad(f"{field} must be a whole number from {least}")
    return value


def _check_together(document: InputSection, targets: Sequence[FleetTarget]) -> None:
    """Refuse two targets of one name, and one place that is there twice in the same way."""
    names: set[str] = set()
    places: dict[tuple[object, ...], str] = {}
    for one in targets:
        if one.name in names:
            raise document.bad(f"two targets have the name {one.name}: rename one of them")
        names.add(one.name)
        place = (one.account, one.region, one.stack, tuple(sorted(one.parameters.items())))
        if place in places:
            raise document.bad(
                f"{places[place]} and {one.name} are the same: account, region, stack and "
                "parameters; remove one of them"
            )
        places[place] = one.name
