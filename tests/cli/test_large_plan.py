"""A plan of 130 resources, on a terminal of 80 columns, by the command that people type."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.cli import BUCKET, toml_resource, write_toml
from support.ptys import Terminal
from support.screen import Screen
from support.worlds import client, make_bucket

COPIED, CREATED, TWINS, KEPT = 6, 5, 1, 118
PARAMETER = "AWS::SSM::Parameter"


def write_app() -> None:
    """130 resources by what becomes of them: short names and names too long for one line."""
    rows: list[str] = []
    full: list[str] = []
    for sort, count in (("copied", COPIED), ("new", CREATED), ("twin", TWINS)):
        for number in range(count):
            long = "-of-the-second-generation-in-a-region" if number % 2 else ""
            name = f"spaceport-{sort}{long}-{number}"
            rows.append(toml_resource(BUCKET, f"{name}-prod", name))
            full += [name] if sort != "new" else []
            full += [f"{name}-prod"] if sort == "twin" else []
    kept = [f"/spaceport/{number}" for number in range(KEPT)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: make_bucket(name, [{"Key": "a", "Body": b"x"}]), full))
        ssm = client("ssm")
        list(pool.map(lambda name: ssm.put_parameter(Name=name, Value="v", Type="String"), kept))
    write_toml(Path("dataware.toml"), *rows, *(toml_resource(PARAMETER, name) for name in kept))


def test_a_plan_of_130_resources_is_read_at_a_glance(
    aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs a person comes first, a change has at most two lines, and the rest has one."""
    monkeypatch.chdir(tmp_path)
    write_app()
    with Terminal(("-m", "dataware.cli", "plan"), columns=80) as terminal:
        assert terminal.ended() == 0
    screen = Screen(80).feed(terminal.written)
    lines = screen.lines
    marks = [number for number, line in enumerate(lines) if line[2:3] in {"!", ">", "+"}]
    order = "!" * TWINS + ">" * COPIED + "+" * CREATED
    assert "".join(lines[number][2] for number in marks) == order
    folded = lines.index(f"  {KEPT} unchanged (show with --all)")
    for number, following in zip(marks[TWINS:], [*marks[TWINS + 1 :], folded], strict=True):
        assert following - number <= 2, lines[number:following]
    attention = lines[marks[0] : marks[TWINS]]
    assert attention[1:] == [
        "     spaceport-twin-0 is not used",
        "     → dataware verify s3://spaceport-twin-0 s3://spaceport-twin-0-prod",
    ]
    rows = [lines[number] for number in marks]
    assert all(row.rpartition("  ")[2].startswith("rule ") for row in rows), "rules in one column"
    assert len({row.index("rule ") for row in rows}) == 1
    behind = list(takewhile(bool, reversed(lines[folded:-1])))
    amounts = f"{COPIED} to copy, {CREATED} to create, {KEPT} unchanged, 1 needs"
    assert behind[-1].startswith(f"ℹ️  Plan: {amounts}")
    assert behind[0] == "ℹ️  Next: dataware apply"
    # What a window of 50 lines still shows as a whole.
    assert len(lines) <= 45
    assert screen.widest <= 80
