"""`dataware report`, as people type it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from dataware.cli import main
from dataware.cli.run_log import SHOW_FOLDER
from dataware.embedded import EmbeddedAws
from dataware.state.runs import RunFile, find_run, new_run, runs_folder
from support.cli import run
from support.tales import beginning, copied, ended
from support.worlds import make_table


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(now: float, *, end: bool = True, code: int = 0) -> str:
    """The id of a run on record."""
    name = new_run(now)
    file = RunFile(runs_folder(), name)
    file.write({**beginning("migrate", "s3://a", "s3://b"), "run": name})
    for record in (*copied(), *([ended(9, code)] if end else [])):
        file.write(record)
    file.close()
    return name


def test_the_newest_run_is_reported(here: Path) -> None:
    """Without a name the newest run is taken, and one line tells where the page is."""
    kept(1.0)
    newest = kept(2.0)
    ran = run("report")
    assert (ran.code, ran.lines) == (0, [f"ℹ️  Saved the report of run {newest} to report.html"])
    page = (here / "report.html").read_text(encoding="utf-8")
    assert "dataware migrate s3://a s3://b" in page
    assert newest in page


def test_only_an_older_page_is_replaced_and_that_is_said(here: Path) -> None:
    """A slip of the keyboard costs nobody the file of the app, the plan or anything else."""
    name = kept(1.0)
    assert run("report").code == 0
    again = run("report")
    assert again.lines == [
        f"ℹ️  Saved the report of run {name}, in place of an older page, to report.html"
    ]
    app = here / "dataware.toml"
    app.write_text("[[resource]]", encoding="utf-8")
    refused = run("report", "--out", app)
    assert refused.code == 1
    assert "exists and is not a page of dataware, so it is not overwritten" in refused.err
    assert app.read_text(encoding="utf-8") == "[[resource]]"
    (here / "empty.html").touch()
    assert run("report", "--out", "empty.html").code == 0


def test_a_run_is_named_by_its_start_or_its_file() -> None:
    """A start that fits one run is enough, and a record may have come from elsewhere."""
    older = kept(1.0)
    kept(100_000.0)
    assert older in run("report", older[:10], "--out", "a.html").out
    assert older in run("report", runs_folder() / f"{older}.jsonl", "--out", "b.html").out
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()


def test_what_is_not_there_is_told_in_one_sentence() -> None:
    """An unknown run, and a place that cannot be written, are exit 1 and name what to do."""
    none = run("report")
    assert (none.code, none.err.count("\n")) == (1, 1)
    assert "no run record in" in none.err
    name = kept(1.0)
    unknown = run("report", "2031")
    assert unknown.code == 1
    assert f"no run begins with 2031; the newest are {name} (migrate)" in unknown.err
    unwritable = run("report", "--out", "no/such/folder.html")
    assert unwritable.code == 1
    assert "cannot be written to no/such/folder.html" in unwritable.err


def test_the_runs_on_record_are_listed() -> None:
    """The newest first, under a header, each with its time, its outcome in words, its command."""
    names = [kept(1.0), kept(2.0, end=False), kept(3.0, code=4), kept(4.0, code=3)]
    header, *rows = run("report", "--list").lines
    assert header.split("  ")[0] == "RUN"
    assert header.split() == ["RUN", "STARTED", "(UTC)", "OUTCOME", "MIGRATION", "COMMAND"]
    assert [line.split()[0] for line in rows] == names[::-1]
    at = header.index("OUTCOME")
    ends = [line[at:].split("  ")[0] for line in rows]
    assert ends == ["stopped (3)", "incomplete (4)", "killed", "done"]
    assert rows[-1].endswith(
        "2026-11-24 18:01  done            -          dataware migrate s3://a s3://b"
    )


@pytest.mark.parametrize("more", ["20261124", "--open"])
def test_a_list_of_all_runs_takes_nothing_that_names_one(more: str) -> None:
    """What would be passed over is refused."""
    ran = run("report", "--list", more)
    assert (ran.code, ran.out) == (1, "")
    assert "--list shows every recorded run" in ran.err


def test_a_new_machine_has_no_runs_to_list() -> None:
    """Nothing on record is no success and no failure; what leaves a run is named."""
    ran = run("report", "--list")
    assert ran.code == 0
    assert ran.lines[0].startswith("ℹ️  No run is recorded in ")
    assert "`dataware plan`" in ran.out


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("watched", [True, False])
def test_a_person_is_told_how_to_make_the_report(
    watched: bool, aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The last line on a terminal names the command; a pipe, and a demo, have none."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("Old", "New"):
        make_table(name, [{"pk": {"S": "a"}}])
    for shown in (True, False):
        if shown:
            monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / f"{SHOW_FOLDER}x" / "state"))
        else:
            monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
        out = Terminal() if watched else io.StringIO()
        with contextlib.redirect_stdout(out):
            assert main(["migrate", "dynamodb://Old", "dynamodb://New"]) == 0
        hint = f"dataware report {find_run(runs_folder(), None).run}"
        assert (hint in out.getvalue()) == (watched and not shown)


def test_open_shows_the_page_in_the_browser(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser gets the address of the page as a file."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) is None)
    monkeypatch.setenv("BROWSER", "a-browser")
    kept(1.0)
    ran = run("report", "--open")
    assert (ran.code, len(ran.lines)) == (0, 1)
    assert opened == [(here / "report.html").as_uri()]


@pytest.mark.parametrize("screen", [True, False])
def test_open_without_a_browser_says_where_the_page_is(
    here: Path, monkeypatch: pytest.MonkeyPatch, screen: bool
) -> None:
    """No screen, or no browser that starts, is no failure: the page is written all the same."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    if screen:
        monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("webbrowser.open", lambda _address: False)
    kept(1.0)
    ran = run("report", "--open")
    assert ran.code == 0
    assert ran.lines[-1] == f"ℹ️  No browser to open here; the page is {here / 'report.html'}"
    assert (here / "report.html").is_file()


def test_open_needs_a_file() -> None:
    """Standard output cannot be opened."""
    kept(1.0)
    ran = run("report", "--open", "--out", "-")
    assert ran.code == 1
    assert "--open needs a file" in ran.err
