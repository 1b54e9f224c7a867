"""What opens the accounts of a command again, in another process."""

from __future__ import annotations

from typing import Protocol

from dataware.aws import Account, region_of_profile
from dataware.cli.settings import AwsOptions
from dataware.cli.transport import make_wire
from dataware.core.ports import StopRequest


class OpenAccount(Protocol):
    """Opens an account again, whose calls are given up once `stop` is true."""

    def __call__(self, *, stop: StopRequest, profile: str = "") -> Account:
        """Open that of the command, or the one of a profile that only reads."""
        ...


def open_source(options: AwsOptions, profile: str, stop: StopRequest | None = None) -> Account:
    """The account of a profile by which a source is read; nothing is written with it.

    Its region is that of the profile, or else the one of the command; no network.
    """
    account = Account.open(
        make_wire,
        profile=profile,
        region=region_of_profile(profile) or options.region,
        endpoint_url=options.endpoint_url,
        stop=stop,
    )
    return account.read_only()
