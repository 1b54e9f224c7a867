"""The program that CDK runs in place of the app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataware.cli.deployment.checked_app import APP, CHECK, describe_check, main
from support.assemblies import assembly
from support.worlds import retained


def box(name: str) -> dict[str, Any]:
    """A stack with one bucket."""
    return {"Box": retained("AWS::S3::Bucket", BucketName=name)}


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the app writes; the assembly that was guarded stands beside it."""
    assembly(tmp_path / "guarded", App=box("box-prod"))
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "out"))
    return tmp_path / "out"


def ended(monkeypatch: pytest.MonkeyPatch, output: Path, app: str) -> int:
    """The exit code for an app."""
    for name, value in describe_check(app, output.parent / "guarded", ["App"]).items():
        monkeypatch.setenv(name, value)
    return main()


def test_an_app_that_says_the_same_passes(monkeypatch: pytest.MonkeyPatch, output: Path) -> None:
    """The app itself sees nothing of its stand-in."""
    assembly(output, App=box("box-prod"))
    assert ended(monkeypatch, output, f'test -z "${CHECK}${APP}"') == 0


def test_an_app_that_says_otherwise_fails(
    monkeypatch: pytest.MonkeyPatch, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a sentence that names what nobody has looked at."""
    assembly(output, App=box("box-live"))
    assert ended(monkeypatch, output, "true") == 1
    assert (
        "nothing was deployed, because the app now declares what was not checked: Box of stack App"
        in (capsys.readouterr().err)
    )


def test_what_is_not_whole_is_left_to_cdk(monkeypatch: pytest.MonkeyPatch, output: Path) -> None:
    """It looks up what is missing, and runs the app again; and an app may fail by itself."""
    assert ended(monkeypatch, output, "true") == 0
    assert ended(monkeypatch, output, "exit 3") == 3
    assembly(output, App=box("box-live"))
    manifest = json.loads((output / "manifest.json").read_text())
    (output / "manifest.json").write_text(json.dumps({**manifest, "missing": [{"key": "vpc"}]}))
    assert ended(monkeypatch, output, "true") == 0
