"""Reads `dataware.toml`: for those without CDK and without a template."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Wanted
from dataware.core.names import parse_stack, plain_name
from dataware.core.parameters import GivenParameters
from dataware.ops.inputs.fallback_patterns import (
    FallbackPattern,
    fallbacks_of,
    read_patterns,
)
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.reading import InputSection, check_depth, nested_too_deep, read_text
from dataware.ops.inputs.toml_fields import APP, DEFAULTS, RESOURCE, WORDS
from dataware.ops.inputs.wanted import (
    App,
    Kinds,
    Overrides,
    StackEnvironment,
    check_names,
    check_properties,
    check_together,
    known_kind,
    read_choices,
)

ACCOUNT = re.compile(r"\d{12}", re.ASCII)
BEGINS = re.compile(r"\s*\[\[\s*resource\s*\]\]")
FIELDS = tuple(RESOURCE)


def project_patterns() -> tuple[FallbackPattern, ...]:
    """The patterns of ``[fallbacks]`` in the `dataware.toml` of the current folder."""
    path = Path("dataware.toml")
    if not path.is_file():
        return ()
    document = InputSection(str(path), parse_toml(path, read_text(path)))
    return read_patterns(document.mapping("fallbacks"), f"{path}, fallbacks")


def read_toml(path: Path, kinds: Kinds, options: ReadOptions, stack: str | None = None) -> App:
    """The resources of a `dataware.toml`; `stack` keeps those of one stack. Raises InputError."""
    refuse_parameters(path, options.sources.parameters)
    text = read_text(path)
    document = InputSection(str(path), parse_toml(path, text))
    tables = tables_of(path, document.data)
    wanted = [
        read_resource(path, at, table, kinds, options.overrides, options.patterns)
        for at, table in enumerate(tables, 1)
    ]
    lines = _lines_of_resources(text)
    if len(lines) == len(wanted):
        pairs = zip(wanted, lines, strict=True)
        wanted = [replace(one, where=f"{path}:{line}") for one, line in pairs]
    check_together(str(path), wanted, kinds)
    named = parse_stack(stack)[0] if stack else None
    chosen = [one for one in wanted if named in {None, one.stack}]
    if not chosen:
        stacks = {one.stack for one in wanted if one.stack}
        raise document.bad(
            f"no resource belongs to stack {stack}, {did_you_mean(str(stack), stacks)}"
        )
    return App(chosen, pin=_read_pin(path, document))


def refuse_parameters(path: Path, parameters: GivenParameters) -> None:
    """Raise InputError for parameters of a file in which nothing rests on any."""
    if parameters.values:
        raise InputError(f"{path} has no parameters: leave out --parameter and --parameters-file")


def _read_pin(path: Path, document: InputSection) -> StackEnvironment:
    """The account and region in which alone the file is meant to be used; open by default."""
    section = InputSection(f"{path}, app", document.mapping("app"))
    section.only(APP)
    account, region = section.text("account"), section.text("region")
    if account is not None and not ACCOUNT.fullmatch(account):
        raise section.bad(f"{account} is not an account: write its 12 digits")
    return StackEnvironment(account, region)


def tables_of(path: Path, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tables of resources. Raises InputError without one, and for anything else."""
    whole = InputSection(str(path), document)
    whole.only(["app", "defaults", "fallbacks", "resource"])
    read_patterns(whole.mapping("fallbacks"), f"{path}, fallbacks")
    _read_pin(path, whole)
    InputSection(f"{path}, defaults", whole.mapping("defaults")).only(DEFAULTS)
    tables = document.get("resource")
    if not (isinstance(tables, list) and tables and all(isinstance(t, dict) for t in tables)):
        raise whole.bad("it declares no resource: begin each with a line [[resource]]")
    return tables


def _lines_of_resources(text: str) -> list[int]:
    """The numbers of the lines that begin a resource, as people look for them."""
    lines = enumerate(text.splitlines(), 1)
    return [number for number, line in lines if BEGINS.match(line)]


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """The document in a TOML text. Raises InputError with the line of the mistake."""
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise nested_too_deep(path) from None
    except ValueError as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    check_depth(document, path)
    for where, value in _scalars(document):
        if not isinstance(value, str) and not (isinstance(value, int | float) and isfinite(value)):
            raise InputError(f"{path}: {where} is {value}: put it in quotes")
    return document


def _scalars(value: object, where: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is no table or list, with its path: TOML has dates, and JSON none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _scalars(inner, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for at, inner in enumerate(value, 1):
            yield from _scalars(inner, f"{where} {at}")
    else:
        yield where, value


def resource_name(table: Mapping[str, Any]) -> str:
    """What people know a resource by: its id or its preferred name, empty without either."""
    texts = [one for one in (table.get("id"), table.get("preferred")) if isinstance(one, str)]
    return next(filter(None, texts), "")


def section_of(path: Path, position: int, table: Mapping[str, Any]) -> str:
    """The head of every complaint about the resource at a position, counted from 1."""
    name = resource_name(table)
    return f"{path}, resource {position}{f' ({name})' if name else ''}"


def read_resource(
    path: Path,
    at: int,
    table: dict[str, Any],
    kinds: Kinds,
    overrides: Overrides,
    patterns: Sequence[FallbackPattern] = (),
) -> Wanted:
    """The resource in the table at a position, counted from 1. Raises InputError."""
    section = InputSection(section_of(path, at, table), table)
    section.only(FIELDS)
    cfn_type, preferred = section.required_text("type"), section.required_text("preferred")
    kind = known_kind(section, cfn_type, kinds)
    choices = read_choices(section, WORDS, overrides)
    if WORDS.fallback not in table:
        choices = replace(choices, fallbacks=fallbacks_of(preferred, patterns, {}))
    check_names(section, kind, preferred, choices.fallbacks)
    check_properties(section, kind, section.mapping("properties"))
    stack, logical_id = section.text("stack"), section.text("logical_id")
    if (stack is None) != (logical_id is None):
        raise section.bad("stack and logical_id belong together: give both or neither")
    name, account, region = parse_stack(stack) if stack else (None, None, None)
    _check_name_in_properties(section, kind, preferred)
    return Wanted(
        id=section.text("id") or preferred,
        type=cfn_type,
        preferred=preferred,
        fallbacks=choices.fallbacks,
        properties=section.mapping("properties"),
        stack=name,
        account=account,
        region=region,
        logical_id=logical_id,
        on_error=choices.on_error,
        on_fallback_data=choices.on_fallback_data,
        import_mode=choices.import_mode,
        hidden=kind.template.list_hidden(section.mapping("properties")),
        where=section.where,
    )


def _check_name_in_properties(section: InputSection, kind: Kind, preferred: str) -> None:
    """Refuse properties that name the resource otherwise."""
    identifier = kind.template.identifier
    named = section.mapping("properties").get(identifier, preferred)
    if named not in (preferred, plain_name(kind, preferred)):
        raise section.bad(f"properties.{identifier} differs from preferred: remove it")
