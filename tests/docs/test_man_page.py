"""The man page: every command and option of the help, in the few macros that every man knows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from dataware.cli.exit_codes import exit_code_line
from support.cli import ALL_COMMANDS

PAGE = Path(__file__).resolve().parents[2] / "docs/dataware.1"
MACROS = {".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi"}
"""The macros of man(7) that groff and mandoc both have."""

ESCAPES = re.compile(r"\\(e|-|&|fB|fI|fR)")


def plain_text() -> str:
    """What a reader sees, in one line: macros and escapes taken away."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    text = [re.sub(r"^\.S[HS] ", "", line) for line in lines if not re.match(r"\.(?!S[HS])", line)]
    shown = ESCAPES.sub(lambda found: {"e": "\\", "-": "-"}.get(found[1], ""), " ".join(text))
    return " ".join(shown.split())


def test_every_line_is_text_or_a_macro_that_every_man_knows() -> None:
    """No line of the help is taken for a request, and no backslash for an escape."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith(".TH DATAWARE 1 ")
    requests = {line.split()[0] for line in lines if line.startswith((".", "'"))}
    assert requests - {'.\\"'} <= MACROS
    assert not [line for line in lines if "\\" in ESCAPES.sub("", line) and line[:1] != "."]


@pytest.mark.parametrize("name", sorted(ALL_COMMANDS))
def test_every_command_is_in_the_man_page(name: str) -> None:
    """Its help, each of its options, and the codes that it can end with."""
    text = plain_text()
    command = ALL_COMMANDS[name]
    assert f"dataware {name}" in text
    first = " ".join((command.help or "").partition("\n\n")[0].split())
    assert first in text
    with click.Context(command, info_name=name) as context:
        options = [one for one in command.params if isinstance(one, click.Option)]
        records = [one.get_help_record(context) for one in options]
    for option, told in filter(None, records):
        assert " ".join(f"{option} {told}".split()) in text, option
    assert exit_code_line(name) in text


def test_it_renders_without_a_remark() -> None:
    """groff, where it is installed, has nothing to say against it."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed")
    ran = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", "-Kutf8", str(PAGE)], capture_output=True, check=True
    )
    assert ran.stderr == b""
    shown = re.sub(r"\x1b\[\d*m|.\x08", "", ran.stdout.decode())
    assert "NAME" in shown
    assert "dataware plan [OPTIONS] [APP]" in shown
    assert "--detailed-exitcode" in shown
