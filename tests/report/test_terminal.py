"""The live display, on a real pseudo-terminal and by value."""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from dataware.core.events import event
from dataware.report.terminal import MOST_BARS, ProgressBars, ReflowingLive, wrap_text
from support.processes import PATIENCE

SCRIPT = """
import sys, time
from pathlib import Path
from dataware.core.events import event
from dataware.report import Format, make_renderer
name = "Spaceport-Waitlist-" + "x" * 100
def await_drawn(what):
    until = time.monotonic() + {patience}
    while not {plain} and not Path(sys.argv[1], what).exists() and time.monotonic() < until:
        time.sleep(0.01)
with make_renderer(Format.TEXT, sys.stdout, plain={plain}, no_color={no_color},
                   is_tty=sys.stdout.isatty()) as render:
    render(event("phase", phase="waiting", source="a", name="the-next-one"))
    render(event("phase", phase="creating", source="a", name=name))
    await_drawn("creating")
    render(event("found", count=50000, unit="item", name=name))
    for done in range(0, 50001, 20000):
        render(event("progress", name=name, done=done, total=50000, unit="item", rate=2300,
                     eta="9 s", slow=""))
        render(event("batch", name=name, batch=done // 25, batches=2000))
        if done == 20000:
            await_drawn("progress")
    render(event("migrated", name=name))
"""
DRAWN = {"creating": b" creating ", "progress": b"20,000/50,000"}
"""What the program waits for, because bars are drawn now and then and not for each event."""


def on_a_terminal(folder: Path, *, plain: bool = False, no_color: bool = False) -> str:
    """What a program writes when its output is a terminal of 80 columns."""
    leader, follower = pty.openpty()
    environ = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}
    environ.pop("NO_COLOR", None)
    script = SCRIPT.format(plain=plain, no_color=no_color, patience=PATIENCE)
    with subprocess.Popen(
        [sys.executable, "-c", script, folder], stdout=follower, stderr=follower, env=environ
    ) as program:
        os.close(follower)
        written = b""
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            written += chunk
            for what, text in DRAWN.items():
                if text in written:
                    (folder / what).touch()
    os.close(leader)
    assert program.returncode == 0, written.decode()
    return written.decode()


def test_a_terminal_shows_a_bar_instead_of_many_batches(tmp_path: Path) -> None:
    """The bar moves, no batch has a line, and a long name is not broken."""
    written = on_a_terminal(tmp_path)
    assert "50,000" in written
    assert "20,000/50,000" in written
    assert "Migrated batch" not in written
    assert "the-next-one" in written
    assert " waiting" in written
    assert " creating " in written
    assert f"Successfully migrated data to Spaceport-Waitlist-{'x' * 100}" in written
    assert "\x1b[32m" in written


def test_no_color_leaves_the_bar_but_no_colour_and_no_emoji(tmp_path: Path) -> None:
    """NO_COLOR takes colour and signs away and nothing else."""
    written = on_a_terminal(tmp_path, no_color=True)
    assert "20,000/50,000" in written
    assert "ok: Successfully migrated" in written
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", written)


def test_plain_moves_no_cursor(tmp_path: Path) -> None:
    """--plain on a terminal writes lines and not one escape sequence."""
    written = on_a_terminal(tmp_path, plain=True)
    assert "\x1b" not in written
    assert "info: Found 50,000 items to migrate" in written


def test_a_line_is_wrapped_between_words() -> None:
    """A name that crosses the edge moves to the next line whole; a wider one stays as it is."""
    assert wrap_text("✅ Migrated to a-long-name", 20) == "✅ Migrated to\na-long-name"
    assert wrap_text("ℹ️  Saved " + "x" * 30, 20) == "ℹ️  Saved " + "x" * 30
    assert wrap_text("ℹ️  Saved it", 80) == "ℹ️  Saved it"


def console(width: int, height: int = 24) -> Console:
    """A terminal in memory, whose size the test changes."""
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, height=height, legacy_windows=False
    )


def shown(bars: ProgressBars, screen: Console) -> list[str]:
    """The lines of the live area."""
    screen.print(bars, end="")
    return list(bars.drawn)


def copying(name: str, phase: str = "copying") -> ProgressBars:
    """One migration that is on its way."""
    bars = ProgressBars(lambda: 0.0)
    bars.take(event("phase", phase=phase, name=name))
    return bars


def test_a_window_that_shrinks_keeps_no_remains() -> None:
    """The terminal wraps what was drawn, so that more lines have to be erased than were drawn."""
    screen = console(100)
    bars = copying("x" * 200)
    with ReflowingLive(bars, screen) as live:
        live.refresh()
        (line,) = bars.drawn
        screen.width, before = 20, screen.file.tell()
        live.refresh()
        screen.file.seek(before)
        erased = screen.file.read().count("\x1b[1A")
    assert erased == -(-len(line) // 20) - 1 > 0


def test_the_bars_are_never_higher_than_the_window() -> None:
    """What runs is shown, and of what waits at least how many there are."""
    bars = ProgressBars(lambda: 0.0)
    for number in range(30):
        bars.take(event("phase", phase="waiting", name=f"next-{number}"))
    bars.take(event("phase", phase="copying", name="now"))
    for height in (3, 6, 24, 60):
        lines = shown(bars, console(80, height))
        assert len(lines) <= max(2, min(height - 2, MOST_BARS))
        assert lines[0].startswith("now")
        *above, last = lines
        bars_alone = above if last.startswith("In all: 0 of 31 resources") else lines
        assert (bars_alone == lines) == (height == 3)
        assert bars_alone[-1] == f"… and {31 - len(bars_alone) + 1} more"


def test_progress_without_phase_or_figures_has_a_bar_all_the_same() -> None:
    """A record of a run that has just begun says no more than that."""
    bars = ProgressBars(lambda: 7.0)
    bars.take(event("watch-progress", source="a", name="new", title="new", progress="", age=0))
    assert shown(bars, console(80)) == ["new"]


def test_figures_grow_old_between_two_looks() -> None:
    """The age on the bar is that of now, not that of the last look."""
    now = [0.0]
    bars = ProgressBars(lambda: now[0])
    data = {
        "source": "a",
        "name": "new",
        "title": "new",
        "progress": "",
        "done": 1,
        "total": 9,
        "rate": 1,
    }
    bars.take(event("watch-progress", age=4, **data))
    now[0] = 3.0
    assert shown(bars, console(80))[0].endswith("7 s ago")


def test_a_table_and_a_bucket_of_one_name_have_a_bar_each() -> None:
    """Kinds tell them apart where the events name them."""
    bars = ProgressBars(lambda: 0.0)
    for kind in ("s3-bucket", "dynamodb-table"):
        data = {"source": "a", "name": "new", "title": "new", "progress": "", "age": 0}
        bars.take(event("watch-progress", kind=kind, **data))
    assert shown(bars, console(80)) == ["new (bucket)", "new (table)"]


def test_a_name_cannot_move_the_cursor() -> None:
    """Control characters in a name are shown, not obeyed."""
    (line,) = shown(copying("evil\x1b[2J"), console(80))
    assert line.startswith("evil\\x1b[2J ")
