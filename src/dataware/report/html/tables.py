"""The tables of a run: its migrations, its differences, what was skipped, the full log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from dataware.core.events import format_count
from dataware.report.html.story import KeyGroup, MigrationStory, Story, TimelineEntry
from dataware.report.html.table import Column, ReportTable, Row
from dataware.report.html.words import fate, rate_in_words, seconds_in_words

APART = (
    Column("Key", "code"),
    Column("Difference", "tag", repeats=True),
    Column("Source", "code", repeats=True),
    Column("Target", "code", repeats=True),
)
LEFT = (
    Column("Key", "code"),
    Column("Reason", "tag", repeats=True),
    Column("Why", repeats=True),
    Column("Target", "code", repeats=True),
)
TOLD = (Column("After", "mute"), Column("Level", "tag", repeats=True), Column("What"))
MIGRATIONS = (
    Column("Target", "code"),
    Column("Source", "code"),
    Column("Result", "tag", repeats=True),
    Column("Copied", "number"),
    Column("Skipped", "number"),
    Column("Time", "number"),
    Column("Mean rate a second", "number"),
    Column("Throttled", "number"),
    Column("Retried", "number"),
)
VERIFIED = (
    Column("Target", "code"),
    Column("Source", "code"),
    Column("Result", "tag", repeats=True),
    Column("Compared"),
    Column("Found"),
)


def differences_table(story: Story) -> ReportTable:
    """Every key that is not the same on both sides; those that were skipped stand there alone."""
    rows: list[Row]
    rows = [
        (key, *keys.about, keys.source, keys.name)
        for keys in unexplained_differences(story)
        for key in keys.keys
    ]
    cut = sum(count for code, count in story.cut.items() if code.startswith("compared-different"))
    caption = "Keys that are missing in the target, extra in it, or different"
    return _drop_constant_columns(
        ReportTable("differences", caption, APART, rows, _note(cut, story)), 2
    )


def unexplained_differences(story: Story) -> list[KeyGroup]:
    """The differences without the keys that are missing because the copy skipped them."""
    skipped = {(keys.source, keys.name, key) for keys in story.skipped for key in keys.keys}
    if not skipped:
        return story.differing
    return [_drop_skipped(keys, skipped) for keys in story.differing]


def _drop_skipped(keys: KeyGroup, skipped: Set[tuple[str, str, str]]) -> KeyGroup:
    if keys.about != ("missing",):
        return keys
    rest = [key for key in keys.keys if (keys.source, keys.name, key) not in skipped]
    return replace(keys, keys=rest)


def skipped_table(story: Story) -> ReportTable:
    """Every key that was not carried over, and why."""
    rows: list[Row]
    rows = [(key, *keys.about, keys.name) for keys in story.skipped for key in keys.keys]
    note = _note(story.cut["skipped"])
    return _drop_constant_columns(ReportTable("skipped", "Skipped keys", LEFT, rows, note), 3)


def _drop_constant_columns(table: ReportTable, places: int) -> ReportTable:
    """The table without its columns from `places` on, if every row has the same texts there."""
    if len({tuple(row[places:]) for row in table.rows}) > 1:
        return table
    rows = [row[:places] for row in table.rows]
    return replace(table, columns=table.columns[:places], rows=rows)


def _note(cut: int, story: Story | None = None) -> str:
    """What a list does not hold."""
    listed = sum(len(keys.keys) for keys in story.differing) if story else 0
    total = sum(
        int(value)
        for one in (story.compared if story else ())
        for side, value in (one.differences or {}).items()
        if side in {"missing", "extra", "different"} and isinstance(value, int)
    )
    more = max(cut, total - listed)
    return f"{format_count(more, 'more key')} were only counted." if more > 0 else ""


def timeline_table(id: str, caption: str, entries: Sequence[TimelineEntry]) -> ReportTable:
    """Lines that were told, with their time."""
    rows: list[Row] = [(seconds_in_words(one.at), one.level, one.text) for one in entries]
    return ReportTable(id, caption, TOLD, rows)


def migrations_table(story: Story) -> ReportTable:
    """Every migration that was carried out, in a line."""
    rows = [_migration_row(story, one) for one in story.carried]
    table = ReportTable("all-migrations", "Every migration of the run", MIGRATIONS, rows)
    return _drop_constant_columns(table, len(MIGRATIONS) - 1)


def _migration_row(story: Story, one: MigrationStory) -> Row:
    counts, last = one.counts or {}, one.samples[-1] if one.samples else None
    copied = int(counts.get("copied", last.done if last else 0))
    return (
        one.name,
        one.source,
        fate(story, one).title,
        f"{copied:,}",
        f"{int(counts.get('skipped', 0)):,}",
        seconds_in_words(one.ended - one.begun),
        "" if one.rate is None else rate_in_words(one.rate),
        f"{last.throttled if last else 0:,}",
        f"{last.retries if last else 0:,}",
    )


def verified_table(story: Story) -> ReportTable:
    """Every comparison that came to an end."""
    rows = list(_verified_rows(story))
    return ReportTable(
        "verifications", "Every comparison, and what equality rests on", VERIFIED, rows
    )


def _verified_rows(story: Story) -> Iterator[Row]:
    for one in story.compared:
        result = fate(story, one).title
        if one.differences:
            compared, grounds = one.differences.get("compared"), one.differences.get("summary", "")
        else:
            verified = one.verified or {}
            compared, grounds = verified.get("count"), verified.get("evidence", "")
        count = "" if compared is None else format_count(int(compared), one.unit)
        yield one.name, one.source, result, count, str(grounds)
