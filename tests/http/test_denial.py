"""Denials told apart: a missing permission, a policy that denies, a key that may not be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import how_to_allow
from dataware.http.denial import POLICY_TYPES, Denial
from dataware.http.error_answer import ErrorAnswer

USER = "User: arn:aws:iam::111122223333:user/migrator is not authorized to perform: "
OBJECT = ' on resource: "arn:aws:s3:::uploads-prod/2024/1.jpg"'
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SCP = "arn:aws:organizations::777788889999:policy/o-example/service_control_policy/p-example"


@pytest.mark.parametrize(
    ("message", "clause"),
    [
        (
            f"{USER}s3:PutObject{OBJECT} because no identity-based policy allows the s3:PutObject "
            "action",
            "it needs s3:PutObject",
        ),
        (f"{USER}s3:PutObject", "it needs s3:PutObject"),
        (
            f"{USER}s3:PutObject{OBJECT} with an explicit deny in a resource-based policy",
            "an explicit deny in a resource-based policy forbids s3:PutObject",
        ),
        (
            f"{USER}s3:GetObject{OBJECT} with an explicit deny in a service control policy: {SCP}",
            f"an explicit deny in a service control policy ({SCP}) forbids s3:GetObject",
        ),
        (
            f"{USER}s3:GetObject{OBJECT} with an explicit deny in a service control policy, with "
            f"policy ARN: {SCP}",
            f"an explicit deny in a service control policy ({SCP}) forbids s3:GetObject",
        ),
        (
            f"{USER}s3:GetObject because no VPC endpoint policy allows the s3:GetObject action",
            "no VPC endpoint policy allows s3:GetObject",
        ),
        (
            f"{USER}s3:PutObject{OBJECT} because no permissions boundary allows the s3:PutObject "
            "action",
            "no permissions boundary allows s3:PutObject",
        ),
        (
            f"{USER}kms:GenerateDataKey on resource: {KEY} because no resource-based policy allows "
            "the kms:GenerateDataKey action",
            f"no resource-based policy allows kms:GenerateDataKey on the key {KEY}",
        ),
        (
            f"{USER}kms:Decrypt on the resource: {KEY} because no identity-based policy allows the "
            "kms:Decrypt action",
            f"it needs kms:Decrypt on the key {KEY}",
        ),
        (f"{USER}s3:PutObject with an explicit deny", "an explicit deny in a policy forbids "),
        ("Access Denied", "it needs s3:Other"),
        ("", "it needs s3:Other"),
    ],
)
def test_a_denial_names_the_action_and_what_denies_it(message: str, clause: str) -> None:
    """In the forms that AWS documents, on one line or on several."""
    assert Denial.of(message).clause("s3:Other").startswith(clause)
    assert Denial.of(message.replace(" ", "\n")) == Denial.of(message)


@given(st.sampled_from(POLICY_TYPES), st.sampled_from(["s3:PutObject", "dynamodb:PutItem"]))
def test_an_explicit_deny_is_never_called_a_missing_permission(policy: str, action: str) -> None:
    """Whatever type of policy denies; and what no policy allows is not called a deny."""
    article = "an" if policy.startswith("identity") else "a"
    denied = Denial.of(f"{USER}{action}{OBJECT} with an explicit deny in {article} {policy}")
    missing = Denial.of(f"{USER}{action}{OBJECT} because no {policy} allows the {action} action")
    assert (denied.action, denied.policy, denied.explicit) == (action, policy, True)
    assert (missing.action, missing.policy, missing.explicit) == (action, policy, False)
    assert "it needs" not in denied.clause("x")
    assert how_to_allow(denied.clause("x")) == "change that policy"
    assert "iam-policy" in how_to_allow(missing.clause("x"))


@given(st.text())
def test_any_message_is_read(message: str) -> None:
    """A message in no known form says nothing, and is no error."""
    assert Denial.of(message).clause("s3:Other")


def test_an_unanswered_question_tells_an_explicit_deny_too() -> None:
    """Wherever a call is denied, not only where objects are copied."""
    detail = f"{USER}dynamodb:Scan with an explicit deny in an identity-based policy"
    answer = ErrorAnswer("Scan", "AccessDeniedException", 400, detail)
    problem = answer.to_problem("dynamodb:Scan")
    assert str(problem) == (
        "Scan returned AccessDeniedException; an explicit deny in an identity-based policy "
        "forbids dynamodb:Scan"
    )
