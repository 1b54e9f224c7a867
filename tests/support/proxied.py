"""An AWS behind a proxy that disturbs, for commands in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.servers import FaultProxy


@contextmanager
def proxied(
    server: EmbeddedAws,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[], None] = lambda: None,
) -> Iterator[FaultProxy]:
    """What commands speak to; `prepare` fills the empty server, before the proxy counts."""
    server.reset()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DATAWARE_STATE", str(folder / "state"))
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    prepare()
    with FaultProxy(server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy
