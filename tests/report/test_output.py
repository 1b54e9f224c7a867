"""A reader that leaves early does no harm."""

import subprocess
import sys

SCRIPT = """
import sys
from dataware.core.events import event
from dataware.report import Format, make_renderer
with make_renderer(Format("{format}"), sys.stdout, plain=False, no_color=False,
                   is_tty=False) as render:
    for _ in range(20000):
        render(event("note", text="x" * 100))
print("still working", file=sys.stderr)
"""


def reader_leaves(format: str) -> tuple[int, str]:
    """What a program says on standard error after the reader of its output has left."""
    program = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(format=format)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout
    assert program.stderr
    program.stdout.readline()
    program.stdout.close()
    said = program.stderr.read().decode()
    program.stderr.close()
    return program.wait(), said


def test_a_broken_pipe_stops_the_lines_and_not_the_work() -> None:
    """After `| head -1` the program goes on to its end, without a traceback."""
    assert reader_leaves("text") == (0, "still working\n")
    assert reader_leaves("json") == (0, "still working\n")
