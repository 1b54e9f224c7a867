"""Computes the values of a template as CloudFormation does, as far as a run can know them; pure.

What stays unknown is a `Computed` with the reason and what would make it known: never a literal
that holds a function, and never nothing. Source: AWS CloudFormation Template Reference, "Intrinsic
function reference" and "Pseudo parameters reference".

How it works. `Evaluator.resolve` gives the value of a whole expression or raises NotKnownError at
its first unknown part; `evaluate` goes from the outside in and asks `resolve` at every function, so
that one unknown part hides nothing beside it. With the parameter Stage = prod, and a table Orders
that is named by ``{"Fn::Sub": "orders-${Stage}"}``:

    expression                                    evaluate
    {"Ref": "Stage"}                              "prod"
    {"Ref": "Orders"}                             "orders-prod", as the template names the table
    {"Fn::Sub": "${AWS::Region}/${Stage}"}        Computed: AWS::Region is not known, AWS not asked
    [{"Ref": "Stage"}, {"Ref": "AWS::Region"}]    ["prod", Computed]
    {"Fn::If": ["IsProd", "a", {"Ref": "X"}]}     "a" if IsProd holds: X need not be known
    {"Fn::If": ["IsBig", "a", "b"]}               Computed: parameter Size has no value
    {"Ref": "AWS::NoValue"} in a list or map      left out

Three parts take turns: `functions` holds one function for each intrinsic function, `conditions`
tells whether a condition holds (a known part of And or Or may decide whatever the others are), and
`references` gives what Ref and Fn::GetAtt give. What the template does not say (parameters, pseudo
parameters, SSM, exports) is answered by `ValueLookups`. Conditions and names are computed once
each; one that rests on itself is unknown, and so is what nests deeper than `evaluator.DEEPEST`.
"""

from dataware.core.evaluation.evaluator import Evaluator
from dataware.core.evaluation.value_lookups import NotKnownError, ValueLookups

__all__ = ["Evaluator", "NotKnownError", "ValueLookups"]
