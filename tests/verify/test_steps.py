"""A verification as tasks: stopped and continued anywhere, carried anywhere, the same verdict."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.calc.multiset_digest import MultisetDigest
from dataware.core.reader import Evidence
from dataware.verify.comparison import MANY, Comparison
from dataware.verify.digests import SLOTS, DigestForm, DigestSlots
from dataware.verify.merge import DifferenceKind
from dataware.verify.run import compare
from dataware.verify.steps import Readers, TaskResult, VerifyStep, VerifyTask, carry_out
from dataware.verify.verdict import LABEL_LENGTH, LISTED, Side, Verdict
from support.held import Held

contents = st.dictionaries(st.text("abc", max_size=3), st.sampled_from("xyz"), max_size=25)


def travelled(task: VerifyTask, found: TaskResult) -> tuple[VerifyTask, TaskResult]:
    """A task and its result after a way as text."""
    slots = found.slots and DigestSlots.from_bytes(found.slots.to_bytes())
    verdict = json.loads(json.dumps(found.verdict.to_json(LISTED)))
    return VerifyTask.from_json(json.loads(json.dumps(task.to_json()))), TaskResult(
        found.cursor, found.done, slots, Verdict.from_json(verdict), found.resolved
    )


def step_by_step(sides: Readers, *, ordered: bool, slot_count: int | None = None) -> Verdict:
    """The verdict of tasks that stop after every read and then travel."""
    comparison = Comparison.begin(sides, ordered=ordered)
    while comparison.step is not None:
        for begun in comparison.tasks(sides, slot_count):
            task, found = begun, TaskResult()
            for _ in range(200):
                asked = iter((False,))
                carry_out(task, sides, found, lambda asked=asked: next(asked, True))
                task, found = travelled(task, found)
                if found.done:
                    break
            assert found.done, "a task makes no progress"
            comparison.take(task, found)
        comparison.advance()
        comparison = Comparison.from_json(json.loads(json.dumps(comparison.to_json(LISTED))))
    return comparison.verdict


def told(verdict: Verdict) -> tuple[int, Mapping[Evidence, int], Counter[tuple[str, str]]]:
    """A verdict without the order of its differences."""
    listed = Counter((one.kind.value, one.label) for one in verdict.listed)
    return verdict.compared, verdict.evidence, listed


@settings(deadline=None, max_examples=60)
@given(contents, contents, st.booleans(), st.sampled_from(["", "!"]), st.sampled_from([None, 64]))
def test_stopping_and_travelling_change_no_verdict(
    source: dict[str, str],
    target: dict[str, str],
    ordered: bool,
    spelt: str,
    slot_count: int | None,
) -> None:
    """Whatever the calls, and however few buckets: what is found is what one call finds."""
    sides = Readers(Held(source, ordered), Held(target, ordered, spelt=spelt))
    at_once = compare(sides.source, sides.target, ordered=ordered)
    assert told(step_by_step(sides, ordered=ordered, slot_count=slot_count)) == told(at_once)


changes = st.lists(st.tuples(st.text("ab", max_size=2), st.sampled_from(["", *"xyz"])), max_size=2)
moves = st.lists(st.tuples(changes, changes), max_size=4)


def after(content: Mapping[str, str], changed: list[tuple[str, str]]) -> dict[str, str]:
    """What some changes make of a side; an empty value is none."""
    return {key: value for key, value in {**content, **dict(changed)}.items() if value}


@settings(deadline=None, max_examples=300)
@given(contents, changes, moves, st.sampled_from(["", "!"]), st.sampled_from([8, 64, None]))
def test_what_moves_between_two_steps_never_passes_for_equal(
    source: dict[str, str],
    changed: list[tuple[str, str]],
    moving: list[tuple[list[tuple[str, str]], list[tuple[str, str]]]],
    spelt: str,
    slot_count: int | None,
) -> None:
    """What was read last of the source was in the target then, or when both were folded."""
    mine, theirs = (Held(each, ordered=False) for each in (source, after(source, changed)))
    sides, theirs.spelt = Readers(mine, theirs), spelt
    comparison = Comparison.begin(sides, ordered=False)
    next_moves = iter(moving)
    digests = read = mine.content, theirs.content
    while comparison.step is not None:
        read = mine.content, theirs.content
        digests = read if comparison.step is VerifyStep.DIGEST else digests
        for task in comparison.tasks(sides, slot_count):
            found = TaskResult()
            carry_out(task, sides, found, lambda: False)
            comparison.take(task, found)
        comparison.advance()
        ours, others = next(next_moves, ([], []))
        mine.content, theirs.content = after(mine.content, ours), after(theirs.content, others)
    verdict = comparison.verdict
    there = {*digests[1].items(), *read[1].items()}
    lacking = verdict.missing_or_different or verdict.may_hide_differences
    assert there.issuperset(read[0].items()) or lacking
    assert read[0] == read[1] or digests[0] == digests[1] or verdict.differs


def moving(change: Callable[[Held, Held, int], None]) -> tuple[Verdict, int]:
    """The verdict on two sides that change before each step, and how many steps there are."""
    source, target = Held(numbered(40), ordered=False), Held(numbered(40), ordered=False)
    sides = Readers(source, target)
    comparison = Comparison.begin(sides, ordered=False)
    steps = 0
    while comparison.step is not None:
        change(source, target, steps)
        for task in comparison.tasks(sides):
            found = TaskResult()
            carry_out(task, sides, found, lambda: False)
            comparison.take(*travelled(task, found))
        comparison.advance()
        comparison = Comparison.from_json(json.loads(json.dumps(comparison.to_json(LISTED))))
        steps += 1
    return comparison.verdict, steps


def test_a_value_that_changes_all_the_time_is_found_by_looking_everything_up() -> None:
    """Its newest value is in no bucket that is suspect, so suspects alone do not name it."""

    def change(source: Held, _target: Held, step: int) -> None:
        source.content = {**numbered(40), "00007": f"changed {step}"}

    verdict, steps = moving(change)
    assert told(verdict) == (40, {Evidence.CONTENT: 39}, {("different", "00007"): 1})
    assert steps == 5, "once more by meaning, because spelling alone could have changed"


def test_a_source_that_moves_is_told_of_where_it_lacks_something() -> None:
    """What was found decides already, so that not everything is looked up as well."""

    def change(source: Held, _target: Held, step: int) -> None:
        source.content = {**numbered(40), "00007": f"changed {step}", "00008": "y"}

    verdict, steps = moving(change)
    assert told(verdict)[2] == {("different", "00008"): 1}
    assert verdict.changed_sides == {Side.SOURCE}
    assert verdict.summary() == "1 different, source changed while they were compared"
    assert steps == 4


def test_a_source_whose_records_expire_is_equal_in_what_it_has() -> None:
    """It never rests, and yet nothing of it is missing."""

    def change(source: Held, _target: Held, step: int) -> None:
        source.content = {k: v for k, v in numbered(40).items() if int(k) > step}

    verdict, steps = moving(change)
    assert (verdict.compared, verdict.missing_or_different, verdict.may_hide_differences) == (
        35,
        0,
        False,
    )
    assert verdict.counts[DifferenceKind.EXTRA] == steps == 5


def test_a_target_that_gets_records_of_its_own_lacks_nothing() -> None:
    """It moves, and what that may hide is more of the same."""

    def change(_source: Held, target: Held, step: int) -> None:
        target.content = {**target.content, f"own {step}": "x"}

    verdict, _ = moving(change)
    assert (verdict.missing_or_different, verdict.may_hide_differences, verdict.changed_sides) == (
        0,
        False,
        {Side.TARGET},
    )


def tally(side: Held) -> MultisetDigest:
    """The tally of everything that a side holds, as it sends it."""
    pages = [page for part in side.parts() for page in side.pages(part)]
    return MultisetDigest.of(side.digest_raw(record) for page in pages for record in page.records)


@settings(deadline=None, max_examples=60)
@given(contents, contents, st.sampled_from(["", "!"]), st.sampled_from([None, 64]))
def test_every_record_is_in_the_tally_of_its_side_once(
    source: dict[str, str], target: dict[str, str], spelt: str, slot_count: int | None
) -> None:
    """However often a side is read; there is none if only meanings were folded."""
    sides = Readers(Held(source, ordered=False), Held(target, ordered=False, spelt=spelt))
    sent = Comparison.begin(sides, ordered=False).form is DigestForm.RAW
    expected = {Side.SOURCE: tally(sides.source), Side.TARGET: tally(sides.target)} if sent else {}
    assert compare(sides.source, sides.target, ordered=False).read == expected
    assert step_by_step(sides, ordered=False, slot_count=slot_count).read == expected


def numbered(count: int) -> dict[str, str]:
    """So many keys."""
    return {f"{number:05}": "x" for number in range(count)}


def test_a_sample_chooses_what_is_folded() -> None:
    """What both sides send alike is folded as it is sent, and the rest by what it means."""
    plain = Held(numbered(40), ordered=False)
    other = Held(numbered(40), ordered=False, spelt="!")
    assert Comparison.begin(Readers(plain, plain), ordered=False).form is DigestForm.RAW
    assert Comparison.begin(Readers(plain, other), ordered=False).form is DigestForm.CANONICAL
    few = Held(numbered(2), ordered=False, spelt="!")
    assert Comparison.begin(Readers(few, plain), ordered=False).form is DigestForm.RAW


def test_equal_sides_are_looked_up_only_for_the_sample() -> None:
    """However both sides spell their records, folds alone prove that they are equal."""
    for spelt in ("", "!"):
        source = Held(numbered(500), ordered=False)
        target = Held(numbered(500), ordered=False, spelt=spelt)
        assert compare(source, target, ordered=False).differences == 0
        assert source.looked_up + target.looked_up <= 8


def test_only_what_two_folds_suspect_is_looked_up() -> None:
    """Records that only the other spelling made suspect are found equal without a look-up."""
    source = Held(numbered(3000), ordered=False)
    target = Held({**numbered(3000), "02000": "y"}, ordered=False, spelt_from="01000", spelt="!")
    sides = Readers(source, target)
    comparison = Comparison.begin(sides, ordered=False)
    assert comparison.form is DigestForm.RAW
    verdict = compare(source, target, ordered=False)
    assert told(verdict)[2] == {("different", "02000"): 1}
    assert source.looked_up + target.looked_up < 100


def test_few_suspects_are_looked_up_at_once() -> None:
    """A second fold of everything costs more than to look up the few that a bucket holds."""
    source = Held(numbered(300), ordered=False)
    target = Held({**numbered(300), "00200": "y"}, ordered=False)
    sides = Readers(source, target)
    comparison = Comparison.begin(sides, ordered=False)
    for task in comparison.tasks(sides):
        found = TaskResult()
        carry_out(task, sides, found, lambda: False)
        comparison.take(task, found)
    comparison.advance()
    assert comparison.mismatched.share < MANY
    assert comparison.step is VerifyStep.RESOLVE


@pytest.mark.parametrize(("total", "each"), [(None, SLOTS), (4096, 512), (100, 16), (1, 1)])
def test_folds_share_out_their_buckets(total: int | None, each: int) -> None:
    """All of a step together have no more than they may."""
    side = Held({}, ordered=False)
    comparison = Comparison(VerifyStep.DIGEST)
    # Three parts of each side, and room for eight powers of two.
    tasks = comparison.tasks(Readers(side, side), total)
    assert {task.slot_count for task in tasks} == {each}


def test_a_verdict_that_travels_is_bounded() -> None:
    """Of many differences some are named, and of a long key its beginning; all are counted."""
    verdict = Verdict()
    for number in range(50):
        verdict.note(*Held.difference(f"{number}" + "k" * 1000))
    sent = json.loads(json.dumps(verdict.to_json(2200)))
    arrived = Verdict.from_json(sent)
    assert arrived.counts == verdict.counts
    assert len(arrived.listed) == 10
    assert max(len(one.label) for one in arrived.listed) == LABEL_LENGTH


@settings(deadline=None)
@given(contents, contents, contents, contents)
def test_verdicts_add_up(
    one: dict[str, str], two: dict[str, str], three: dict[str, str], four: dict[str, str]
) -> None:
    """Counts and evidence of parts are those of the whole."""
    first = compare(Held(one, True), Held(two, True), ordered=True)
    second = compare(Held(three, True), Held(four, True), ordered=True)
    both = Verdict()
    both.join(first)
    both.join(second)
    assert both.compared == first.compared + second.compared
    assert both.counts == first.counts + second.counts
    assert len(both.listed) == len(first.listed) + len(second.listed)
