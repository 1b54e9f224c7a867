"""Annotations: a warning or a failure is one workflow command, whatever its text holds."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.events import event
from dataware.report import Format, make_renderer
from dataware.report.github import annotation

STOP = {"name": "orders", "rule": 8, "reason": "both hold data"}


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (
            event("stopped", **STOP, where="app/dataware.toml:12"),
            "::error file=app/dataware.toml,line=12,title=dataware::"
            "Stopped at orders (rule 8): both hold data",
        ),
        (event("warning", text="100% sure", where=""), "::warning title=dataware::100%25 sure"),
        (
            event("failure", text="a.yaml:3: no such type"),
            "::error file=a.yaml,line=3,title=dataware::a.yaml:3: no such type",
        ),
        (
            event("warning", text="x", file="a, b.toml", line=3),
            "::warning file=a%2C b.toml,line=3,title=dataware::x",
        ),
        (
            event("warning", text="x", where="50%/a.toml:7"),
            "::warning file=50%25/a.toml,line=7,title=dataware::x",
        ),
    ],
)
def test_a_warning_or_failure_stands_at_its_line(shown: object, wanted: str) -> None:
    """File and line where they are known; per cent signs, colons and commas are escaped."""
    assert annotation(shown) == wanted  # type: ignore[arg-type]


@given(st.text(), st.text())
def test_no_text_ends_or_begins_a_command(text: str, where: str) -> None:
    """One event is one line with one command, which GitHub reads back as it was."""
    command = annotation(event("failure", text=text, where=where))
    assert command.startswith("::error ")
    assert len(command.split("\n")) == len(command.split("\r")) == 1
    properties, _, _ = command.removeprefix("::error ").partition("::")
    assert [pair.count("=") >= 1 for pair in properties.split(",")]
    assert properties.endswith("title=dataware")


def test_other_lines_are_plain() -> None:
    """What needs nobody's attention is a line as in a pipe."""
    stream = io.StringIO()
    with make_renderer(Format.GITHUB, stream, plain=False, no_color=False, is_tty=False) as render:
        render(event("creating", noun="S3 bucket", name="spaceport"))
        render(event("warning", text="look"))
    assert stream.getvalue() == (
        "🆕 Creating new S3 bucket: spaceport\n::warning title=dataware::look\n"
    )
