"""What opens the account of a command again, in another process."""

from __future__ import annotations

from typing import Protocol

from dataware.aws import Account
from dataware.core.ports import StopRequest


class OpenAccount(Protocol):
    """Opens the account again, whose calls are given up once `stop` is true."""

    def __call__(self, *, stop: StopRequest) -> Account:
        """Open it."""
        ...
