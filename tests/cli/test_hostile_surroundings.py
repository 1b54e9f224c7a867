"""Commands among servers that are not AWS, and users without a home: one sentence, no traceback."""

from __future__ import annotations

import json
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.aws import complete_answers
from dataware.cli import main
from support.servers import FaultProxy, Reply, answer

TOML = """
[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "Orders-prod"
fallback = ["Orders"]
[[resource]]
type = "AWS::S3::Bucket"
preferred = "orders-prod"
fallback = ["orders"]
"""
COMMANDS = {
    "plan": ["plan", "dataware.toml"],
    "apply": ["apply", "dataware.toml"],
    "status": ["status"],
    "migrate a bucket": ["migrate", "s3://old-one", "s3://new-one"],
    "migrate a table": ["migrate", "dynamodb://old-one", "dynamodb://new-one"],
    "verify buckets": ["verify", "s3://old-one", "s3://new-one"],
    "verify tables": ["verify", "dynamodb://old-one", "dynamodb://new-one"],
}
CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
    b"<Arn>arn:aws:iam::111122223333:user/u</Arn></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)
HTML = b"<!DOCTYPE html><html><head><meta></head><body>Access to this page is blocked<br></html>"
ANSWERS = {
    "a page with 403": Reply.of(403, HTML),
    "a page with 404": Reply.of(404, HTML),
    "a page with 407": Reply.of(407, HTML),
    "a page with 200": Reply.of(200, HTML),
    "nothing with 400": Reply.of(400),
    "half a document": Reply.of(200, b"<ListBucketResult><IsTruncated>fal"),
    "half an object": Reply.of(200, b'{"Table":{"TableStatus":"ACT'),
    "an empty object": Reply.of(200, b"{}"),
    "a list": Reply.of(200, b"[]"),
    "no bottom": Reply.of(200, b"[" * 50_000),
}


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a plain app, and credentials that nobody checks."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataware.toml").write_text(TOML)
    for name, value in {
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(complete_answers, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A server that knows who asks, and nothing else."""
    with FaultProxy("http://127.0.0.1:1", record=False) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit code of a command and its lines, none of which is an error of the program."""
    code = main([*arguments, "--plain"])
    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines()
    assert not any("Unexpected error" in line or "Traceback" in line for line in lines), lines
    return code, lines


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("reply", ANSWERS)
def test_what_is_not_aws_ends_a_command_with_a_sentence(
    command: str, reply: str, server: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is created, nothing is done, nothing is called verified."""
    server.add(answer_all(ANSWERS[reply]))
    server.add(answer(200, CALLER), operation="GetCallerIdentity")
    code, lines = run(COMMANDS[command], capsys)
    assert code in (1, 3, 4)
    assert not any("Verified" in line or "Creating" in line for line in lines)


def answer_all(reply: Reply):  # type: ignore[no-untyped-def]  # a Fault
    """Answer everything alike."""
    return lambda _seen, _forward: reply


def test_a_proxy_in_front_of_everything_is_named(
    server: FaultProxy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """407 to the very first question."""
    server.add(answer(407, HTML))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://aws.example")
    monkeypatch.setenv("http_proxy", server.endpoint.replace("//", "//user:secret@"))
    monkeypatch.setenv("no_proxy", "")
    code, lines = run(["plan", "dataware.toml"], capsys)
    assert code == 1
    (line,) = [line for line in lines if "proxy" in line.lower()]
    assert server.endpoint.removeprefix("http://") in line
    assert "secret" not in line


@pytest.mark.parametrize("command", ["plan", "status", "migrate a table", "verify buckets"])
@pytest.mark.parametrize("home", ["none", "no folder", "unwritable"])
def test_a_user_without_a_home_is_no_error_of_the_program(
    command: str,
    home: str,
    server: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As in a container whose user has no entry: looks go on, without a record."""
    server.add(answer_all(Reply.of(404, HTML)))
    server.add(answer(200, CALLER), operation="GetCallerIdentity")
    if home == "none":
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(pwd, "getpwuid", nobody)
    else:
        monkeypatch.setenv("HOME", {"no folder": "/nonexistent/x", "unwritable": "/proc"}[home])
    code, _ = run(COMMANDS[command], capsys)
    assert code in (1, 3)


def nobody(uid: int) -> None:
    """There is no entry for any user."""
    raise KeyError(uid)


def test_a_failure_is_one_event(server: FaultProxy, capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads the same sentence."""
    server.add(answer_all(Reply.of(200, HTML)))
    assert main(["status", "--format", "json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["code"] for each in events] == ["failure"]


ORDERS = "\x1b[2J\x1b]0;owned\x07\n❌ fake\r\u202e<script>|`x`"


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_server_says_gives_no_orders(
    command: str, form: str, server: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    """Codes and messages of a stranger stay text, on a line of the sentence that tells of them."""
    if form == "markdown" and command != "plan":
        return
    said = json.dumps({"__type": f"x#{ORDERS}", "message": ORDERS}).encode()
    server.add(answer_all(Reply.of(400, said)))
    server.add(answer(200, CALLER), operation="GetCallerIdentity")
    main([*COMMANDS[command], "--format", form])
    shown = "".join(capsys.readouterr())
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(shown)
    assert not any(line.startswith("❌ fake") for line in shown.splitlines())
