"""Computes the values of a template as CloudFormation does, as far as a run can know them; pure.

What stays unknown is a `Computed` with the reason and what would make it known: never a literal
that holds a function, and never nothing. Source: AWS CloudFormation Template Reference, "Intrinsic
function reference" and "Pseudo parameters reference".
"""

from dataware.core.evaluation.evaluator import Evaluator
from dataware.core.evaluation.surroundings import (
    NotKnownError,
    Surroundings,
    url_suffix_of,
)

__all__ = ["Evaluator", "NotKnownError", "Surroundings", "url_suffix_of"]
