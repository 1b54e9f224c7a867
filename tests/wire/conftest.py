"""What the contract of raw transports is proven with: each transport, and a server that records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.servers import FaultProxy
from support.transports import MakeTransport, botocore_transport, curl_transport


@pytest.fixture(params=[botocore_transport, curl_transport], ids=["botocore", "curl"])
def make_transport(request: pytest.FixtureRequest) -> MakeTransport:
    """Makes a transport for an endpoint; limits are keyword arguments."""
    make: MakeTransport = request.param
    return make


@pytest.fixture(scope="module")
def recorder() -> Iterator[FaultProxy]:
    """One recording server for all tests of a module, because stopping one takes a while."""
    with FaultProxy("http://127.0.0.1:1") as proxy:
        yield proxy


@pytest.fixture
def server(recorder: FaultProxy) -> FaultProxy:
    """A server that records requests; a test says what it answers."""
    recorder.clear()
    return recorder
