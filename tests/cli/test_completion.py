"""Shell completion: the protocol by variables, and a real bash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dataware.cli.commands.completion import SHELLS, VARIABLE
from dataware.cli.profiles import profiles
from support.cli import run

PROGRAM = Path(sys.executable).with_name("dataware")


def completed(*words: str, shell: str = "bash") -> list[str]:
    """What the program answers when a shell asks it to complete the last word."""
    done = subprocess.run(
        [sys.executable, "-m", "dataware.cli"],
        env={
            **os.environ,
            VARIABLE: f"{shell}_complete",
            "COMP_WORDS": " ".join(["dataware", *words]),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_commands_options_and_words_are_completed() -> None:
    """Whatever can be typed is offered, and nothing else."""
    assert completed("pl") == ["plain,plan"]
    assert completed("plan", "--on-f") == ["plain,--on-fallback-data"]
    assert completed("apply", "--on-conflict", "s") == ["plain,source", "plain,stop"]
    assert completed("completion", "z") == ["plain,zsh"]
    assert "plain,lost-data" in completed("explain", "l")
    assert "".join(completed("apply", "--part")) == "", "hidden options stay hidden"


def test_runs_are_completed_by_their_ids_and_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the records on this machine know, for each command that takes it."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    (tmp_path / "runs").mkdir(mode=0o700)
    run_id = "20261124-180102-417-3f"
    (tmp_path / "runs" / f"{run_id}.jsonl").write_text(
        json.dumps({"record": 1, "run": run_id})
        + "\n"
        + json.dumps({"at": 0, "code": "importing", "data": {"name": "Sessions-prod"}})
        + "\n"
        + json.dumps(
            {"at": 1, "code": "phase", "data": {"name": "Waitlist-prod", "migration": "1a"}}
        )
        + "\n",
        "utf-8",
    )
    assert completed("report", "2026") == [f"plain,{run_id}"]
    assert completed("status", "Wait") == ["plain,Waitlist-prod"]
    assert completed("report", "Sess") == ["plain,Sessions-prod"]
    assert "".join(completed("status", "Sess")) == "", "it has no migration to show"


def test_files_are_left_to_the_shell() -> None:
    """APP is a path, which the shell completes better."""
    assert completed("plan", "x") == ["file,x"]
    assert completed("plan", "--out", "x") == ["file,x"]


def test_profiles_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both files of the AWS configuration are read, and what is no profile is left out."""
    config, secrets = tmp_path / "config", tmp_path / "credentials"
    config.write_text("[default]\n[profile prod]\n[sso-session corp]\n[services s]\n", "utf-8")
    secrets.write_text("[prod]\n[test]\naws_secret_access_key = a%b\n", "utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(secrets))
    assert profiles(os.environ) == ["default", "prod", "test"]
    assert completed("plan", "--profile", "p") == ["plain,prod"]


def test_a_damaged_configuration_completes_nothing(tmp_path: Path) -> None:
    """A completion never fails."""
    broken = tmp_path / "config"
    broken.write_text("no section\n", "utf-8")
    nothing = str(tmp_path / "nothing")
    found = profiles({"AWS_CONFIG_FILE": str(broken), "AWS_SHARED_CREDENTIALS_FILE": nothing})
    assert found == []


def test_other_shells_get_the_meaning_beside_the_word() -> None:
    """zsh and fish show what each word is for."""
    assert completed("pl", shell="zsh")[:3] == [
        "plain",
        "plan",
        "Show what would happen; change nothing.",
    ]


def test_a_completion_imports_nothing_heavy() -> None:
    """A person waits for it at every press of a key."""
    script = (
        "import os, sys; from dataware.cli import main\n"
        "try: main([])\n"
        "except SystemExit: pass\n"
        "heavy = {'boto3', 'botocore', 'rich', 'yaml', 'pycurl', 'asyncio', 'msgspec'}\n"
        "print(heavy & set(sys.modules), file=sys.stderr)"
    )
    asked = {VARIABLE: "bash_complete", "COMP_WORDS": "dataware plan --pro", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "plain,--profile\n"
    assert done.stderr == "set()\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str) -> None:
    """The script asks by the variable that the program listens to."""
    ran = run("completion", shell)
    assert ran.code == 0
    assert f"{VARIABLE}={shell}_complete" in ran.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(
    ("line", "offered"),
    [("dataware mig", {"migrate"}), ("dataware apply --on-c", {"--on-conflict"})],
)
def test_a_real_bash_completes(line: str, offered: set[str], tmp_path: Path) -> None:
    """The printed script, sourced as the documentation says, answers as bash asks it."""
    (tmp_path / "dataware.bash").write_text(run("completion", "bash").out, "utf-8")
    words = line.split()
    asked = (
        f"source {tmp_path}/dataware.bash; complete -p dataware >/dev/null || exit 9; "
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
        '_dataware_completion dataware; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asked],
        env={**os.environ, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == offered, done.stderr
