"""The boxes at the top of a report.

What happened, is the data safe, what is left to do; `run_terms` adds what it costs and how long
that holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dataware.calc.measures import volume
from dataware.core.copier import SkipReason
from dataware.core.events import format_count
from dataware.core.model import Action
from dataware.core.skip_causes import ADVICE
from dataware.report.approval import (
    BAD,
    GOOD,
    NAMED,
    NOTE,
    WARN,
    ApprovalBox,
    describe_earlier_losses,
    name_list,
    name_of,
    stopped_names,
    unread_names,
)
from dataware.report.html.run_terms import age_of_run, cost_of_run
from dataware.report.html.story import Data, MigrationStory, Story

LOOKS = frozenset({"plan", "verify"})
"""Commands that change nothing."""

READ_ONLY = "The sources were only read."
INCOMPLETE = 4

SOUND = frozenset({0, 2, 3})
"""Exit codes of a run that came to its own end: done, compared or planned, stopped by a rule."""


def run_boxes(story: Story) -> tuple[ApprovalBox, ...]:
    """The boxes of a run."""
    return (
        ApprovalBox("What happened", _tone(story), tuple(_what_happened(story))),
        _safety(story),
        _what_is_left(story),
        cost_of_run(story),
        age_of_run(story),
    )


def _tone(story: Story) -> str:
    if story.exit_code is None:
        return NOTE if story.alive else WARN
    return {0: GOOD, 2: NOTE, INCOMPLETE: WARN}.get(story.exit_code, BAD)


def _what_happened(story: Story) -> Iterator[str]:
    if _looks(story):
        yield from _what_was_looked_at(story)
        return
    for one in (one for one in story.carried if one.left_out):
        yield f"1 resource copied in part and verified: {one.name}, without {one.left_out}."
    whole = [one for one in story.carried if one.complete and not one.left_out]
    if whole:
        names = name_list([one.name for one in whole])
        yield f"{format_count(len(whole), 'resource')} copied and verified: {names}."
    if part := [one for one in story.carried if not one.complete]:
        state = "being copied" if story.alive else "copied in part"
        names = name_list([one.name for one in part])
        yield f"{format_count(len(part), 'resource')} {state}: {names}."
    yield from _amounts(story)
    created = sum(one.code == "created" for one in story.timeline)
    if created:
        yield f"{format_count(created, 'resource')} created."
    if untouched := _count_untouched(story):
        yield f"{format_count(untouched, 'resource')} needed no copy."
    if not story.carried and not created:
        yield "No data was copied." if story.exit_code is not None else "Nothing was copied yet."


def _looks(story: Story) -> bool:
    return story.command in LOOKS


def _what_was_looked_at(story: Story) -> Iterator[str]:
    if story.decided:
        yield f"{format_count(len(story.decided), 'resource')} inspected."
    for one in story.compared[:NAMED]:
        count = (one.verified or {}).get("count", (one.differences or {}).get("compared"))
        if count is not None:
            compared = format_count(int(count), one.unit)
            yield f"{compared} of {one.source} compared with {one.name}."
    yield "Nothing was changed."


def _amounts(story: Story) -> Iterator[str]:
    """How much was copied, by unit, of how much."""
    done: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for one in story.carried:
        there, amount = one.in_place
        done[one.unit] += there
        total[one.unit] += max(there, amount)
    for unit, whole in total.items():
        if done[unit] < whole:
            yield f"{done[unit]:,} of {format_count(whole, unit)} are in place."
        else:
            yield f"{format_count(whole, unit)} {'is' if whole == 1 else 'are'} in place."
    if size := sum(int((one.counts or {}).get("bytes", 0)) for one in story.carried):
        yield f"{volume(size)} copied."


def _count_untouched(story: Story) -> int:
    carried = {one.name for one in story.carried}
    stays = {Action.KEEP.value, Action.IMPORT.value}
    decided = (one.first for one in story.decided.values())
    return sum(one.get("action") in stays and name_of(one) not in carried for one in decided)


def _safety(story: Story) -> ApprovalBox:
    title, firsts = "Is the data safe?", [one.first for one in story.decided.values()]
    bad = list(describe_earlier_losses(stopped_names(firsts)))
    warn: list[str] = []
    if apart := _apart(story):
        compares = story.command == "verify"
        (bad if compares and story.exit_code else warn).append(f"Not the same: {apart}.")
    warn += _doubts(story, firsts)
    calm = tuple(_assurances(story))
    if bad:
        return ApprovalBox(title, BAD, (*bad, *warn, *calm))
    if warn:
        return ApprovalBox(title, WARN, (*warn, *calm))
    if story.exit_code not in SOUND:
        return ApprovalBox(title, NOTE, calm)
    return ApprovalBox(title, GOOD, ("Yes.", *calm) if story.carried else calm)


def _apart(story: Story) -> str:
    """The differences that were found, by sort; what was skipped is missing, and told as such."""
    sides: Counter[str] = Counter()
    for one in story.compared:
        for side in ("missing", "different", "extra"):
            sides[side] += int((one.differences or {}).get(side, 0))
    listed: Counter[str] = Counter()
    for keys in story.differing:
        listed[keys.about[0]] += len(keys.keys)
    names = sides | listed
    names["missing"] = max(0, names["missing"] - _count_skipped(story))
    return ", ".join(f"{count:,} {side}" for side, count in names.items() if count)


def _doubts(story: Story, firsts: list[Data]) -> Iterator[str]:
    if skipped := _count_skipped(story):
        yield f"{format_count(skipped, 'key')} skipped: still only in the source."
    if part := [one.name for one in story.carried if not one.complete and not story.alive]:
        yield f"Not verified yet: {name_list(part)}. Keep the sources until the run is complete."
    if allowed := sum(one.code == "loss-allowed" for one in story.timeline):
        yield f"A deployment may lose {format_count(allowed, 'resource')}: that was allowed."
    if unread := unread_names(firsts):
        yield f"Unknown for {name_list(unread)}: not everything could be read."
    if watched := _list_warned_names(firsts):
        yield f"Read the warning on {name_list(watched)}."


def _count_skipped(story: Story) -> int:
    return sum(len(keys.keys) for keys in story.skipped) + story.cut["skipped"]


def _list_warned_names(decisions: list[Data]) -> list[str]:
    stop = Action.STOP.value
    return [name_of(one) for one in decisions if one.get("warnings") and one.get("action") != stop]


def _assurances(story: Story) -> Iterator[str]:
    if same := _equal(story.migrations.values()):
        yield f"{', '.join(same)} compared equal."
    if story.carried or story.compared:
        yield READ_ONLY
    else:
        yield "No data was copied."


def _equal(migrations: Iterable[MigrationStory]) -> list[str]:
    same: Counter[str] = Counter()
    for one in migrations:
        same[one.unit] += one.same
    return [format_count(count, unit) for unit, count in same.items() if count]


def _what_is_left(story: Story) -> ApprovalBox:
    title, lines = "What is left to do", list(_tasks(story))
    if story.exit_code is None and story.alive:
        return ApprovalBox(title, NOTE, ("Wait until the run ends.", *lines))
    if not lines:
        return ApprovalBox(title, GOOD, ("Nothing.",))
    return ApprovalBox(title, BAD if story.stops else WARN, tuple(lines))


def _tasks(story: Story) -> Iterator[str]:
    firsts = [one.first for one in story.decided.values()]
    if stops := stopped_names(firsts):
        rules = " ".join(str(rule) for rule in sorted(set(stops.values())))
        yield f"Resolve {name_list(list(stops))}: see `dataware explain {rules}`."
    for reason, count in _reasons(story).most_common(NAMED):
        yield _cure_of(reason, format_count(count, "skipped key"))
    if watched := _list_warned_names(firsts):
        yield f"Decide about {name_list(watched)}."
    for entry in story.timeline:
        if entry.code == "left-to-do":
            yield entry.text.removeprefix("Left to do: ") + "."
    yield from _next_command(story, bool(stops))


def _cure_of(reason: str, keys: str) -> str:
    """What to do about skipped keys; of some reasons only the line of each key says it."""
    if reason not in ADVICE or reason in (SkipReason.DENIED, SkipReason.FAILED):
        return f"Look into {keys}: {reason}."
    return f"{keys} ({reason}): {ADVICE[reason].format(on_conflict='--on-conflict')}."


def _reasons(story: Story) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for keys in story.skipped:
        reasons[keys.about[0]] += len(keys.keys)
    return reasons


def _next_command(story: Story, stopped: bool) -> Iterator[str]:
    command = story.command
    changes = {Action.MIGRATE.value, Action.RESUME.value, Action.CREATE.value}
    actions = {one.first.get("action") for one in story.decided.values()}
    if story.exit_code is None:
        if not story.alive:
            yield "Run the same command again."
    elif story.exit_code in {INCOMPLETE, 1} or stopped:
        yield "Then run the same command again."
    elif command == "verify" and story.exit_code:
        yield "Find out why the sides differ; the keys are listed below."
    elif command == "plan" and actions & changes:
        yield "If you agree, run `dataware apply`."
