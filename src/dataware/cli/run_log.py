"""Keeps a record of each command that looks at data or moves it; see `dataware report`.

A command begins its record when it opens the account, and `run_command` ends it with the exit code.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from dataware import __version__
from dataware.cli.current_run import CURRENT
from dataware.core.errors import DatawareError, SidesDifferError
from dataware.core.events import Event, event
from dataware.core.ports import Aws, Emit
from dataware.report.recorder import Recorder
from dataware.state.runs import FORMAT, RunFile, new_run, runs_folder

RECORDED = frozenset({"plan", "apply", "deploy", "migrate", "verify"})
"""Commands that leave a record."""

REPORTED = frozenset({"apply", "deploy", "migrate"})
"""Commands that tell how to make the report of what they did; `verify` does if the sides differ."""

SHOW_FOLDER = "dataware-show-"
"""How the folder of a demo begins, whose records are gone before anybody could ask for them."""

PACKAGES = ("boto3", "pycurl")

HARMLESS = frozenset(
    {"profile", "region", "stack", "app", "out", "allow_loss", "only", "fallback"}
    | {"source", "target", "source_profile", "credentials"}
    | {"batch_role", "export_to", "sse_kms_key_id"}
)
"""Arguments of free text that hold no secret; of others a record only says that they were given."""

HIDDEN = "…"


class RunLog:
    """The record of the command that runs; `emit` hears of a failure to write it."""

    def __init__(self, context: click.Context, emit: Emit) -> None:
        """Begin the record."""
        now = time.time()
        self._run, self._command = new_run(now), context.info_name
        self._recorder: Recorder | None = None
        self._placed = self._differed = False

        def on_failure(error: OSError) -> None:
            self._recorder = None
            where = error.filename or runs_folder()
            text = f"no record of this run is kept ({where}: {error.strerror}); the run continues"
            emit(event("warning", text=text))

        try:
            file = RunFile(runs_folder(), self._run)
            file.write(_beginning(context, self._run, now))
        except OSError as error:
            on_failure(error)
        else:
            self._recorder = Recorder(file, on_failure)

    def take(self, happened: Event, aws: Aws) -> None:
        """Keep an event, and with the first one the account, which is known by then."""
        recorder = self._recorder
        if recorder is None:
            return
        if not self._placed:
            self._placed = True
            with suppress(DatawareError):
                recorder.note("where", account=aws.account, region=aws.region)
        recorder(happened)

    @property
    def run(self) -> str | None:
        """The id of the record; None if it cannot be written."""
        return None if self._recorder is None else self._run

    @property
    def hint(self) -> str | None:
        """How to make the report, after a command of which somebody may want one."""
        if self._recorder is None or not (self._command in REPORTED or self._differed):
            return None
        if any(part.startswith(SHOW_FOLDER) for part in runs_folder().parts):
            return None
        return f"Report: dataware report {self._run}"

    def end(self, exit_code: int, reason: str | None) -> None:
        """Keep how the command ended."""
        self._differed = self._command == "verify" and exit_code == SidesDifferError.exit_code
        if self._recorder is not None:
            self._recorder.end(exit_code, reason)


def with_run_log(emit: Emit, aws: Aws) -> Emit:
    """`emit`, whose events go into the record of the command as well, if it keeps one."""
    slot, context = CURRENT.get(), click.get_current_context(silent=True)
    if slot is None or context is None or context.info_name not in RECORDED:
        return emit
    record = slot.record if isinstance(slot.record, RunLog) else RunLog(context, emit)
    slot.record = record

    def both(happened: Event) -> None:
        emit(happened)
        record.take(happened, aws)

    return both


def run_of_command() -> str | None:
    """The id of the record that the running command leaves, if it leaves one."""
    current = CURRENT.get()
    record = current.record if current is not None else None
    return record.run if isinstance(record, RunLog) else None


def _beginning(context: click.Context, run: str, now: float) -> dict[str, Any]:
    return {
        "record": FORMAT,
        "run": run,
        "command": context.info_name,
        "arguments": shown_arguments(context),
        "started": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "versions": {
            "dataware": __version__,
            "Python": platform.python_version(),
            **_packages(),
            "system": f"{platform.system()} {platform.machine()}",
        },
    }


def _packages() -> Mapping[str, str]:
    versions = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def shown_arguments(context: click.Context) -> list[str]:
    """The arguments that were typed, without what could be a secret."""
    return typed_arguments(context, {parameter.name or "" for parameter in context.command.params})


def typed_arguments(context: click.Context, names: Set[str]) -> list[str]:
    """Those of some parameters that were typed, without what could be a secret."""
    return [
        word
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        for word in _words(parameter, context.params.get(parameter.name or ""))
    ]


def _words(parameter: click.Parameter, value: Any) -> Iterator[str]:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        yield parameter.opts[0]
        return
    for one in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
        if isinstance(parameter, click.Option):
            yield parameter.opts[0]
        yield _printable_value(parameter, one)


def _printable_value(parameter: click.Parameter, value: Any) -> str:
    if parameter.name == "endpoint_url":
        return shown_address(str(value))
    if isinstance(value, int | float):
        return f"{value:.10g}"
    is_harmless = isinstance(parameter.type, click.Choice) or parameter.name in HARMLESS
    return str(value) if is_harmless else HIDDEN


def shown_address(text: str) -> str:
    """An address without what could be a secret in it: a password, a path, a query."""
    try:
        address = urlsplit(text if "://" in text else f"//{text}")
        host, port = address.hostname, address.port
    except ValueError:
        return HIDDEN
    if not host:
        return HIDDEN
    scheme = f"{address.scheme}://" if address.scheme else ""
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}{host}{f':{port}' if port else ''}"
