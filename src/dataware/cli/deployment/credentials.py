"""Which credentials fit the account of a stack: named ones, the command's own, or CDK's roles.

CDK deploys a stack of another account by roles that its synth names, which it assumes with the
credentials of the command. The same roles serve here: the lookup role for a look, else the role
that deploys, which alone serves for writing. As CDK makes it, that role has no permission to write
data, so whoever has data to copy names other credentials.

Source: AWS CDK documentation, "Customize AWS CDK bootstrapping" (the roles and what they may do).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dataware.aws import Account
from dataware.cli.context import enter_account, open_account, outside
from dataware.cli.settings import AwsOptions
from dataware.core.errors import InputError, LookupFailedError
from dataware.core.names import is_arn
from dataware.core.ports import Aws, Emit
from dataware.ops.context import Context
from dataware.ops.inputs.assembly import Stack
from dataware.ops.inputs.stack_roles import StackRole, StackRoles
from dataware.ops.inputs.wanted import StackEnvironment
from dataware.report.brief import RepetitionFilter

OPTION = "--credentials"
ACCOUNT = re.compile(r"\d{12}")
ROLE = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/\S+")


class AccountUse(StrEnum):
    """What the credentials of an account are for."""

    LOOK = "look"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class AccountCredentials:
    """The credentials for every account of an app.

    `given` are those that the command line names, by account, and `roles` are CDK's.
    """

    out: AwsOptions
    given: Mapping[str, AwsOptions] = field(default_factory=dict)
    roles: Mapping[str, StackRoles] = field(default_factory=dict)
    _options: dict[tuple[str, AccountUse], AwsOptions] = field(default_factory=dict)
    _opened: dict[str | None, Account] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def outside(
        self,
        *,
        use: AccountUse = AccountUse.LOOK,
        copies: bool = False,
        strict: bool = False,
        listener: Emit | None = None,
        brief: bool = False,
        repeated: RepetitionFilter | None = None,
    ) -> Iterator[Context]:
        """The context of a command, which reaches every account of the app."""
        with outside(
            self.out,
            copies=copies,
            strict=strict,
            listener=listener,
            brief=brief,
            repeated=repeated,
        ) as context:
            yield self.equip(context, use)

    def equip(self, context: Context, use: AccountUse) -> Context:
        """The context, which enters the accounts of the app with the credentials for `use`."""
        entered: dict[str, Context] = {}

        def enter(context: Context, account: str) -> Context:
            with self._lock:
                if account not in entered:
                    options = self.find(account, context.aws.region, use)
                    entered[account] = enter_account(context, options)
            return replace(entered[account], emit=context.emit, stop=context.stop, enter=enter)

        home = enter(context, context.aws.account) if self._replaces_home(context.aws) else context
        return replace(home, enter=enter)

    def open_aws(self, environment: StackEnvironment) -> Aws:
        """AWS where a stack goes. Raises DatawareError where no credentials fit."""
        home = self._open(None, self.out)
        if environment.account is None or not (self._is_elsewhere(environment.account, home)):
            return home.for_region(environment.region) if environment.region else home
        region = environment.region or home.region
        options = self.find(environment.account, region, AccountUse.LOOK)
        return self._open(environment.account, options).for_region(region)

    def _open(self, account: str | None, options: AwsOptions) -> Account:
        """What options open, once: each session reads the files of the user again."""
        with self._lock:
            if account not in self._opened:
                self._opened[account] = open_account(options)
            return self._opened[account]

    def name_writer(self, account: str) -> AwsOptions | None:
        """What would write in an account, untried; None for the command's own credentials."""
        return next(iter(self._candidates(account, AccountUse.WRITE)), None)

    def find(self, account: str, region: str, use: AccountUse) -> AwsOptions:
        """The first credentials that fit an account. Raises DatawareError where none do."""
        with self._lock:
            if (account, use) not in self._options:
                self._options[account, use] = self._search(account, region, use)
            return self._options[account, use]

    def _search(self, account: str, region: str, use: AccountUse) -> AwsOptions:
        refusals = []
        for candidate in self._candidates(account, use):
            options = replace(candidate, region=region)
            try:
                actual = open_account(options).account
            except LookupFailedError as error:
                refusals.append(str(error))
                continue
            if actual != account:
                raise InputError(
                    f"{OPTION} for account {account} names credentials of account {actual}: "
                    "correct it"
                )
            return options
        why = f" ({'; '.join(refusals)})" if refusals else ""
        raise LookupFailedError(
            f"no credentials fit account {account}{why}; name some with {OPTION} {account}=PROFILE"
        )

    def _candidates(self, account: str, use: AccountUse) -> Sequence[AwsOptions]:
        if account in self.given:
            return [self.given[account]]
        stack_roles = self.roles.get(account, StackRoles())
        wanted = (
            (stack_roles.lookup, stack_roles.deploy)
            if use is AccountUse.LOOK
            else (stack_roles.deploy,)
        )
        return [_with_role(self.out, role) for role in wanted if role is not None]

    def _is_elsewhere(self, account: str, home: Account) -> bool:
        return account in self.given or account != home.account

    def _replaces_home(self, aws: Aws) -> bool:
        return bool(self.given) and aws.account in self.given

    def is_shared(self, account: str, region: str) -> bool:
        """Whether the same credentials look and write. Raises DatawareError where none fit."""
        look, write = (self.find(account, region, use) for use in AccountUse)
        return look == write


def read_credentials(
    out: AwsOptions, words: Iterable[str], stacks: Sequence[Stack] = ()
) -> AccountCredentials:
    """The credentials that words such as ``ACCOUNT=PROFILE`` name, and those of CDK's roles.

    Raises InputError.
    """
    profiles: dict[str, AwsOptions] = {}
    for word in words:
        account, options = _read_word(out, word)
        if account in profiles:
            raise InputError(f"{OPTION} names account {account} twice: leave out one of them")
        profiles[account] = options
    roles: dict[str, StackRoles] = {}
    for stack in stacks:
        if (owner := stack.environment.account) is not None:
            role = roles.get(owner, StackRoles())
            roles[owner] = StackRoles(
                role.lookup or stack.roles.lookup, role.deploy or stack.roles.deploy
            )
    return AccountCredentials(out, profiles, roles)


def _read_word(out: AwsOptions, word: str) -> tuple[str, AwsOptions]:
    account, equals, name = word.partition("=")
    if role := ROLE.fullmatch(name or word):
        if equals and role[1] != account:
            raise InputError(f"{OPTION} {word}: the role is one of account {role[1]}: correct it")
        return role[1], _with_role(out, StackRole(role[0]))
    if not name or ACCOUNT.fullmatch(account) is None or is_arn(name):
        raise InputError(
            f"{OPTION} {word} cannot be read: write ACCOUNT=PROFILE with the 12 digits of an "
            "account, or the ARN of a role"
        )
    return account, replace(out, profile=name)


def _with_role(out: AwsOptions, role: StackRole) -> AwsOptions:
    return replace(out, role=role.arn, external_id=role.external_id)
