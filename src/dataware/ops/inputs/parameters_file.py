"""The parameters that a person gives: words of the command line, and a file of them.

A file is what CloudFormation's own tools take: a list of `ParameterKey` and `ParameterValue`, a
list of ``KEY=VALUE``, or a mapping, which may stand under `Parameters`. Sources: AWS CLI Command
Reference, "cloudformation create-stack" and "cloudformation deploy"; AWS CodePipeline User Guide,
"Continuous delivery" (template configuration file).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.parameters import (
    EVERY,
    STORED,
    GivenParameters,
    declared_parameters,
    list_parameter_problems,
    parse_parameters,
)
from dataware.core.values import text_of
from dataware.ops.inputs.reading import InputSection, check_depth, read_text
from dataware.ops.inputs.yaml_forms import describe_mistake, parse_yaml

KEY, VALUE, PREVIOUS = "ParameterKey", "ParameterValue", "UsePreviousValue"
FORMS = "give a list of {ParameterKey, ParameterValue}, or a mapping of names to values"

Templates = Sequence[tuple[str, Mapping[str, Any]]]
"""The names of stacks, and their templates."""


def read_parameters(words: Sequence[str], file: Path | None) -> GivenParameters:
    """What the command line says of parameters; words go before the file. Raises InputError."""
    for word in words:
        if "=" not in word:
            raise InputError(f"--parameter {word} has no value: write it as KEY=VALUE")
    file_words = _words_of(file) if file else []
    return parse_parameters([*file_words, *words], keeps_others=True)


def _words_of(path: Path) -> list[str]:
    try:
        document = parse_yaml(read_text(path, holds="at least one parameter"))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid: {describe_mistake(error)}") from error
    check_depth(document, path)
    if isinstance(document, Mapping) and isinstance(document.get("Parameters"), Mapping):
        document = document["Parameters"]
    section = InputSection(str(path), {})
    if isinstance(document, Mapping):
        return [_word(section, name, value) for name, value in document.items()]
    if isinstance(document, list):
        return list(_words_in(section, document))
    raise section.bad(f"it holds no parameters: {FORMS}")


def _words_in(section: InputSection, rows: Iterable[Any]) -> Iterator[str]:
    for row in rows:
        if isinstance(row, str) and "=" in row:
            yield row
        elif isinstance(row, Mapping) and isinstance(row.get(KEY), str):
            if text_of(row.get(PREVIOUS)) != "true":
                yield _word(section, row[KEY], row.get(VALUE))
        else:
            raise section.bad(f"an entry of it is not a parameter: {FORMS}")


def _word(section: InputSection, name: object, value: Any) -> str:
    listed = isinstance(value, list) and all(text_of(one) is not None for one in value)
    text = ",".join(str(text_of(one)) for one in value) if listed else text_of(value)
    if text is None:
        raise section.bad(f"parameter {name} must be a text: {FORMS}")
    return f"{name}={text}"


def check_parameters(templates: Templates, parameters: GivenParameters) -> None:
    """Refuse parameters that no template declares, and values that CloudFormation would refuse.

    Raises InputError, which shows no value of a secret.
    """
    for stack, values in parameters.values.items():
        concerned = [one for one in templates if stack in {EVERY, one[0]}]
        if not concerned and parameters.for_cdk:
            continue
        if not concerned:
            raise InputError(
                f"--parameter {stack}:…: the app has no stack {stack}, "
                f"{did_you_mean(stack, {name for name, _ in templates})}"
            )
        for name, value in values.items():
            _check_parameter(concerned, name, value)


def _check_parameter(templates: Templates, name: str, value: str) -> None:
    definitions = [
        one for _, document in templates if (one := declared_parameters(document).get(name))
    ]
    if not definitions:
        names = {one for _, document in templates for one in declared_parameters(document)}
        hint = did_you_mean(name, names) if names else "it has no parameters"
        raise InputError(f"--parameter {name}: no template declares it, {hint}")
    for definition in definitions:
        secret = text_of(definition.get("NoEcho")) == "true"
        if STORED.fullmatch(str(definition.get("Type"))):
            continue
        for problem in list_parameter_problems(definition, value):
            setting = name if secret else f"{name}={value}"
            raise InputError(f"--parameter {setting}: {problem}")
