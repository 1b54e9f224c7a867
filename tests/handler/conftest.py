"""A state machine whose executions only wait; the tests run the states themselves."""

from __future__ import annotations

import pytest

from dataware.embedded import EmbeddedAws
from support.deployments import WAITING, make_machine


@pytest.fixture
def machine(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> str:
    """The machine that `on_event` starts."""
    arn = make_machine(WAITING)
    monkeypatch.setenv("STATE_MACHINE", arn)
    return arn
