"""What is needed, what IAM answers, and what is missing: as pure functions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.aws.permissions import (
    DeniedActions,
    IamDecision,
    access_of,
    answers_in,
    lacks,
    needed_permissions,
    role_of,
)

BOTH = ("arn:aws:s3:::a", "arn:aws:s3:::b")
PAIRS = st.tuples(st.sampled_from(["s3:A", "s3:B"]), st.text("xyz", min_size=1, max_size=3))


def test_a_policy_says_what_is_needed() -> None:
    """Every action of a statement on every resource of it."""
    policy = {"Statement": [{"Action": ["s3:A", "s3:B"], "Resource": ["x", "y"]}]}
    (need,) = needed_permissions(policy)
    assert set(need.pairs()) == {("s3:A", "x"), ("s3:A", "y"), ("s3:B", "x"), ("s3:B", "y")}


@given(st.dictionaries(PAIRS, st.sampled_from(IamDecision)))
def test_what_is_missing_is_exactly_what_is_not_allowed(
    answers: dict[tuple[str, str], IamDecision],
) -> None:
    """No pair is lost or invented, whatever IAM answers."""
    found = {(lack.action, one): lack.access for lack in lacks(answers) for one in lack.resources}
    assert found == {pair: a for pair, a in answers.items() if a is not IamDecision.ALLOWED}


def test_a_lack_names_action_resources_and_reason() -> None:
    """One clause, however many resources there are."""
    assert str(DeniedActions("s3:PutObject", IamDecision.MISSING, ("x",))) == (
        "s3:PutObject on x: no policy allows it"
    )
    assert " on a, b, c and 2 more: " in str(
        DeniedActions("s3:A", IamDecision.DENIED, tuple("abcde"))
    )


@pytest.mark.parametrize(
    ("result", "access"),
    [
        ({"EvalDecision": "allowed"}, IamDecision.ALLOWED),
        ({"EvalDecision": "implicitDeny"}, IamDecision.MISSING),
        ({"EvalDecision": "explicitDeny"}, IamDecision.DENIED),
        (
            {"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:SourceIp"]},
            IamDecision.CONDITIONAL,
        ),
        (
            {
                "EvalDecision": "implicitDeny",
                "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
            },
            IamDecision.ORGANIZATION,
        ),
        (
            {
                "EvalDecision": "implicitDeny",
                "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False},
            },
            IamDecision.BOUNDED,
        ),
    ],
)
def test_each_answer_has_its_reason(result: dict[str, Any], access: IamDecision) -> None:
    """A denial says which sort of policy is behind it."""
    assert access_of(result) is access


def test_results_for_each_resource_are_told_apart() -> None:
    """As AWS answers now: one result an action, with results for each resource in it."""
    each = [
        {"EvalResourceName": "arn:aws:s3:::a", "EvalResourceDecision": "allowed"},
        {"EvalResourceName": "arn:aws:s3:::b", "EvalResourceDecision": "implicitDeny"},
    ]
    result = {
        "EvalActionName": "s3:A",
        "EvalResourceName": "arn:${Partition}:s3:::${BucketName}",
        "EvalDecision": "implicitDeny",
        "ResourceSpecificResults": each,
    }
    assert answers_in([result], BOTH) == {
        ("s3:A", BOTH[0]): IamDecision.ALLOWED,
        ("s3:A", BOTH[1]): IamDecision.MISSING,
    }


def test_one_result_for_several_resources_is_no_answer_for_the_others() -> None:
    """What was said about one resource is never taken to hold for another."""
    named = {"EvalActionName": "s3:A", "EvalResourceName": BOTH[0], "EvalDecision": "allowed"}
    assert answers_in([named], BOTH) == {("s3:A", BOTH[0]): IamDecision.ALLOWED}
    assert answers_in([{**named, "EvalResourceName": "*"}], BOTH) == {}


def test_the_only_resource_needs_no_name() -> None:
    """A template of an ARN stands for the one resource that was asked about."""
    result = {"EvalActionName": "s3:A", "EvalResourceName": "arn:…", "EvalDecision": "allowed"}
    assert answers_in([result], ["x"]) == {("s3:A", "x"): IamDecision.ALLOWED}


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        ("arn:aws:sts::111122223333:assumed-role/Admin/me@example.org", "Admin"),
        ("arn:aws-cn:sts::111122223333:assumed-role/Admin/a:b/c", "Admin"),
        ("arn:aws:sts::111122223333:federated-user/Bob", None),
        ("arn:aws:iam::111122223333:root", None),
        ("arn:aws:iam::111122223333:user/Bob", None),
        ("nonsense", None),
    ],
)
def test_the_role_of_a_session_is_found_in_its_arn(arn: str, role: str | None) -> None:
    """Only sessions of assumed roles have a role."""
    assert role_of(arn) == role
