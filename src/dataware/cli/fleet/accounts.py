"""Opens the accounts of a fleet, and reads the file that names them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock

from dataware.aws import AssumedRole
from dataware.aws.closed_region import explain_closed_region
from dataware.aws.organization import OrganizationAccount, list_active_accounts
from dataware.aws.session import Account
from dataware.cli.context import open_account
from dataware.cli.fleet.options import FleetOptions
from dataware.cli.settings import AwsOptions
from dataware.core.errors import AuthenticationError, InputError, LookupFailedError
from dataware.core.fleet.selection import select_targets
from dataware.core.fleet.target import FleetTarget
from dataware.core.fleet.waves import drop_absent_canary
from dataware.ops.inputs.fleet_file import FleetFile, read_fleet

ORGANIZATIONS_REGION = "us-east-1"
"""Where the accounts are listed if no region is set: the service has one address for all."""


def read_targets(out: AwsOptions, options: FleetOptions) -> FleetFile:
    """The targets that are meant, and how they are applied. Raises InputError."""

    def list_accounts(profile: str | None) -> Sequence[OrganizationAccount]:
        region = os.environ.get("AWS_REGION") or ORGANIZATIONS_REGION
        asking = replace(out, profile=profile or out.profile, region=region)
        return list_active_accounts(open_account(asking))

    fleet = read_fleet(options.file, list_accounts)
    targets = select_targets(fleet.targets, options.selection)
    return FleetFile(targets, drop_absent_canary(fleet.waves, fleet.targets, targets))


def target_options(out: AwsOptions, target: FleetTarget) -> AwsOptions:
    """The options of a command, for one target."""
    return replace(
        out,
        profile=target.profile or out.profile,
        region=target.region,
        role=target.role,
        external_id=target.external_id,
    )


class FleetAccounts:
    """Opens the accounts of targets; those of one profile share its session. For any thread.

    So a person types a code (MFA) once for a profile, and not once for a target.
    """

    def __init__(self, out: AwsOptions, stop: Callable[[], bool]) -> None:
        self._out, self._stop = out, stop
        self._opened: dict[str | None, Account] = {}
        self._lock = Lock()

    @contextmanager
    def open(self, target: FleetTarget) -> Iterator[Account]:
        """The account of a target, which the credentials are of, to work with.

        Raises InputError where they are another account's, and LookupFailedError with the way on
        where the region is not enabled or the role cannot be assumed.
        """
        source = self._open_profile(target)
        account = source.for_region(target.region)
        if target.role:
            account = source.assume(AssumedRole(target.role, target.external_id), target.region)
        try:
            _check_account(account, target)
            yield account
        except AuthenticationError as error:
            if (closed := explain_closed_region(account)) is not None:
                raise LookupFailedError(closed) from error
            raise

    def _open_profile(self, target: FleetTarget) -> Account:
        options = replace(target_options(self._out, target), role=None, external_id=None)
        with self._lock:
            if options.profile not in self._opened:
                self._opened[options.profile] = open_account(options, stop=self._stop)
            return self._opened[options.profile]


def _check_account(account: Account, target: FleetTarget) -> None:
    if account.account != target.account:
        next_step = "name a role or a profile of that account"
        raise InputError(
            f"the credentials are of account {account.account}, not of {target.account}: "
            f"{next_step}"
        )
