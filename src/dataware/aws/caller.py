"""Who asks AWS: the identity with its credentials' origin, and the policies behind it.

Everything here only reads, and no secret leaves this module.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dataware.aws.errors import translate_errors
from dataware.aws.permissions import role_of
from dataware.core.answer_time import read_answer_time
from dataware.core.errors import ServiceError
from dataware.core.ports import Aws

SOURCES = {
    "assume-role": "a role that the profile assumes",
    "assume-role-with-web-identity": "a role by web identity",
    "config-file": "the AWS config file",
    "container-role": "the container's role",
    "custom-process": "the profile's credential process",
    "env": "environment variables",
    "iam-role": "the instance's role",
    "login": "aws login",
    "shared-credentials-file": "the shared credentials file",
    "sso": "IAM Identity Center",
}


_WITHOUT_PROFILE = frozenset({"env", "container-role", "iam-role"})
"""The sources that the SDK takes whatever the profile is."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where credentials come from; `expires` is None if they do not, or if it is not said."""

    source: str
    temporary: bool
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the caller is, and by how many seconds AWS's clock is ahead of this machine's."""

    account: str
    arn: str
    ahead: float


def origin_of(credentials: Any) -> Origin:
    """What the SDK's credentials tell about themselves."""
    frozen = credentials.get_frozen_credentials()
    method = str(credentials.method)
    expires = getattr(credentials, "_expiry_time", None)
    until = expires.astimezone(UTC) if isinstance(expires, datetime) else None
    return Origin(SOURCES.get(method, method), bool(frozen.token), until)


def name_credentials(session: Any, role: str) -> str:
    """Whose the credentials of a boto3 session are, in a clause.

    They are those of a `role`, if one was assumed for them; else of a profile, or from what has no
    profile. Empty where there are none, and no profile is named.
    """
    if role:
        return f"of role {role}"
    credentials, profile = session.get_credentials(), session._session.profile
    if credentials is None:
        return f"of profile {profile}" if profile else ""
    method = str(credentials.method)
    known = method in _WITHOUT_PROFILE
    return f"from {SOURCES[method]}" if known else f"of profile {session.profile_name}"


def caller(aws: Aws) -> Caller:
    """Ask AWS who the caller is. Raises AuthenticationError and LookupFailedError."""
    with translate_errors("the caller's identity", "sts:GetCallerIdentity"):
        answer = aws.client("sts").get_caller_identity()
    now = time.time()
    return Caller(answer["Account"], answer["Arn"], read_answer_time(answer, now) - now)


def policy_owner(aws: Aws, arn: str) -> str | None:
    """The user or role whose policies hold for a caller; None for callers that have none.

    The ARN of a session lacks the path of its role, so the role itself is asked for; where that
    is not allowed, the role is taken to have no path. Source: AWS STS API Reference, AssumeRole.
    """
    if ":user/" in arn or ":role/" in arn:
        return arn
    role = role_of(arn)
    if role is None:
        return None
    try:
        with translate_errors(f"role {role}", "iam:GetRole"):
            return str(aws.client("iam").get_role(RoleName=role)["Role"]["Arn"])
    except ServiceError:
        partition, account = arn.split(":")[1], arn.split(":")[4]
        return f"arn:{partition}:iam::{account}:role/{role}"
