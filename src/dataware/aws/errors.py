"""Turns the SDK's errors into dataware's: not there, cannot see, or a set-up to correct.

Three rules hold here. A denial never becomes an absence. Nor does anything else but the code that
`http.absence` knows for the very call: a 404 alone, a time-out or a server error is unknown. Broken
or expired credentials end the run as AuthenticationError, because no question can be answered with
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from dataware.core.errors import (
    AuthenticationError,
    DatawareError,
    InputError,
    LookupFailedError,
)
from dataware.core.model import Problem
from dataware.http.endpoint import (
    proxy_refusal,
    refused_by_proxy,
    untrusted_certificate_error,
    without_credentials,
)
from dataware.http.error_answer import GET_CREDENTIALS, RENEW, ErrorAnswer

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
def translate_errors(what: str, permission: str | None = None) -> Iterator[None]:
    """Turn the SDK's errors into NotFoundError, LookupFailedError and InputError about `what`."""
    try:
        yield
    except sdk.ClientError as error:
        raise _from_answer(error, what, permission) from error
    except sdk.BotoCoreError as error:
        raise from_sdk(error, what, permission) from error
    except ResponseParserError as error:
        raise unreadable(what, permission) from error


def missing_credentials_error(whose: str) -> AuthenticationError:
    """The error where there are no credentials; `whose` they would be, such as "of profile X"."""
    text = f"no usable AWS credentials {whose}".rstrip()
    return AuthenticationError(f"{text}: {GET_CREDENTIALS}")


@contextmanager
def naming_credentials(find_name: Callable[[], str]) -> Iterator[None]:
    """Let the SDK's errors know whose credentials a call was made with, as "of profile X"."""
    try:
        yield
    except (sdk.ClientError, sdk.BotoCoreError) as error:
        setattr(error, _WHOSE, find_name())
        raise


def _whose(error: Exception) -> str:
    """Whose the credentials of a failed call were; empty where that is not known."""
    return str(getattr(error, _WHOSE, ""))


_WHOSE = "dataware_whose"
"""The attribute of an error of the SDK that names the credentials."""


def status_of(error: sdk.ClientError) -> int:
    """The HTTP status of an answer; 0 where the SDK does not say it."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def _from_answer(error: sdk.ClientError, what: str, permission: str | None) -> DatawareError:
    """The error for an answer of a service."""
    details, status = error.response.get("Error", {}), status_of(error)
    code = one_line(str(details.get("Code") or "")) or str(status or "Unknown")
    message = without_credentials(one_line(str(details.get("Message", ""))))
    answer = ErrorAnswer(error.operation_name, code, status, message, whose=_whose(error))
    return answer.to_error(what, permission, looking=True)


def from_sdk(error: sdk.BotoCoreError, what: str, permission: str | None) -> DatawareError:
    """The error for a call that no service answered."""
    detail = without_credentials(one_line(str(error)))
    if isinstance(error, NO_CREDENTIALS):
        return missing_credentials_error(_whose(error))
    if isinstance(error, STALE_CREDENTIALS):
        whose = f" {name}" if (name := _whose(error)) else ""
        return AuthenticationError(f"the AWS credentials{whose} cannot be used ({detail}): {RENEW}")
    if isinstance(error, sdk.NoRegionError):
        return InputError(NO_REGION)
    if isinstance(error, BAD_SETTINGS):
        return InputError(f"cannot access {what}: {detail}")
    return _no_answer_error(error, what, permission, detail)


def _no_answer_error(
    error: sdk.BotoCoreError, what: str, permission: str | None, detail: str
) -> DatawareError:
    """The error for a call on whose way something went wrong."""
    if isinstance(error, sdk.ProxyConnectionError):
        why = one_line(str(error.kwargs.get("error", "")))
        return proxy_refusal(error.kwargs.get("proxy_url"), refused_by_proxy(why) or "no answer")
    if isinstance(error, sdk.SSLError) and "CERTIFICATE_VERIFY_FAILED" in detail:
        address = urlsplit(str(error.kwargs.get("endpoint_url", "")))
        return untrusted_certificate_error(f"{address.scheme}://{address.netloc}")
    if _REFUSED_HEADER in detail:
        # The SDK repeats the value, which may be a session token.
        return AuthenticationError(
            "the AWS credentials or the session token hold a line break, so no request can use "
            f"them: {GET_CREDENTIALS}"
        )
    problem = Problem(permission or what, type(error).__name__, None, detail)
    if isinstance(error, UNREACHABLE):
        return LookupFailedError(
            f"cannot access {what}: {detail}; check the network, --endpoint-url and --region",
            problem,
        )
    return LookupFailedError(f"cannot access {what}: {detail}", problem)


def unreadable(what: str, permission: str | None) -> LookupFailedError:
    """The error for an answer that is not of the service's form, such as a proxy's page."""
    return LookupFailedError(
        f"cannot access {what}: the response is not from AWS; check proxies and --endpoint-url",
        Problem(permission or what, "GarbledAnswer"),
    )


_REFUSED_HEADER = "Invalid header value"
NO_REGION = "no AWS region is set: give --region, set AWS_REGION, or add `region` to the profile"


def one_line(text: str) -> str:
    """`text` on a single line without a closing full stop."""
    return " ".join(text.split()).rstrip(".")
