"""Draws the pictures under docs/pictures: boxes with words, and arrows between them.

A picture is the text below, in units of pixels. It brings a ground of its own, so that it can be
read in the light and in the dark, wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Protocol

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"

STYLE = """
.ground { fill: #f6f8fa; stroke: #d0d7de }
text { font: 15px system-ui, sans-serif; fill: #24292f; text-anchor: middle }
.small { font-size: 13px; fill: #4b535d }
.strong { font-weight: 600 }
.box { fill: #ffffff; stroke: #8c959f }
.own { fill: #ddf4ff; stroke: #0969da }
.good { fill: #dafbe1; stroke: #1a7f37 }
.bad { fill: #ffebe9; stroke: #cf222e }
.frame { fill: none; stroke: #8c959f; stroke-dasharray: 5 4 }
.arrow { fill: none; stroke: #57606a; stroke-width: 1.5 }
.tip { fill: #57606a }
@media (prefers-color-scheme: dark) {
  .ground { fill: #161b22; stroke: #30363d }
  text { fill: #e6edf3 }
  .small { fill: #b1bac4 }
  .box { fill: #21262d; stroke: #8b949e }
  .own { fill: #0c2d6b; stroke: #58a6ff }
  .good { fill: #033a16; stroke: #3fb950 }
  .bad { fill: #67060c; stroke: #ff7b72 }
  .frame { stroke: #8b949e }
  .arrow { stroke: #9da7b1 }
  .tip { fill: #9da7b1 }
}
"""
TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto-start-reverse"><path class="tip" d="M0,0 L8,4 L0,8 z"/></marker>'
)


class Shape(Protocol):
    """Anything that draws itself."""

    def svg(self) -> Iterator[str]:
        """Its elements."""
        ...


@dataclass(frozen=True)
class Box:
    """Words in a rectangle: the first line is strong, the others are small.

    `x`, `y` is the upper left corner. `look` is box, own (dataware's part), good, bad or frame; a
    frame has its words at its upper edge.
    """

    x: int
    y: int
    width: int
    height: int
    words: Sequence[str]
    look: str = "box"

    def svg(self) -> Iterator[str]:
        """The rectangle, then its lines, centred."""
        yield (
            f'<rect class="{self.look}" x="{self.x}" y="{self.y}" width="{self.width}" '
            f'height="{self.height}" rx="6"/>'
        )
        middle = self.x + self.width // 2
        first = self.y + self.height // 2 + 5 - 9 * (len(self.words) - 1)
        if self.look == "frame":
            first = self.y + 20
        for number, line in enumerate(self.words):
            kind = "small" if number else "strong"
            y = first + 18 * number
            yield f'<text class="{kind}" x="{middle}" y="{y}">{escape(line)}</text>'


@dataclass(frozen=True)
class Arrow:
    """A line with a tip through `points`, and a word beside it at `at`."""

    points: Sequence[tuple[int, int]]
    word: str = ""
    at: tuple[int, int] = (0, 0)

    def svg(self) -> Iterator[str]:
        """The line, then its word."""
        path = " L".join(f"{x},{y}" for x, y in self.points)
        yield f'<path class="arrow" marker-end="url(#tip)" d="M{path}"/>'
        if self.word:
            yield from Label(self.word, *self.at).svg()


@dataclass(frozen=True)
class Label:
    """Small words, centred at a point."""

    text: str
    x: int
    y: int

    def svg(self) -> Iterator[str]:
        """The words."""
        yield f'<text class="small" x="{self.x}" y="{self.y}">{escape(self.text)}</text>'


@dataclass(frozen=True)
class Picture:
    """A picture with its `title`, which screen readers say."""

    title: str
    width: int
    height: int
    shapes: Sequence[Shape]

    def svg(self) -> str:
        """The whole file."""
        width, height = self.width, self.height
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">'
        )
        ground = (
            f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" '
            'rx="10"/>'
        )
        title = f"<title>{escape(self.title)}</title>"
        drawn = [line for shape in self.shapes for line in shape.svg()]
        style = f"<style>{STYLE}</style>"
        return "\n".join([head, title, style, f"<defs>{TIP}</defs>", ground, *drawn, "</svg>\n"])


DATA_FLOW = Picture(
    "The way data flows: inputs become wanted resources, then facts, a decision, a plan, a copy, "
    "a verification and the record complete; the lock file leads from the plan to CDK's synth",
    640,
    390,
    (
        Box(20, 20, 180, 40, ["dataware.toml"]),
        Box(220, 20, 180, 40, ["template"]),
        Box(420, 20, 180, 40, ["CDK app, cdk.out"]),
        Arrow([(310, 60), (310, 78), (110, 78), (110, 104)]),
        Arrow([(110, 60), (110, 104)]),
        Arrow([(510, 60), (510, 78), (110, 78), (110, 104)]),
        Box(20, 106, 180, 58, ["wanted", "what the app says"], "own"),
        Arrow([(200, 135), (246, 135)], "probe", (222, 126)),
        Box(248, 106, 144, 58, ["facts", "what AWS says"], "own"),
        Arrow([(392, 135), (442, 135)], "decide", (416, 126)),
        Box(444, 106, 156, 58, ["decision", "rule and reason"], "own"),
        Arrow([(522, 164), (522, 202)]),
        Box(444, 204, 156, 58, ["plan", "inert, JSON"], "own"),
        Arrow([(600, 233), (620, 233), (620, 40), (602, 40)]),
        Label("dataware.lock.json, read at synth", 510, 96),
        Arrow([(444, 233), (394, 233)], "apply", (420, 224)),
        Box(248, 204, 144, 58, ["copy", "journal, marker"], "own"),
        Arrow([(248, 233), (202, 233)]),
        Box(20, 204, 180, 58, ["verify", "by other code"], "own"),
        Arrow([(110, 262), (110, 310)]),
        Label("both sides read again", 190, 291),
        Box(20, 312, 180, 58, ["complete", "on record"], "good"),
        Arrow([(200, 341), (246, 341)]),
        Box(248, 312, 352, 58, ["cdk deploy", "the stack adopts what is there"]),
    ),
)

LAYERS = Picture(
    "The floors of the code, upper ones import lower ones: cli, cdk and handler; report; ops; then "
    "kinds, wire, migrate, verify, state, aws and embedded side by side; http; core; calc",
    640,
    480,
    (
        Box(20, 20, 190, 54, ["cli", "commands, processes"]),
        Box(220, 20, 200, 54, ["cdk", "constructs, the guard"]),
        Box(430, 20, 190, 54, ["handler", "runs in Lambda"]),
        Box(20, 84, 600, 54, ["report", "events become lines, tables and pages"]),
        Box(20, 148, 600, 54, ["ops", "the use cases: plan, apply, migrate, verify, status"]),
        Box(20, 212, 78, 54, ["kinds", "types"], "own"),
        Box(105, 212, 78, 54, ["wire", "transport"], "own"),
        Box(190, 212, 78, 54, ["migrate", "copying"], "own"),
        Box(275, 212, 80, 54, ["verify", "verify-progress"], "own"),
        Box(362, 212, 78, 54, ["state", "journal"], "own"),
        Box(447, 212, 68, 54, ["aws", "boto3"], "own"),
        Box(522, 212, 98, 54, ["embedded", "emulator"], "own"),
        Box(20, 276, 600, 54, ["http", "endpoints, regions, clocks, refused credentials; no I/O"]),
        Box(20, 340, 600, 54, ["core", "pure: facts, decisions, plan, events, ports"], "good"),
        Box(20, 404, 600, 54, ["calc", "pure: rates, key ranges, digests, sizes"], "good"),
    ),
)

MARKER = Picture(
    "The life of a migration: no marker, running before the first write, interrupted when the run "
    "dies, running again when the same command is repeated, complete after verification; a "
    "target that is gone after that is a stop by rule 9",
    640,
    302,
    (
        Box(20, 50, 96, 62, ["none", "no record"]),
        Arrow([(116, 81), (224, 81)], "begin: before", (170, 54)),
        Label("the first write", 170, 71),
        Box(226, 50, 170, 62, ["running", "a beat every 10 s"], "own"),
        Arrow([(396, 81), (494, 81)], "verified", (445, 71)),
        Box(496, 50, 124, 62, ["complete", "for ever"], "good"),
        Arrow([(260, 112), (260, 218)], "kill -9, power,", (196, 160)),
        Label("credentials", 196, 177),
        Arrow([(360, 218), (360, 114)], "same command:", (424, 160)),
        Label("rule 7, resume", 424, 177),
        Box(226, 220, 170, 62, ["interrupted", "no beat for 60 s"], "bad"),
        Arrow([(580, 112), (580, 218)], "target gone", (530, 200)),
        Box(480, 220, 140, 62, ["stop", "rule 9: lost data"], "bad"),
    ),
)

DEPLOYMENT = Picture(
    "A migration inside a deployment: CloudFormation calls the function Look, which takes the lock "
    "and starts two executions. One copies: Begin, a Distributed Map of Work, Finish. The other "
    "looks again and again, and answers CloudFormation once the record is complete",
    640,
    418,
    (
        Box(20, 20, 170, 58, ["CloudFormation", "custom resource"]),
        Arrow([(190, 40), (258, 40)]),
        Arrow([(258, 62), (192, 62)], "answer", (224, 78)),
        Box(260, 20, 360, 58, ["Look", "takes the lock, starts both, then keeps the lock"], "own"),
        Arrow([(330, 78), (330, 116)]),
        Box(48, 118, 572, 62, ["Step Functions: the watch"], "frame"),
        Box(455, 130, 150, 40, ["Wait"], "own"),
        Arrow([(560, 130), (560, 80)], "looks again", (510, 104)),
        Box(48, 196, 572, 132, ["Step Functions: the copy"], "frame"),
        Box(62, 236, 124, 58, ["Begin", "divides the source"], "own"),
        Arrow([(186, 265), (220, 265)]),
        Box(222, 236, 220, 58, ["Map of Work", "again, until its shard has ended"], "own"),
        Arrow([(442, 256), (486, 256)]),
        Box(488, 236, 118, 58, ["Finish", "adds up"], "own"),
        Arrow([(486, 278), (444, 278)], "verify", (465, 300)),
        Arrow([(275, 78), (275, 98), (32, 98), (32, 369), (328, 369)], "", (0, 0)),
        Label("heartbeat, verdict", 180, 360),
        Box(330, 340, 290, 58, ["marker in SSM", "running, then complete"], "good"),
    ),
)

DRAWN = {
    "data-flow.svg": DATA_FLOW,
    "layers.svg": LAYERS,
    "marker.svg": MARKER,
    "deployment.svg": DEPLOYMENT,
}


def main() -> None:
    """Draw every picture."""
    PICTURES.mkdir(exist_ok=True)
    for name, picture in DRAWN.items():
        (PICTURES / name).write_text(picture.svg(), encoding="utf-8")


if __name__ == "__main__":
    main()
