"""What the record of a run tells, put together: decisions, migrations, verifications, ends.

Reads records of this version and of others: what it does not know, it passes over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.events import MESSAGES, Level, event

Data = Mapping[str, Any]

NOT_LISTED = frozenset(
    {
        "progress",
        "verify-progress",
        "compared-different",
        "skipped",
        "decision",
        "copy-totals",
        "compared-equal",
    }
)
"""Codes whose facts have a place of their own, so that they are no line of a timeline."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a timeline: seconds since the start, how much it matters, and the words."""

    at: float
    level: str
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class ProgressSample:
    """How far a copy was; `retries` and `throttled` count from the start of the copy."""

    at: float
    done: int
    total: int
    throttled: int = 0
    retries: int = 0


@dataclass(slots=True)
class KeyGroup:
    """Keys of one sort, with what they have in common, such as ("missing",) or (reason, detail)."""

    about: tuple[str, ...]
    source: str
    name: str
    keys: list[str]


@dataclass(slots=True)
class MigrationStory:
    """The copy into one name; `counts` is None for a run that ended without a word."""

    name: str
    source: str
    unit: str = "item"
    samples: list[ProgressSample] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    counts: Data | None = None
    verified: Data | None = None
    differences: Data | None = None
    equal: int | None = None
    complete: bool = False
    left_out: str = ""
    begun: float = 0.0
    ended: float = 0.0

    @property
    def same(self) -> int:
        """How many keys of the source were compared and found the same in the target."""
        if self.verified is not None:
            return int(self.verified.get("count", 0))
        if self.equal is not None:
            return self.equal
        differences = self.differences or {}
        lacking = sum(int(differences.get(side, 0)) for side in ("missing", "different"))
        return max(0, int(differences.get("compared", 0)) - lacking)

    @property
    def rate(self) -> float | None:
        """Units a second while it was copied; None where that was over too soon to tell.

        Where all was there already, or was skipped, nothing was copied at any rate.
        """
        if self.counts is not None and not self.counts.get("copied", 0):
            return None
        if len(self.samples) < 2:
            return None
        first, last = self.samples[0], self.samples[-1]
        if last.at <= first.at or last.done <= first.done:
            return None
        return (last.done - first.done) / (last.at - first.at)

    @property
    def in_place(self) -> tuple[int, int]:
        """How much of the source is in the target, and how much there is to have there."""
        last = self.samples[-1] if self.samples else None
        if self.counts is None:
            return (last.done, last.total) if last else (0, 0)
        done = int(self.counts.get("copied", 0)) + int(self.counts.get("same", 0))
        return done, done + int(self.counts.get("skipped", 0))

    @property
    def copies(self) -> bool:
        """Whether data was copied, or was to be; false for a comparison alone."""
        return any(one.code in {"copying", "found", "found-about"} for one in self.timeline)


@dataclass(slots=True)
class DecisionEntry:
    """A decision as it was made first, and the last one if the run changed what it rests on."""

    first: Data
    last: Data


@dataclass(slots=True)
class Story:
    """Everything that a record tells; `exit_code` is None without an end."""

    beginning: Data
    alive: bool = False
    account: str = ""
    region: str = ""
    decided: dict[tuple[str, str], DecisionEntry] = field(default_factory=dict)
    migrations: dict[str, MigrationStory] = field(default_factory=dict)
    differing: list[KeyGroup] = field(default_factory=list)
    skipped: list[KeyGroup] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    cut: Counter[str] = field(default_factory=Counter)
    exit_code: int | None = None
    reason: str = ""
    seconds: float = 0.0
    prices: str = ""

    @property
    def command(self) -> str:
        """The command that was typed."""
        return str(self.beginning.get("command", ""))

    @property
    def warnings(self) -> list[TimelineEntry]:
        """What a person should review."""
        return [one for one in self.timeline if one.level == Level.WARNING]

    @property
    def attention(self) -> int:
        """How much went on with a warning: decisions, and what was said of the run as a whole."""
        decided = [one.first for one in self.decided.values() if one.first.get("action") != "stop"]
        within = {str(text) for one in decided for text in one.get("warnings", ())}
        beside = {one.text for one in self.timeline if one.code in {"warning", "loss-allowed"}}
        return sum(bool(one.get("warnings")) for one in decided) + len(beside - within)

    @property
    def stops(self) -> list[TimelineEntry]:
        """The stop rules that held."""
        return [one for one in self.timeline if one.code in {"stopped", "stopped-by-guard"}]

    @property
    def carried(self) -> list[MigrationStory]:
        """The migrations that were carried out, at least in part."""
        return [one for one in self.migrations.values() if one.copies]

    @property
    def compared(self) -> list[MigrationStory]:
        """What was compared to an end."""
        return [one for one in self.migrations.values() if one.verified or one.differences]

    def take(self, record: Data) -> None:
        """Take the next record in."""
        code, at = str(record["code"]), float(record.get("at", 0.0))
        data = _name_with_place(record.get("data", {}))
        self.seconds = max(self.seconds, at)
        special = _SPECIAL.get(code)
        if special is not None:
            special(self, at, data)
        if code in MESSAGES and code not in NOT_LISTED:
            self._report(at, code, data)

    def migration(self, at: float, data: Data) -> MigrationStory:
        """The migration that an event belongs to."""
        name = str(data.get("name", ""))
        if name not in self.migrations:
            self.migrations[name] = MigrationStory(name, str(data.get("source", "")), begun=at)
        migration = self.migrations[name]
        migration.ended = at
        migration.source = migration.source or str(data.get("source", ""))
        migration.unit = str(data.get("unit", migration.unit))
        return migration

    def _report(self, at: float, code: str, data: Data) -> None:
        try:
            text = event(code, **data).text()
        except (KeyError, ValueError, TypeError):
            text = f"{code}: " + ", ".join(f"{name} {value}" for name, value in data.items())
        entry = TimelineEntry(at, MESSAGES[code].level, text, code)
        self.timeline.append(entry)
        if data.get("name") in self.migrations or code in _OPENING:
            self.migration(at, data).timeline.append(entry)


