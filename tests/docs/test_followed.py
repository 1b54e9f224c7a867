"""The tutorial and the how-tos are followed word by word, and show what they say they show."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest

from dataware.embedded import EmbeddedAws
from support.followed import (
    FENCE,
    ROOT,
    PageDiffersError,
    Saved,
    Shell,
    Typed,
    follow,
    pattern_of,
    rewrite,
    steps,
)
from support.stages import STAGES

HOW_TOS = ROOT / "docs/how-to"
ACCOUNT = "111122223333"
"""The account of the pages; it is also the access key that the embedded AWS knows it by."""

APPS = {"from-get-or-create.md", "several-environments.md"}
"""Guides whose commands need a CDK app; tests/e2e runs such apps, and test_docs.py the commands."""

LIVE = {
    "follow.md": "test_follow.py",
    "cut-over.md": "test_cutover.py",
    "follow-in-a-container.md": "test_follow_service.py",
}
"""Guides whose commands go on until they are stopped, and the file of tests/e2e that runs them."""


@pytest.fixture
def reader(
    aws_server: EmbeddedAws,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A reader with an account, in whose shell `dataware`, `python` and `aws` are these ones."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    # A session that an earlier test began would go on as who that test was.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    commands = tmp_path_factory.mktemp("commands")
    aws = commands / "aws"
    aws.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}/tests exec python -m support.aws_command "$@"\n')
    aws.chmod(0o755)
    found = [str(commands), str(ROOT / ".venv/bin"), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(found))
    monkeypatch.setenv("PYTHONUTF8", "1")


def test_the_tutorial_works_word_by_word() -> None:
    """Whoever does what the tutorial says sees what it shows."""
    assert follow(ROOT / "docs/tutorial.md", ROOT, os.environ) > 15


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_how_to_works_word_by_word(name: str, tmp_path: Path) -> None:
    """Whoever does what a how-to says, where it applies, sees what it shows."""
    STAGES[name](tmp_path)
    assert follow(HOW_TOS / name, tmp_path, os.environ)


def test_the_example_of_the_embedded_aws_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of docs/embedded.md starts a server, uses it and empties it."""
    page = (ROOT / "docs/embedded.md").read_text(encoding="utf-8")
    (example,) = (text for language, text in FENCE.findall(page) if language == "python")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    exec(compile(example, "embedded.md", "exec"), {"os": os, "boto3": boto3})


def test_no_how_to_is_forgotten() -> None:
    """Every how-to is followed, or said to need an app, or runs until it is stopped."""
    assert {path.name for path in HOW_TOS.glob("*.md")} == {*STAGES, *APPS, *LIVE}
    assert all((ROOT / "tests/e2e" / name).exists() for name in LIVE.values())


def test_what_a_page_shows_has_to_be_there() -> None:
    """Other words, a missing or another line differ; what varies, and what is left out, do not."""
    shown = pattern_of("Looking\n…\nlistens on http://127.0.0.1:1\nends … well\n")
    said = "Looking\n{}listens on http://127.0.0.1:4566\nends very well\n"
    assert shown.fullmatch(said.format(""))
    assert shown.fullmatch(said.format("one\ntwo\n"))
    assert not shown.fullmatch(said.format("one\n").replace("well", "badly"))
    assert not shown.fullmatch(said.format("").replace("Looking", "Seeing"))
    assert not shown.fullmatch(said.format("") + "more\n")


def test_lines_of_progress_come_as_often_as_the_machine_is_slow() -> None:
    """One that a page shows is there at least once; others may come before any line."""
    shown = pattern_of("Found\n✅ Migrated batch 1/800\nVerified\n")
    far = "📊 9,261 of 20,000 items, 995/s, 10 s left\n"
    assert shown.fullmatch("Found\n✅ Migrated batch 1/800\nVerified\n")
    assert shown.fullmatch(f"Found\n{far}{far}✅ Migrated batch 800/800\nVerified\n")
    assert shown.fullmatch(f"Found\n{far}Verified\n")
    assert not shown.fullmatch("Found\nVerified\n")
    assert pattern_of("Found\nVerified").fullmatch(f"Found\n{far}Verified\n")


def test_a_page_is_read_as_a_person_reads_it() -> None:
    """Files are saved under their names, and an answer belongs to the command before it."""
    page = (
        "Save this as `a.toml`:\n\n```toml\nx = 1\n```\n\nThen\n\n```sh\nls\n```\n\n"
        "```text\na.toml\n```\n\n```json\n{}\n```\n\n```sh\ncd ..\n```\n"
    )
    assert list(steps(page)) == [
        Saved("a.toml", "x = 1\n"),
        Typed("ls\n", "a.toml\n"),
        Typed("cd ..\n", None),
    ]


def test_another_answer_is_an_error_or_is_written_down(tmp_path: Path) -> None:
    """A page that shows something else fails, and is rewritten only when that is asked for."""
    page = tmp_path / "page.md"
    page.write_text("```sh\necho two\n```\n\n```text\none\n```\n")
    with (
        Shell(tmp_path, os.environ, patience=0.2) as shell,
        pytest.raises(PageDiffersError, match="the page shows"),
    ):
        shell.type("echo two", "one\n")
    assert "one" in page.read_text()
    rewrite(page, "one\n", "two\n")
    assert follow(page, tmp_path, os.environ) == 1


def test_a_command_that_fails_is_an_error(tmp_path: Path) -> None:
    """What a reader types has to succeed, unless the line itself says what then."""
    with Shell(tmp_path, os.environ) as shell:
        shell.type("false || echo expected", "expected\n")
        with pytest.raises(AssertionError, match="typed"):
            shell.type("false")
