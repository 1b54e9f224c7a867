"""The accounts of an organization: those in use, with their tags, from every page."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.aws.organization import list_active_accounts
from dataware.core.errors import LookupFailedError
from support.stubbed import StubbedAws


def account(digit: int, **more: str) -> dict[str, Any]:
    """An account as the service lists it."""
    return {"Id": str(digit) * 12, "Name": f"Account {digit}", **more}


def tags(digit: int, *pages: dict[str, str]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The answers about the tags of an account, a page each."""
    found = []
    for number, page in enumerate(pages):
        asked = {"ResourceId": str(digit) * 12, **({"NextToken": f"t{number}"} if number else {})}
        told: dict[str, Any] = {"Tags": [{"Key": k, "Value": v} for k, v in page.items()]}
        if number + 1 < len(pages):
            told["NextToken"] = f"t{number + 1}"
        found.append(("list_tags_for_resource", told, asked))
    return found


def test_accounts_in_use_come_from_all_pages_with_all_their_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By State, or by Status in an answer that has none; what is closed or pending is left out."""
    monkeypatch.setattr("dataware.aws.organization.QUESTIONS", 1)  # the stub answers in order
    aws = StubbedAws("organizations")
    first = [account(3, State="ACTIVE", Status="ACTIVE"), account(4, State="SUSPENDED")]
    second = [
        account(1, Status="ACTIVE"),
        account(5, Status="SUSPENDED"),
        account(6, State="PENDING_CLOSURE", Status="ACTIVE"),
        account(7, State="PENDING_ACTIVATION"),
    ]
    aws.stubber.add_response("list_accounts", {"Accounts": first, "NextToken": "more"}, {})
    aws.stubber.add_response("list_accounts", {"Accounts": second}, {"NextToken": "more"})
    for operation, told, asked in [*tags(3, {"stage": "prod"}, {"tier": "gold"}), *tags(1, {})]:
        aws.stubber.add_response(operation, told, asked)
    found = list_active_accounts(aws)  # type: ignore[arg-type] # what of the port is needed
    assert [(one.id, one.name, dict(one.tags)) for one in found] == [
        ("1" * 12, "Account 1", {}),
        ("3" * 12, "Account 3", {"stage": "prod", "tier": "gold"}),
    ]
    aws.stubber.assert_no_pending_responses()


@pytest.mark.parametrize("operation", ["list_accounts", "list_tags_for_resource"])
def test_a_denial_is_never_a_shorter_list(operation: str) -> None:
    """An account that is left out in silence is one that nobody migrates."""
    aws = StubbedAws("organizations")
    if operation != "list_accounts":
        aws.stubber.add_response("list_accounts", {"Accounts": [account(1, State="ACTIVE")]}, {})
    aws.stubber.add_client_error(operation, "AccessDeniedException", http_status_code=400)
    with pytest.raises(LookupFailedError, match="organizations:List"):
        list_active_accounts(aws)  # type: ignore[arg-type] # what of the port is needed
