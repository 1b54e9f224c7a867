"""CDK's output in a log: what a reader needs, and all of it where it failed or was asked for."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from dataware.cli.deployment.cdk_output import (
    PERIOD,
    CdkOutput,
    OutputFold,
    output_of,
    run_folded,
)
from dataware.cli.settings import AwsOptions
from dataware.report import Format

STEP = (
    "App | {n}/9 | 10:11:34 AM | {status} | AWS::S3::Bucket | App/Uploads (Uploads4F6EB0FD) {why}"
)
GOOD = [
    "",
    "✨  Synthesis time: 2.65s",
    "",
    "Spaceport-staging: start: Building Spaceport-staging Template",
    "Spaceport-staging: success: Built Spaceport-staging Template",
    "Spaceport-staging: start: Publishing Spaceport-staging Template (current_account)",
    "Spaceport-staging: success: Published Spaceport-staging Template (current_account)",
    "Spaceport-staging: creating CloudFormation changeset...",
    "Spaceport (Spaceport-staging): deploying... [1/1]",
    *(STEP.format(n=n, status="IMPORT_IN_PROGRESS     ", why="started.") for n in range(9)),
    STEP.format(n=9, status="IMPORT_COMPLETE        ", why=""),
    "✅  Spaceport (Spaceport-staging)",
    "✨  Deployment time: 0.19s",
    "Outputs:",
    "App.Url = https://example.com",
    "Stack ARN:",
    "arn:aws:cloudformation:us-east-1:000000000000:stack/Spaceport-staging/e2e9625d",
    "✨  Total time: 5.49s",
]
NEEDED = [
    "Spaceport-staging: creating CloudFormation changeset...",
    "Spaceport (Spaceport-staging): deploying... [1/1]",
    "✅  Spaceport (Spaceport-staging)",
    "Outputs:",
    "App.Url = https://example.com",
]


def shown(lines: list[str], seconds: float = 0.0) -> list[str]:
    """What a fold shows of lines that come so many seconds apart."""
    now = [0.0]
    fold = OutputFold(lambda: now[0])
    found = []
    for line in lines:
        now[0] += seconds
        if fold.shows(f"{line}\n"):
            found.append(line)
    return found


def test_a_deployment_that_goes_well_is_a_few_lines() -> None:
    """Stacks and their outputs stay; assets, steps, times and ARNs do not."""
    assert shown(GOOD) == NEEDED
    assert shown([f"\x1b[32m{line}\x1b[39m" for line in GOOD]) == [
        f"\x1b[32m{line}\x1b[39m" for line in NEEDED
    ]


def test_a_long_deployment_shows_a_step_every_ten_seconds() -> None:
    """Whoever watches a log sees that it lives."""
    steps = [STEP.format(n=n, status="CREATE_IN_PROGRESS", why="") for n in range(30)]
    assert len(shown(steps, seconds=PERIOD / 5)) == 6


@pytest.mark.parametrize(
    "status", ["CREATE_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_FAILED"]
)
def test_a_failure_is_always_shown(status: str) -> None:
    """And so is whatever this version does not know."""
    line = STEP.format(n=1, status=status, why="it is taken")
    odd = "❌  Spaceport failed: ToolkitError: The stack named App failed to deploy"
    assert shown([line, odd, "warning: strange"]) == [line, odd, "warning: strange"]


CDK = """
import sys
print("App: start: Building App Template", file=sys.stderr)
print("App (App): deploying... [1/1]")
print("App: success: Built App Template", file=sys.stderr)
sys.exit({code})
"""


def ran(code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """How a command line ends that is folded, with both of its streams."""
    program = tmp_path / "cdk.py"
    program.write_text(CDK.format(code=code), encoding="utf-8")
    ended = run_folded([sys.executable, str(program)], tmp_path, dict(os.environ))
    captured = capsys.readouterr()
    return ended, captured.out, captured.err


def test_streams_stay_apart_and_the_exit_code_is_that_of_cdk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left out of a deployment that went well is gone."""
    assert ran(0, tmp_path, capsys) == (0, "App (App): deploying... [1/1]\n", "")


def test_what_was_left_out_is_shown_when_cdk_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has to find out why needs all of it."""
    code, out, err = ran(3, tmp_path, capsys)
    assert (code, out) == (3, "App (App): deploying... [1/1]\n")
    assert err.splitlines() == [
        "What was left out of the output above:",
        "App: start: Building App Template",
        "App: success: Built App Template",
    ]


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Somebody watches."""
        return True


@pytest.mark.parametrize(
    ("options", "stream", "expected"),
    [
        (AwsOptions(), io.StringIO, CdkOutput.FOLDED),
        (AwsOptions(), Screen, CdkOutput.WHOLE),
        (AwsOptions(full=True), io.StringIO, CdkOutput.WHOLE),
        (AwsOptions(format=Format.GITHUB), io.StringIO, CdkOutput.FOLDED),
        (AwsOptions(format=Format.JSON), io.StringIO, CdkOutput.BESIDE),
        (AwsOptions(format=Format.JSON), Screen, CdkOutput.BESIDE),
    ],
)
def test_a_terminal_and_whoever_asks_get_all_of_it(
    options: AwsOptions,
    stream: type[io.StringIO],
    expected: CdkOutput,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CDK may ask and draw there; events of ours are alone on standard output."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys, "stdout", stream())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert output_of(options) is expected
