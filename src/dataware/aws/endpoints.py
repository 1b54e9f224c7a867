"""Making the SDK's clients from what people have set: options, variables, profiles.

A wrong setting is refused when the client is made, before anything is sent to a wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from dataware.aws.errors import from_sdk
from dataware.core.errors import AuthenticationError, InputError

SOURCES = "--endpoint-url, AWS_ENDPOINT_URL and `endpoint_url` of the profile"
NO_JSON = (
    "the AWS credentials cannot be used, because `credential_process` printed no JSON: run it by "
    "hand, and correct the AWS config file"
)
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")


@contextmanager
def making_client(what: str, endpoint: str | None) -> Iterator[None]:
    """Turn what the SDK raises while it makes a client for `what` into one of our errors.

    Raises InputError also for an `endpoint` that is no address.
    """
    if endpoint:
        check_endpoint(endpoint)
    try:
        yield
    except BotoCoreError as error:
        raise from_sdk(error, what, None) from error
    except JSONDecodeError as error:
        raise AuthenticationError(NO_JSON) from error
    except ValueError as error:
        # The SDK repeats the address, in which a password may stand.
        raise InputError(f"the endpoint is not a valid address: check {SOURCES}") from error


def check_endpoint(address: str) -> None:
    """Raise InputError for what is no address of a service.

    The address is not repeated, because what is misspelled may be a password.
    """
    if flaw := _flaw(address):
        raise InputError(f"the endpoint {flaw}: check {SOURCES}; write it as https://host:port")


def _flaw(address: str) -> str | None:
    if _UNPRINTABLE.search(address):
        return "has a space in its address"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has no valid host or port"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if not host:
        return "has no host"
    if parts.query or parts.fragment:
        return "has a query behind its address"
    return None
