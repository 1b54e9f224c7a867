"""All that is wrong with a file, each problem with its line; no service is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Wanted
from dataware.core.parameters import GivenParameters
from dataware.ops.inputs.assembly import MANIFEST, Stack, read_stacks
from dataware.ops.inputs.fleet_plan_file import refuse_plan
from dataware.ops.inputs.lines import line_in_template, line_in_toml
from dataware.ops.inputs.opted_in import (
    Source,
    TemplateResource,
    UnknownNameError,
    open_template,
    resources_of,
)
from dataware.ops.inputs.opted_in import read_resource as read_opted_in
from dataware.ops.inputs.parameters_file import check_parameters
from dataware.ops.inputs.reading import InputSection, read_text
from dataware.ops.inputs.resource_filter import check_known, names_of
from dataware.ops.inputs.template import parse_template
from dataware.ops.inputs.toml_file import (
    FIELDS,
    parse_toml,
    read_resource,
    refuse_parameters,
    resource_name,
    section_of,
    tables_of,
)
from dataware.ops.inputs.value_sources import StackValues, ValueSources
from dataware.ops.inputs.wanted import Kinds, Overrides, check_together

LINE = re.compile(r"\bline (\d+)\b")
RESOURCE = re.compile(r"resource ([A-Za-z0-9]+)\b")


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something wrong in a file; `line` counts from 1, and is 0 where nothing points to one.

    `names` are those of the resource that it is about, empty for what is wrong with a whole file.
    """

    file: str
    line: int
    text: str
    names: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """FILE:LINE, as editors and CI jump to it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What a file declares, and what is wrong with it.

    `unnamed` counts what opts in under a name that only AWS can tell.
    """

    wanted: tuple[Wanted, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    unnamed: int = 0

    def only(self, chosen: Sequence[str]) -> CheckedFile:
        """What concerns the named resources, and the whole file. Raises InputError for others."""
        if not chosen:
            return self
        names = {name for one in self.wanted for name in names_of(one)}
        names |= {name for problem in self.problems for name in problem.names}
        check_known(chosen, names)
        wanted = [one for one in self.wanted if not names_of(one).isdisjoint(chosen)]
        problems = [
            one for one in self.problems if not one.names or not set(one.names).isdisjoint(chosen)
        ]
        return CheckedFile(tuple(wanted), tuple(problems))


Reader = Callable[[], Wanted]


def check_file(path: Path, kinds: Kinds, parameters: GivenParameters | None = None) -> CheckedFile:
    """Read a dataware.toml, a template or a cloud assembly to its end, whatever is wrong with it.

    Raises InputError for what cannot be read at all, such as a path to nothing, and for
    `parameters` of what has none.
    """
    sources = ValueSources(parameters or GivenParameters())
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise InputError(f"{path} is not a cloud assembly: it has no {MANIFEST}")
        return _check_assembly(path, kinds, sources)
    read_text(path)
    refuse_plan(path)
    if path.suffix != ".toml":
        parts = [_check_template(path, kinds, sources), *_check_given(path, [("", path)], sources)]
        return _join_parts(parts, path, kinds)
    refuse_parameters(path, sources.parameters)
    return _join_parts([_check_toml(path, kinds)], path, kinds)


def _check_assembly(folder: Path, kinds: Kinds, sources: ValueSources) -> CheckedFile:
    stacks = read_stacks(folder)
    parts = [_check_template(one.template, kinds, sources, one) for one in stacks]
    named = [(one.name, one.template) for one in stacks]
    return _join_parts([*parts, *_check_given(folder, named, sources)], folder, kinds)


def _check_given(
    app: Path, templates: Sequence[tuple[str, Path]], sources: ValueSources
) -> Iterator[CheckedFile]:
    """What is wrong with the given parameters; a template that is none is told elsewhere."""
    if not sources.parameters.values:
        return
    try:
        documents = [(name, parse_template(path)) for name, path in templates]
    except InputError:
        return
    try:
        check_parameters(documents, sources.parameters)
    except InputError as error:
        yield CheckedFile(problems=(FileProblem(str(app), 0, str(error)),))


def _join_parts(parts: Iterable[CheckedFile], path: Path, kinds: Kinds) -> CheckedFile:
    """The parts together, with what two resources must not have in common."""
    parts = list(parts)
    wanted = tuple(one for part in parts for one in part.wanted)
    problems = [
        problem for part in parts for problem in sorted(part.problems, key=lambda one: one.line)
    ]
    try:
        check_together(str(path), wanted, kinds)
    except InputError as error:
        problems.append(FileProblem(str(path), 0, _strip(error, str(path))))
    return CheckedFile(wanted, tuple(problems), sum(part.unnamed for part in parts))


def _check_toml(path: Path, kinds: Kinds) -> CheckedFile:
    text = read_text(path)
    try:
        tables = tables_of(path, parse_toml(path, text))
    except InputError as error:
        return CheckedFile(problems=(_of_the_whole(path, text, error),))
    wanted: list[Wanted] = []
    problems: list[FileProblem] = []
    for at, table in enumerate(tables, 1):
        name = resource_name(table) or f"resource {at}"
        names = _texts_of(table, "id", "preferred", "logical_id")
        read = partial(read_resource, path, at, table, kinds, Overrides())
        section = InputSection(section_of(path, at, table), table)
        sentences = [*_problems_of(section, read, wanted, kinds.get(str(table.get("type"))))]
        sentences += [_strip(error, section.where) for error in section.unknown_fields(FIELDS)]
        problems += [
            FileProblem(str(path), line_in_toml(text, at, each), f"{name}: {each}", names)
            for each in dict.fromkeys(sentences)
        ]
    return CheckedFile(tuple(wanted), tuple(problems))


def _check_template(
    path: Path, kinds: Kinds, sources: ValueSources, stack: Stack | None = None
) -> CheckedFile:
    text = read_text(path)
    source = Source(path, kinds, Overrides(), None, values=StackValues(sources))
    if stack is not None:
        source = Source(
            path,
            kinds,
            Overrides(),
            stack.name,
            stack.referred,
            synthesized=True,
            values=StackValues(sources, stack.name, stack.environment),
        )
    try:
        resources = list(resources_of(source, open_template(source, parse_template(path))))
    except InputError as error:
        return CheckedFile(problems=(_of_the_whole(path, text, error),))
    wanted: list[Wanted] = []
    problems: list[FileProblem] = []
    opted = list(_select_opted_in(resources, text, problems))
    for resource in opted:
        problems += _check_resource(resource, text, wanted)
    failed = {problem.names[0] for problem in problems if problem.names}
    planned = {one.logical_id for one in wanted}
    unnamed = {one.logical_id for one in opted} - failed - planned
    return CheckedFile(tuple(wanted), tuple(problems), len(unnamed))


def _select_opted_in(
    resources: Iterable[TemplateResource], text: str, problems: list[FileProblem]
) -> Iterator[TemplateResource]:
    """Those that opt in; one of which that is unclear joins the problems."""
    for resource in resources:
        try:
            if resource.opts_in:
                yield resource
        except InputError as error:
            problems.append(_of_the_whole(resource.source.path, text, error))


def _check_resource(
    resource: TemplateResource, text: str, wanted: list[Wanted]
) -> Iterator[FileProblem]:
    """The problems of one resource that opts in; `text` is the whole file."""
    path, logical_id = str(resource.source.path), resource.logical_id
    section = InputSection(resource.where, resource.body)
    kind = resource.source.kinds.get(resource.type)
    identifier = kind.template.identifier if kind else ""
    names = (logical_id, *_texts_of(resource.properties, identifier))
    sentences = _problems_of(section, partial(read_opted_in, resource), wanted, kind)
    for each in dict.fromkeys(sentences):
        line = line_in_template(text, logical_id, each)
        yield FileProblem(path, line, f"{logical_id}: {each}", names)


def _texts_of(data: object, *fields: str) -> tuple[str, ...]:
    values = [data.get(field) for field in fields] if isinstance(data, Mapping) else []
    return tuple(value for value in values if isinstance(value, str))


def _problems_of(
    section: InputSection, read: Reader, wanted: list[Wanted], kind: Kind | None
) -> Iterator[str]:
    """All that is wrong with a resource, which joins `wanted` if it can be read."""
    try:
        wanted.append(read())
    except UnknownNameError as error:
        # Nothing is wrong with a name that rests on the account, or on what is deployed.
        if not error.unasked:
            yield _strip(error, section.where)
    except InputError as error:
        yield _strip(error, section.where)
    properties = section.data.get("Properties", section.data.get("properties", {}))
    if kind is not None and isinstance(properties, Mapping):
        yield from kind.template.list_problems(properties)
        yield from kind.template.list_missing(properties)


def _of_the_whole(path: Path, text: str, error: InputError) -> FileProblem:
    """A problem that hides the others: its line stands in its sentence, or its resource does."""
    sentence = _strip(error, str(path))
    if line := LINE.search(sentence):
        return FileProblem(str(path), int(line[1]), sentence)
    resource = RESOURCE.match(sentence)
    return FileProblem(
        str(path), line_in_template(text, resource[1], sentence) if resource else 1, sentence
    )


def _strip(error: InputError, where: str) -> str:
    """A complaint without the file and the resource at its head."""
    return str(error).removeprefix(where).lstrip(":, ").removeprefix("is ")
