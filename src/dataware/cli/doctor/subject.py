"""What is checked, and what several checks share: each of it is looked up once, in bounded time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from dataware.aws import Account, ClientSettings, region_of_profile
from dataware.aws.caller import Caller, caller
from dataware.cli.app import saved_plan
from dataware.cli.context import open_account
from dataware.cli.deployment.credentials import AccountCredentials, read_credentials
from dataware.cli.project import given_settings, is_project
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.core.errors import DatawareError, LookupFailedError
from dataware.kinds import kinds_by_type
from dataware.ops.inputs.app import AppRun, load_app
from dataware.ops.inputs.assembly import Stack
from dataware.ops.inputs.cdk_settings import PROJECT, read_cdk_settings
from dataware.ops.inputs.selection import stacks_named
from dataware.ops.inputs.wanted import App, StackEnvironment

T = TypeVar("T")

QUICK = ClientSettings(
    first_attempts=2, attempts=2, connect_seconds=3.0, read_seconds=5.0, connections=64
)
"""A look that does not last: what answers only after minutes is as good as unreachable here."""

ASKED_SECONDS = 15.0
APP_SECONDS = 60.0
"""How long an app may take to be run; CDK apps of many stacks take some ten seconds."""


class LazyValue(Generic[T]):
    """A value that is looked up by the first who asks, in a thread of its own."""

    def __init__(self, look: Callable[[], T], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._value: list[T] = []
        self._error: Exception | None = None

    def start(self) -> threading.Thread:
        """Look it up, unless somebody has begun already; does not wait."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            return self._thread

    def get(self) -> T:
        """The value. Raises what the look-up raised, or LookupFailedError when time is up."""
        self.start().join(self._seconds)
        if self._error is not None:
            raise self._error
        if not self._value:
            raise LookupFailedError(f"no answer within {self._seconds:.0f} s")
        return self._value[0]

    def _run(self) -> None:
        try:
            self._value.append(self._look())
        except Exception as error:
            self._error = error


@dataclass(frozen=True)
class DoctorSubject:
    """The machine, the account and the app that are checked.

    `app` says which app is meant; `folder` is where an app is looked for without it.
    """

    options: AwsOptions
    app: AppOptions = field(default_factory=lambda: AppOptions(*(None,) * 2, False, *(None,) * 3))
    all_versions: bool = False
    folder: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def __post_init__(self) -> None:
        """Prepare the look-ups; none is made yet."""
        put = object.__setattr__
        put(self, "_account", LazyValue(lambda: open_account(self.options, QUICK), ASKED_SECONDS))
        put(self, "_caller", LazyValue(lambda: caller(self.account()), ASKED_SECONDS))
        put(self, "_reader", LazyValue(self._open_reader, ASKED_SECONDS))
        put(self, "_reading_caller", LazyValue(lambda: caller(self.reader()), ASKED_SECONDS))
        put(self, "_loaded", LazyValue(self._load, APP_SECONDS + ASKED_SECONDS))

    _stacks: tuple[Stack, ...] = field(default=(), init=False, repr=False)
    _account: LazyValue[Account] = field(init=False, repr=False)
    _caller: LazyValue[Caller] = field(init=False, repr=False)
    _reader: LazyValue[Account] = field(init=False, repr=False)
    _reading_caller: LazyValue[Caller] = field(init=False, repr=False)
    _loaded: LazyValue[App | None] = field(init=False, repr=False)

    def account(self) -> Account:
        """The account that the settings point to; no network. Raises InputError."""
        return self._account.get()

    def caller(self) -> Caller:
        """Who the caller is. Raises AuthenticationError, LookupFailedError and InputError."""
        return self._caller.get()

    def reader(self) -> Account:
        """The account of the profile that reads the sources; no network. Raises InputError."""
        return self._reader.get()

    def reading_caller(self) -> Caller:
        """Who reads the sources. Raises what `caller` does."""
        return self._reading_caller.get()

    def _open_reader(self) -> Account:
        profile = self.options.source_profile or ""
        region = region_of_profile(profile) or self.account().region
        return open_account(replace(self.options, profile=profile, region=region, role=None), QUICK)

    def find_app(self) -> App | None:
        """The app; None if none is named and none is here. Raises InputError."""
        return self._loaded.get()

    @property
    def in_project(self) -> bool:
        """Whether the folder is a CDK project."""
        return is_project(self.folder)

    @property
    def command(self) -> str:
        """The command that runs the project's app. Raises InputError."""
        return read_cdk_settings(self.folder, given_settings(self.app)).command

    def _load(self) -> App | None:
        app = self.app
        # A cdk.json that CDK does not take is what is wrong here, and no sign that nothing is.
        is_here = any((self.folder / name).is_file() for name in (PROJECT, "dataware.toml"))
        if app.app is None and app.cdk_app is None and not (is_here or self.in_project):
            return None
        if (saved := saved_plan(app)) is not None:
            return App([planned.wanted for planned in saved.resources])
        return load_app(
            app.app,
            kinds=kinds_by_type(),
            select=self._choose,
            stack=app.stack,
            run=AppRun(given_settings(app), self._environment, APP_SECONDS),
            folder=self.folder,
            guarding=True,
        )

    def _choose(self, stacks: Sequence[Stack]) -> Sequence[Stack]:
        name = self.app.stack
        chosen = stacks
        if name is not None:
            chosen = stacks_named(stacks, name, exclusively=self.app.exclusively)
        object.__setattr__(self, "_stacks", tuple(chosen))
        return chosen

    @property
    def credentials(self) -> AccountCredentials:
        """What leads into the accounts of the app, once that is loaded. Raises InputError."""
        return read_credentials(self.options, self.app.credentials, self._stacks)

    def _environment(self) -> StackEnvironment:
        try:
            return StackEnvironment(self.caller().account, self.account().region)
        except DatawareError:
            return StackEnvironment()
