"""Assumes a role for a session of the SDK, and again before its credentials expire.

A role that is assumed with the credentials of another role lasts an hour at most (IAM User Guide,
"Methods to assume a role", role chaining), which a long copy outlives.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import ClientError

from dataware.aws.certificates import share_certificates
from dataware.aws.errors import one_line
from dataware.aws.shared_models import MAKING_CLIENTS
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


def assume_role(session: Any, role: AssumedRole, region: str, endpoint_url: str | None) -> Any:
    """A session like `session`, a boto3 session, with the credentials of a role.

    Asks nothing yet. The security token service is asked in the session's own region, or else in
    `region`: the tokens of a region's endpoint are good for every region (IAM User Guide,
    "Manage AWS STS in an AWS Region"). The first use of the credentials raises LookupFailedError
    where the role cannot be assumed.
    """
    # To make a session takes as long as to make the clients of an account, so all but the
    # credentials is shared.
    assuming = copy(session)
    assuming._session = copy(session._session)
    if session.get_credentials() is not None:
        asking = _RoleCredentials(session, role, region, endpoint_url)
        assuming._session._credentials = DeferredRefreshableCredentials(asking.fetch, "assume-role")
    return assuming


@dataclass(frozen=True, slots=True)
class _RoleCredentials:
    """Asks for the credentials of a role, each time that they are about to expire."""

    session: Any
    role: AssumedRole
    region: str
    endpoint_url: str | None

    def fetch(self) -> Mapping[str, Any]:
        """New credentials. Raises LookupFailedError where the role cannot be assumed."""
        extra = {"RoleSessionName": SESSION_NAME}
        if self.role.external_id:
            extra["ExternalId"] = self.role.external_id
        source = self.session.get_credentials()
        fetcher = AssumeRoleCredentialFetcher(self._make_client, source, self.role.arn, extra)
        try:
            credentials: Mapping[str, Any] = fetcher.fetch_credentials()
        except ClientError as error:
            raise _refusal(self.role, error) from error
        return credentials

    def _make_client(self, service: str, **keys: Any) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=SECONDS,
            read_timeout=SECONDS,
        )
        with MAKING_CLIENTS:
            made = self.session._session.create_client(
                service,
                region_name=self.session.region_name or self.region,
                endpoint_url=self.endpoint_url,
                config=config,
                **keys,
            )
        return share_certificates(made)


def _refusal(role: AssumedRole, error: ClientError) -> LookupFailedError:
    """Why a role cannot be assumed, and what to do about it."""
    details = error.response.get("Error", {})
    code, message = str(details.get("Code") or "Unknown"), one_line(str(details.get("Message", "")))
    problem = Problem("AssumeRole", code, "sts:AssumeRole", message)
    denial = Denial.of(message)
    if code == "RegionDisabledException":
        next_step = (
            "activate STS in that region, or choose another region for the command's profile"
        )
    elif denial.explicit:
        next_step = f"{denial.clause('sts:AssumeRole')}: change that policy"
    elif code == "AccessDenied":
        next_step = (
            "its trust policy must allow these credentials and the external id, and their own "
            "policy must allow sts:AssumeRole on it"
        )
    else:
        next_step = message or "no reason is given"
    return LookupFailedError(f"cannot assume role {role.arn} ({code}): {next_step}", problem)
