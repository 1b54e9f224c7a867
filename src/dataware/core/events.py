"""Every event that dataware reports: a permanent code, a level and a payload.

The inside emits events; `dataware.report` renders them. A message is data, so that the same words
reach a terminal, a pipe, JSON lines and a report, and scripts can rely on the codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter


class Level(StrEnum):
    """How much a line matters; the value stands in JSON."""

    INFO = "info"
    SUCCESS = "success"
    CHANGE = "change"
    PROGRESS = "progress"
    WARNING = "warning"
    FAILURE = "failure"
    DETAIL = "detail"
    """Too much to be told; kept in the record of the run."""


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of event: its code, level, sign and the template of its line."""

    code: str
    level: Level
    sign: str
    template: str

    @property
    def fields(self) -> frozenset[str]:
        """The payload fields that the template shows."""
        return frozenset(_fields(self.template))


def _fields(template: str) -> Iterator[str]:
    for _, name, within, _ in Formatter().parse(template):
        if name:
            yield name
            yield from _fields(within or "")


class _Number(int):
    """A number as people read it: with separators, and after a noun in a template in its number.

    ``{count:item}`` is "1 item" or "1,200 items".
    """

    def __format__(self, noun: str) -> str:
        number = int.__format__(self, ",")
        return f"{number} {noun}{'' if self == 1 else 's'}" if noun else number


def _messages(*rows: tuple[str, Level, str, str]) -> dict[str, Message]:
    messages = {row[0]: Message(*row) for row in rows}
    if len(messages) != len(rows):
        raise ValueError("two messages share a code")
    return messages


INFO, SUCCESS, CHANGE = Level.INFO, Level.SUCCESS, Level.CHANGE
PROGRESS, WARNING, FAILURE = Level.PROGRESS, Level.WARNING, Level.FAILURE
DETAIL = Level.DETAIL

