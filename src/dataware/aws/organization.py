"""The accounts of an organization, as targets of a fleet.

Sources: AWS Organizations API Reference, ListAccounts (to be called by the management account or
a delegated administrator; all pages have to be read) and ListTagsForResource. An account is in use
where its `State` is ACTIVE; `Status`, which said so before, was retired on September 9, 2026 and
counts only in an answer that has no `State`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from dataware.aws.daemon_pool import DaemonPool
from dataware.core.ports import Aws

ACTIVE = "ACTIVE"
QUESTIONS = 8
"""Questions for the tags of accounts at a time."""


@dataclass(frozen=True, slots=True)
class OrganizationAccount:
    """An account in use: its digits, its name and its tags."""

    id: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)


def list_active_accounts(aws: Aws) -> tuple[OrganizationAccount, ...]:
    """Every account in use with its tags, by name.

    Raises LookupFailedError where an answer is missing: a list with gaps would leave accounts out.
    """
    with aws.translate_errors("the accounts of the organization", "organizations:ListAccounts"):
        pages = aws.client("organizations").get_paginator("list_accounts").paginate()
        listed = [one for page in pages for one in page["Accounts"]]
    accounts = [
        OrganizationAccount(one["Id"], one.get("Name") or one["Id"])
        for one in listed
        if (one.get("State") or one.get("Status")) == ACTIVE
    ]
    with DaemonPool(QUESTIONS, "tags") as pool:
        tagged = _with_tags(aws, accounts, pool)
    return tuple(sorted(tagged, key=lambda one: (one.name, one.id)))


def _with_tags(
    aws: Aws, accounts: Sequence[OrganizationAccount], pool: Executor
) -> Iterator[OrganizationAccount]:
    client = aws.client("organizations")

    def ask(account: OrganizationAccount) -> OrganizationAccount:
        what = f"the tags of account {account.id}"
        with aws.translate_errors(what, "organizations:ListTagsForResource"):
            pages = client.get_paginator("list_tags_for_resource").paginate(ResourceId=account.id)
            tags: dict[str, Any] = {
                tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]
            }
        return replace(account, tags=tags)

    return iter([one.result() for one in [pool.submit(ask, each) for each in accounts]])
