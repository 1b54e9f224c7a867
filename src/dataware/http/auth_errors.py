"""Callers that are not let in: the codes by which services say so, and what cures each; pure.

Nothing about the data is wrong then, so a copy that has begun can go on once the cause is cured.
"""

from __future__ import annotations

EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
REJECTED = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
SKEWED = frozenset({"RequestInTheFuture", "RequestTimeTooSkewed"})

GET_CREDENTIALS = (
    "give credentials with --profile, the AWS_ variables or `aws configure` / `aws sso login`"
)
RENEW = "renew them (`aws sso login`, or fetch new ones) and run the same command again"


def cure(code: str) -> str | None:
    """What is wrong with the caller and what to do, by a service's code; None for other codes."""
    if code in EXPIRED:
        return f"the AWS credentials have expired; {RENEW}"
    if code in REJECTED:
        return f"AWS does not accept the credentials; {GET_CREDENTIALS}"
    if code in SKEWED:
        return "the clock of this machine is wrong; set it and run the same command again"
    return None
