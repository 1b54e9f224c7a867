"""The SDK's HTTP session, which leaves the request target alone and asks before each write.

How it works: a request goes out in several writes to its socket, the head first and then the body
in pieces. A process can stand still between any two of them, for any time: one that was allowed to
begin a request need not be allowed to finish it. So what may forbid a request is asked right before
each write. A run that is stopped after the head, and goes on once its lock is lost, sends no byte
of the body, and the service drops a request of which only one half arrived.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import (
    AWSConnection,
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.httpsession import URLLib3Session

from dataware.aws.certificates import context_for
from dataware.http.endpoint import Endpoint, Limits

PIECE_BYTES = 64 * 1024
"""How much of a body is written between two looks; a kernel takes so much without waiting."""

_REQUEST = threading.local()
"""`check` of the request under way on this thread; urllib3 has no way to hand it through."""


class _CheckedWrites(AWSConnection):  # type: ignore[misc]  # botocore has no types
    def send(self, data: Any) -> None:
        """Write the head or the body; http.client alone would write the body in one call."""
        whole = memoryview(data)
        for start in range(0, len(whole), PIECE_BYTES):
            _REQUEST.check()
            super().send(whole[start : start + PIECE_BYTES])


class _CheckedHttp(_CheckedWrites, AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    """A connection that is not encrypted, whose writes are checked."""


class _CheckedHttps(_CheckedWrites, AWSHTTPSConnection):  # type: ignore[misc]  # botocore has no types
    """An encrypted connection, whose writes are checked: what is checked is not encrypted yet."""


class _CheckedHttpPool(AWSHTTPConnectionPool):  # type: ignore[misc]  # botocore has no types
    ConnectionCls = _CheckedHttp


class _CheckedHttpsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]  # botocore has no types
    ConnectionCls = _CheckedHttps


class PlainSession(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """An HTTP session that leaves the request target alone.

    The session of botocore takes the target apart as a URL, which loses a parameter part
    (``;…``). Behind a proxy the target stays absolute, as the proxy needs it.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # The managers, also those of proxies that come later, hold this very dictionary.
        self._pool_classes_by_scheme |= {"http": _CheckedHttpPool, "https": _CheckedHttpsPool}

    def send(self, request: Any, check: Callable[[], None]) -> Any:
        """Send a request; `check` runs before each write, and what it raises ends the request."""
        _REQUEST.check = check
        return super().send(request)

    @classmethod
    def open(cls, access: Endpoint, base: str, limits: Limits, connections: int) -> PlainSession:
        """A session to one address, with the certificates and the proxy that people have set."""
        proxy = access.proxy(base)
        return cls(
            verify=access.ca_bundle,
            proxies={base.partition(":")[0]: proxy} if proxy else {},
            timeout=(limits.connect_seconds, limits.read_seconds),
            max_pool_connections=connections,
        )

    def _get_ssl_context(self) -> ssl.SSLContext:
        return context_for(self._verify)

    def _path_url(self, url: str) -> str:
        return "/" + url.split("://", 1)[1].partition("/")[2]
