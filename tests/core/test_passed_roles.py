"""A role is passed to the services that are meant, and to no other."""

from __future__ import annotations

import pytest

from dataware.core.passed_roles import PassedRole, make_pass_statements


def test_each_role_goes_to_its_own_services() -> None:
    """Roles of the same services stand together, and one role may have several services."""
    roles = [
        PassedRole("role/b", ("x.amazonaws.com",)),
        PassedRole("role/a", ("x.amazonaws.com",)),
        PassedRole("role/c", ("y.amazonaws.com",)),
        PassedRole("role/c", ("x.amazonaws.com",)),
    ]
    found = {
        tuple(one["Resource"]): one["Condition"]["StringEquals"]["iam:PassedToService"]
        for one in make_pass_statements(roles)
    }
    assert found == {
        ("role/a", "role/b"): ["x.amazonaws.com"],
        ("role/c",): ["x.amazonaws.com", "y.amazonaws.com"],
    }
    assert make_pass_statements([]) == []


def test_a_role_for_any_service_is_never_granted() -> None:
    """It could be passed to a service that its owner never thought of."""
    with pytest.raises(ValueError, match="role/a"):
        make_pass_statements([PassedRole("role/a", ())])
