"""The transports that the contract suite runs over; another one is another parameter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.servers import FaultProxy, answer
from support.transports import MakeTransport, botocore_transport


@pytest.fixture(params=[botocore_transport], ids=["botocore"])
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


@pytest.fixture
def ok_server(server: FaultProxy) -> FaultProxy:
    """A recording server that always answers 200 with the body ``ok``."""
    server.add(answer(200, b"ok"))
    return server