def _name_with_place(data: Data) -> Data:
    """The data of an event; a name that may stand in several places says in which it is meant."""
    place = data.get("target")
    if place is None or "name" not in data:
        return data
    rest = {name: value for name, value in data.items() if name != "target"}
    return {**rest, "name": f"{data['name']} ({place})", "environment": place}


_OPENING = frozenset({"copying", "found", "found-about", "verifying", "verified", "differences"})


def story_of(beginning: Data, records: Iterable[Data], *, alive: bool = False) -> Story:
    """Everything that the records tell; `alive` says that the run has not ended."""
    story = Story(beginning, alive)
    for record in records:
        story.take(record)
    return story


def _on_where(story: Story, _at: float, data: Data) -> None:
    story.account, story.region = str(data.get("account", "")), str(data.get("region", ""))


def _on_plan(story: Story, _at: float, data: Data) -> None:
    story.prices = str(data.get("prices") or "")


def _on_decision(story: Story, _at: float, data: Data) -> None:
    key = str(data.get("type", "")), str(data.get("name", ""))
    if key in story.decided:
        story.decided[key].last = data
    else:
        story.decided[key] = DecisionEntry(data, data)


def _on_progress(story: Story, at: float, data: Data) -> None:
    sample = ProgressSample(
        at,
        int(data.get("done", 0)),
        int(data.get("total", 0)),
        int(data.get("throttled", 0)),
        int(data.get("retries", 0)),
    )
    story.migration(at, data).samples.append(sample)


def _on_found(story: Story, at: float, data: Data) -> None:
    story.migration(at, data).samples.append(ProgressSample(at, 0, int(data.get("count", 0))))


def _on_resumed(story: Story, at: float, data: Data) -> None:
    samples = story.migration(at, data).samples
    if samples:
        samples[-1] = ProgressSample(at, int(data.get("count", 0)), samples[-1].total)


def _on_totals(story: Story, at: float, data: Data) -> None:
    story.migration(at, data).counts = data


def _on_verified(story: Story, at: float, data: Data) -> None:
    story.migration(at, data).verified = data


def _on_equal(story: Story, at: float, data: Data) -> None:
    story.migration(at, data).equal = int(data.get("count", 0))


def _on_differences(story: Story, at: float, data: Data) -> None:
    story.migration(at, data).differences = data


def _on_migrated(story: Story, at: float, data: Data) -> None:
    story.migration(at, data).complete = True


def _on_partly_migrated(story: Story, at: float, data: Data) -> None:
    migration = story.migration(at, data)
    migration.complete, migration.left_out = True, str(data.get("text", ""))


def _keys(data: Data, *about: str) -> KeyGroup:
    common = tuple(str(data.get(field, "")) for field in about)
    keys = [str(key) for key in data.get("keys", ())]
    return KeyGroup(common, str(data.get("source", "")), str(data.get("name", "")), keys)


def _on_different(story: Story, _at: float, data: Data) -> None:
    story.differing.append(_keys(data, "difference"))


def _on_skipped(story: Story, _at: float, data: Data) -> None:
    story.skipped.append(_keys(data, "reason", "detail"))


def _on_cut(story: Story, _at: float, data: Data) -> None:
    story.cut.update({str(code): int(count) for code, count in data.items()})


def _on_end(story: Story, _at: float, data: Data) -> None:
    story.exit_code, story.reason = int(data["exit_code"]), str(data.get("reason") or "")


_SPECIAL: Mapping[str, Callable[[Story, float, Data], None]] = {
    "where": _on_where,
    "plan": _on_plan,
    "decision": _on_decision,
    "found": _on_found,
    "found-about": _on_found,
    "resumed-at": _on_resumed,
    "progress": _on_progress,
    "copy-totals": _on_totals,
    "verified": _on_verified,
    "differences": _on_differences,
    "compared-equal": _on_equal,
    "migrated": _on_migrated,
    "migrated-partly": _on_partly_migrated,
    "compared-different": _on_different,
    "skipped": _on_skipped,
    "cut": _on_cut,
    "end": _on_end,
}
