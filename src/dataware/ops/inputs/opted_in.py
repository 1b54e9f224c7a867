"""Reads the resources of a template that opt in by metadata.

Metadata: {Dataware: {Fallback: [name, …]}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dataware.calc.suggest import nearest
from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Creator, Wanted
from dataware.core.names import is_arn
from dataware.core.stack_template import is_retained
from dataware.core.values import Computed, find_function, is_function, mapping_of
from dataware.ops.inputs.evaluated_template import EvaluatedTemplate, evaluate_template
from dataware.ops.inputs.fallback_patterns import FallbackPattern, fallbacks_of
from dataware.ops.inputs.reading import InputSection, cure, describe_value
from dataware.ops.inputs.references import unresolved_properties
from dataware.ops.inputs.template import check_resources
from dataware.ops.inputs.value_sources import UNASKED, StackValues, ValueSources
from dataware.ops.inputs.wanted import (
    FieldNames,
    Kinds,
    Overrides,
    ResourceChoices,
    check_names,
    check_properties,
    known_kind,
    read_choices,
)

WORDS = FieldNames("Fallback", "OnError", "OnFallbackData", "Import")
ID = "Id"
"""The physical id of a resource that has no name of its own, or one that others have, too."""

OPT_IN = "add Metadata: {Dataware: {Fallback: [name]}} to each resource that dataware should see"
KEY = "Dataware"
ALIKE = 0.85
"""How like `KEY` another key has to be to be taken for a slip: keys of other tools are fine."""

CONDITION = ("Condition",)


class UnknownNameError(InputError):
    """A resource whose name is unknown; `unasked` says that AWS alone would tell it."""

    def __init__(self, text: str, *, unasked: bool) -> None:
        super().__init__(text)
        self.unasked = unasked


@dataclass(frozen=True, slots=True)
class Source:
    """Where a template stands, and what its resources are read with.

    `referred` are resources that the app refers to, by the logical id each would have here.
    `synthesized` says that CDK wrote the template, which leaves out a section that is empty, and
    `constructed` are the logical ids of what constructs declare as long as decisions say so.
    `values` are what its functions rest on; `patterns` give fallbacks, and with `every` stateful
    resources are read that do not opt in. `only` are the names that are asked for alone, none for
    all. `within` are the logical ids of nested stacks around it.
    """

    path: Path
    kinds: Kinds
    overrides: Overrides
    stack: str | None
    referred: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    synthesized: bool = False
    constructed: frozenset[str] = frozenset()
    values: StackValues = field(default_factory=lambda: StackValues(ValueSources()))
    patterns: tuple[FallbackPattern, ...] = ()
    every: bool = False
    only: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def place(self) -> Mapping[str, str | None]:
        """What patterns may name of the stack."""
        environment = self.values.environment
        return {"account": environment.account, "region": environment.region, "stack": self.stack}


def open_template(source: Source, document: Mapping[str, Any]) -> EvaluatedTemplate:
    """The template, with what evaluates it. Raises InputError where it has no resources."""
    check_resources(document, source.path, synthesized=source.synthesized)
    return evaluate_template(document, source.values, source.kinds)


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """A resource of a template, with what it is read by."""

    source: Source
    template: EvaluatedTemplate
    logical_id: str
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        """Its type, empty where it is not literal."""
        named = self.body.get("Type")
        return named if isinstance(named, str) else ""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, empty where it is not literal."""
        return mapping_of(self.body.get("Metadata"))

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, empty where they are not literal."""
        return mapping_of(self.body.get("Properties"))

    @property
    def where(self) -> str:
        """The head of a complaint about it."""
        return f"{self.source.path}, resource {self.logical_id}"

    @property
    def id(self) -> str:
        """Its construct path or logical id, behind the nested stacks that it is in."""
        return "/".join((*self.source.within, _path_of(self.metadata) or self.logical_id))

    @property
    def existence(self) -> bool | Computed:
        """Whether it is created; a `Computed` where its condition is unknown."""
        return self.template.existence(self.body)

    @property
    def is_written(self) -> bool:
        """Whether the template declares it whatever is decided of it."""
        declared = self.logical_id in self.template.resources
        return declared and self.logical_id not in self.source.constructed

    @property
    def opts_in(self) -> bool:
        """Whether it opts in. Raises InputError for a key that nearly says so."""
        if KEY in self.metadata:
            return True
        if is_function(self.body.get("Metadata")) and self.type in self.source.kinds:
            text = describe_value(self.body["Metadata"])
            raise InputError(
                f"{self.where}: Metadata is {text}, so that it is unknown whether it opts in: "
                "write it out"
            )
        for key in self.metadata:
            if nearest(str(key), [KEY], ALIKE):
                raise InputError(
                    f"{self.where}, Metadata: unknown field {key}, did you mean {KEY}?"
                )
        return False

    def deployed_id(self) -> str | None:
        """What the deployed stack has under its logical id. Raises NotKnownError."""
        deployed = self.source.values.deployed_resources().get(self.logical_id)
        return deployed.physical_id if deployed else None


def resources_of(source: Source, template: EvaluatedTemplate) -> Iterator[TemplateResource]:
    """Every resource that the template declares."""
    for logical_id, body in template.resources.items():
        yield TemplateResource(source, template, logical_id, body)


def read_referred(source: Source, template: EvaluatedTemplate) -> list[Wanted]:
    """The resources that the app refers to and the template does not declare."""
    # Of what is only referred to, name and keys are known: too little to create it elsewhere.
    return [
        replace(
            read_resource(TemplateResource(source, template, logical_id, body)),
            unresolved=("Properties",),
        )
        for logical_id, body in source.referred.items()
        if logical_id not in template.resources
    ]


def read_resource(resource: TemplateResource) -> Wanted:
    """The wanted resource in a resource that opts in. Raises InputError."""
    source, template, body = resource.source, resource.template, resource.body
    declared = InputSection(resource.where, body)
    kind = known_kind(declared, declared.required_text("Type"), source.kinds)
    if is_function(body):
        raise declared.bad(f"a part of it is {describe_value(body)}{cure(body)}")
    written = template.evaluator.evaluate(resource.metadata[KEY])
    if is_function(written):
        raise declared.bad(f"Metadata.{KEY} is {describe_value(written)}{cure(written)}")
    section = InputSection(f"{declared.where}, Metadata.Dataware", written)
    if not isinstance(section.data, dict):
        raise declared.bad("Metadata.Dataware must be a mapping such as {Fallback: [name]}")
    section.only((*WORDS.all, ID))
    given_id = section.text(ID)
    preferred = given_id or _preferred_name(template, declared, kind)
    if given_id:
        _check_beside_name(template, declared, kind, given_id)
    choices = read_choices(section, WORDS, source.overrides)
    if WORDS.fallback not in section.data:
        fallbacks = fallbacks_of(preferred, source.patterns, source.place)
        choices = replace(choices, fallbacks=fallbacks)
    check_names(section, kind, preferred, choices.fallbacks)
    wanted = build_wanted(resource, preferred, choices, names_id=given_id is not None)
    check_properties(declared, kind, wanted.properties)
    return wanted


def _check_beside_name(
    template: EvaluatedTemplate, declared: InputSection, kind: Kind, given_id: str
) -> None:
    """Refuse an id beside another name, where no two resources share a name."""
    name = template.name(kind, declared.mapping("Properties"))
    if isinstance(name, str) and name != given_id and kind.names.are_unique:
        raise declared.bad(
            f"Metadata.Dataware.{ID} is {given_id}, and Properties.{kind.template.identifier} is "
            f"{name}: remove {ID}, because the name alone says which {kind.short} is meant"
        )


def build_wanted(
    resource: TemplateResource, preferred: str, choices: ResourceChoices, *, names_id: bool = False
) -> Wanted:
    """The wanted resource under a name; its properties hold values as far as they are known."""
    source, template = resource.source, resource.template
    kind = source.kinds[resource.type]
    written = mapping_of(template.writer.write(resource.properties))
    parts = (kind.template.identifier, *kind.template.name_parts)
    properties = {name: one for name, one in written.items() if name not in parts[1:]}
    if parts[0] in properties and not names_id:
        properties[parts[0]] = preferred
    conditional = CONDITION if isinstance(resource.existence, Computed) else ()
    return Wanted(
        id=resource.id,
        type=kind.cfn_type,
        preferred=preferred,
        fallbacks=choices.fallbacks,
        properties=properties,
        stack=source.stack,
        logical_id=resource.logical_id,
        on_error=choices.on_error,
        on_fallback_data=choices.on_fallback_data,
        import_mode=choices.import_mode,
        creator=Creator.DEPLOYMENT,
        unresolved=(*conditional, *unresolved_properties(properties)),
        where=resource.where,
        retained=is_retained(template.evaluator.evaluate(resource.body.get("DeletionPolicy"))),
        computed_by="" if names_id else _naming_function(resource.properties, parts),
        names_id=names_id,
        is_written=resource.is_written,
        effects=tuple(_list_effects(resource, kind, preferred)),
        hidden=kind.template.list_hidden(properties),
    )


def _list_effects(resource: TemplateResource, kind: Kind, preferred: str) -> Iterator[str]:
    """What other resources of the template do to the data of this one, a clause each."""
    template = resource.template.expanded
    for type_name, find_effect in kind.template.effects.items():
        for logical_id in template.ids_by_type.get(type_name, ()):
            effect = find_effect(mapping_of(template.resources[logical_id].get("Properties")))
            if effect and _means(effect[0], resource.logical_id, preferred):
                yield f"{logical_id} {effect[1]}"


def _means(expression: Any, logical_id: str, name: str) -> bool:
    """Whether an expression stands for a resource of the template, by its logical id or name."""
    if isinstance(expression, Mapping) and len(expression) == 1:
        ((_, argument),) = expression.items()
        first = argument[0] if isinstance(argument, list) and argument else argument
        return isinstance(first, str) and first.partition(".")[0] == logical_id
    return isinstance(expression, str) and (expression == name or f":{name}-" in expression)


def _naming_function(properties: Mapping[str, Any], parts: tuple[str, ...]) -> str:
    """The function that gives the name, or the property that CloudFormation makes it of."""
    named = properties.get(parts[0])
    if function := find_function(named):
        return function
    return next((part for part in parts[1:] if part in properties and named is None), "")


def _preferred_name(template: EvaluatedTemplate, declared: InputSection, kind: Kind) -> str:
    properties = declared.mapping("Properties")
    name = template.name(kind, properties)
    if name is None and is_function(properties):
        name = _name_in_computed(template, kind, properties)
    where = f"Properties.{kind.template.identifier}"
    if name is None and not kind.template.has_name:
        raise declared.bad(
            f"a {kind.noun} has no name in its properties: give its id as Metadata.{KEY}.{ID}"
        )
    if name is None:
        raise declared.bad(f"{where} is missing: give the preferred name")
    if isinstance(name, Computed):
        raise UnknownNameError(
            f"{declared.where}: {where} is {describe_value(name)}, whose value is unknown: "
            f"{name.reason}",
            unasked=UNASKED in name.reason,
        )
    if not isinstance(name, str) or find_function(name):
        raise declared.bad(f"{where} must be a string, not {describe_value(name)}{cure(name)}")
    if is_arn(name):
        raise declared.bad(
            f"{where} is an ARN, which CloudFormation does not accept as a name: give the name "
            f"of the {kind.noun} alone"
        )
    return name


def _name_in_computed(
    template: EvaluatedTemplate, kind: Kind, properties: Mapping[str, Any]
) -> Any:
    """The name in properties that are a function as a whole."""
    value = template.evaluator.evaluate(properties)
    if isinstance(value, Computed):
        return value
    if not isinstance(value, Mapping):
        return Computed(properties, reason="it gives no properties: correct it")
    return template.name(kind, value)


def _path_of(metadata: Mapping[str, Any]) -> str | None:
    """The construct path, without the parts that CDK adds for the resource itself."""
    path = metadata.get("aws:cdk:path")
    if not isinstance(path, str) or not path:
        return None
    return path.removesuffix("/Resource").removesuffix("/Default")
