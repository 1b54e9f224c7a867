"""The account that the environment of a test points to."""

from __future__ import annotations

from typing import Any

from dataware.aws import Account
from dataware.cli.transport import make_wire


def open_account(**options: Any) -> Account:
    """Open an account as the command line does."""
    return Account.open(make_wire, **options)
