"""A verification as tasks: stopped and continued anywhere, carried anywhere, the same verdict."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.diff import BUCKETS, Fold, Form
from dataware.core.kind import Evidence
from dataware.core.tally import Tally
from dataware.core.verdict import LABEL_LENGTH, LISTED, End, Verdict
from dataware.ops.checking import MANY, Comparison, Found, Sides, Step, Task, carry_out
from dataware.ops.compare import compare
from support.held import Held

contents = st.dictionaries(st.text("abc", max_size=3), st.sampled_from("xyz"), max_size=25)


def travelled(task: Task, found: Found) -> tuple[Task, Found]:
    """A task and its result after a way as text."""
    fold = found.fold and Fold.from_bytes(found.fold.to_bytes())
    verdict = json.loads(json.dumps(found.verdict.to_json(LISTED)))
    return Task.from_json(json.loads(json.dumps(task.to_json()))), Found(
        found.cursor, found.done, fold, Verdict.from_json(verdict), found.read
    )


def step_by_step(sides: Sides, *, ordered: bool, buckets: int | None = None) -> Verdict:
    """The verdict of tasks that stop after every read and then travel."""
    comparison = Comparison.begin(sides, ordered=ordered)
    while comparison.step is not None:
        for begun in comparison.tasks(sides, buckets):
            task, found = begun, Found()
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
    listed = Counter((one.side.value, one.label) for one in verdict.listed)
    return verdict.compared, verdict.evidence, listed


@settings(deadline=None, max_examples=60)
@given(contents, contents, st.booleans(), st.sampled_from(["", "!"]), st.sampled_from([None, 64]))
def test_stopping_and_travelling_change_no_verdict(
    source: dict[str, str], target: dict[str, str], ordered: bool, spelt: str, buckets: int | None
) -> None:
    """Whatever the calls, and however few buckets: what is found is what one call finds."""
    sides = Sides(Held(source, ordered), Held(target, ordered, spelt=spelt))
    at_once = compare(sides.source, sides.target, ordered=ordered)
    assert told(step_by_step(sides, ordered=ordered, buckets=buckets)) == told(at_once)


@settings(deadline=None, max_examples=300)
@given(contents, contents, contents, contents, st.sampled_from(["", "!"]))
def test_what_moves_between_two_steps_never_passes_for_equal(
    source: dict[str, str],
    target: dict[str, str],
    later: dict[str, str],
    last: dict[str, str],
    spelt: str,
) -> None:
    """Sides that differ when they are folded differ in the end, or it is said which has moved."""
    mine, theirs = Held(source, ordered=False), Held(target, ordered=False, spelt=spelt)
    states = iter((later, last))
    comparison = Comparison.begin(Sides(mine, theirs), ordered=False)
    alike = False
    while comparison.step is not None:
        if comparison.step is Step.FOLD:
            alike = mine.content == theirs.content
        for task in comparison.tasks(Sides(mine, theirs), 8):
            found = Found()
            carry_out(task, Sides(mine, theirs), found, lambda: False)
            comparison.take(task, found)
        comparison.advance()
        mine.content = next(states, mine.content)
    assert alike or comparison.verdict.apart


def test_a_value_that_changes_all_the_time_is_a_side_that_moves() -> None:
    """Its newest value is in no bucket that is suspect, and was never compared."""
    source, target = Held(numbered(40), ordered=False), Held(numbered(40), ordered=False)
    sides = Sides(source, target)
    comparison = Comparison.begin(sides, ordered=False)
    steps = 0
    while comparison.step is not None:
        source.content = {**numbered(40), "00007": f"changed {steps}"}
        for task in comparison.tasks(sides):
            found = Found()
            carry_out(task, sides, found, lambda: False)
            comparison.take(*travelled(task, found))
        comparison.advance()
        steps += 1
    assert comparison.verdict.moved == {End.SOURCE}
    assert comparison.verdict.summary() == "source changed while they were compared"
    assert steps == 4, "once more by meaning, because spelling alone could have changed"


def tally(side: Held) -> Tally:
    """The tally of everything that a side holds, as it sends it."""
    pages = [page for part in side.parts() for page in side.pages(part)]
    return Tally.of(side.sent(record) for page in pages for record in page.records)


@settings(deadline=None, max_examples=60)
@given(contents, contents, st.sampled_from(["", "!"]), st.sampled_from([None, 64]))
def test_every_record_is_in_the_tally_of_its_side_once(
    source: dict[str, str], target: dict[str, str], spelt: str, buckets: int | None
) -> None:
    """However often a side is read; there is none if only meanings were folded."""
    sides = Sides(Held(source, ordered=False), Held(target, ordered=False, spelt=spelt))
    sent = Comparison.begin(sides, ordered=False).form is Form.SENT
    expected = {End.SOURCE: tally(sides.source), End.TARGET: tally(sides.target)} if sent else {}
    assert compare(sides.source, sides.target, ordered=False).read == expected
    assert step_by_step(sides, ordered=False, buckets=buckets).read == expected


def numbered(count: int) -> dict[str, str]:
    """So many keys."""
    return {f"{number:05}": "x" for number in range(count)}


def test_a_sample_chooses_what_is_folded() -> None:
    """What both sides send alike is folded as it is sent, and the rest by what it means."""
    plain = Held(numbered(40), ordered=False)
    other = Held(numbered(40), ordered=False, spelt="!")
    assert Comparison.begin(Sides(plain, plain), ordered=False).form is Form.SENT
    assert Comparison.begin(Sides(plain, other), ordered=False).form is Form.MEANT
    few = Held(numbered(2), ordered=False, spelt="!")
    assert Comparison.begin(Sides(few, plain), ordered=False).form is Form.SENT


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
    sides = Sides(source, target)
    comparison = Comparison.begin(sides, ordered=False)
    assert comparison.form is Form.SENT
    verdict = compare(source, target, ordered=False)
    assert told(verdict)[2] == {("different", "02000"): 1}
    assert source.looked_up + target.looked_up < 100


def test_few_suspects_are_looked_up_at_once() -> None:
    """A second fold of everything costs more than to look up the few that a bucket holds."""
    source = Held(numbered(300), ordered=False)
    target = Held({**numbered(300), "00200": "y"}, ordered=False)
    sides = Sides(source, target)
    comparison = Comparison.begin(sides, ordered=False)
    for task in comparison.tasks(sides):
        found = Found()
        carry_out(task, sides, found, lambda: False)
        comparison.take(task, found)
    comparison.advance()
    assert comparison.suspicion.share < MANY
    assert comparison.step is Step.NAME


@pytest.mark.parametrize(("total", "each"), [(None, BUCKETS), (4096, 512), (100, 16), (1, 1)])
def test_folds_share_out_their_buckets(total: int | None, each: int) -> None:
    """All of a step together have no more than they may."""
    side = Held({}, ordered=False)
    comparison = Comparison(Step.FOLD)
    # Three parts of each side, and room for eight powers of two.
    tasks = comparison.tasks(Sides(side, side), total)
    assert {task.buckets for task in tasks} == {each}


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
