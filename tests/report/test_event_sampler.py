"""A million items are not forty thousand lines."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from dataware.core.events import FEW_BATCHES, Event, event
from dataware.report.event_sampler import EventSampler
from dataware.report.jsonlines import JsonRenderer
from dataware.report.plain import SAMPLE, PlainRenderer


class Now:
    """A clock that goes on by `step` seconds at each look."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def batches(count: int, name: str = "t") -> list[Event]:
    """The batch events of a copy."""
    return [event("batch", name=name, batch=n, batches=count) for n in range(1, count + 1)]


def plain(events: list[Event], step: float = 0.0) -> list[str]:
    """The lines that a pipe gets."""
    stream = io.StringIO()
    with PlainRenderer(stream, now=Now(step)) as render:
        for happened in events:
            render(happened)
    return stream.getvalue().splitlines()


def test_few_batches_are_all_told() -> None:
    """Up to the limit, every batch has its line."""
    lines = plain(batches(FEW_BATCHES))
    assert lines == [f"✅ Migrated batch {n}/20" for n in range(1, 21)]


def test_many_batches_come_at_a_bounded_rate_and_the_last_always() -> None:
    """40,000 batches in 400 seconds are about 40 lines, and the last is among them."""
    lines = plain([*batches(40_000), event("migrated", name="t")], step=0.01)
    assert 39 <= len(lines) <= 42
    assert lines[-2:] == ["✅ Migrated batch 40,000/40,000", "✅ Successfully migrated data to t"]


def test_an_estimate_that_grows_with_the_copy_stays_bounded() -> None:
    """Batch n of n, told n times because the size was not known, is no reason for n lines."""
    growing = [event("batch", name="t", batch=n, batches=n) for n in range(1, 5001)]
    assert len(plain(growing, step=0.001)) == FEW_BATCHES + 1


def test_progress_is_silent_in_the_first_period() -> None:
    """A copy that is over within seconds prints no line of progress."""
    far: dict[str, object] = {
        "name": "t",
        "done": 1,
        "total": 2,
        "unit": "item",
        "rate": 1,
        "eta": "1 s",
        "slow": "",
    }
    assert plain([event("progress", **far)] * 30, step=0.25) == []
    assert len(plain([event("progress", **far)] * 50, step=0.25)) == 1


def test_migrations_have_a_rate_each() -> None:
    """A chatty copy does not silence another."""
    both = [e for pair in zip(batches(60, "a"), batches(60, "b"), strict=True) for e in pair]
    lines = plain(both, step=0.5)
    assert lines.count("✅ Migrated batch 60/60") == 2


def test_a_long_list_of_keys_is_cut_and_says_so() -> None:
    """Only a sample of many left-behind keys is shown, with the number of the others."""
    left = [
        event("skipped", name="t", reason="denied", key=str(n), detail="no") for n in range(1000)
    ]
    lines = plain(left)
    assert len(lines) == SAMPLE + 1
    assert "900 more lines like these of t are not shown" in lines[-1]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 500)), max_size=200))
def test_nothing_but_progress_and_lists_is_ever_dropped(told: list[tuple[str, int]]) -> None:
    """Whatever happens in between, every other event is shown once and in order."""
    bounded = EventSampler(Now(0.1), period=10, sample=3)
    shown: list[Event] = []
    expected: list[Event] = []
    for name, number in told:
        warning = event("warning", text=str(number), name=name)
        expected.append(warning)
        for happened in (event("batch", name=name, batch=number, batches=500), warning):
            shown += bounded.admit(happened)
    assert [happened for happened in shown if happened.code == "warning"] == expected


def test_json_has_one_object_a_line_with_every_field() -> None:
    """A JSON line holds time, code, level, text and data, and is valid by itself."""
    stream = io.StringIO()
    with JsonRenderer(stream, now=lambda: 0.25) as render:
        render(event("skipped", reason="denied", key="a\nb\ud800→", detail="no"))
        render(event("found", count=78, unit="item", name="t"))
    first, second = stream.getvalue().splitlines()
    assert json.loads(first)["data"]["key"] == "a\nb\ud800→"
    assert json.loads(second) == {
        "time": "1970-01-01T00:00:00.250Z",
        "code": "found",
        "level": "info",
        "text": "Found 78 items to migrate",
        "data": {"count": 78, "unit": "item", "name": "t"},
    }


def test_json_lists_every_key_and_bounds_the_batches() -> None:
    """Scripts get all keys, at most one batch a second, and the last one."""
    left = [event("skipped", reason="x", key=str(n), detail="y") for n in range(500)]
    stream = io.StringIO()
    with JsonRenderer(stream, now=Now(0.001)) as render:
        for happened in [*left, *batches(4000), event("migrated", name="t")]:
            render(happened)
    objects = [json.loads(one) for one in stream.getvalue().splitlines()]
    told = [one["data"]["batch"] for one in objects if one["code"] == "batch"]
    assert sum(one["code"] == "skipped" for one in objects) == 500
    assert len(told) <= 5
    assert told[-1] == 4000
