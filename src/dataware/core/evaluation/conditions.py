"""Whether the conditions of a template hold; pure.

Source: AWS CloudFormation Template Reference, "Condition functions". A condition of which a part is
unknown is known all the same where that part cannot change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dataware.core.evaluation.value_lookups import NotKnownError
from dataware.core.values import as_texts, own_name

if TYPE_CHECKING:
    from dataware.core.evaluation.evaluator import Evaluator


class Conditions:
    """The conditions of one template, each evaluated once.

    `testing` says that a value is compared just now: CloudFormation documents dynamic references
    for values of resources, and not there.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._answers: dict[str, bool | NotKnownError] = {}
        self.testing = False

    def holds(self, name: object) -> bool:
        """Whether a condition holds, by its name. Raises NotKnownError."""
        declared = self._evaluator.document.get("Conditions")
        if not isinstance(name, str) or not isinstance(declared, Mapping) or name not in declared:
            raise NotKnownError(f"condition {name} is not declared in the template")
        if name not in self._answers:
            self._answers[name] = NotKnownError(f"condition {name} rests on itself")
            try:
                self._answers[name] = self.test(declared[name])
            except NotKnownError as error:
                self._answers[name] = error
        answer = self._answers[name]
        if isinstance(answer, NotKnownError):
            raise answer
        return answer

    def choose(self, arguments: Any) -> Any:
        """The branch that `Fn::If` takes, unevaluated. Raises NotKnownError."""
        if not isinstance(arguments, list) or len(arguments) != 3:
            raise NotKnownError("Fn::If takes a condition and two values: correct it")
        return arguments[1] if self.holds(arguments[0]) else arguments[2]

    def test(self, expression: Any) -> bool:
        """The truth of a condition function. Raises NotKnownError."""
        if isinstance(expression, Mapping) and len(expression) == 1:
            ((name, arguments),) = expression.items()
            if name == "Condition":
                return self.holds(arguments)
            if name in _TESTS:
                return _TESTS[name](self, arguments)
        raise NotKnownError(
            f"{own_name(expression) or 'a condition that is no function'} is not a condition that "
            "a run can test"
        )

    def _both(self, arguments: Any) -> bool:
        return not self._any([{"Fn::Not": [one]} for one in _list("Fn::And", arguments)])

    def _any(self, arguments: Any) -> bool:
        unknown: NotKnownError | None = None
        for one in _list("Fn::Or", arguments):
            try:
                if self.test(one):
                    return True
            except NotKnownError as error:
                unknown = unknown or error
        if unknown is not None:
            raise unknown
        return False

    def _not(self, arguments: Any) -> bool:
        (one,) = _list("Fn::Not", arguments, 1)
        return not self.test(one)

    def _equals(self, arguments: Any) -> bool:
        before, self.testing = self.testing, True
        try:
            values = [self._evaluator.resolve(each) for each in _list("Fn::Equals", arguments, 2)]
        finally:
            self.testing = before
        return bool(as_texts(values[0]) == as_texts(values[1]))


def _list(name: str, arguments: Any, length: int | None = None) -> list[Any]:
    if not isinstance(arguments, list) or length not in {None, len(arguments)}:
        raise NotKnownError(f"{name} takes a list{f' of {length}' if length else ''}: correct it")
    return arguments


_TESTS: Mapping[str, Callable[[Conditions, Any], bool]] = {
    "Fn::And": Conditions._both,
    "Fn::Or": Conditions._any,
    "Fn::Not": Conditions._not,
    "Fn::Equals": Conditions._equals,
}
