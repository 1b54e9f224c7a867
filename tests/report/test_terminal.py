"""The live display, on a real pseudo-terminal and by value."""

import os
import pty
import re
import subprocess
import sys

from dataware.report.bar import bar_line
from dataware.report.terminal import wrapped

SCRIPT = """
import sys, time
from dataware.core.events import event
from dataware.report import Format, make_renderer
name = "Spaceport-Waitlist-" + "x" * 100
with make_renderer(Format.TEXT, sys.stdout, plain={plain}, no_color={no_color},
                   is_tty=sys.stdout.isatty()) as render:
    render(event("found", count=50000, unit="item", name=name))
    for done in range(0, 50001, 20000):
        render(event("progress", name=name, done=done, total=50000, unit="item", rate=2300,
                     eta="9 s", slow=""))
        render(event("batch", name=name, batch=done // 25, batches=2000))
        time.sleep(0.3)
    render(event("migrated", name=name))
"""

FAR: dict[str, object] = {
    "name": "Spaceport-Waitlist-prod",
    "done": 1234,
    "total": 100000,
    "rate": 2300.4,
}


def on_a_terminal(*, plain: bool = False, no_color: bool = False) -> str:
    """What a program writes when its output is a terminal of 80 columns."""
    leader, follower = pty.openpty()
    environ = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}
    environ.pop("NO_COLOR", None)
    script = SCRIPT.format(plain=plain, no_color=no_color)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=follower, stderr=follower, env=environ
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
    os.close(leader)
    assert program.returncode == 0, written.decode()
    return written.decode()


def test_a_terminal_shows_a_bar_instead_of_many_batches() -> None:
    """The bar moves, no batch has a line, and a long name is not broken."""
    written = on_a_terminal()
    assert "50,000" in written
    assert "20,000/50,000" in written
    assert "Migrated batch" not in written
    assert f"Successfully migrated data to Spaceport-Waitlist-{'x' * 100}" in written
    assert "\x1b[32m" in written


def test_no_color_leaves_the_bar_but_no_colour_and_no_emoji() -> None:
    """NO_COLOR takes colour and signs away and nothing else."""
    written = on_a_terminal(no_color=True)
    assert "20,000/50,000" in written
    assert "ok: Successfully migrated" in written
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", written)


def test_plain_moves_no_cursor() -> None:
    """--plain on a terminal writes lines and not one escape sequence."""
    written = on_a_terminal(plain=True)
    assert "\x1b" not in written
    assert "info: Found 50,000 items to migrate" in written


def test_the_bar_fits_every_width() -> None:
    """The live line is never wider than the window."""
    data = {**FAR, "eta": "43 s", "slow": ", throttled 12 times", "retries": 3}
    assert all(len(bar_line(data, width)) <= width for width in range(1, 200))


def test_a_wide_bar_tells_everything() -> None:
    """Done, total, rate, time left, throttling and retries are on the bar."""
    text = bar_line({**FAR, "eta": "43 s", "slow": ", throttled 12 times", "retries": 3}, 160)
    assert text.startswith("Spaceport-Waitlist-prod ─")
    assert text.endswith("1,234/100,000  2,300/s  43 s left  throttled 12 times  3 retries")


def test_a_narrow_bar_keeps_the_count() -> None:
    """What matters most is dropped last."""
    assert bar_line(FAR, 30) == "Spaceport-Waitl… 1,234/100,000"


def test_a_bar_without_a_total_counts() -> None:
    """An unknown total is no division by zero."""
    assert "12 " in bar_line({"name": "t", "done": 12, "total": 0}, 60)


def test_a_line_is_wrapped_between_words() -> None:
    """A name that crosses the edge moves to the next line whole; a wider one stays as it is."""
    assert wrapped("✅ Migrated to a-long-name", 20) == "✅ Migrated to\na-long-name"
    assert wrapped("ℹ️  Saved " + "x" * 30, 20) == "ℹ️  Saved " + "x" * 30
    assert wrapped("ℹ️  Saved it", 80) == "ℹ️  Saved it"
