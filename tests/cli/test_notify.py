"""Notifications: whatever the end was it is told, and telling it changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dataware.cli import notify
from dataware.cli.notify import (
    Command,
    NotDeliveredError,
    Webhook,
    destinations,
    notifying,
)
from dataware.cli.settings import AwsOptions
from dataware.core.errors import (
    ConflictError,
    IncompleteError,
    InputError,
    RefusedError,
    ServiceError,
)
from dataware.core.events import event
from dataware.embedded import EmbeddedAws
from dataware.report import Format
from support.cli import run
from support.processes import PATIENCE
from support.worlds import make_table, varied_items

SECRET = "T0000-secret-path"
OUT = AwsOptions(None, None, None, Format.TEXT, plain=True, debug=False)
GIST = "import os, sys; open(sys.argv[1], 'wb').write(os.environb[b'DATAWARE_TEXT'])"
KEEP = "import os, sys; open(sys.argv[1], 'w').write(repr((sys.stdin.read(), dict(os.environ))))"


class Hook(HTTPServer):
    """A webhook that answers with `statuses`, one after another, and keeps what it was sent."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.statuses = statuses
        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """Its address, with a secret in it."""
        return f"http://127.0.0.1:{self.server_port}/{SECRET}?token={SECRET}"


class Answer(BaseHTTPRequestHandler):
    """One answer of the webhook."""

    server: Hook

    def do_POST(self) -> None:
        """Keep the JSON, and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(json.loads(body))
        self.server.headers.append(dict(self.headers))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Hook]]:
    """Makes webhooks, between whose tries nobody waits."""
    monkeypatch.setattr(notify, "WAITS", (0.0, 0.0))
    servers = []

    def make(*statuses: int) -> Hook:
        server = Hook(list(statuses))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def kept(folder: Path) -> tuple[str, Path]:
    """A command that keeps what it is given, and where."""
    script, path = folder / "keep me.py", folder / "kept"
    script.write_text(KEEP)
    return f"'{sys.executable}' '{script}' '{path}'", path


def told(option: str, error: BaseException | None = None, *events: Any) -> None:
    """A run that ends with an error, or well, and has a destination."""
    with notifying("apply", OUT, [option]) as listener:
        for happened in events:
            listener(happened)
        if error is not None:
            raise error


@pytest.mark.parametrize(
    ("error", "name", "code"),
    [
        (None, "done", 0),
        (IncompleteError("3 items not copied"), "incomplete", 4),
        (RefusedError("rule 11"), "stopped", 3),
        (ServiceError("no such role"), "failed", 1),
        (InputError("no such file"), "failed", 1),
        (KeyboardInterrupt(), "incomplete", 4),
        (ZeroDivisionError("division by zero"), "failed", 1),
    ],
)
def test_every_end_is_told_and_stays_what_it_was(
    hook: Callable[..., Hook], error: BaseException | None, name: str, code: int
) -> None:
    """Done, failed, incomplete, stopped, Ctrl-C, and what nobody expected."""
    server = hook()
    if error is None:
        told(server.url)
    else:
        with pytest.raises(type(error)):
            told(server.url, error)
    (got,) = server.got
    assert (got["event"], got["exit_code"], got["command"]) == (name, code, "apply")
    assert got["text"].startswith(f"dataware apply: {name}, ")
    assert (got["reason"] is None) is (error is None)


@pytest.mark.parametrize("error", [ConflictError(f"key {SECRET}"), ValueError(f"item {SECRET}")])
def test_nothing_of_the_data_is_told(hook: Callable[..., Hook], error: Exception) -> None:
    """Keys and what nobody expected stay in the output of the run."""
    server = hook()
    with pytest.raises(type(error)):
        told(server.url, error)
    assert SECRET not in json.dumps(server.got)


def test_a_partial_copy_is_told_as_that(hook: Callable[..., Hook]) -> None:
    """It is not among those that are complete."""
    server = hook()
    names = {"source": "old", "name": "new"}
    left_out = event("migrated-partly", text="passwords", not_carried=["passwords"], **names)
    verified = event("verified", count=7, unit="item", evidence="", **names)
    told(server.url, None, event("copying", **names), left_out, verified)
    (got,) = server.got
    (one,) = got["migrations"]
    assert (one["state"], one["not_carried"], one["verified"]) == ("partial", ["passwords"], 7)
    assert "0 of 1 migration complete" in got["text"]


def test_the_migrations_are_told_with_their_ends(hook: Callable[..., Hook]) -> None:
    """Names, counts and reasons."""
    server = hook()
    names = [{"source": f"old-{n}", "name": f"new-{n}"} for n in range(3)]
    events = [event("copying", **each) for each in names]
    events.append(event("verified", count=7, unit="item", evidence="", **names[0]))
    events.append(event("incomplete", name="new-1", reason="1 item not copied"))
    with pytest.raises(ServiceError):
        told(server.url, ServiceError("no such role"), *events)
    (got,) = server.got
    assert got["migrations"] == [
        {**names[0], "state": "complete", "verified": 7, "unit": "item"},
        {**names[1], "state": "incomplete", "reason": "1 item not copied"},
        {**names[2], "state": "failed"},
    ]
    assert "1 of 3 migrations complete (new-0, new-1, new-2)" in got["text"]


@pytest.mark.parametrize("statuses", [(503,), (500, 429)])
def test_what_may_pass_is_tried_again(hook: Callable[..., Hook], statuses: tuple[int, ...]) -> None:
    """A server error or "too many requests" is no last word."""
    server = hook(*statuses)
    Webhook(server.url).send({"text": "x"})
    assert len(server.got) == len(statuses) + 1
    assert server.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize(("statuses", "tries"), [((404,), 1), ((302,), 1), ((500, 500, 500), 3)])
def test_a_webhook_that_refuses_is_a_warning_without_its_address(
    hook: Callable[..., Hook],
    capsys: pytest.CaptureFixture[str],
    statuses: tuple[int, ...],
    tries: int,
) -> None:
    """The run ends as it would; of the address only the host is shown; nothing is followed."""
    server = hook(*statuses)
    told(server.url)
    shown = "".join(capsys.readouterr())
    assert "warning: notification failed: the webhook at 127.0.0.1 rejected it (HTTP" in shown
    assert SECRET not in shown
    assert len(server.got) == tries


def test_a_webhook_that_is_not_there_is_a_warning(
    hook: Callable[..., Hook], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens: the error of the run is still that of the run."""
    server = hook()
    server.server_close()
    with pytest.raises(IncompleteError, match="later"):
        told(server.url, IncompleteError("later"))
    shown = "".join(capsys.readouterr())
    assert "no answer, ConnectionRefusedError" in shown
    assert SECRET not in shown


