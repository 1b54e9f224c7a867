"""The account that the environment of a test points to."""

from __future__ import annotations

import random
from typing import Any

from dataware.aws import Account, SystemClock
from dataware.wire import RetryingWire


def open_account(**options: Any) -> Account:
    """Open an account as the command line does."""
    clock = SystemClock()
    return Account.open(
        lambda transport, tell: RetryingWire(transport, clock, random.random, tell), **options
    )
