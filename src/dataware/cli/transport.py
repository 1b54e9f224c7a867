"""Chooses what carries the hot path: libcurl where it can be used, else the SDK's sessions."""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from collections.abc import Callable, Mapping

from dataware.aws import BotocoreTransport, SystemClock
from dataware.core.errors import InputError
from dataware.core.ports import Wire
from dataware.http.endpoint import Endpoint, Limits
from dataware.wire import RetryingWire, Transport, with_corrections

VARIABLE = "DATAWARE_TRANSPORT"


def make_wire(access: Endpoint, on_throttle: Callable[[str], None]) -> Wire:
    """The wire of a command."""
    return RetryingWire(transport(access), SystemClock(), random.random, on_throttle)


def transport(access: Endpoint, limits: Limits | None = None) -> Transport:
    """The fastest transport that is there, or the one that DATAWARE_TRANSPORT names.

    Raises InputError for a name that is not to be had.
    """
    if carrier() == "botocore":
        return with_corrections(BotocoreTransport(access, limits), access)
    from dataware.wire.curl import CurlTransport  # noqa: PLC0415 - pycurl may not be there

    return with_corrections(CurlTransport(access, limits), access)


def carrier(environ: Mapping[str, str] = os.environ) -> str:
    """The name of the transport. Raises InputError for one that is not to be had."""
    carriers = ("curl", "botocore") if _has_curl() else ("botocore",)
    wanted = environ.get(VARIABLE) or carriers[0]
    if wanted not in carriers:
        raise InputError(
            f"{VARIABLE} is {wanted!r}, but what can be used here is {' or '.join(carriers)}: "
            "name one of them, or unset it"
        )
    return wanted


def _has_curl() -> bool:
    # On Windows the event loop cannot watch libcurl's sockets.
    return sys.platform != "win32" and importlib.util.find_spec("pycurl") is not None
