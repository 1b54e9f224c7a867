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
text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; text-anchor: middle }
.small { font-size: 12px; fill: #4b535d }
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
            yield f'<text class="small" x="{self.at[0]}" y="{self.at[1]}">{escape(self.word)}</text>'


@dataclass(frozen=True)
class Picture:
    """A picture with its `title`, which screen readers say."""

    title: str
    width: int
    height: int
    shapes: Sequence[Shape]

    def svg(self) -> str:
        """The whole file."""
        size = f'width="{self.width}" height="{self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {self.width} {self.height}" role="img">'
        ground = f'<rect class="ground" x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="10"/>'
        title = f"<title>{escape(self.title)}</title>"
        drawn = [line for shape in self.shapes for line in shape.svg()]
        style = f"<style>{STYLE}</style>"
        return "\n".join([head, title, style, f"<defs>{TIP}</defs>", ground, *drawn, "</svg>\n"])


DATA_FLOW = Picture(
    "The way data flows: inputs become wanted resources, then facts, a decision, a plan, a copy, "
    "a verification and the record complete; the lock file leads from the plan to CDK's synth",
    840,
    330,
    (
        Box(20, 24, 150, 34, ["CDK app, cdk.out"]),
        Box(20, 66, 150, 34, ["template"]),
        Box(20, 108, 150, 34, ["dataware.toml"]),
        Arrow([(170, 41), (190, 41), (190, 83)]),
        Arrow([(170, 83), (216, 83)]),
        Arrow([(170, 125), (190, 125), (190, 83)]),
        Box(218, 56, 110, 54, ["wanted", "what the app says"], "own"),
        Arrow([(328, 83), (374, 83)], "probe", (351, 75)),
        Box(376, 56, 110, 54, ["facts", "what AWS says"], "own"),
        Arrow([(486, 83), (532, 83)], "decide", (509, 75)),
        Box(534, 56, 110, 54, ["decision", "rule and reason"], "own"),
        Arrow([(644, 83), (700, 83)]),
        Box(702, 56, 118, 54, ["plan", "inert, JSON"], "own"),
        Arrow([(761, 110), (761, 206)], "apply looks again", (704, 164)),
        Box(702, 208, 118, 54, ["copy", "journal, marker"], "own"),
        Arrow([(702, 235), (646, 235)]),
        Box(534, 208, 110, 54, ["verify", "other code"], "own"),
        Arrow([(534, 235), (488, 235)]),
        Box(376, 208, 110, 54, ["complete", "on record"], "good"),
        Arrow([(376, 235), (330, 235)]),
        Box(190, 208, 138, 54, ["cdk deploy", "the stack adopts"]),
        Arrow([(761, 262), (761, 300), (95, 300), (95, 144)], "dataware.lock.json, read at synth", (428, 294)),
    ),
)

LAYERS = Picture(
    "The floors of the code, upper ones import lower ones: cli, cdk and handler; report; ops; then "
    "kinds, wire, migrate, state, aws and embedded side by side; core",
    840,
    318,
    (
        Box(20, 20, 260, 46, ["cli", "options, exit codes, signals"]),
        Box(290, 20, 260, 46, ["cdk", "constructs, the guard at synth"]),
        Box(560, 20, 260, 46, ["handler", "what runs in Lambda"]),
        Box(20, 78, 800, 46, ["report", "events become lines"]),
        Box(20, 136, 800, 46, ["ops", "the use cases, on ports only: plan, apply, migrate, verify, status"]),
        Box(20, 194, 126, 46, ["kinds", "resource types"], "own"),
        Box(155, 194, 126, 46, ["wire", "the fast transport"], "own"),
        Box(290, 194, 126, 46, ["migrate", "the copy engine"], "own"),
        Box(425, 194, 126, 46, ["state", "journal, marker"], "own"),
        Box(560, 194, 126, 46, ["aws", "the only boto3"], "own"),
        Box(695, 194, 125, 46, ["embedded", "an AWS to try"], "own"),
        Box(20, 252, 800, 46, ["core", "pure: facts, decision table, plan, events, errors, ports"], "good"),
    ),
)

MARKER = Picture(
    "The life of a migration: no marker, running before the first write, interrupted when the run "
    "dies, running again when the same command is repeated, complete after verification; a "
    "target that is gone after that is a stop by rule 9",
    840,
    300,
    (
        Box(20, 40, 130, 60, ["none", "no record"]),
        Arrow([(150, 70), (298, 70)], "begin: before the", (224, 48)),
        Arrow([(150, 70), (298, 70)], "first write", (224, 63)),
        Box(300, 40, 190, 60, ["running", "a sign of life every 10 s"], "own"),
        Arrow([(490, 70), (638, 70)], "verified: both sides", (564, 48)),
        Arrow([(490, 70), (638, 70)], "were read again", (564, 63)),
        Box(640, 40, 180, 60, ["complete", "for ever"], "good"),
        Arrow([(350, 100), (350, 198)], "kill -9, power,", (294, 146)),
        Arrow([(350, 100), (350, 198)], "credentials", (294, 162)),
        Arrow([(440, 198), (440, 102)], "the same command:", (506, 146)),
        Arrow([(440, 198), (440, 102)], "rule 7, resume", (506, 162)),
        Box(300, 200, 190, 60, ["interrupted", "no sign of life for 60 s"], "bad"),
        Arrow([(730, 100), (730, 198)], "the target is gone", (666, 154)),
        Box(640, 200, 180, 60, ["stop", "rule 9: data was lost"], "bad"),
    ),
)

DEPLOYMENT = Picture(
    "A migration inside a deployment: CloudFormation calls on_event, which takes the lock and starts "
    "Step Functions; Begin parts the source, a Distributed Map runs one worker for each shard, Finish "
    "verifies; is_complete polls until the record is complete",
    840,
    330,
    (
        Box(20, 40, 150, 54, ["CloudFormation", "custom resource"]),
        Arrow([(170, 67), (218, 67)]),
        Box(220, 40, 150, 54, ["on_event", "looks, takes the lock"], "own"),
        Arrow([(370, 67), (408, 67)]),
        Box(410, 20, 410, 210, ["Step Functions"], "frame"),
        Box(430, 54, 104, 54, ["Begin", "parts the source"], "own"),
        Arrow([(534, 81), (568, 81)]),
        Box(570, 54, 112, 54, ["Map", "one shard each"], "own"),
        Arrow([(682, 81), (706, 81)]),
        Box(708, 54, 98, 54, ["Finish", "adds up"], "own"),
        Arrow([(600, 108), (600, 158)]),
        Box(540, 160, 172, 54, ["Work", "again, until it has ended"], "own"),
        Arrow([(652, 160), (652, 110)]),
        Arrow([(757, 108), (757, 187), (714, 187)], "verify", (734, 180)),
        Arrow([(95, 94), (95, 258), (218, 258)], "every 10 s", (140, 250)),
        Box(220, 231, 150, 54, ["is_complete", "keeps the lock"], "own"),
        Arrow([(370, 258), (538, 258)], "after the verification", (452, 250)),
        Box(540, 244, 266, 54, ["marker in SSM", "running, then complete"], "good"),
        Arrow([(295, 94), (295, 229)], "runs", (276, 166)),
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