MESSAGES = _messages(
    ("looking", INFO, "🔍", "Looking at {count:resource} in account {account}, {region}"),
    ("look-progress", PROGRESS, "🔍", "Looked at {done} of {total:name}, {seconds} s"),
    ("keeping", SUCCESS, "✅", "Keeping the stack's own {noun}: {name}"),
    ("importing", SUCCESS, "✅", "Importing existing {noun} with data: {name}"),
    ("importing-empty", SUCCESS, "✅", "Importing existing {noun}: {name}"),
    ("referencing", SUCCESS, "✅", "Referencing {noun} of stack {stack}: {name}"),
    (
        "migrating",
        CHANGE,
        "🔄",
        "Fallback {short} has data, creating preferred and migrating: {source} → {name}",
    ),
    (
        "migrating-into",
        CHANGE,
        "🔄",
        "Fallback {short} has data, migrating into the existing one: {source} → {name}",
    ),
    ("resuming", CHANGE, "🔄", "Resuming the migration: {source} → {name}"),
    (
        "rehearsing",
        CHANGE,
        "🔄",
        "Rehearsing {source} → {real} in {name}, which is made for it and removed again",
    ),
    (
        "rehearsed",
        SUCCESS,
        "✅",
        "Rehearsed {source} → {real} in {after}: {count:{unit}} copied in {copying} ({rate}/s) and "
        "verified in {verifying}, for {cost}",
    ),
    ("copying", CHANGE, "🔄", "Migrating: {source} → {name}"),
    ("preferred-empty", INFO, "ℹ️ ", "Preferred {short} exists but is empty: {name}"),
    ("fallback-empty", INFO, "ℹ️ ", "Fallback {short} exists but is empty: {name}"),
    ("creating", CHANGE, "🆕", "Creating new {noun}: {name}"),
    ("using-existing", SUCCESS, "✅", "Using the existing {noun} as it is: {name}"),
    ("deferred", INFO, "ℹ️ ", "{name} is deferred to the deployment: {reason}"),
    ("stopped", FAILURE, "❌", "Stopped at {name} (rule {rule}): {reason}"),
    ("stopped-by-guard", FAILURE, "❌", "Stopped at {name} (rule {rule}): {reason}; {recipe}"),
    ("loss-allowed", WARNING, "⚠️ ", "Allowed at {name} (rule {rule}): {reason}"),
    ("warning", WARNING, "⚠️ ", "{text}"),
    ("created", SUCCESS, "✅", "Created {noun}: {name}"),
    ("adopting", CHANGE, "🔄", "Stack {stack} adopts {count:resource} by id: {names}"),
    ("adopted", SUCCESS, "✅", "Stack {stack} has adopted {noun}: {name}"),
    ("found", INFO, "📊", "Found {count:{unit}} to migrate"),
    ("found-about", INFO, "📊", "Found about {count:{unit}} to migrate"),
    (
        "through-this-machine",
        INFO,
        "ℹ️ ",
        "Through this machine: {size}, {time} at 400 Mbit/s, up to {cost} for data out of AWS",
    ),
    ("resumed-at", INFO, "ℹ️ ", "Continuing after {count:{unit}} that an earlier run copied"),
    ("parallel", INFO, "ℹ️ ", "Copying with {processes} processes"),
    ("batch", PROGRESS, "✅", "Migrated batch {batch}/{batches}"),
    ("progress", PROGRESS, "📊", "{done} of {total:{unit}}, {rate}/s, {eta} left{slow}"),
    ("phase", PROGRESS, "ℹ️ ", "{name}: {phase}"),
    ("run-progress", PROGRESS, "📊", "In all: {progress}"),
    ("verify-progress", PROGRESS, "📊", "Compared {progress}"),
    ("watch-progress", PROGRESS, "📊", "{source} → {title}: {progress}, {age} s ago"),
    (
        "paused",
        WARNING,
        "⚠️ ",
        "Paused {since}: {effect}",
    ),
    ("resumed", SUCCESS, "✅", "Ended the pause: {source} → {name}"),
    ("throttled", INFO, "ℹ️ ", "Held at {rate}/s by `dataware throttle`: {source} → {name}"),
    ("unthrottled", INFO, "ℹ️ ", "Continuing at the rate of the command: {source} → {name}"),
    ("slowed", WARNING, "⚠️ ", "Slowing down: {reason}"),
    ("skipped", WARNING, "⚠️ ", "Skipped ({reason}): {key}: {detail}"),
    (
        "restoring",
        CHANGE,
        "🔄",
        "Restoring {source} as of {time} → {name}; this runs in AWS, and cannot be cancelled",
    ),
    (
        "resuming-restore",
        CHANGE,
        "🔄",
        "Resuming the restore of {source} as of {time} → {name}",
    ),
    ("restore-progress", PROGRESS, "📊", "Restoring {source} → {name}: {age} so far"),
    ("restored", SUCCESS, "✅", "Restored {source} as of {time} → {name}"),
    (
        "exporting",
        CHANGE,
        "🔄",
        "Exporting {source} as of {time} for {name}; this runs in AWS, and cannot be cancelled",
    ),
    ("export-progress", PROGRESS, "📊", "Exporting {source} for {name}: {age} so far"),
    ("exported", INFO, "ℹ️ ", "Exported {source} as of {time}, and checked the files of the export"),
    (
        "table-importing",
        CHANGE,
        "🔄",
        "Importing {source} as of {time} → {name}; this runs in AWS, and cannot be cancelled",
    ),
    ("resuming-import", CHANGE, "🔄", "Resuming the import of {source} as of {time} → {name}"),
    ("import-progress", PROGRESS, "📊", "Importing {source} → {name}: {age} so far"),
    ("table-imported", SUCCESS, "✅", "Imported {source} as of {time} → {name}"),
    (
        "filling",
        CHANGE,
        "🔄",
        "Filling {name} with {source} as of {time}; do not write to it until the run has ended",
    ),
    ("resuming-fill", CHANGE, "🔄", "Resuming to fill {name} with {source} as of {time}"),
    ("fill-progress", PROGRESS, "📊", "Filling {name} with {source}: {age} so far"),
    ("filled", INFO, "📊", "Filled {name} with {source} as of {time}"),
    ("job-begun", CHANGE, "🔄", "Job {job} of AWS copies {count:{unit}}: {source} → {name}"),
    ("job-progress", PROGRESS, "📊", "{done} of {total:{unit}} by the job ({state})"),
    (
        "job-ended",
        INFO,
        "📊",
        "The job reports {count:{unit}} copied and {failed} failed; this machine compares, and "
        "copies the rest",
    ),
    ("settings-set", CHANGE, "🔄", "Restored the declared settings of {name}: {settings}"),
    ("feed-enabled", CHANGE, "🔄", "Switched on the {feed} of {source}"),
    ("following", INFO, "ℹ️ ", "Following {source} → {name} {how}; Ctrl-C stops, and loses nothing"),
    (
        "follow-progress",
        PROGRESS,
        "📊",
        "{source} → {name}: {carried:change} carried, {dirty:changed key} waiting, {lag} behind",
    ),
    (
        "feed-gap",
        WARNING,
        "⚠️ ",
        "Changes of {source} may be missing from its {feed}, because {why}; comparing in full",
    ),
    (
        "feed-gap-closed",
        SUCCESS,
        "✅",
        "Compared {source} → {name} in full: no change is missing",
    ),
    ("undoing", CHANGE, "🔄", "Carrying back what was written since: {source} → {name}"),
    ("freezing", CHANGE, "🔄", "Stopping the writers of {source}, to switch to {name}"),
    ("thawed", WARNING, "⚠️ ", "Let the writers of {source} continue, because {reason}"),
    (
        "cut-over",
        SUCCESS,
        "✅",
        "Switched {source} → {name} after {seconds} without writers: point them to {name} now",
    ),
    (
        "stray-keys",
        FAILURE,
        "❌",
        "{source} was written to after the switch, and {name} lacks these changes: {keys}",
    ),
    ("watching", INFO, "ℹ️ ", "Watching {source} for writes after the switch to {name}"),
    (
        "closed",
        SUCCESS,
        "✅",
        "Closed the cut-over to {name}: it cannot be undone, and {source} is no longer needed",
    ),
    ("stray-gap", WARNING, "⚠️ ", "Writes to {source} may go unseen, because {why}"),
    ("verifying", INFO, "🔍", "Verifying {source} → {name}"),
    ("migrated", SUCCESS, "✅", "Successfully migrated data to {name}"),
    ("migrated-partly", WARNING, "⚠️ ", "Copied in part to {name}; left out: {text}"),
    ("verified", SUCCESS, "✅", "Verified {count:{unit}}: {evidence}"),
    ("difference", FAILURE, "❌", "{difference} in {place}: {key}"),
    (
        "difference-more",
        FAILURE,
        "❌",
        "{difference} in {place}: … and {count:more {unit}}, which `dataware report` lists",
    ),
    ("differences", FAILURE, "❌", "{source} and {name} differ: {summary}"),
    ("incomplete", WARNING, "⚠️ ", "{name} is incomplete: {reason}"),
    ("migration-status", INFO, "📊", "{source} → {title}: {state}{progress}"),
    ("migration-completed", SUCCESS, "✅", "{source} → {title}: {state}{progress}"),
    ("migration-ended", WARNING, "⚠️ ", "{source} → {title}: {state}{progress}"),
    ("needs-attention", WARNING, "⚠️ ", "{text}"),
    ("nothing-to-do", SUCCESS, "✅", "Nothing to do: {reason}"),
    ("nothing-to-copy", SUCCESS, "✅", "Nothing to copy: {reason}"),
    ("sum", SUCCESS, "✅", "Done in {after}: {text}"),
    ("unfinished", WARNING, "⚠️ ", "Not finished after {after}: {text}"),
    ("left-to-do", INFO, "ℹ️ ", "Left to do: {text}"),
    ("saved", INFO, "ℹ️ ", "Saved {what} to {path}"),
    ("plan", INFO, "ℹ️ ", "{text}"),
    ("problem", FAILURE, "❌", "{place}: {text}"),
    ("next", INFO, "ℹ️ ", "Next: {command}"),
    ("check-passed", SUCCESS, "✅", "{check}: {text}"),
    ("check-note", INFO, "ℹ️ ", "{check}: {text}"),
    ("check-warning", WARNING, "⚠️ ", "{check}: {text}"),
    ("check-failed", FAILURE, "❌", "{check}: {text}"),
    ("unplanned", INFO, "ℹ️ ", "Not planned: {id} ({type}), because {reason}"),
    ("note", INFO, "ℹ️ ", "{text}"),
    ("done", SUCCESS, "✅", "{text}"),
    ("failure", FAILURE, "❌", "{text}"),
    ("target", INFO, "ℹ️ ", "{target}: account {account}, {region}, wave {wave}"),
    ("fleet-looking", INFO, "🔍", "Looking at {count:target} in {accounts:account}"),
    ("target-planned", SUCCESS, "✅", "Looked at {target} (account {account}, {region})"),
    ("target-unknown", FAILURE, "❌", "Target {target} is unknown: {reason}"),
    ("target-stopped", FAILURE, "❌", "Target {target} is stopped: {reason}"),
    ("targets-stopped", FAILURE, "❌", "{count:target} are stopped ({names}): {reason}"),
    ("environment-stopped", FAILURE, "❌", "Environment {target} is stopped: {reason}"),
    ("environments-stopped", FAILURE, "❌", "{count:environment} are stopped ({names}): {reason}"),
    ("targets-unknown", FAILURE, "❌", "{count:target} are unknown ({names}): {reason}"),
    ("environment-unknown", FAILURE, "❌", "Environment {target} is unknown: {reason}"),
    ("environments-unknown", FAILURE, "❌", "{count:environment} are unknown ({names}): {reason}"),
    ("fleet-conflict", FAILURE, "❌", "{text}"),
    ("fleet-unequal", WARNING, "⚠️ ", "{text}"),
    ("fleet", INFO, "ℹ️ ", "{text}"),
    ("wave", INFO, "🔄", "Wave {wave} of {waves}: {names}"),
    (
        "waves-stopped",
        FAILURE,
        "❌",
        "No further wave begins: {failures:target} failed, {tolerance} tolerated",
    ),
    ("canary-failed", FAILURE, "❌", "No further wave begins: the canary {target} failed"),
    ("target-done", SUCCESS, "✅", "Target {target} is done"),
    ("target-failed", FAILURE, "❌", "Target {target} failed: {reason}"),
    ("decision", DETAIL, "·", "Decided on {name}: {action} (rule {rule})"),
    (
        "copy-totals",
        DETAIL,
        "·",
        "Totals for {name}: {copied:{unit}} copied, {skipped:{unit}} skipped",
    ),
    ("compared-equal", DETAIL, "·", "Compared {source} → {name}: {count:{unit}} the same"),
    ("compared-different", DETAIL, "·", "{count:key} {difference}: {source} → {name}"),
)


