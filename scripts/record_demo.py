"""Records a run against the embedded AWS as docs/pictures/demo.svg: an animation without scripts.

The lines are those that the commands print; the times between them are shortened to what an eye
can follow. Whoever prefers no motion sees the last screen at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import boto3

from dataware.cli.demo.data import fill_table, items, places
from dataware.embedded import EmbeddedAws

OUTPUT = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "demo.svg"
OLD, NEW = "Spaceport-Places", "Spaceport-Places-prod"
COUNT = 20_000
KEY = [("country", "HASH", "S"), ("id", "RANGE", "N")]
APP = f"""[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "{NEW}"
fallback = ["{OLD}"]
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
KeySchema = [{", ".join(f'{{ AttributeName = "{n}", KeyType = "{k}" }}' for n, k, _ in KEY)}]
AttributeDefinitions = [
  {", ".join(f'{{ AttributeName = "{n}", AttributeType = "{t}" }}' for n, _, t in KEY)}
]
"""
COLUMNS, ROWS, LINE, WIDTH = 92, 26, 19, 9
TYPED, SHORTEST, LONGEST, LAST = 0.9, 0.12, 0.9, 4.0
TONES = {"$": "typed", "✅": "good", "🔄": "change", "⚠": "warning", "❌": "bad", "^": "bad"}
STYLE = """
.ground { fill: #0d1117; stroke: #30363d }
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #c9d1d9;
  white-space: pre }
.typed { fill: #ffffff; font-weight: 600 }
.good { fill: #56d364 } .change { fill: #79c0ff } .warning { fill: #e3b341 } .bad { fill: #ff7b72 }
.screen { opacity: 0 }
"""


@dataclass(frozen=True)
class Shown:
    """A line and the second of the recording at which it was printed."""

    at: float
    text: str


def record(
    command: str, environ: dict[str, str], folder: Path, kill_at: str | None = None
) -> list[Shown]:
    """Run `dataware COMMAND` and note its lines; it is killed once a line holds `kill_at`."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "dataware.cli", *command.split()],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    began, lines = time.monotonic(), list[Shown]()
    assert process.stdout is not None  # noqa: S101 - for the type checker; it is a pipe
    for line in process.stdout:
        lines.append(Shown(time.monotonic() - began, line.rstrip("\n")))
        if kill_at and kill_at in line:
            process.kill()
            lines.append(Shown(lines[-1].at + 1, "^ kill -9"))
    process.wait()
    return lines


def scenes(folder: Path) -> Iterator[tuple[str, list[Shown]]]:
    """The commands, each with what it printed."""
    with EmbeddedAws() as aws:
        environ = {
            **os.environ,
            **aws.environ(),
            "COLUMNS": str(COLUMNS),
            "DATAWARE_STATE": str(folder / "state"),
        }
        client = boto3.client(
            "dynamodb",
            endpoint_url=aws.endpoint,
            region_name=aws.region,
            aws_access_key_id=aws.account,
            aws_secret_access_key="test",  # noqa: S106 - the embedded AWS takes any
        )
        client.create_table(
            TableName=OLD,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind, _ in KEY],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, _, t in KEY],
        )
        fill_table(client, OLD, items(places(COUNT), COUNT))
        (folder / "dataware.toml").write_text(APP, encoding="utf-8")
        yield "plan", record("plan", environ, folder)
        slow = "apply --max-rate 1200"
        yield slow, record(slow, environ, folder, kill_at=f" of {COUNT:,} items")
        yield "status", record("status", environ, folder)
        yield "apply", record("apply", environ, folder)


def frames(told: Iterator[tuple[str, list[Shown]]]) -> Iterator[tuple[float, list[str]]]:
    """The screens: for how many seconds each stands, and its lines."""
    screen: list[str] = []
    for command, lines in told:
        screen = [*screen, f"$ dataware {command}"]
        yield TYPED, screen
        before = lines[0].at if lines else 0.0
        for line in lines:
            yield min(max(line.at - before, SHORTEST), LONGEST), screen
            screen = [
                *screen,
                *(_wrap(line.text) or [""]),
            ]
            before = line.at
        screen = [*screen, ""]
        yield LONGEST, screen
    yield LAST, screen


def _wrap(text: str) -> list[str]:
    """The line as a terminal shows it: names are whole, though they have hyphens."""
    return textwrap.wrap(text, COLUMNS, subsequent_indent="   ", break_on_hyphens=False)


def svg(shown: list[tuple[float, list[str]]]) -> str:
    """The animation: one group a screen, of which one is visible at a time."""
    total = sum(seconds for seconds, _ in shown)
    width, height = COLUMNS * WIDTH + 40, ROWS * LINE + 40
    style, groups, start = [STYLE], [], 0.0
    for number, (seconds, screen) in enumerate(shown):
        begin, end = 100 * start / total, 100 * (start + seconds) / total
        last = number == len(shown) - 1
        off = "" if last else f"{end:.2f}%, 100% {{ opacity: 0 }}"
        hidden = f"0%, {max(begin - 0.001, 0):.3f}% {{ opacity: 0 }}" if number else ""
        stands = f"{begin:.2f}%, {max(end - 0.001, begin):.3f}% {{ opacity: 1 }}"
        style.append(f"@keyframes s{number} {{ {hidden} {stands} {off} }}")
        style.append(f"#s{number} {{ animation: s{number} {total:.1f}s infinite step-end }}")
        groups.append(f'<g id="s{number}" class="screen">{"".join(_lines(screen))}</g>')
        start += seconds
    style.append(
        "@media (prefers-reduced-motion: reduce) { .screen { animation: none !important } "
        f"#s{len(shown) - 1} {{ opacity: 1 }} }}"
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">'
    )
    title = (
        "A terminal: dataware plans, copies a table, is killed, and finishes with a verified copy"
    )
    ground = f'<rect class="ground" width="{width}" height="{height}" rx="10"/>'
    text = "\n".join(style)
    parts = [head, f"<title>{title}</title>", f"<style>{text}</style>", ground, *groups, "</svg>\n"]
    return "\n".join(parts)


def _lines(screen: list[str]) -> Iterator[str]:
    for row, line in enumerate(screen[-ROWS:]):
        tone = TONES.get(line.lstrip()[:1], "")
        shown = escape(line)
        yield f'<text class="{tone}" x="20" y="{36 + row * LINE}">{shown}</text>'


def main() -> None:
    """Record, and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        OUTPUT.write_text(svg(list(frames(scenes(Path(folder))))), encoding="utf-8")


if __name__ == "__main__":
    main()
