"""Plain lines: whole in a pipe, broken between words on a terminal, coloured on demand."""

from __future__ import annotations

import io
import re

import pytest

from dataware.core.events import Event, event
from dataware.kinds import load
from dataware.report import Format, appearance, make_renderer
from dataware.report.jsonlines import JsonRenderer
from dataware.report.plain import PlainRenderer
from dataware.report.summary import plan_summary
from support.plans import migration, plan_of, warned
from support.ptys import Terminal

LONG = "Stopped at Spaceport-Waitlist-prod (rule 14): " + "see the reasons above and grant it, " * 4
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Somebody watches."""
        return True


def written(
    stream: io.StringIO, plain: bool = False, full: bool = False, **environ: str
) -> list[str]:
    """The lines of a failure and of a plan under some variables, without a live bar."""
    look = appearance(stream, environ)
    with make_renderer(Format.TEXT, stream, plain=plain, is_tty=False, full=full, **look) as render:
        render(event("failure", text=LONG.strip()))
        render(plan_summary(plan_of(warned(), migration()), lambda of_type: load(of_type).unit))
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("columns", [60, 80])
def test_no_word_is_broken_at_the_edge_of_a_terminal(columns: int, plain: bool) -> None:
    """The last line of a failed command is read on a terminal, also with --plain."""
    lines = written(Screen(), plain, COLUMNS=str(columns))
    assert all(len(line) <= columns for line in lines)
    words = " ".join(lines).split()
    assert " ".join(LONG.split()) in " ".join(words)


def test_an_event_is_one_line_in_a_pipe() -> None:
    """Scripts read lines, however long."""
    lines = written(io.StringIO())
    assert lines[0] == f"❌ {LONG.strip()}"
    assert lines[3] == "  !  twin           in place  rule 5"


@pytest.mark.parametrize("columns", ["1", "7", "12", "39"])
def test_no_width_makes_a_row_vanish(columns: str) -> None:
    """Warnings stand in the rows, so a table is never left out."""
    for full, words in (True, "App/twin import,rule5 warning"), (False, "twin rule5 hasatwin"):
        lines = written(io.StringIO(), full=full, COLUMNS=columns)
        text = "".join("".join(lines).split())
        assert all(wanted in text for wanted in words.split())


@pytest.mark.parametrize("columns", ["9" * 20, "9" * 5_000, "1000000"])
def test_a_width_beyond_reason_is_bounded(columns: str) -> None:
    """No number that anybody sets ends in an error or in megabytes of spaces."""
    lines = written(io.StringIO(), COLUMNS=columns)
    assert max(map(len, lines)) <= 1_000


def test_columns_lay_out_the_table_of_a_pipe() -> None:
    """Who says how wide the output is gets a table of that width, and lines as they were."""
    lines = written(io.StringIO(), full=True, COLUMNS="160")
    assert lines[0] == f"❌ {LONG.strip()}"
    assert lines[1].split() == ["resource", "action", "preferred", "fallback", "why", "estimate"]
    assert all(len(line) <= 160 for line in lines[1:-1])
    for strange in ("", "0", "-1", "wide"):
        assert written(io.StringIO(), full=True, COLUMNS=strange)[1].startswith("    App/twin (")


@pytest.mark.parametrize(
    ("environ", "colors", "signs"),
    [
        ({}, False, True),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, False, True),
        ({"FORCE_COLOR": "false"}, False, True),
        ({"FORCE_COLOR": ""}, False, True),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1", "COLUMNS": "160"}, True, True),
    ],
)
def test_variables_decide_about_colours_and_signs(
    environ: dict[str, str], colors: bool, signs: bool
) -> None:
    """FORCE_COLOR colours a pipe; NO_COLOR takes colours and signs away, and wins."""
    stream = io.StringIO()
    lines = written(stream, **environ)
    assert bool(ESCAPES.search(stream.getvalue())) == colors
    first = ESCAPES.sub("", lines[0])
    assert first.startswith("❌ " if signs else "failed: ")


def test_plain_has_no_colour_whatever_is_forced() -> None:
    """--plain is typed, so it wins over a variable."""
    stream = io.StringIO()
    written(stream, True, FORCE_COLOR="1")
    assert stream.getvalue().isascii()


@pytest.mark.parametrize("arguments", [(), ("--plain",)], ids=["usual", "plain"])
def test_a_failed_command_breaks_no_word_on_a_real_terminal(arguments: tuple[str, ...]) -> None:
    """A sentence that is longer than the window ends its lines between words."""
    name = "no-such-application.toml"
    with Terminal(("-m", "dataware.cli", "plan", name, *arguments), columns=40) as terminal:
        assert terminal.ended() == 1
    lines = terminal.written.splitlines()
    assert len(lines) > 1
    assert all(len(line) <= 40 for line in lines)
    assert name in terminal.written


def test_progress_of_several_resources_names_each() -> None:
    """In a pipe, lines of copies that go on at once cannot be told apart otherwise."""
    stream, now = io.StringIO(), [0.0]
    with PlainRenderer(stream, now=lambda: now[0]) as render:
        for at in (0.0, 11.0, 22.0):
            now[0] = at
            for name in ("Orders", "Waitlist"):
                render(copying(name))
    lines = [line for line in stream.getvalue().splitlines() if "In all" not in line]
    assert (
        lines
        == [
            "📊 Orders: 1 of 9 items, 1/s, 8 s left",
            "📊 Waitlist: 1 of 9 items, 1/s, 8 s left",
        ]
        * 2
    )


def copying(name: str, **more: object) -> Event:
    """Progress of a copy."""
    figures = {"done": 1, "total": 9, "rate": 1, "eta": "8 s", "slow": "", "phase": "copying"}
    return event("progress", **{"name": name, "unit": "item", **figures, **more})


def test_a_table_and_a_bucket_of_one_name_are_named_with_their_kinds() -> None:
    """Otherwise nobody could tell whose line it is."""
    stream, now = io.StringIO(), [0.0]
    with PlainRenderer(stream, now=lambda: now[0]) as render:
        for at in (0.0, 11.0):
            now[0] = at
            for kind in ("dynamodb-table", "s3-bucket"):
                render(copying("orders", kind=kind))
    lines = [line for line in stream.getvalue().splitlines() if "In all" not in line]
    assert lines == [
        "📊 orders (table): 1 of 9 items, 1/s, 8 s left",
        "📊 orders (bucket): 1 of 9 items, 1/s, 8 s left",
    ]


def test_a_pipe_is_told_of_the_whole_run_at_most_every_ten_seconds() -> None:
    """Resources, records, rate and time left; one resource and the end need no such line."""
    stream, now = io.StringIO(), [0.0]
    with PlainRenderer(stream, now=lambda: now[0]) as render:
        for second in range(41):
            now[0] = float(second)
            if second == 5:
                render(event("phase", phase="waiting", name="uploads"))
            render(copying("orders", done=100 * second, total=4000, rate=100))
        render(event("migrated", name="orders"))
        render(event("migrated", name="uploads"))
        now[0] = 99.0
        render(event("sum", after="99 s", text="2 copied"))
    told = [line for line in stream.getvalue().splitlines() if "In all: " in line]
    assert told == [
        "📊 In all: 0 of 2 resources, 1,500/4,000+, 100/s",
        "📊 In all: 0 of 2 resources, 2,500/4,000+, 100/s",
        "📊 In all: 0 of 2 resources, 3,500/4,000+, 100/s",
    ]
    assert len(told) < len(stream.getvalue().splitlines())


@pytest.mark.parametrize("plain", [False, True])
def test_the_line_of_the_whole_run_needs_no_sign(plain: bool) -> None:
    """`--plain` has the word of progress, as every line of it."""
    stream, now = io.StringIO(), [0.0]
    with PlainRenderer(stream, signs=not plain, now=lambda: now[0]) as render:
        for at in (0.0, 30.0):
            now[0] = at
            render(copying("orders"))
            render(copying("uploads"))
    (told,) = [line for line in stream.getvalue().splitlines() if "In all: " in line]
    assert told.startswith("progress: In all: 0 of 2" if plain else "📊 In all: 0 of 2")


def test_a_long_look_tells_at_most_one_line_in_ten_seconds() -> None:
    """A pipe learns that a plan lives, and a script is not told."""
    stream, now = io.StringIO(), [0.0]
    with PlainRenderer(stream, now=lambda: now[0]) as render:
        for second in range(25):
            now[0] = float(second)
            render(event("look-progress", done=second, total=130, seconds=second))
    assert stream.getvalue().splitlines() == [
        "🔍 Looked at 10 of 130 names, 10 s",
        "🔍 Looked at 20 of 130 names, 20 s",
    ]
    script = io.StringIO()
    with JsonRenderer(script) as render_json:
        render_json(event("look-progress", done=1, total=130, seconds=9))
    assert script.getvalue() == ""