FEW_BATCHES = 20
"""Up to this number of batches each is reported; of more, some are, and the last."""


def format_count(number: int, noun: str) -> str:
    """A number with its noun, such as "1 item" or "1,200 items"."""
    return format(_Number(number), noun)


def needs_attention(count: int) -> str:
    """How much a person has to look at: "1 needs your attention"."""
    return f"{count:,} need{'s' if count == 1 else ''} your attention"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `data` holds JSON values, and never item values or secrets.

    In a fleet `data` says by `target` where it happened, and so does the line.
    """

    message: Message
    data: Mapping[str, object]

    @property
    def code(self) -> str:
        """The permanent code of the event."""
        return self.message.code

    def text(self) -> str:
        """The line without its sign."""
        text = self.message.template.format_map(
            {
                key: _Number(value) if type(value) is int else value
                for key, value in self.data.items()
            }
        )
        target = self.data.get("target")
        where = f"{target}: " if target is not None and "target" not in self.message.fields else ""
        return f"{where}{self._with_name(text)}"

    def _with_name(self, text: str) -> str:
        """The line with the name of its resource, where lines of several come mixed."""
        name = self.data.get("name")
        if self.data.get("beside") and name is not None and str(name) not in text:
            return f"{name}: {text}"
        return text


def event(code: str, **data: object) -> Event:
    """An event of a known code; raises KeyError for a code or a field that is missing."""
    message = MESSAGES[code]
    missing = message.fields - data.keys()
    if missing:
        raise KeyError(f"event {code} lacks {', '.join(sorted(missing))}")
    return Event(message, data)
