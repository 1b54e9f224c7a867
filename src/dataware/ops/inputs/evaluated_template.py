"""A template whose loops are written out, with what evaluates its functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataware.core.evaluation import Evaluator, NotKnownError
from dataware.core.expand import ExpandedTemplate, expand
from dataware.core.kind import Kind
from dataware.core.values import Computed
from dataware.ops.inputs.value_sources import StackValues
from dataware.ops.inputs.wanted import Kinds


@dataclass(frozen=True, slots=True)
class EvaluatedTemplate:
    """A template and its values.

    `evaluator` knows all that a run
    can know; `writer` leaves references to resources as they are, for what is created apart from
    its stack.
    """

    expanded: ExpandedTemplate
    evaluator: Evaluator
    writer: Evaluator

    @property
    def resources(self) -> Mapping[str, dict[str, Any]]:
        """The plain resources, loops written out."""
        return self.expanded.resources

    def name(self, kind: Kind, properties: Mapping[str, Any]) -> Any:
        """The physical name in some properties, `Computed` where it is unknown.

        None where CloudFormation generates it.
        """
        try:
            resolve = self.evaluator.resolve
            expression = kind.template.expression_of_name(properties, resolve)
        except NotKnownError as error:
            return Computed(properties, reason=str(error))
        return self.evaluator.evaluate(expression)

    def existence(self, resource: Mapping[str, Any]) -> bool | Computed:
        """Whether a resource is created; a `Computed` where its condition is unknown."""
        condition = resource.get("Condition")
        return True if condition is None else self.evaluator.holds(condition)


def evaluate_template(
    document: Mapping[str, Any], values: StackValues, kinds: Kinds
) -> EvaluatedTemplate:
    """A template with its loops written out over lists that are known."""
    expanded = expand(document, kinds, values.evaluator(document, kinds).evaluate)
    evaluator = values.evaluator(expanded.document, kinds)
    return EvaluatedTemplate(expanded, evaluator, replace(evaluator, refers=False))
