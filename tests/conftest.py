"""Fixtures for every test: a clean environment, the embedded AWS, and independent servers."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

from dataware.embedded import EmbeddedAws
from dataware.embedded.environment import cache_folder
from support.peers import DynamoDbLocal, Roto, UnavailableError, Weed
from support.servers import FaultProxy

_KEPT = {"DATAWARE_CACHE", "DATAWARE_EMBEDDED_PYTHON"}
_HERE = Path(__file__).parent
_PEERS = {"weed", "dynamodb_local", "roto"}
# Tests of the whole program reach a line without saying anything of it, and tracing is slow.
_WHOLE = {"e2e", "faults", "simulator"}

# No law of this project is about the speed of the machine that checks it.
_PATIENT: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("gate", **_PATIENT)
settings.register_profile("many", **_PATIENT, max_examples=1000)
settings.load_profile(os.environ.get("DATAWARE_EXAMPLES", "gate"))


def pytest_configure() -> None:
    """Keep the real cache in use, although every test gets a home of its own."""
    os.environ["DATAWARE_CACHE"] = str(cache_folder())
    # Every test gets a home of its own, and jsii unpacks the CDK library below the home.
    unpacked = Path.home() / ".cache/aws/jsii/package-cache"
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(unpacked))
    # Reading the description of a service takes longer than most tests: once a process is enough.
    botocore.session.create_loader = cache(botocore.session.create_loader)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start each peer in one process only."""
    for item in items:
        for peer in sorted(_PEERS & set(getattr(item, "fixturenames", ()))):
            item.add_marker(pytest.mark.xdist_group(peer))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage by the tests of the parts only.

    The mark `no_cover` of pytest-cov does not stop the measurement in the processes of xdist.
    """
    if item.path.relative_to(_HERE).parts[0] not in _WHOLE:
        return (yield)
    trace, trace_of_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(trace)
        threading.settrace(trace_of_threads)


@pytest.fixture(autouse=True)
def clean_repository() -> Iterator[None]:
    """Fail a test that leaves a lock file in the repository."""
    yield
    left = _HERE.parent / "dataware.lock.json"
    if left.exists():
        left.unlink(missing_ok=True)
        pytest.fail(f"{left.name} was left in the repository")


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An empty home, and nothing that would lead to a real account or to the user's files."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("AWS_", "DATAWARE_", "XDG_")) and name not in _KEPT:
            monkeypatch.delenv(name)
    # The runner of the tests sets a width for its own lines.
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in (
        ("STATE", "state"),
        ("CONFIG", "config"),
        ("DATA", "data"),
        ("CACHE", "cache"),
    ):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    return home


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedAws]:
    """One embedded AWS for all tests of this process; use `aws_server`, which starts empty."""
    with EmbeddedAws() as server:
        yield server


@pytest.fixture
def aws_server(embedded: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The embedded AWS, empty, with the environment pointing at it."""
    return _entered(embedded, monkeypatch)


@pytest.fixture(scope="session")
def embedded_with_auth() -> Iterator[EmbeddedAws]:
    """One embedded AWS that enforces signatures and IAM; use `auth_server`."""
    with EmbeddedAws(auth=True) as server:
        yield server


@pytest.fixture
def auth_server(embedded_with_auth: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The embedded AWS that enforces IAM, empty; the environment holds the root's keys."""
    return _entered(embedded_with_auth, monkeypatch)


@pytest.fixture
def fault_proxy(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A fault proxy in front of `aws_server`, with the environment pointing at the proxy."""
    with FaultProxy(aws_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


@pytest.fixture(scope="session")
def weed() -> Iterator[Weed]:
    """SeaweedFS, an S3 of other authors; skips where it is not installed."""
    try:
        server = Weed().start()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[DynamoDbLocal]:
    """The DynamoDB that AWS publishes for local use; skips without Java or its files."""
    try:
        server = DynamoDbLocal().start()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def roto() -> Iterator[Roto]:
    """An AWS of other authors, as a third opinion; skips where it is not installed."""
    try:
        server = Roto().start()
    except UnavailableError as reason:
        pytest.skip(str(reason))
    yield server
    server.stop()


def _entered(server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    server.reset()
    for name, value in server.environ().items():
        monkeypatch.setenv(name, value)
    return server
