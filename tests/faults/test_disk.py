"""A disk that is full, and a folder that cannot be written: said in a sentence, and resumable."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import Ran, run
from support.migrations import MIGRATIONS
from support.worlds import make_table, varied_items

SMALL = 700
"""Bytes of a file after which the disk counts as full: the journal begins, and cannot go on."""

LIMITED = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({SMALL}, resource.RLIM_INFINITY))
sys.dont_write_bytecode = True
from dataware.cli import main
sys.exit(main())
"""


def on_a_full_disk(*arguments: object) -> Ran:
    """Run a command in a process that can make no file longer than SMALL."""
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
        timeout=120,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.usefixtures("aws_server")
def test_a_full_disk_is_a_sentence_and_the_next_run_completes(tmp_path: Path) -> None:
    """Exit 4, the journal and the cure are named; with room again the same command ends it."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    make_table("old-one", varied_items(1000, size=5000))
    migration = MIGRATIONS["table"]
    app = migration.write_app(tmp_path)
    ran = on_a_full_disk("apply", app)
    assert ran.code == 4, ran
    assert "cannot be written" in ran.err
    assert "run the same command again" in ran.err
    assert "Traceback" not in ran.err
    again = run("apply", app)
    assert again.code == 0, again
    assert "✅ Verified 1,000 items: all by content" in again.lines
    assert migration.arrived()


@pytest.mark.usefixtures("aws_server")
def test_a_folder_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state folder below a file: exit 4, and another folder cures it."""
    migration = MIGRATIONS["table"]
    migration.fill()
    app = migration.write_app(tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "file" / "state"))
    ran = run("apply", app)
    assert ran.code == 4, ran
    assert "DATAWARE_STATE" in ran.err
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    assert run("apply", app).code == 0
    assert migration.arrived()
