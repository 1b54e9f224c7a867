"""Assumes a role for a session of the SDK, and again before its credentials expire.

A role that is assumed with the credentials of another role lasts an hour at most (IAM User Guide,
"Methods to assume a role", role chaining), which a long copy outlives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ClientError

from dataware.aws.errors import one_line
from dataware.core.errors import LookupFailedError
from dataware.core.model import Problem
from dataware.http.denial import Denial

SESSION_NAME = "dataware"
ATTEMPTS = 3
SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A role by its ARN, and the external id that its trust policy may ask for."""

    arn: str
    external_id: str | None = None


def assume_role(
    session: Any, assuming: Any, role: AssumedRole, region: str, endpoint_url: str | None
) -> Any:
    """Give the boto3 session `assuming` the credentials of a role, by those of `session`.

    Asks nothing yet. The security token service is asked in the session's own region, or else in
    `region`: the tokens of a region's endpoint are good for every region (AWS STS User Guide,
    "Manage AWS STS in an AWS Region"). The first use of the credentials raises LookupFailedError
    where the role cannot be assumed.
    """
    core = session._session

    def make_client(service: str, **keys: Any) -> Any:
        return core.create_client(
            service,
            region_name=session.region_name or region,
            endpoint_url=endpoint_url,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                connect_timeout=SECONDS,
                read_timeout=SECONDS,
            ),
            **keys,
        )

    def fetch() -> Mapping[str, Any]:
        extra = {"RoleSessionName": SESSION_NAME}
        if role.external_id:
            extra["ExternalId"] = role.external_id
        credentials = session.get_credentials()
        fetcher = AssumeRoleCredentialFetcher(make_client, credentials, role.arn, extra)
        try:
            found: Mapping[str, Any] = fetcher.fetch_credentials()
        except ClientError as error:
            raise _refusal(role, error) from error
        return found

    if session.get_credentials() is not None:
        assuming._session._credentials = DeferredRefreshableCredentials(fetch, "assume-role")
    return assuming


def _refusal(role: AssumedRole, error: ClientError) -> LookupFailedError:
    """Why a role cannot be assumed, and what to do about it."""
    details = error.response.get("Error", {})
    code, message = str(details.get("Code") or "Unknown"), one_line(str(details.get("Message", "")))
    problem = Problem("AssumeRole", code, "sts:AssumeRole", message)
    denial = Denial.of(message)
    if code == "RegionDisabledException":
        way_on = "activate STS in that region, or choose another region for the command's profile"
    elif denial.explicit:
        way_on = f"{denial.clause('sts:AssumeRole')}: change that policy"
    elif code == "AccessDenied":
        way_on = (
            "its trust policy has to allow these credentials (and the external id, if it asks for "
            "one), and theirs has to allow sts:AssumeRole on it"
        )
    else:
        way_on = message or "no reason is given"
    return LookupFailedError(f"cannot assume role {role.arn} ({code}): {way_on}", problem)
