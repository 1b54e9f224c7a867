"""The account that the environment of a test points to."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from dataware.aws import Account, SystemClock
from dataware.wire import RetryingWire


@pytest.fixture
def make_account() -> Callable[[], Account]:
    """Opens an account; a function, because the environment is set by other fixtures."""
    clock = SystemClock()
    return lambda: Account.open(
        lambda transport, tell: RetryingWire(transport, clock, random.random, tell)
    )
