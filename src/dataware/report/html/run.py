"""The report of a run as a page."""

from __future__ import annotations

from collections.abc import Iterator

from dataware.calc.measures import volume
from dataware.core.events import format_count
from dataware.report.approval import format_moment
from dataware.report.html.chart import chart_of
from dataware.report.html.decisions import decisions_section
from dataware.report.html.page import (
    EVERYTHING,
    Facts,
    MigrationView,
    ReportPage,
    ReportSection,
    render,
)
from dataware.report.html.run_approval import run_boxes
from dataware.report.html.story import MigrationStory, Story
from dataware.report.html.tables import (
    differences_table,
    migrations_table,
    skipped_table,
    timeline_table,
    unexplained_differences,
    verified_table,
)
from dataware.report.html.words import (
    fate,
    headline,
    rate_in_words,
    seconds_in_words,
)

CHARTED = 100
"""Migrations that have a chart, the longest ones; the others stand in the table alone."""

LINES = 40
"""Lines of the timeline of one migration."""


def run_page(story: Story) -> str:
    """The page of a run."""
    beginning = story.beginning
    command = str(beginning.get("command", "?"))
    words = " ".join(["dataware", command, *map(str, beginning.get("arguments", ()))])
    facts = [
        ("Account", story.account or "not known"),
        ("Region", story.region or "not known"),
        ("Started", format_moment(str(beginning.get("started", "")))),
        ("Took", seconds_in_words(story.seconds)),
        ("Run", str(beginning.get("run", ""))),
    ]
    return render(
        ReportPage(
            "report",
            words,
            facts,
            headline(story),
            run_boxes(story),
            _figures(story),
            list(_sections(story)),
        )
    )


def _figures(story: Story) -> Facts:
    """The run in a few numbers; those that say nothing are left out."""
    counts = [one.counts or {} for one in story.carried]
    copied = sum(int(one.get("copied", 0)) for one in counts)
    size = sum(int(one.get("bytes", 0)) for one in counts)
    compared = sum(one.same for one in story.migrations.values())
    apart = sum(len(keys.keys) for keys in unexplained_differences(story))
    skipped = sum(len(keys.keys) for keys in story.skipped) + story.cut["skipped"]
    figures = [
        ("Resources", len(story.decided), ""),
        ("Migrations", len(story.carried), ""),
        ("Copied", copied, ""),
        ("Data copied", size, volume(size)),
        ("Compared equal", compared, ""),
        ("Differences", apart, ""),
        ("Skipped", skipped, ""),
        ("Warnings", len(story.warnings), ""),
    ]
    rows = [(name, words or f"{number:,}") for name, number, words in figures if number]
    return rows if len(rows) > 1 else []


def _sections(story: Story) -> Iterator[ReportSection]:
    """What stopped or needs a person first, then what was decided and done."""
    if lines := [*story.stops, *story.warnings]:
        table = timeline_table("warnings", "Review these", lines)
        yield ReportSection("warned", "Stops and warnings", tables=[table])
    if story.skipped:
        again = " Fix the causes and run the same command again to copy them."
        text = "The source still holds these keys." + (again if story.exit_code == 4 else "")
        yield ReportSection("left", "Skipped", text, [skipped_table(story)])
    if story.decided:
        yield decisions_section((one.first, one.last) for one in story.decided.values())
    if story.carried:
        yield _migrations(story)
    yield from _verification(story)
    yield _about(story)


def _migrations(story: Story) -> ReportSection:
    longest = sorted(story.carried, key=lambda one: one.begun - one.ended)[:CHARTED]
    charted = [one for one in story.carried if one in longest]
    tables = [migrations_table(story)] if len(story.carried) > 1 else []
    text = ""
    if len(story.carried) > CHARTED:
        text = f"The {CHARTED} longest of {len(story.carried):,} migrations follow with a chart."
    each = [_describe_migration(story, one, f"migration-{n}") for n, one in enumerate(charted, 1)]
    return ReportSection("migrations", "Migrations", text, tables, each)


def _describe_migration(story: Story, one: MigrationStory, id: str) -> MigrationView:
    return MigrationView(
        id,
        one.source,
        one.name,
        one.unit,
        fate(story, one),
        list(_facts_of(one)),
        chart_of(one.samples),
        one.timeline[:LINES],
        max(0, len(one.timeline) - LINES),
    )


def _facts_of(one: MigrationStory) -> Iterator[tuple[str, str]]:
    last = one.samples[-1] if one.samples else None
    if one.counts is not None:
        yield "Copied", format_count(int(one.counts.get("copied", 0)), one.unit)
        yield "Data", volume(int(one.counts.get("bytes", 0)))
        if same := int(one.counts.get("same", 0)):
            yield "Already there", format_count(same, one.unit)
        yield "Skipped", format_count(int(one.counts.get("skipped", 0)), one.unit)
    elif last is not None:
        yield "Done", f"{last.done:,} of {format_count(last.total, one.unit)}"
    yield "Time", seconds_in_words(one.ended - one.begun)
    if last is not None:
        if (rate := one.rate) is not None:
            yield "Mean rate", f"{rate_in_words(rate)} a second"
        yield "Throttled", format_count(last.throttled, "time")
        if last.retries:
            yield "Retried", format_count(last.retries, "request")


def _verification(story: Story) -> Iterator[ReportSection]:
    differing = any(keys.keys for keys in unexplained_differences(story)) or any(
        code.startswith("compared-different") for code in story.cut
    )
    if not story.compared and not differing:
        return
    tables = [verified_table(story)] if story.compared else []
    if differing:
        tables.append(differences_table(story))
    text = "Source and target were read again and compared by code independent of the copier."
    yield ReportSection("verification", "Verification", text, tables)


def _about(story: Story) -> ReportSection:
    versions = story.beginning.get("versions") or {}
    facts = [(str(name), str(value)) for name, value in versions.items()]
    if story.exit_code is not None:
        facts.append(("Exit code", str(story.exit_code)))
    timeline = timeline_table("told", "Every line, in order", story.timeline)
    folded = [(EVERYTHING, timeline)] if story.timeline else []
    return ReportSection("about", "Versions and log", folded=folded, facts=facts)
