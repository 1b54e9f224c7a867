"""What `Ref` and `Fn::GetAtt` give, as far as the template says it; pure.

A resource that the template names is known by its name, wherever `Ref` gives that; so is its ARN,
where that follows from name, account and region. An output of a nested stack is asked of whoever
knows that stack. Whatever else a resource gives is known once it is deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataware.core.evaluation.value_lookups import NotKnownError
from dataware.core.values import mapping_of, text_of

if TYPE_CHECKING:
    from dataware.core.evaluation.evaluator import Evaluator


NESTED = "AWS::CloudFormation::Stack"
OUTPUTS = "Outputs."
"""What `Fn::GetAtt` puts before the name of an output of a nested stack (Template Reference,
AWS::CloudFormation::Stack, "Return values")."""


@dataclass(frozen=True, slots=True)
class NamingRule:
    """How resources of a type get their names.

    `expression` gives, out of the properties and what evaluates one of them, the expression that
    the name is (None where CloudFormation generates one); `arn` gives the ARN of a name, account,
    region and partition.
    """

    expression: Callable[[Mapping[str, Any], Callable[[Any], Any]], Any]
    arn: Callable[[str, str, str, str], str] | None = None


ResourceNames = Mapping[str, NamingRule]
"""The rule of each type for which `Ref` gives the name."""


class References:
    """The references of one template; the name of a resource is computed once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._names: dict[str, str | NotKnownError] = {}

    def ref(self, name: object) -> Any:
        """What `Ref` gives. Raises NotKnownError."""
        if not isinstance(name, str):
            raise NotKnownError("Ref takes the name of a parameter or a resource: correct it")
        if name.startswith("AWS::"):
            return self._evaluator.lookups.pseudo(name)
        definition = self._find_declared("Parameters", name)
        if definition is not None:
            return self._evaluator.lookups.parameter(name, definition)
        if self._find_declared("Resources", name) is None:
            raise NotKnownError(f"{name} is neither a parameter nor a resource of the template")
        return self.name_of(name)

    def attribute(self, logical_id: str, attribute: str) -> Any:
        """What `Fn::GetAtt` gives. Raises NotKnownError."""
        if attribute.startswith(OUTPUTS) and self._type_of(logical_id) == NESTED:
            return self._output(logical_id, attribute.removeprefix(OUTPUTS))
        rule = self._rule(logical_id)
        if attribute != "Arn" or rule is None or rule.arn is None:
            raise NotKnownError(
                f"{attribute} of {logical_id} is known only once it is deployed: write it out"
            )
        pseudo = self._evaluator.lookups.pseudo
        where = (pseudo("AWS::AccountId"), pseudo("AWS::Region"), pseudo("AWS::Partition"))
        return rule.arn(self.name_of(logical_id), *where)

    def _output(self, logical_id: str, name: str) -> str:
        """An output of a nested stack, computed once. Raises NotKnownError."""
        if not self._evaluator.refers:
            raise NotKnownError(f"{logical_id} is another resource of the stack")
        address = f"{logical_id}.{OUTPUTS}{name}"
        if address not in self._names:
            self._names[address] = NotKnownError(f"{address} rests on itself")
            try:
                self._check_created(logical_id)
                self._names[address] = self._evaluator.lookups.output(logical_id, name)
            except NotKnownError as error:
                self._names[address] = error
        return self._take(address)

    def name_of(self, logical_id: str) -> str:
        """The physical name of a resource. Raises NotKnownError."""
        if not self._evaluator.refers:
            raise NotKnownError(f"{logical_id} is another resource of the stack")
        if logical_id not in self._names:
            self._names[logical_id] = NotKnownError(f"the name of {logical_id} rests on itself")
            try:
                self._names[logical_id] = self._compute_name(logical_id)
            except NotKnownError as error:
                self._names[logical_id] = error
        return self._take(logical_id)

    def _take(self, name: str) -> str:
        """What was found under a name. Raises NotKnownError, as when it was looked for."""
        value = self._names[name]
        if isinstance(value, NotKnownError):
            raise value
        return value

    def _compute_name(self, logical_id: str) -> str:
        rule, resource = self._rule(logical_id), self._find_declared("Resources", logical_id) or {}
        if rule is None:
            raise NotKnownError(f"{logical_id} is known only once it is deployed: write it out")
        self._check_created(logical_id)
        declared = mapping_of(resource.get("Properties"))
        resolve = self._evaluator.resolve
        text = text_of(resolve(rule.expression(declared, resolve)))
        if text is None:
            raise NotKnownError(
                f"CloudFormation generates the name of {logical_id}: give it a name to know it"
            )
        return text

    def _check_created(self, logical_id: str) -> None:
        """Raise NotKnownError for a resource whose condition does not hold, or is unknown."""
        condition = (self._find_declared("Resources", logical_id) or {}).get("Condition")
        if condition is not None and not self._evaluator.conditions.holds(condition):
            raise NotKnownError(f"{logical_id} is not created under condition {condition}")

    def _type_of(self, logical_id: str) -> str | None:
        named = (self._find_declared("Resources", logical_id) or {}).get("Type")
        return named if isinstance(named, str) else None

    def _rule(self, logical_id: str) -> NamingRule | None:
        return self._evaluator.names.get(self._type_of(logical_id) or "")

    def _find_declared(self, section: str, name: str) -> Mapping[str, Any] | None:
        entries = self._evaluator.document.get(section)
        one = entries.get(name) if isinstance(entries, Mapping) else None
        return one if isinstance(one, Mapping) else None
