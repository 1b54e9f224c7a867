"""Loads an app together with the credentials that fit the accounts to which its stacks go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataware.cli.app import app_of
from dataware.cli.deployment.credentials import AccountCredentials, read_credentials
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.core.ports import Aws
from dataware.ops.inputs.assembly import Stack
from dataware.ops.inputs.selection import stacks_named
from dataware.ops.inputs.wanted import App, StackEnvironment


@dataclass(frozen=True, slots=True)
class LoadedApp:
    """An app, and the credentials by which its accounts are entered."""

    app: App
    credentials: AccountCredentials


def load_with_credentials(
    out: AwsOptions, options: AppOptions, *, guarding: bool = False
) -> LoadedApp:
    """The app under the options of the command line, whose accounts `--credentials` may name.

    Raises InputError.
    """
    finder = _CredentialsFinder(out, options)
    app = app_of(out, options, guarding=guarding, select=finder.choose, open_aws=finder.open_aws)
    return LoadedApp(app, finder.credentials)


class _CredentialsFinder:
    """Learns of the roles of the stacks as soon as these are chosen, before a value is asked."""

    def __init__(self, out: AwsOptions, options: AppOptions) -> None:
        self._out, self._options = out, options
        self.credentials = read_credentials(out, options.credentials)

    def choose(self, stacks: Sequence[Stack]) -> Sequence[Stack]:
        """The stacks that the command line means."""
        options = self._options
        chosen: Sequence[Stack] = stacks
        if options.stack is not None:
            chosen = stacks_named(stacks, options.stack, exclusively=options.exclusively)
        self.credentials = read_credentials(self._out, options.credentials, chosen)
        return chosen

    def open_aws(self, environment: StackEnvironment) -> Aws:
        """AWS where a stack goes."""
        return self.credentials.open_aws(environment)
