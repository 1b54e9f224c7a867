"""A CDK app that fails is told by its own error, above one sentence of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataware.cli import main
from dataware.cli.wait_indicator import WaitIndicator

NODE = "SyntaxError: Unexpected token '}'\n    at file:///app/bin/app.ts:12\n\nNode.js v20.20.2"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project whose app writes 40 lines and an error, and no credentials."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    lines = "\n".join(f"line {number}" for number in range(40))
    (tmp_path / "said.txt").write_text(f"{lines}\n{NODE}\n")
    app = "cat said.txt >&2; exit 1"
    (tmp_path / "cdk.json").write_text(json.dumps({"app": app}))


@pytest.mark.parametrize("command", ["plan", "apply", "iam-policy"])
def test_the_error_of_the_app_stands_above_the_sentence(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its last thirty lines, and then which app it was and what went wrong."""
    assert main([command]) == 1
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert lines[0] == "Running the app: cat said.txt >&2; exit 1"
    assert "line 13" not in lines
    assert lines[1:27] == [f"line {number}" for number in range(14, 40)]
    assert lines[27:31] == NODE.splitlines()
    assert "failed: SyntaxError: Unexpected token '}'" in " ".join(lines[31:])
    assert "Node.js v20" not in " ".join(lines[31:])


def test_a_person_sees_that_the_app_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An app that takes its time is told of in a pipe too, and in no JSON."""
    monkeypatch.setattr("dataware.cli.wait_indicator.PATIENCE_SECONDS", 0.1)
    write = WaitIndicator._write

    def note(self: WaitIndicator, text: str) -> None:
        write(self, text)
        Path("told").touch()

    monkeypatch.setattr(WaitIndicator, "_write", note)
    app = "while [ ! -e told ]; do sleep 0.05; done; exit 1"
    Path("cdk.json").write_text(json.dumps({"app": app}))
    assert main(["plan"]) == 1
    assert capsys.readouterr().err.splitlines()[1] == "Running the CDK app … 0 s so far"
    assert main(["plan", "--format", "json"]) == 1
    assert capsys.readouterr().err == ""


def test_a_script_gets_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output holds the failure; what the app wrote stays on standard error."""
    assert main(["plan", "--format", "json"]) == 1
    said = capsys.readouterr()
    (line,) = said.out.splitlines()
    assert "SyntaxError" in json.loads(line)["text"]
    assert "Running the app" not in said.err