def test_a_command_gets_the_json_and_the_gist_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard input and in variables, and without the addresses of the others."""
    command, path = kept(tmp_path)
    monkeypatch.setenv("DATAWARE_NOTIFY", command)
    with notifying("deploy", OUT, []):
        pass
    given, environ = eval(path.read_text())
    payload = json.loads(given)
    assert payload["event"] == environ["DATAWARE_EVENT"] == "done"
    assert environ["DATAWARE_COMMAND"] == "deploy"
    assert environ["DATAWARE_EXIT_CODE"] == "0"
    assert environ["DATAWARE_TEXT"] == payload["text"]
    assert "DATAWARE_NOTIFY" not in environ


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    """What a shell would expand or chain is text."""
    path = tmp_path / "args"
    script = f"import sys; open(r'{path}', 'w').write(repr(sys.argv[1:]))"
    (command,) = destinations([f"'{sys.executable}' -c \"{script}\" '$HOME' ; && x"], {})
    command.send({"event": "", "command": "", "exit_code": 0, "text": ""})
    assert eval(path.read_text()) == ["$HOME", ";", "&&", "x"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("no-such-program-anywhere",), "no-such-program-anywhere cannot be run"),
        ((sys.executable, "-c", "raise SystemExit(7)"), "ended with exit code 7"),
        ((sys.executable, "-c", "import time; time.sleep(600)"), "did not end in 1 s"),
    ],
)
def test_a_command_that_fails_or_hangs_is_told(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], why: str
) -> None:
    """It is not waited for longer than its time."""
    monkeypatch.setattr(notify, "COMMAND_SECONDS", 1.0 if "did not end" in why else PATIENCE)
    with pytest.raises(NotDeliveredError, match=why):
        Command(arguments).send({"event": "", "command": "", "exit_code": 0, "text": ""})


def test_options_and_the_variable_add_up() -> None:
    """Each option is one, each line of the variable is one."""
    environ = {"DATAWARE_NOTIFY": "\nhttps://example.com/a\n logger -t dataware\n"}
    assert destinations(["https://example.com/b"], environ) == [
        Webhook("https://example.com/b"),
        Webhook("https://example.com/a"),
        Command(("logger", "-t", "dataware")),
    ]
    assert SECRET not in repr(Webhook(f"https://example.com/{SECRET}"))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (f"http://example.com/{SECRET}", "would send its message unencrypted"),
        (f"ftp://127.0.0.1/{SECRET}", "would send its message unencrypted"),
        (f"https:///{SECRET}", "is not a webhook address"),
        (f"https://host:port/{SECRET}", "is not a webhook address"),
        (f"https://user:{SECRET}@example.com/", "has a user name or a space"),
        (f"https://example.com/ {SECRET}", "has a user name or a space"),
        (f"'{SECRET}", "holds no command"),
        ("", "is empty"),
    ],
)
def test_a_wrong_destination_is_bad_usage_without_its_text(text: str, wrong: str) -> None:
    """It is refused before anything is done, and what it holds may be a secret."""
    with pytest.raises(InputError, match=wrong) as refused:
        destinations([text], {})
    assert SECRET not in str(refused.value)


def test_the_commands_tell(aws_server: EmbeddedAws, hook: Callable[..., Hook]) -> None:
    """`migrate` tells that it is done, with account and region, and that it is stopped."""
    server = hook()
    make_table("old-one", varied_items(3))
    make_table("new-one")
    arguments = ("migrate", "dynamodb://old-one", "dynamodb://new-one", "--notify", server.url)
    assert run(*arguments).code == 0
    assert run("migrate", "dynamodb://old-one", "dynamodb://gone", *arguments[3:]).code == 1
    done, failed = server.got
    assert (done["account"], done["region"]) == (aws_server.account, aws_server.region)
    assert done["migrations"] == [
        {"source": "old-one", "name": "new-one", "state": "complete", "verified": 3, "unit": "item"}
    ]
    assert (failed["event"], failed["exit_code"]) == ("failed", 1)
    assert "there is no DynamoDB table gone" in failed["reason"]


@pytest.mark.parametrize("error", [None, IncompleteError("later → 3 left")])
@pytest.mark.parametrize(
    "trouble",
    [UnicodeEncodeError("ascii", "→", 0, 1, "no"), ValueError(SECRET), KeyboardInterrupt()],
)
def test_telling_never_changes_how_a_run_ends(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    trouble: BaseException,
    error: Exception | None,
) -> None:
    """Whatever goes wrong on the way, also what nobody expected, and a person's Ctrl-C."""

    def send(_self: Command, _payload: object) -> None:
        raise trouble

    monkeypatch.setattr(Command, "send", send)
    if error is None:
        told("true")
    else:
        with pytest.raises(IncompleteError, match="later"):
            told("true", error)
    shown = capsys.readouterr().out
    assert type(trouble).__name__ in shown
    assert SECRET not in shown


