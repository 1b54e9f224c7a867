"""CDK projects beside an AWS of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.cdk_cli import Project, make_project
from support.peers import UnavailableError
from support.wheel import Installation, install_wheel


@pytest.fixture
def new_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[[Path], Project]]:
    """Copies a CDK project and bootstraps an AWS for it, which the test's clients speak to."""
    with EmbeddedAws() as aws:
        for name, value in aws.environ().items():
            monkeypatch.setenv(name, value)

        def make(source: Path) -> Project:
            try:
                project = make_project(source, tmp_path / "project", tmp_path / "home")
            except UnavailableError as reason:
                pytest.skip(str(reason))
            project.bootstrap(aws)
            return project

        yield make


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel of these sources in an environment of its own."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))
