"""The suite for a real account, tried on the embedded AWS: it passes, refuses and cleans up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.account import __main__ as suite
from tests.account.scratch import TAG, ScratchAccount

from dataware.embedded import EmbeddedAws

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def account(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ScratchAccount:
    """A profile for the embedded AWS, and no variable that would point at it."""
    config = tmp_path / "config"
    config.write_text(
        f"[profile scratch]\nregion = {aws_server.region}\n"
        f"aws_access_key_id = {aws_server.account}\naws_secret_access_key = test\n"
    )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return ScratchAccount("scratch", None, aws_server.endpoint, tmp_path)


def ran(*arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """How the suite ends."""
    command = [sys.executable, "-m", "tests.account", *arguments]
    return subprocess.run(
        command, cwd=ROOT, input=answer, capture_output=True, text=True, check=False, timeout=300
    )


def test_every_scenario_passes_and_nothing_of_it_stays(account: ScratchAccount) -> None:
    """The cost is told before the question."""
    assert account.endpoint_url is not None
    done = ran("--profile", "scratch", "--endpoint-url", account.endpoint_url, answer="y\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "costs at most $0.01" in done.stdout.partition("Go on?")[0]
    assert done.stdout.count("✅") == len(suite.SCENARIOS)
    account.prefix = "dataware-"
    assert list(account.left()) == []


@pytest.mark.parametrize(
    ("arguments", "answer", "sentence"),
    [
        ([], "", "name the account's profile: make aws PROFILE=name"),
        (["--profile", "scratch"], "", "which is not AWS: unset AWS_ENDPOINT_URL"),
        (["--profile", "scratch", "--endpoint-url", "here"], "n\n", "Aborted!"),
    ],
    ids=["no profile", "another endpoint", "no"],
)
def test_nothing_is_made_without_a_profile_an_endpoint_of_aws_and_a_yes(
    account: ScratchAccount,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    answer: str,
    sentence: str,
) -> None:
    """What a variable points at counts as another endpoint, too."""
    here = account.endpoint_url
    assert here is not None
    monkeypatch.setenv("AWS_ENDPOINT_URL", here)
    done = ran(*(here if word == "here" else word for word in arguments), answer=answer)
    assert done.returncode != 0
    assert sentence in done.stderr
    account.prefix = "dataware-"
    assert list(account.left()) == []


def _fails(account: ScratchAccount) -> None:
    account.make_bucket("uploads", {"a": b"x"})
    raise OSError("the network is away")


def _stopped(account: ScratchAccount) -> None:
    name = account.make_table("waitlist", 3)
    arn = account.client("dynamodb").describe_table(TableName=name)["Table"]["TableArn"]
    tags = account.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]
    assert [one["Key"] for one in tags] == [TAG]
    raise KeyboardInterrupt


@pytest.mark.parametrize("scenario", [_fails, _stopped])
def test_what_was_made_is_removed_after_a_failure_and_after_ctrl_c(
    account: ScratchAccount,
    monkeypatch: pytest.MonkeyPatch,
    scenario: Callable[[ScratchAccount], None],
) -> None:
    """Under the prefix alone: a table of the same beginning belongs to somebody else."""
    other = ScratchAccount("scratch", None, account.endpoint_url, account.folder)
    kept = other.make_table("orders", 1)
    monkeypatch.setattr(suite, "SCENARIOS", {"one": scenario})
    if scenario is _stopped:
        with pytest.raises(KeyboardInterrupt):
            suite.carry_out(account, ("one",))
    else:
        assert suite.carry_out(account, ("one",)) == 1
    assert list(account.left()) == []
    assert list(other.left()) == [("table", kept)]
