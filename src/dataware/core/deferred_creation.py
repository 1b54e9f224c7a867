"""Why only the deployment of its stack can create a resource, and how to go on; pure."""

from __future__ import annotations

from dataware.core.model import Wanted
from dataware.core.values import find_function

CONDITION = "Condition"
"""Stands among the unresolved properties of a resource that a condition may leave out."""

UNDECLARED = "Properties"
"""Stands for all properties of a resource that the template refers to and does not declare."""


def explain_waiting(wanted: Wanted) -> str:
    """What of the resource the deployment alone knows, as clauses."""
    return "; ".join(_explain(wanted, name) for name in wanted.unresolved)


def name_next_step(wanted: Wanted) -> str:
    """What to do before it can be applied, as a clause."""
    if wanted.stack is None and wanted.logical_id is not None:
        return "deploy it, then apply again with --stack and the name of its stack"
    return "deploy first, then apply"


def _explain(wanted: Wanted, name: str) -> str:
    if name == CONDITION and name not in wanted.properties:
        return "a condition of the template decides whether it exists"
    if name == UNDECLARED and name not in wanted.properties:
        return "the template refers to it and does not declare its properties"
    function = find_function(wanted.properties.get(name))
    return (
        f"its property {name} depends on {function}"
        if function
        else f"its property {name} is not literal"
    )
