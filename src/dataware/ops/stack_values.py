"""The values of a deployed stack: what they were when it was deployed, and what they become.

What CloudFormation looks up again at each update (SSM parameters, imports) stays unknown on both
sides: what it was is not seen, and what it becomes is said by a change set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from dataware.core.errors import DatawareError
from dataware.core.evaluation import Evaluator, NotKnownError, ValueLookups
from dataware.core.expand import LOOP, expand
from dataware.core.kind import Kind
from dataware.core.model import Deployed
from dataware.core.names import parse_stack, url_suffix_of
from dataware.core.parameters import (
    GivenParameters,
    ParameterValues,
    UpdatedParameters,
    declared_parameters,
)
from dataware.core.ports import Aws
from dataware.core.stack_template import StackTemplate, read_declared, with_evaluator
from dataware.core.values import mapping_of
from dataware.ops.inputs.template import parse_template_text
from dataware.ops.inputs.value_sources import ask_once, find_output, naming_rules

Answer = TypeVar("Answer")
Parameter = Callable[[str, Mapping[str, Any]], Any]


def _look_up(name: str) -> str:
    raise NotKnownError(f"CloudFormation looks {name} up at each update")


def _passed_parameter(passed: Any) -> Parameter:
    """Answers for the parameters of a nested stack, by what is handed down to it."""

    def unknown(name: str, _definition: Mapping[str, Any]) -> Any:
        raise NotKnownError(f"what the outer stack hands down as {name} is unknown")

    is_known = passed is None or isinstance(passed, Mapping)
    return ParameterValues(mapping_of(passed), stored=_look_up).value if is_known else unknown


class DeployedStackValues:
    """What AWS says of a deployed stack, each question asked once, and only where it is needed.

    `stack` is its name or ARN, None where it is not deployed; `deployed` is what it has.
    """

    def __init__(
        self,
        aws: Aws,
        kinds: Mapping[str, Kind],
        stack: str | None,
        deployed: Mapping[str, Deployed],
    ) -> None:
        self._aws = aws
        self._kinds = kinds
        self._stack = stack
        self._deployed = deployed
        self.parameters = ask_once(self._parameters)
        self._outputs_of = ask_once(self._outputs)

    def read_before(self, name: str, document: Mapping[str, Any]) -> StackTemplate:
        """The stack as it was deployed from a template, with the values that it had then."""
        first = self._evaluate_before(document)
        template = read_declared(name, expand(document, self._kinds, first.evaluate))
        return with_evaluator(template, self._evaluate_before(template.document))

    def _evaluate_before(self, document: Mapping[str, Any]) -> Evaluator:
        values = ParameterValues(deployed=self.parameters, stored=_look_up)
        return self._evaluator(document, values.value, self._deployed_output)

    def write_out_update(
        self, template: StackTemplate, before: StackTemplate | None, given: GivenParameters
    ) -> StackTemplate:
        """The stack with its loops written out over what a deployment gives."""
        return self._write_out(template, self._updated_parameter(template, before, given))

    def write_out_nested(self, template: StackTemplate, passed: Any) -> StackTemplate:
        """A nested stack with its loops written out over what is handed down."""
        return self._write_out(template, _passed_parameter(passed))

    def _write_out(self, template: StackTemplate, parameter: Parameter) -> StackTemplate:
        """A stack whose loops are written out again; those of an app are, by what it says alone."""
        if LOOP not in template.text:
            return template
        document = parse_template_text(template.text, Path(template.path))
        evaluator = self._evaluator(document, parameter, self._deployed_output)
        expanded = expand(document, self._kinds, evaluator.evaluate)
        again = read_declared(template.name, expanded, template.path)
        if again.unseen.keys() - template.unseen.keys():
            # The app has looked up what is not looked up here.
            return template
        return replace(
            template, resources=again.resources, unseen=again.unseen, document=again.document
        )

    def evaluate_update(
        self, template: StackTemplate, before: StackTemplate | None, given: GivenParameters
    ) -> StackTemplate:
        """The stack as it will be, with the values that a deployment with these parameters gives.

        `before` is the stack as it was deployed.
        """
        parameter = self._updated_parameter(template, before, given)
        return with_evaluator(template, self._evaluator_of(template, parameter))

    def _updated_parameter(
        self, template: StackTemplate, before: StackTemplate | None, given: GivenParameters
    ) -> Parameter:
        declared = declared_parameters(template.document)
        named_values = given.values_for(template.name)
        values = ParameterValues(
            {name: named_values[name] for name in declared if name in named_values},
            self.parameters,
            _look_up,
            given.keeps_others,
        )
        was = declared_parameters(before.document) if before else None
        return UpdatedParameters(values, was).value

    def evaluate_nested(self, template: StackTemplate, passed: Any) -> StackTemplate:
        """A nested stack as it will be, with what the stack around it hands down.

        What is not handed down has its default: a nested stack keeps no values.
        """
        return with_evaluator(template, self._nested_evaluator(template, passed))

    def _nested_evaluator(self, template: StackTemplate, passed: Any) -> Evaluator:
        return self._evaluator_of(template, _passed_parameter(passed))

    def _evaluator_of(self, template: StackTemplate, parameter: Parameter) -> Evaluator:
        """What evaluates a template as it will be deployed."""
        evaluator = self._evaluator(template.document, parameter, lambda *_: "")

        def output(logical_id: str, name: str) -> str:
            return self._declared_output(template, evaluator, logical_id, name)

        evaluator.lookups = replace(evaluator.lookups, output=output)
        return evaluator

    def _evaluator(
        self,
        document: Mapping[str, Any],
        parameter: Parameter,
        output: Callable[[str, str], str],
    ) -> Evaluator:
        around = ValueLookups(self._pseudo, parameter, _look_up, _look_up, output)
        return Evaluator(document, around, naming_rules(self._kinds))

    def _pseudo(self, name: str) -> str:
        answers: dict[str, Callable[[], str | None]] = {
            "AWS::AccountId": lambda: self._aws.account,
            "AWS::Region": lambda: self._aws.region,
            "AWS::Partition": lambda: self._aws.partition,
            "AWS::URLSuffix": lambda: url_suffix_of(self._aws.partition),
            "AWS::StackName": lambda: parse_stack(self._stack)[0] if self._stack else None,
            "AWS::StackId": self._id,
        }
        value = _translate(answers[name]) if name in answers else None
        if value is None:
            raise NotKnownError(f"{name} is not known")
        return value

    def _id(self) -> str | None:
        if self._stack is None or self._stack.startswith("arn:"):
            return self._stack
        return self._aws.stack_id(self._stack)

    def _parameters(self) -> Mapping[str, str]:
        stack = self._stack
        return _translate(lambda: self._aws.stack_parameters(stack)) if stack else {}

    def _outputs(self, stack: str) -> Mapping[str, str]:
        return _translate(lambda: self._aws.stack_outputs(stack))

    def _deployed_output(self, logical_id: str, name: str) -> str:
        """The output that a nested stack has. Raises NotKnownError."""
        nested = self._deployed.get(logical_id)
        outputs = self._outputs_of(nested.physical_id) if nested else {}
        if name not in outputs:
            raise NotKnownError(f"nested stack {logical_id} has no output {name}")
        return outputs[name]

    def _declared_output(
        self, template: StackTemplate, evaluator: Evaluator, logical_id: str, name: str
    ) -> str:
        """The output that a nested stack will have, by its template. Raises NotKnownError."""
        inner, declared = template.nested.get(logical_id), template.resources.get(logical_id)
        if inner is None or declared is None:
            raise NotKnownError(f"the template of nested stack {logical_id} is not available")
        nested = self._deployed.get(logical_id)
        arn = nested.physical_id if nested else None
        values = DeployedStackValues(self._aws, self._kinds, arn, {})
        passed = evaluator.evaluate(declared.properties.get("Parameters"))
        return find_output(values._nested_evaluator(inner, passed), logical_id, name)


def _translate(ask: Callable[[], Answer]) -> Answer:
    """The answer of AWS. Raises NotKnownError where it has none."""
    try:
        return ask()
    except DatawareError as error:
        raise NotKnownError(str(error)) from error
