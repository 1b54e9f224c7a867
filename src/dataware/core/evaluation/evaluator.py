"""The evaluator of one template; pure.

A function whose value is known is replaced by it. The value of a resource is known where it follows
from the template: the name of one that is named, and the ARN that follows from the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.evaluation.conditions import Conditions
from dataware.core.evaluation.functions import FUNCTIONS, NO_VALUE, REMOVED, fill_in
from dataware.core.evaluation.references import References, ResourceNames
from dataware.core.evaluation.value_lookups import NotKnownError, ValueLookups
from dataware.core.values import Computed, is_function, own_name

PROCESSED = "write it out, or process the template first"
DEEPEST = 200
"""How deep functions may rest on one another; a chain of this length is meant by nobody."""


@dataclass
class Evaluator:
    """Evaluates the expressions of one template.

    `names` knows which resources are named. With `refers` False a reference to a resource stays
    unknown, as it has to where a resource is created apart from its stack. `values` are those of
    the loop that an expression stands in.
    """

    document: Mapping[str, Any]
    lookups: ValueLookups = field(default_factory=ValueLookups)
    names: ResourceNames = field(default_factory=dict)
    refers: bool = True
    depth: int = 0

    def __post_init__(self) -> None:
        self.conditions = Conditions(self)
        self.references = References(self)

    def evaluate(self, expression: Any) -> Any:
        """The value, with a `Computed` that has a reason in place of each unknown part.

        None stands for what is left out (`AWS::NoValue`).
        """
        value = self._evaluate(expression)
        return None if value is REMOVED else value

    def write(self, expression: Any) -> Any:
        """The expression with the values of its functions, and as it was where one is unknown."""
        return _as_expression(self.evaluate(expression))

    def holds(self, condition: object) -> bool | Computed:
        """Whether a condition of the template holds; a `Computed` where that is unknown."""
        try:
            return self.conditions.holds(condition)
        except NotKnownError as error:
            return Computed({"Condition": condition}, reason=str(error))

    def resolve(self, expression: Any) -> Any:
        """The value of the whole expression. Raises NotKnownError for any unknown part."""
        if self.depth > DEEPEST:
            raise NotKnownError("its functions rest on one another without end")
        self.depth += 1
        try:
            return self._resolve(expression)
        finally:
            self.depth -= 1

    def _evaluate(self, expression: Any) -> Any:
        if expression == NO_VALUE:
            return REMOVED
        if own_name(expression) is not None:
            return self._value_or_reason(expression)
        if isinstance(expression, list):
            each = [self._evaluate(one) for one in expression]
            return [one for one in each if one is not REMOVED]
        if isinstance(expression, Mapping):
            named = {name: self._evaluate(one) for name, one in expression.items()}
            return {name: one for name, one in named.items() if one is not REMOVED}
        return expression

    def _value_or_reason(self, expression: Any) -> Any:
        try:
            return self.resolve(expression)
        except NotKnownError as error:
            chosen = self._choose(expression)
            if chosen is not expression:
                return self._evaluate(chosen)
            return Computed(expression, reason=str(error))

    def _choose(self, expression: Any) -> Any:
        """The branch of a choice whose condition is known, which may hold unknown parts."""
        if not isinstance(expression, Mapping) or expression.keys() != {"Fn::If"}:
            return expression
        try:
            return self.conditions.choose(expression["Fn::If"])
        except NotKnownError:
            return expression

    def _resolve(self, expression: Any) -> Any:
        if expression == NO_VALUE:
            return REMOVED
        if isinstance(expression, list):
            each = [self.resolve(one) for one in expression]
            return [one for one in each if one is not REMOVED]
        if isinstance(expression, str):
            return fill_in(self, expression)
        if not isinstance(expression, Mapping):
            return expression
        if not is_function(expression):
            named = {name: self.resolve(one) for name, one in expression.items()}
            return {name: one for name, one in named.items() if one is not REMOVED}
        return self._call(expression)

    def _call(self, expression: Mapping[str, Any]) -> Any:
        name = next((one for one in expression if is_function({one: expression[one]})), "")
        if len(expression) == 1 and name in FUNCTIONS:
            return FUNCTIONS[name](self, expression[name])
        raise NotKnownError(f"only CloudFormation resolves {own_name(expression)}: {PROCESSED}")


def _as_expression(value: Any) -> Any:
    if isinstance(value, Computed):
        return value.expression
    if isinstance(value, list):
        return [_as_expression(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _as_expression(one) for name, one in value.items()}
    return value
