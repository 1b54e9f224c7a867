"""Puts a page together: one HTML file that loads nothing, runs nothing but its own script.

The policy in its head names the style sheet and the script by their hashes, so that nothing else
is ever applied or run, whatever a key says. Every text goes through the template's escaping.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from dataware import __version__
from dataware.core.printable import escape_unprintable
from dataware.report.approval import BAD, GOOD, NOTE, WARN, ApprovalBox
from dataware.report.html.chart import HEIGHT, WIDTH, Chart
from dataware.report.html.story import TimelineEntry
from dataware.report.html.table import ReportTable, lines
from dataware.report.html.words import Headline, prose, rate_in_words, seconds_in_words

SIGNS = {GOOD: "✔", NOTE: "●", WARN: "▲", BAD: "✖"}

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class MigrationView:
    """One migration as it is shown; `untold` lines of its `timeline` are left out."""

    id: str
    source: str
    name: str
    unit: str
    fate: Headline
    facts: Facts
    chart: Chart | None
    timeline: Sequence[TimelineEntry]
    untold: int = 0

    @property
    def title(self) -> str:
        """The migration in words."""
        return f"{self.source} → {self.name}"

    @property
    def alternative(self) -> str:
        """What the chart shows, in words."""
        if self.chart is None:
            return ""
        throttled = sum(span.throttled for span in self.chart.spans)
        retries = sum(span.retries for span in self.chart.spans)
        return (
            f"Rate of {self.title} over time: at most {rate_in_words(self.chart.peak)} "
            f"{_plural(self.unit)} a second, throttled {throttled:,} times, {retries:,} requests "
            "sent again. The figures follow as a table."
        )


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A part of a page; tables in `folded` are shown on demand."""

    id: str
    title: str
    text: str = ""
    tables: Sequence[ReportTable] = ()
    migrations: Sequence[MigrationView] = ()
    folded: Sequence[tuple[str, ReportTable]] = ()
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Everything that a page shows."""

    kind: str
    name: str
    facts: Facts
    headline: Headline
    boxes: Sequence[ApprovalBox]
    figures: Facts
    sections: Sequence[ReportSection]

    @property
    def title(self) -> str:
        """The title of the window."""
        return f"{self.headline.title} · {self.name} · dataware"


EVERYTHING = "Full log"
"""The heading under which every line of a run stands."""


def render(page: ReportPage) -> str:
    """The page as one HTML file, in ASCII."""
    style, script = _file("page.css"), _file("page.js")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    template = _environment().from_string(_file("page.html"))
    text = template.render(
        page=page,
        policy=policy,
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        version=__version__,
        signs=SIGNS,
        everything=EVERYTHING,
        width=WIDTH,
        height=HEIGHT,
    )
    # Whatever encoding the output has, the page is the same; style and script are in ASCII anyway.
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _plural(unit: str) -> str:
    """More than one of a unit of data."""
    return f"{unit}s"


def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # A template escapes markup; characters that would not show, or turn the text round, remain.
    environment.finalize = lambda value: escape_unprintable(value) if type(value) is str else value
    environment.globals["lines"] = lines
    environment.filters |= {
        "number": lambda number: f"{number:,}",
        "seconds": seconds_in_words,
        "rate": rate_in_words,
        "plural": _plural,
        "prose": prose,
    }
    return environment


def _file(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
