"""Reads what is to be planned of a stack: what opts in, what a pattern fits, and nested stacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dataware.core.evaluation import NotKnownError
from dataware.core.expand import expand, warn_of_unseen
from dataware.core.model import ImportMode, OnError, OnFallbackData, Wanted
from dataware.core.names import find_mistake, parse_stack
from dataware.core.values import Computed
from dataware.kinds.unknown import HOLDS_DATA
from dataware.ops.inputs.evaluated import EvaluatedTemplate
from dataware.ops.inputs.fallback_patterns import fallbacks_of
from dataware.ops.inputs.opted_in import (
    CONDITION,
    Source,
    build_wanted,
    open_template,
    opts_in,
    read_referred,
    read_resource,
    type_of,
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

    def add(self, other: StackReading) -> None:
        """Take what another stack has, too."""
        self.wanted += other.wanted
        self.unplanned += other.unplanned
        self.unseen += other.unseen
        self.notes += other.notes


def read_template(path: Path, kinds: Kinds, options: ReadOptions, stack: str | None = None) -> App:
    """The resources of a template; `stack` is the name or ARN of its stack."""
    # A pipe that the shell hands on can be read only once.
    document = parse_template(path)
    name, account, region = parse_stack(stack) if stack else (None, None, None)
    meant = StackEnvironment(account, region)
    values = StackValues(options.sources, stack, meant)
    source = Source(
        path,
        kinds,
        options.overrides,
        name,
        values=values,
        patterns=options.patterns,
        every=options.every,
    )
    check_parameters([(name or "", document)], options.sources.parameters)
    found = read_stack_resources(source, document)
    check_together(str(path), found.wanted, kinds)
    resolve = values.evaluator(document, kinds).evaluate
    expanded = expand(document, kinds, resolve)
    stacks = (read_stack(name, path, kinds, template=expanded),) if name else ()
    return App(
        found.wanted,
        {name: meant} if name else {},
        stacks,
        tuple(found.unseen),
        tuple(found.notes),
        tuple(found.unplanned),
        options.sources.asked,
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
    found = StackReading(unseen=list(warn_of_unseen(str(source.path), template.expanded.unseen)))
    for logical_id, resource in template.resources.items():
        found.add(_read_one(source, template, logical_id, resource, above))
    found.wanted += read_referred(source, template)
    return found


def _read_one(
    source: Source,
    template: EvaluatedTemplate,
    logical_id: str,
    resource: Mapping[str, Any],
    above: frozenset[Path],
) -> StackReading:
    asked = opts_in(source, logical_id, resource)
    if template.existence(resource) is False:
        text = f"{logical_id} is not created, because condition {resource['Condition']} is false"
        return StackReading(notes=[text] if asked else [])
    if type_of(resource) == NESTED:
        return _read_nested(source, template, logical_id, resource, above)
    if asked:
        return StackReading([read_resource(source, template, logical_id, resource)])
    if not (source.every or source.patterns):
        return StackReading()
    found = _read_unasked(source, template, logical_id, resource)
    if isinstance(found, Wanted):
        return StackReading([found])
    unplanned = Unplanned(
        "/".join((*source.within, logical_id)), type_of(resource), source.stack, found or ""
    )
    return StackReading(unplanned=[unplanned] if found else [])


def _read_unasked(
    source: Source,
    template: EvaluatedTemplate,
    logical_id: str,
    resource: Mapping[str, Any],
) -> Wanted | str | None:
    """A stateful resource that does not opt in, or why it is not planned; None for all others."""
    kind = source.kinds.get(type_of(resource))
    if kind is None:
        unknown = source.every and type_of(resource) in HOLDS_DATA
        return "dataware cannot look into that type" if unknown else None
    if not kind.template.stateful:
        return None
    properties = resource.get("Properties")
    name = template.name(kind, properties if isinstance(properties, Mapping) else {})
    if name is None:
        return _read_generated(source, template, logical_id, resource)
    if isinstance(name, Computed):
        return f"its name is what {name} gives, which is unknown: {name.reason}"
    return _read_named(source, template, logical_id, resource, str(name))


def _read_named(
    source: Source,
    template: EvaluatedTemplate,
    logical_id: str,
    resource: Mapping[str, Any],
    name: str,
) -> Wanted | str:
    """A resource under its name, with the fallbacks that patterns give it."""
    kind = source.kinds[type_of(resource)]
    fallbacks = fallbacks_of(name, source.patterns, source.place)
    if not fallbacks and not source.every:
        return f"no fallback pattern fits its name, {name}"
    if mistake := find_mistake(kind, name, fallbacks, FIELDS):
        return mistake
    return _build_unasked(source, template, logical_id, resource, name, fallbacks)


def _read_generated(
    source: Source,
    template: EvaluatedTemplate,
    logical_id: str,
    resource: Mapping[str, Any],
) -> Wanted | str:
    """What the deployed stack has under the logical id of a resource without a name."""
    if not source.every:
        return f"{NOT_BEFORE}, so no pattern fits it"
    if source.stack is None:
        return f"{NOT_BEFORE}: pass --stack NAME to see what the deployed stack has"
    try:
        deployed = source.values.deployed_resources().get(logical_id)
    except NotKnownError as error:
        return f"{NOT_BEFORE}, and the deployed stack was not seen: {error}"
    if deployed is None:
        return f"{NOT_BEFORE}, and the stack has none yet"
    return _build_unasked(source, template, logical_id, resource, deployed.physical_id, ())


def _build_unasked(
    source: Source,
    template: EvaluatedTemplate,
    logical_id: str,
    resource: Mapping[str, Any],
    name: str,
    fallbacks: tuple[str, ...],
) -> Wanted:
    over = source.overrides
    choices = ResourceChoices(
        fallbacks,
        over.on_error or OnError.SAFE,
        over.on_fallback_data or OnFallbackData.MIGRATE,
        over.import_mode or ImportMode.ADOPT,
    )
    return build_wanted(source, template, logical_id, resource, name, choices)


def _read_nested(
    source: Source,
    template: EvaluatedTemplate,
    logical_id: str,
    resource: Mapping[str, Any],
    above: frozenset[Path],
) -> StackReading:
    """What is to be planned of a nested stack whose template is a file."""
    path = find_nested_template(resource, source.path)
    seen = above | {source.path.resolve()}
    if path is None or path.resolve() in seen:
        reason = "its template is not a file here, so nothing in it is planned"
        unplanned = Unplanned(logical_id, NESTED, source.stack, reason)
        return StackReading(unplanned=[unplanned] if source.every else [])
    found = read_stack_resources(
        _nested_source(source, template, logical_id, resource, path), above=frozenset(seen)
    )
    if isinstance(template.existence(resource), Computed):
        found.wanted = [_make_conditional(one) for one in found.wanted]
    return found


def _make_conditional(wanted: Wanted) -> Wanted:
    return replace(wanted, unresolved=tuple(dict.fromkeys((*CONDITION, *wanted.unresolved))))


def _nested_source(
    source: Source,
    template: EvaluatedTemplate,
    logical_id: str,
    resource: Mapping[str, Any],
    path: Path,
) -> Source:
    """What reads a nested stack: its parameters are those that the stack around it hands down."""
    properties = resource.get("Properties")
    passed = properties.get("Parameters") if isinstance(properties, Mapping) else None
    given = template.evaluator.evaluate(passed if isinstance(passed, Mapping) else {})
    try:
        deployed = source.values.deployed_resources().get(logical_id)
    except NotKnownError:
        deployed = None
    arn = deployed.physical_id if deployed else None
    values = replace(
        source.values,
        stack=arn,
        given=given if isinstance(given, Mapping) else {},
        unnamed="CloudFormation names a nested stack when it creates it",
    )
    # A slash stands in the name of no stack, so nothing that is deployed is taken for it.
    stack = parse_stack(arn)[0] if arn else f"{source.stack}/{logical_id}" if source.stack else None
    return replace(
        source,
        path=path,
        stack=stack,
        referred={},
        synthesized=True,
        values=values,
        within=(*source.within, logical_id),
    )
