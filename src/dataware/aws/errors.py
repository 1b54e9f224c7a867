"""Turns the SDK's errors into dataware's: not there, cannot see, or a set-up to correct.

Three rules hold here. A denial never becomes an absence. An answer that nobody gave (time-out,
throttling, server error) never becomes an absence either. Broken or expired credentials end the
run as NotLetIn, because no question can be answered with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as sdk

from dataware.core.entry import GET_CREDENTIALS, RENEW, cure
from dataware.core.errors import BadInput, CannotSee, DatawareError, NotLetIn, NotThere
from dataware.core.model import Problem

DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "Forbidden",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
    }
)
ABSENT = frozenset(
    {
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchUpload",
        "NoSuchVersion",
        "NotFound",
        "ParameterNotFound",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
        "TableNotFoundException",
    }
)

NO_CREDENTIALS = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.NoAuthTokenError,
)
STALE_CREDENTIALS = (
    sdk.CredentialRetrievalError,
    sdk.LoginError,
    sdk.MetadataRetrievalError,
    sdk.SSOError,
    sdk.TokenRetrievalError,
)
BAD_SETTINGS = (
    sdk.ConfigNotFound,
    sdk.ConfigParseError,
    sdk.EndpointProviderError,
    sdk.EndpointVariantError,
    sdk.InvalidConfigError,
    sdk.InvalidProxiesConfigError,
    sdk.InvalidRegionError,
    sdk.ParamValidationError,
    sdk.ProfileNotFound,
)
UNREACHABLE = (sdk.ConnectionError, sdk.HTTPClientError)


@contextmanager
def looking_at(what: str, permission: str | None = None) -> Iterator[None]:
    """Turn the SDK's errors into NotThere, CannotSee and BadInput about `what`."""
    try:
        yield
    except sdk.ClientError as error:
        raise from_answer(error, what, permission) from error
    except sdk.BotoCoreError as error:
        raise from_sdk(error, what, permission) from error


def error_code(error: sdk.ClientError) -> str:
    """The service's error code, such as ``AccessDenied``; the HTTP status if there is none."""
    fallback = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "Unknown")
    return str(error.response.get("Error", {}).get("Code") or fallback)


def from_answer(error: sdk.ClientError, what: str, permission: str | None) -> DatawareError:
    """The error for an answer of a service."""
    code = error_code(error)
    detail = one_line(str(error.response.get("Error", {}).get("Message", "")))
    if (cured_by := cure(code)) is not None:
        return NotLetIn(f"{error.operation_name} answered {code}: {cured_by}")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    denied = code in DENIED or status in (401, 403)
    problem = Problem(error.operation_name, code, permission if denied else None, detail)
    if not denied and _says_absent(error.operation_name, code, status, detail):
        return NotThere(f"{what} does not exist ({problem})", problem)
    return CannotSee(f"cannot see {what}: {problem}{_tail(detail)}", problem)


def from_sdk(error: sdk.BotoCoreError, what: str, permission: str | None) -> DatawareError:
    """The error for a call that no service answered."""
    detail = one_line(str(error))
    if isinstance(error, NO_CREDENTIALS):
        return NotLetIn(f"no usable AWS credentials: {GET_CREDENTIALS}")
    if isinstance(error, STALE_CREDENTIALS):
        return NotLetIn(f"the AWS credentials cannot be used ({detail}): {RENEW}")
    if isinstance(error, sdk.NoRegionError):
        return BadInput(NO_REGION)
    if isinstance(error, BAD_SETTINGS):
        return BadInput(f"cannot look at {what}: {detail}")
    problem = Problem(permission or what, type(error).__name__, None, detail)
    if isinstance(error, UNREACHABLE):
        return CannotSee(
            f"cannot see {what}: {detail}; check the network, --endpoint-url and --region", problem
        )
    return CannotSee(f"cannot see {what}: {detail}", problem)


NO_REGION = "no AWS region is set: give --region, set AWS_REGION, or add `region` to the profile"


def one_line(text: str) -> str:
    """`text` on a single line without a closing full stop."""
    return " ".join(text.split()).rstrip(".")


def _says_absent(operation: str, code: str, status: int | None, detail: str) -> bool:
    """Whether the service itself says so; CloudFormation hides it in a ValidationError.

    Answers to HEAD have no body that could name the error. Of any other call a bare 404 comes
    from something in between, such as a proxy.
    """
    if code == "ValidationError":
        return "does not exist" in detail
    if code.isdigit():
        return code == "404" and operation.startswith("Head")
    return code in ABSENT or status == 404


def _tail(detail: str) -> str:
    return f" ({detail})" if detail else ""