def test_a_locale_without_letters_takes_nothing_away(tmp_path: Path) -> None:
    """The command gets UTF-8, whatever the locale of this process."""
    script = (
        "import sys\nfrom dataware.cli.notify import Command\n"
        "sys.getfilesystemencoding() == 'ascii' or sys.exit(9)\n"
        f"Command(({sys.executable!r}, '-c', {GIST!r}, {str(tmp_path / 'gist')!r})).send("
        "{'event': 'done', 'command': 'apply', 'exit_code': 0, 'text': 'a \\u2192 b'})"
    )
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    options = ("-X", "utf8=0")
    command = [sys.executable, *options, "-c", script]
    ended = subprocess.run(
        command, env={**environ, "PYTHONCOERCECLOCALE": "0"}, check=False, capture_output=True
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "gist").read_bytes() == "a → b".encode()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_webhook_on_this_machine_goes_by_no_proxy(
    hook: Callable[..., Hook], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its message is not encrypted, so it goes nowhere else."""
    proxy, server = hook(), hook()
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")
    told(server.url)
    assert len(server.got) == 1
    assert proxy.got == []


def test_a_password_in_an_address_is_not_told(hook: Callable[..., Hook]) -> None:
    """The reason of a failure may name the endpoint, or the proxy."""
    server = hook()
    with pytest.raises(ServiceError):
        told(server.url, ServiceError(f"no answer of http://me:{SECRET}@127.0.0.1:9/"))
    assert SECRET not in json.dumps(server.got)
