"""Has the certificates that the SDK trusts read once, and not for every connection.

urllib3 lets OpenSSL read the whole file for each connection, although all of a client share what
has been read. That takes 14 ms of a core, several times what the call itself does, and a plan opens
some sixty connections in each account.
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any

from botocore.httpsession import URLLib3Session, create_urllib3_context

_LOCK = threading.Lock()
_CONTEXTS: dict[object, ssl.SSLContext] = {}


class CachingContext(ssl.SSLContext):
    """A context that reads a file of certificates again only once the file has changed."""

    def load_verify_locations(
        self, cafile: Any = None, capath: Any = None, cadata: Any = None
    ) -> None:
        """Trust what a file or a folder holds, or what `cadata` is. Raises OSError and SSLError."""
        store = (cafile, capath, cadata, _changed_at(cafile))
        with _LOCK:
            loaded: set[object] = self.__dict__.setdefault("_known", set())
            if store not in loaded:
                super().load_verify_locations(cafile, capath, cadata)
                loaded.add(store)


def context_for(verify: object) -> ssl.SSLContext:
    """What the connections that trust the same share; `verify` is True, or a file's path."""
    with _LOCK:
        if verify not in _CONTEXTS:
            # The SDK's own settings, whatever they are in this version of it.
            made: Any = create_urllib3_context()
            made.__class__ = CachingContext
            _CONTEXTS[verify] = made
        return _CONTEXTS[verify]


def share_certificates(client: Any) -> Any:
    """The client of the SDK, whose connections share the certificates of all that trust the same.

    Call it before the client's first call.
    """
    session: URLLib3Session = client._endpoint.http_session
    context = context_for(session._verify)
    session._manager.connection_pool_kw["ssl_context"] = context
    session._get_ssl_context = lambda: context  # of the connections through proxies
    return client


def _changed_at(path: Any) -> int | None:
    try:
        return Path(path).stat().st_mtime_ns if path else None
    except OSError:
        return None  # whoever reads it says why it cannot
