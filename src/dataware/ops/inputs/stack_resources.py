"""Reads what is to be planned of a stack: what opts in, what a pattern fits, and nested stacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dataware.core.evaluation import NotKnownError
from dataware.core.expand import expand, warn_of_unseen
from dataware.core.kind import Kind
from dataware.core.model import ImportMode, OnError, OnFallbackData, Wanted
from dataware.core.names import find_mistake, parse_stack
from dataware.core.values import Computed
from dataware.kinds.unknown import HOLDS_DATA
from dataware.ops.inputs.fallback_patterns import fallbacks_of
from dataware.ops.inputs.opted_in import (
    CONDITION,
    Source,
    TemplateResource,
    UnknownNameError,
    build_wanted,
    open_template,
    read_referred,
    read_resource,
    resources_of,
)
from dataware.ops.inputs.parameters_file import check_parameters
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.template import NESTED, find_nested_template, parse_template, read_stack
from dataware.ops.inputs.value_sources import StackValues
from dataware.ops.inputs.wanted import (
    FIELDS,
    App,
    Kinds,
    ResourceChoices,
    StackEnvironment,
    Unnamed,
    Unplanned,
    check_together,
)

NOT_BEFORE = "CloudFormation generates its name when it creates it"


@dataclass(slots=True)
class StackReading:
    """What was read of a stack and of the stacks nested in it."""

    wanted: list[Wanted] = field(default_factory=list)
    unplanned: list[Unplanned] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unnamed: list[Unnamed] = field(default_factory=list)

    def add(self, other: StackReading) -> None:
        """Take what another stack has, too."""
        self.wanted += other.wanted
        self.unplanned += other.unplanned
        self.unseen += other.unseen
        self.notes += other.notes
        self.unnamed += other.unnamed


def read_template(path: Path, kinds: Kinds, options: ReadOptions, stack: str | None = None) -> App:
    """The resources of a template; `stack` is the name or ARN of its stack."""
    # A pipe that the shell hands on can be read only once.
    document = parse_template(path)
    name, account, region = parse_stack(stack) if stack else (None, None, None)
    environment = StackEnvironment(account, region)
    values = StackValues(options.sources, stack, environment, path=path)
    source = Source(
        path,
        kinds,
        options.overrides,
        name,
        values=values,
        patterns=options.patterns,
        every=options.every,
        only=options.only,
    )
    check_parameters([(name or "", document)], options.sources.parameters)
    reading = read_stack_resources(source, document)
    check_together(str(path), reading.wanted, kinds)
    resolve = values.evaluator(document, kinds).evaluate
    expanded = expand(document, kinds, resolve)
    stacks = [read_stack(name, path, kinds, template=expanded)] if name else []
    # All of it is looked at where the ARN of the stack says that it is.
    return App(
        [replace(one, account=account, region=region) for one in reading.wanted],
        {name: environment} if name else {},
        tuple(replace(one, account=account, region=region) for one in stacks),
        tuple(reading.unseen),
        tuple(reading.notes),
        tuple(reading.unplanned),
        options.sources.lookups,
        unnamed=tuple(reading.unnamed),
    )


def read_stack_resources(
    source: Source,
    document: Mapping[str, Any] | None = None,
    above: frozenset[Path] = frozenset(),
) -> StackReading:
    """What is to be planned of a template, which may be parsed already. Raises InputError.

    `above` holds the templates in which it is nested.
    """
    document = parse_template(source.path) if document is None else document
    template = open_template(source, document)
    reading = StackReading(unseen=list(warn_of_unseen(str(source.path), template.expanded.unseen)))
    for resource in resources_of(source, template):
        reading.add(_read_one(resource, above))
    reading.wanted += read_referred(source, template)
    return reading


def _read_one(resource: TemplateResource, above: frozenset[Path]) -> StackReading:
    source, opts_in = resource.source, resource.opts_in
    if resource.existence is False:
        condition = resource.body["Condition"]
        text = f"{resource.logical_id} is not created, because condition {condition} is false"
        return StackReading(notes=[text] if opts_in else [])
    if resource.type == NESTED:
        return _read_nested(resource, above)
    if opts_in:
        return _read_opted_in(resource)
    if not (source.every or source.patterns):
        return StackReading()
    reading = _read_unasked(resource)
    if isinstance(reading, Wanted):
        return StackReading([reading])
    address = "/".join((*source.within, resource.logical_id))
    unplanned = Unplanned(address, resource.type, source.stack, reading or "")
    return StackReading(unplanned=[unplanned] if reading else [])


def _read_opted_in(resource: TemplateResource) -> StackReading:
    """A resource that opts in; of one that is not asked for the name may be unknown."""
    try:
        return StackReading([read_resource(resource)])
    except UnknownNameError as error:
        only = resource.source.only
        if not only or resource.logical_id in only or resource.id in only:
            raise
        return StackReading(unnamed=[Unnamed(resource.id, str(error))])


def _read_unasked(resource: TemplateResource) -> Wanted | str | None:
    """A stateful resource that does not opt in, or why it is not planned; None for all others."""
    source = resource.source
    kind = source.kinds.get(resource.type)
    if kind is None:
        unknown = source.every and resource.type in HOLDS_DATA
        return "dataware cannot look into that type" if unknown else None
    if not kind.template.stateful:
        return None
    name = resource.template.name(kind, resource.properties)
    if name is None:
        return _read_generated(resource)
    if isinstance(name, Computed):
        return f"its name is what {name} gives, which is unknown: {name.reason}"
    return _read_named(resource, kind, str(name))


def _read_named(resource: TemplateResource, kind: Kind, name: str) -> Wanted | str:
    """A resource under its name, with the fallbacks that patterns give it."""
    source = resource.source
    fallbacks = fallbacks_of(name, source.patterns, source.place)
    if not fallbacks and not source.every:
        return f"no fallback pattern fits its name, {name}"
    if mistake := find_mistake(kind, name, fallbacks, FIELDS):
        return mistake
    return _build_unasked(resource, name, fallbacks)


def _read_generated(resource: TemplateResource) -> Wanted | str:
    """What the deployed stack has under the logical id of a resource without a name."""
    if not resource.source.every:
        return f"{NOT_BEFORE}, so no pattern fits it"
    if resource.source.stack is None:
        return f"{NOT_BEFORE}: pass --stack NAME to see what the deployed stack has"
    try:
        deployed = resource.deployed_id()
    except NotKnownError as error:
        return f"{NOT_BEFORE}, and the deployed stack was not seen: {error}"
    if deployed is None:
        return f"{NOT_BEFORE}, and the stack has none yet"
    kind = resource.source.kinds[resource.type]
    return _build_unasked(resource, kind.template.name_of(deployed) or deployed, ())


def _build_unasked(resource: TemplateResource, name: str, fallbacks: tuple[str, ...]) -> Wanted:
    over = resource.source.overrides
    choices = ResourceChoices(
        fallbacks,
        over.on_error or OnError.SAFE,
        over.on_fallback_data or OnFallbackData.MIGRATE,
        over.import_mode or ImportMode.ADOPT,
    )
    return build_wanted(resource, name, choices)


def _read_nested(resource: TemplateResource, above: frozenset[Path]) -> StackReading:
    """What is to be planned of a nested stack whose template is a file."""
    source = resource.source
    path = find_nested_template(resource.body, source.path)
    around = above | {source.path.resolve()}
    if path is None or path.resolve() in around:
        reason = "its template is not a file here, so nothing in it is planned"
        unplanned = Unplanned(resource.logical_id, NESTED, source.stack, reason)
        return StackReading(unplanned=[unplanned] if source.every else [])
    reading = read_stack_resources(_nested_source(resource, path), above=frozenset(around))
    if isinstance(resource.existence, Computed):
        reading.wanted = [_make_conditional(one) for one in reading.wanted]
    return reading


def _make_conditional(wanted: Wanted) -> Wanted:
    return replace(wanted, unresolved=tuple(dict.fromkeys((*CONDITION, *wanted.unresolved))))


def _nested_source(resource: TemplateResource, path: Path) -> Source:
    """What reads a nested stack: its parameters are those that the stack around it hands down."""
    source = resource.source
    evaluator, body = resource.template.evaluator, resource.body
    values = source.values.find_nested_values(evaluator, resource.logical_id, body, path)
    arn = values.stack
    # A slash stands in the name of no stack, so nothing that is deployed is taken for it.
    beneath = f"{source.stack}/{resource.logical_id}" if source.stack else None
    return replace(
        source,
        path=path,
        stack=parse_stack(arn)[0] if arn else beneath,
        referred={},
        constructed=frozenset(),
        synthesized=True,
        values=values,
        within=(*source.within, resource.logical_id),
    )
