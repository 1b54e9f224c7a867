"""Tells somebody how a run ended: a command or a webhook, whatever the end was.

An address of a webhook is a secret: of it nothing but the host is ever shown. A notification that
fails is a warning and changes nothing. It holds names, counts and reasons, never data.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import urlsplit

from click import ClickException

from dataware import __version__
from dataware.calc.rate import rough
from dataware.cli.display import display
from dataware.cli.errors import explain_error
from dataware.cli.settings import AwsOptions
from dataware.core.errors import DatawareError, IncompleteError, InputError, RefusedError
from dataware.core.events import Event, event, format_count
from dataware.core.ports import Aws
from dataware.http.endpoint import without_credentials

VARIABLE = "DATAWARE_NOTIFY"
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
COMMAND_SECONDS = 30.0
REQUEST_SECONDS = 5.0
WAITS = (0.5, 2.0)
"""Seconds before each further try of a webhook."""

MOST_MIGRATIONS, MOST_NAMES = 100, 5
REASON_LENGTH = 1000
EVENTS = {0: "done", RefusedError.exit_code: "stopped", IncompleteError.exit_code: "incomplete"}
BEGUN = frozenset({"migrating", "migrating-into", "resuming", "copying"})
RETRIED = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class NotDeliveredError(Exception):
    """A notification that did not arrive; its text names no secret."""


class Destination(Protocol):
    """Where a notification goes."""

    def send(self, payload: Mapping[str, Any]) -> None:
        """Deliver. Raises NotDeliveredError."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, run without a shell."""

    arguments: tuple[str, ...]

    def send(self, payload: Mapping[str, Any]) -> None:
        """Run it with the JSON on standard input, and wait for its end for some time."""
        name = self.arguments[0]
        try:
            process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=_environ(payload),
                start_new_session=True,
            )
        except OSError as error:
            raise NotDeliveredError(f"{name} cannot be run ({error.strerror})") from error
        try:
            process.communicate(json.dumps(payload).encode(), COMMAND_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise NotDeliveredError(f"{name} did not end in {COMMAND_SECONDS:.0f} s") from error
        finally:
            _end(process)
        if process.returncode:
            raise NotDeliveredError(f"{name} ended with exit code {process.returncode}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that is still there, with what it has started."""
    if process.poll() is None:
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()


def _environ(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The command's variables: those of this process, and the gist of the JSON, in UTF-8."""
    # What the command itself runs tells nobody of its own end, and gets no address to read.
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    gist = {
        "DATAWARE_EVENT": payload["event"],
        "DATAWARE_COMMAND": payload["command"],
        "DATAWARE_EXIT_CODE": str(payload["exit_code"]),
        "DATAWARE_TEXT": payload["text"].replace("\0", " "),
    }
    if os.name != "posix":
        return {**environ, **gist}
    # The locale may have no letters for what a name holds, and a variable is bytes anyway.
    return {**environ, **{name: text.encode(errors="replace") for name, text in gist.items()}}


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes JSON by POST.

    The tries are counted here: urllib3's `Retry` logs each one, with the path of the address.
    """

    url: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep

    def send(self, payload: Mapping[str, Any]) -> None:
        """Post, and try again what may pass: no answer, 408, 429 and server errors."""
        host, body = urlsplit(self.url).hostname, json.dumps(payload).encode()
        for wait in (*WAITS, None):
            trouble, passing = self._post(body)
            if trouble is None:
                return
            if wait is None or not passing:
                raise NotDeliveredError(f"the webhook at {host} rejected it ({trouble})")
            self.sleep(wait)

    def _post(self, body: bytes) -> tuple[str | None, bool]:
        """What went wrong, None for nothing, and whether another try may help."""
        headers = {"Content-Type": "application/json", "User-Agent": f"dataware/{__version__}"}
        request = urllib.request.Request(self.url, body, headers)  # noqa: S310 - checked when parsed
        try:
            with self._opener().open(request, timeout=REQUEST_SECONDS):
                return None, False
        except urllib.error.HTTPError as error:
            error.close()
            passing = error.code in RETRIED or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
            return f"HTTP status {error.code}", passing
        except (OSError, HTTPException) as error:
            # The text of an error may hold the address, its class never does.
            cause = getattr(error, "reason", None) or error
            return f"no answer, {type(cause).__name__}", True

    def _opener(self) -> urllib.request.OpenerDirector:
        """What goes by the proxy of HTTPS_PROXY, or unencrypted to this machine and no further."""
        if urlsplit(self.url).hostname in LOCAL:
            return urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
        return urllib.request.build_opener(_NoRedirect)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook that sends somewhere else is told so: the message goes where it was meant to."""

    def redirect_request(self, *_request: Any) -> None:
        """Follow nothing."""


def destinations(options: Sequence[str], environ: Mapping[str, str]) -> list[Destination]:
    """The destinations in the options and the lines of DATAWARE_NOTIFY. Raises InputError."""
    lines = [line.strip() for line in environ.get(VARIABLE, "").splitlines()]
    named = [("--notify", text) for text in options]
    named += [(VARIABLE, text) for text in lines if text]
    return [_destination(where, text) for where, text in named]


def _destination(where: str, text: str) -> Destination:
    if "://" in text.partition(" ")[0]:
        return _webhook(where, text)
    try:
        arguments = shlex.split(text)
    except ValueError as error:
        raise InputError(f"{where} holds no command: {error}; quote it as in a shell") from error
    if not arguments:
        raise InputError(
            f"{where} is empty; give a command, or an address that begins with https://"
        )
    return Command(tuple(arguments))


def _webhook(where: str, text: str) -> Webhook:
    """A webhook; what is wrong with its address is told without it."""
    wrong = None
    try:
        parts = urlsplit(text)
        host, secure = parts.hostname, parts.scheme == "https"
        if not host or parts.port == 0 or not text.isascii() or not text.isprintable():
            wrong = "is not a webhook address"
        elif parts.username is not None or " " in text:
            wrong = "has a user name or a space in its address"
        elif not secure and not (parts.scheme == "http" and host in LOCAL):
            wrong = "would send its message unencrypted"
    except ValueError:
        wrong = "is not a webhook address"
    if wrong:
        raise InputError(f"{where} {wrong}; give one that begins with https://")
    return Webhook(text)


@dataclass(slots=True)
class Listener:
    """Listens to the events of a run, for what is to be told at its end."""

    account: str | None = None
    region: str | None = None
    began: float = field(default_factory=time.time)
    migrations: dict[str, dict[str, Any]] = field(default_factory=dict)

    def at(self, aws: Aws) -> None:
        """The run works in this account and region. Raises AuthenticationError."""
        self.account, self.region = aws.account, aws.region

    def __call__(self, happened: Event) -> None:
        """Take an event in."""
        data = happened.data
        name, place = str(data.get("name", "")), data.get("target")
        key = f"{place}: {name}" if place else name
        if happened.code in BEGUN:
            begun = {"source": data["source"], "name": name, "state": "begun"}
            self.migrations[key] = {**begun, "target": place} if place else begun
        elif key not in self.migrations:
            return
        elif happened.code == "verified":
            state = "partial" if "not_carried" in self.migrations[key] else "complete"
            outcome = {"verified": data["count"], "unit": data["unit"], "state": state}
            self.migrations[key].update(outcome)
        elif happened.code == "migrated-partly":
            self.migrations[key]["not_carried"] = data["not_carried"]
        elif happened.code == "incomplete":
            why = str(data["reason"])[:REASON_LENGTH]
            self.migrations[key].update({"state": "incomplete", "reason": why})


@contextmanager
def notifying(command: str, out: AwsOptions, options: Sequence[str]) -> Iterator[Listener]:
    """Tell of the end of a command, however it ends. Raises InputError for a wrong destination.

    What is yielded listens to its events.
    """
    receivers = destinations(options, os.environ)
    listener = Listener()
    try:
        yield listener
    except BaseException as error:
        _report(out, receivers, command, listener, error)
        raise
    _report(out, receivers, command, listener, None)


def _reason(error: BaseException) -> str:
    """The sentence of an error; what was not expected is only named, because it may hold data."""
    if isinstance(error, DatawareError):
        return without_credentials(error.public)
    if isinstance(error, Exception) and not isinstance(error, ClickException):
        return f"Unexpected error, {type(error).__name__}: see the output of the run"
    return explain_error(error)[0]


def _report(
    out: AwsOptions,
    receivers: Sequence[Destination],
    command: str,
    listener: Listener,
    error: BaseException | None,
) -> None:
    """Tell every destination; whatever goes wrong is a warning, because the run has ended."""
    for destination in receivers:
        try:
            code, reason = (explain_error(error)[1], _reason(error)) if error else (0, None)
            destination.send(_payload(command, listener, code, reason))
        except NotDeliveredError as trouble:
            _warn(out, str(trouble))
        except (Exception, KeyboardInterrupt) as trouble:
            # The text of an error may hold the address, its class never does.
            _warn(out, f"unexpected {type(trouble).__name__}")


def _warn(out: AwsOptions, why: str) -> None:
    with suppress(Exception), display(out) as emit:
        emit(event("warning", text=f"notification failed: {why}", about="notify"))


def _payload(command: str, listener: Listener, code: int, reason: str | None) -> dict[str, Any]:
    """What is told; fields may be added."""
    began, ended = listener.began, time.time()
    name = EVENTS.get(code, "failed")
    # What has begun and not ended, ended as the command did.
    migrations = [
        {**one, "state": name} if code and one["state"] == "begun" else one
        for one in listener.migrations.values()
    ]
    return {
        "version": 1,
        "text": _text(command, name, migrations, ended - began, reason),
        "event": name,
        "command": command,
        "exit_code": code,
        "reason": reason[:REASON_LENGTH] if reason else None,
        "account": listener.account,
        "region": listener.region,
        "host": socket.gethostname(),
        "began": _moment(began),
        "ended": _moment(ended),
        "seconds": round(ended - began, 1),
        "migrations": migrations[:MOST_MIGRATIONS],
        "migrations_total": len(migrations),
    }


def _text(
    command: str,
    name: str,
    migrations: Sequence[Mapping[str, Any]],
    seconds: float,
    reason: str | None,
) -> str:
    """The message in one line, which chat programs show."""
    complete = sum(one["state"] == "complete" for one in migrations)
    names = ", ".join(one["name"] for one in migrations[:MOST_NAMES])
    more = ", …" if len(migrations) > MOST_NAMES else ""
    of = f"{complete:,} of {format_count(len(migrations), 'migration')} complete ({names}{more}), "
    why = f": {reason[:REASON_LENGTH]}" if reason else ""
    return f"dataware {command}: {name}, {of if migrations else ''}{rough(seconds)}{why}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
