"""Where the values come from that templates do not hold: the command line, stacks and AWS.

AWS is opened at the first question that only it can answer, and asked each question once. What it
does not answer stays unknown, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from dataware.core.errors import DatawareError, InputError, LookupFailedError, NotFoundError
from dataware.core.evaluation import Evaluator, NotKnownError, ValueLookups
from dataware.core.evaluation.references import NamingRule
from dataware.core.expand import expand
from dataware.core.kind import Kind
from dataware.core.model import Deployed
from dataware.core.names import parse_stack, partition_of, url_suffix_of
from dataware.core.parameters import GivenParameters, ParameterValues
from dataware.core.ports import Aws
from dataware.core.values import Computed, is_function, mapping_of, text_of
from dataware.ops.inputs.template import find_nested_template, parse_template
from dataware.ops.inputs.wanted import Kinds, StackEnvironment

OpenAws = Callable[[StackEnvironment], Aws]
"""Opens AWS where a stack goes; what that leaves open is as the credentials say.

It may answer with another account than the one that is meant. Raises DatawareError.
"""

Exports = Mapping[str, Callable[[], str]]
"""What stacks of the same app export, by name: each answers, or raises NotKnownError."""

UNASKED = "AWS is not asked here"


Answer = TypeVar("Answer")
Given = TypeVarTuple("Given")


def ask_once(ask: Callable[[*Given], Answer]) -> Callable[[*Given], Answer]:
    """The same question, asked once: what is not known stays so for the whole run."""
    answers: dict[tuple[*Given], Answer | NotKnownError] = {}

    def answer(*given: *Given) -> Answer:
        if given not in answers:
            try:
                answers[given] = ask(*given)
            except NotKnownError as error:
                answers[given] = error
        value = answers[given]
        if isinstance(value, NotKnownError):
            raise NotKnownError(str(value))
        return value

    return answer


@dataclass
class ValueSources:
    """What the values of an app rest on beside its templates.

    `open_aws` is None where AWS is not to be asked. `lookups` collects the permissions that were
    needed for it, by the ARN of what was asked for.
    """

    parameters: GivenParameters = field(default_factory=GivenParameters)
    open_aws: OpenAws | None = None
    lookups: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aws_in = ask_once(self._open)
        self.exports_in = ask_once(self._list_exports)
        self.stored_in = ask_once(self._read_stored)
        self.parameters_of = ask_once(self._parameters)
        self.resources_of = ask_once(self._resources)
        self.id_of = ask_once(self._id)
        self.outputs_of = ask_once(self._outputs)

    def _open(self, environment: StackEnvironment) -> Aws:
        if self.open_aws is None:
            raise NotKnownError(UNASKED)
        try:
            return self.open_aws(environment)
        except DatawareError as error:
            raise NotKnownError(str(error)) from error

    def _list_exports(self, environment: StackEnvironment) -> Mapping[str, str]:
        aws = self.aws_in(environment)
        self.lookups.setdefault("*", set()).add("cloudformation:ListExports")
        try:
            return aws.exported_values()
        except LookupFailedError as error:
            raise NotKnownError(str(error)) from error

    def _read_stored(self, environment: StackEnvironment, name: str) -> str:
        aws = self.aws_in(environment)
        plain = name.rpartition(":")[0] if name.rpartition(":")[2].isdecimal() else name
        arn = f"arn:{aws.partition}:ssm:{aws.region}:{aws.account}:parameter/{plain.lstrip('/')}"
        self.lookups.setdefault(arn, set()).add("ssm:GetParameter")
        try:
            value = aws.stored_parameter(name)
        except (LookupFailedError, NotFoundError) as error:
            raise NotKnownError(str(error)) from error
        if value is None:
            raise NotKnownError(f"SSM parameter {name} is a SecureString, which is never read")
        return value

    def _parameters(self, environment: StackEnvironment, stack: str) -> Mapping[str, str]:
        try:
            return self.aws_in(environment).stack_parameters(stack)
        except LookupFailedError as error:
            raise NotKnownError(str(error)) from error

    def _id(self, environment: StackEnvironment, stack: str) -> str | None:
        try:
            return self.aws_in(environment).stack_id(stack)
        except LookupFailedError as error:
            raise NotKnownError(str(error)) from error

    def _outputs(self, environment: StackEnvironment, stack: str) -> Mapping[str, str]:
        try:
            return self.aws_in(environment).stack_outputs(stack)
        except LookupFailedError as error:
            raise NotKnownError(str(error)) from error

    def _resources(self, environment: StackEnvironment, stack: str) -> Mapping[str, Deployed]:
        try:
            return self.aws_in(environment).stack_resources(stack)
        except LookupFailedError as error:
            raise NotKnownError(str(error)) from error


@dataclass
class StackValues:
    """The values of one stack: its name, where it goes, and what its parameters are.

    `stack` is its name or ARN, None where nobody has said it. `given` are parameters that the
    stack in which it is nested hands down, a `Computed` where it is unknown which. `exports`
    answers with those of the same app. `path` is its template's file, beside which those of nested
    stacks are, and `above` are those around it.
    """

    sources: ValueSources
    stack: str | None = None
    environment: StackEnvironment = field(default_factory=StackEnvironment)
    given: Mapping[str, Any] | Computed | None = None
    exports: Callable[[], Exports] = dict
    unnamed: str = "pass --stack NAME"
    path: Path | None = None
    above: frozenset[Path] = frozenset()

    def evaluator(self, document: Mapping[str, Any], kinds: Kinds) -> Evaluator:
        """What evaluates the template of the stack."""
        values = ParameterValues(
            self._find_given(document),
            self._deployed_parameters,
            self._read_stored,
            self.sources.parameters.keeps_others,
            "" if self.stack else ", or --stack NAME for that of the deployed stack",
        )
        around = ValueLookups(self._pseudo, values.value, self._read_stored, self._find_export)
        evaluator = Evaluator(document, around, naming_rules(kinds))
        output = partial(self._find_output, evaluator, kinds)
        evaluator.lookups = replace(around, output=output)
        return evaluator

    def find_nested_values(
        self, evaluator: Evaluator, logical_id: str, resource: Mapping[str, Any], path: Path | None
    ) -> StackValues:
        """The values of a nested stack whose template is at `path`.

        Its parameters are those that this stack hands down, as `evaluator` knows them.
        """
        try:
            deployed = self.deployed_resources().get(logical_id)
        except NotKnownError:
            deployed = None
        return replace(
            self,
            stack=deployed.physical_id if deployed else None,
            given=_find_passed(evaluator, resource.get("Properties")),
            unnamed="CloudFormation names a nested stack when it creates it",
            path=path,
            above=self.above | ({self.path.resolve()} if self.path else set()),
        )

    def _find_output(self, evaluator: Evaluator, kinds: Kinds, logical_id: str, name: str) -> str:
        """An output of a nested stack: by its template, else as it is deployed."""
        resource = evaluator.document["Resources"][logical_id]
        path = find_nested_template(resource, self.path) if self.path else None
        inner = self.find_nested_values(evaluator, logical_id, resource, path)
        reason = f"the template of nested stack {logical_id} is not a file here"
        if path is not None and path.resolve() not in inner.above:
            try:
                document = expand(parse_template(path), kinds).document
                return find_output(inner.evaluator(document, kinds), logical_id, name)
            except (InputError, NotKnownError) as error:
                reason = str(error)
        deployed = self.sources.outputs_of(self.environment, inner.stack) if inner.stack else {}
        if name not in deployed:
            raise NotKnownError(f"output {name} of nested stack {logical_id} is unknown: {reason}")
        return deployed[name]

    def _find_given(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        declared = mapping_of(document.get("Parameters"))
        if isinstance(self.given, Computed):
            return dict.fromkeys(declared, self.given)
        if self.given is not None:
            return self.given
        values = self.sources.parameters.values_for(parse_stack(self.stack or "")[0])
        return {name: one for name, one in values.items() if name in declared}

    def _pseudo(self, name: str) -> str:
        answers: dict[str, Callable[[], str]] = {
            "AWS::AccountId": lambda: self.environment.account or self._aws.account,
            "AWS::Region": self._region,
            "AWS::Partition": lambda: partition_of(self._region()),
            "AWS::URLSuffix": lambda: url_suffix_of(partition_of(self._region())),
            "AWS::StackName": self._name,
            "AWS::StackId": self._id,
        }
        if name not in answers:
            raise NotKnownError(f"only CloudFormation resolves {name}")
        try:
            return answers[name]()
        except NotKnownError as error:
            raise NotKnownError(f"{name} is unknown: {error}") from error
        except DatawareError as error:
            raise NotKnownError(f"{name} is unknown: {error}") from error

    @property
    def _aws(self) -> Aws:
        return self.sources.aws_in(self.environment)

    def _region(self) -> str:
        return self.environment.region or self._aws.region

    def _name(self) -> str:
        if self.stack is None:
            raise NotKnownError(self.unnamed)
        return parse_stack(self.stack)[0]

    def _id(self) -> str:
        if self.stack is None:
            raise NotKnownError(self.unnamed)
        if self.stack.startswith("arn:"):
            return self.stack
        self._check_account()
        stack_id = self.sources.id_of(self.environment, self.stack)
        if stack_id is None:
            raise NotKnownError(f"stack {self.stack} gets its id when it is deployed first")
        return stack_id

    def _deployed_parameters(self) -> Mapping[str, str]:
        if self.stack is None or self.given is not None or self.sources.open_aws is None:
            return {}
        self._check_account()
        try:
            return self.sources.parameters_of(self.environment, self.stack)
        except NotKnownError as error:
            raise NotKnownError(
                f"the parameters of the deployed stack {self.stack} were not seen ({error}): pass "
                "--parameter NAME=VALUE"
            ) from error

    def deployed_resources(self) -> Mapping[str, Deployed]:
        """What the deployed stack has, by logical id; empty without one. Raises NotKnownError."""
        if self.stack is None:
            return {}
        self._check_account()
        return self.sources.resources_of(self.environment, self.stack)

    def _read_stored(self, name: str) -> str:
        self._check_account()
        return self.sources.stored_in(self.environment, name)

    def _find_export(self, name: str) -> str:
        reason = ""
        if (declared := self.exports().get(name)) is not None:
            try:
                return declared()
            except NotKnownError as error:
                reason = f" ({error})"
        self._check_account()
        exports = self.sources.exports_in(self.environment)
        if name not in exports:
            raise NotKnownError(
                f"no deployed stack exports {name}{reason}: deploy that stack first"
            )
        return exports[name]

    def _check_account(self) -> None:
        """Raise NotKnownError where the stack goes to an account that is not asked."""
        if self.sources.open_aws is None:
            raise NotKnownError(UNASKED)
        try:
            here = self._aws.account
        except DatawareError as error:
            raise NotKnownError(str(error)) from error
        if self.environment.account not in {None, here}:
            raise NotKnownError(
                f"the credentials are not those of account {self.environment.account}"
            )


def _find_passed(evaluator: Evaluator, properties: Any) -> Mapping[str, Any] | Computed:
    """The parameters that the properties of a nested stack hand down to it."""
    values = evaluator.evaluate(properties) if is_function(properties) else properties
    passed = values if isinstance(values, Computed) else mapping_of(values).get("Parameters")
    value = evaluator.evaluate(passed)
    if isinstance(value, Computed):
        return replace(value, reason=f"what is handed down is unknown: {value.reason}")
    return mapping_of(value)


def naming_rules(kinds: Kinds) -> Mapping[str, NamingRule]:
    """How resources of the known types are named, where `Ref` gives the name."""
    return {
        cfn_type: NamingRule(
            kind.template.expression_of_name, _arn_of(kind) if kind.template.has_arn else None
        )
        for cfn_type, kind in kinds.items()
        if not kind.template.reference_is_id
    }


def _arn_of(kind: Kind) -> Callable[[str, str, str, str], str]:
    return lambda *place: kind.access.arns(*place)[0]


def exports_of(each: Iterable[tuple[Mapping[str, Any], Evaluator]]) -> Exports:
    """What the templates of an app export, with the evaluators of these."""
    exports: dict[str, Callable[[], str]] = {}
    for document, evaluator in each:
        for name, output in _list_exports(document, evaluator):
            # Two of one name cannot be deployed to one place, so that one of them is not meant.
            twice = name in exports
            exports[name] = partial(_mark_unknown, name) if twice else _answer(evaluator, output)
    return exports


def _list_exports(
    document: Mapping[str, Any], evaluator: Evaluator
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The outputs that a template exports, by the names; not those whose condition is false."""
    for one in mapping_of(document.get("Outputs")).values():
        export = one.get("Export") if isinstance(one, Mapping) else None
        if not isinstance(export, Mapping):
            continue
        condition = one.get("Condition")
        name = evaluator.evaluate(export.get("Name"))
        if isinstance(name, str) and (condition is None or evaluator.holds(condition) is not False):
            yield name, one


def _mark_unknown(name: str) -> str:
    raise NotKnownError(f"the app exports {name} more than once")


def find_output(evaluator: Evaluator, logical_id: str, name: str) -> str:
    """An output of a nested stack by the template that an evaluator is for.

    `logical_id` is that of the stack in the one around it. Raises NotKnownError.
    """
    outputs = evaluator.document.get("Outputs")
    one = outputs.get(name) if isinstance(outputs, Mapping) else None
    if not isinstance(one, Mapping):
        raise NotKnownError(f"nested stack {logical_id} has no output {name}: correct it")
    condition = one.get("Condition")
    if condition is not None and not evaluator.conditions.holds(condition):
        raise NotKnownError(f"nested stack {logical_id} has output {name} under {condition} only")
    text = text_of(evaluator.resolve(one.get("Value")))
    if text is None:
        raise NotKnownError(f"output {name} of nested stack {logical_id} is not a text: correct it")
    return text


def _answer(evaluator: Evaluator, output: Mapping[str, Any]) -> Callable[[], str]:
    def answer() -> str:
        if (condition := output.get("Condition")) is not None:
            evaluator.conditions.holds(condition)
        return str(evaluator.resolve(output.get("Value")))

    return answer
