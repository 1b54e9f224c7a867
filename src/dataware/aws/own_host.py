"""Keeps requests of S3 Control at the host of an endpoint that is not AWS's.

Its clients put the account before the host, which a server on an address of its own has no name
for. Source: Amazon S3 API Reference, CreateJob (Host: AccountId.s3-control...).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

_ACCOUNT = re.compile(r"(?<=://)\d{12}\.")
_OF_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def keep_own_host(client: Any) -> None:
    """Send what the client asks to the host that was named, unless that is AWS's."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    if not host.endswith(_OF_AWS):
        client.meta.events.register("before-sign.s3-control", _drop_account)


def _drop_account(request: Any, **_more: Any) -> None:
    request.url = _ACCOUNT.sub("", request.url, count=1)
