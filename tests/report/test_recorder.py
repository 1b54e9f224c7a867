"""The record of a run: small however long it lasts, and never in the way."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.events import Event, event
from dataware.report import recorder
from dataware.report.recorder import KEYS, RESOLUTION, Recorder, Samples


class Sink:
    """A sink in memory; it is full after `room` records."""

    def __init__(self, room: int | None = None) -> None:
        self.records: list[Mapping[str, Any]] = []
        self.room = room
        self.size = 0
        self.closed = False

    def write(self, record: Mapping[str, Any]) -> None:
        if self.room is not None and len(self.records) >= self.room:
            raise OSError(28, "No space left on device")
        self.records.append(record)
        self.size += len(str(record))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def of(self, code: str) -> list[Mapping[str, Any]]:
        """The data of the records of a code."""
        return [record["data"] for record in self.records if record["code"] == code]


class Now:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def progress(done: int, name: str = "t") -> Event:
    """A sample of progress."""
    return event("progress", name=name, done=done, total=9, rate=1, eta="", slow="", unit="item")


def left(key: str, why: str = "archived") -> Event:
    """A key that was left behind."""
    return event("skipped", name="t", source="s", key=key, reason="archived", detail=why)


@given(st.lists(st.floats(0.01, 5000), min_size=1, max_size=3000))
def test_samples_are_dense_and_few(steps: list[float]) -> None:
    """Between two kept samples lies a fixed share of the time, and at most one step more."""
    samples, now, kept = Samples(), 0.0, []
    for step in steps:
        now += step
        if samples.due(progress(1), now):
            kept.append((now, step))
    begun = kept[0][0]
    for (one, _), (two, step) in pairwise(kept):
        assert two - one >= RESOLUTION * (two - begun) * 0.999
        assert two - one <= RESOLUTION * (two - begun) + step + 1e-6


def test_days_of_progress_stay_small() -> None:
    """Ten days with four samples a second leave some thousand."""
    samples, kept = Samples(), 0
    now = 0.0
    while now < 10 * 86400:
        now += 0.25 if now < 600 else max(0.25, RESOLUTION * now / 4)
        kept += samples.due(progress(1), now)
    assert 1000 < kept < 3000


def test_the_last_sample_is_kept() -> None:
    """However densely samples come, the one before an end is on record."""
    sink, now = Sink(), Now()
    keep = Recorder(sink, pytest.fail, now=now)
    for done in range(1000):
        now.seconds += 0.001 if done > 10 else 10
        keep(progress(done))
    keep(event("migrated", name="t"))
    keep(progress(5, "other"))
    keep(progress(6, "other"))
    keep.end(0, None)
    assert [data["done"] for data in sink.of("progress") if data["name"] == "t"][-1] == 999
    assert [data["done"] for data in sink.of("progress") if data["name"] == "other"] == [5, 6]
    assert sink.of("end") == [{"exit_code": 0, "reason": None}]
    assert sink.closed


def test_keys_left_behind_are_all_kept_and_share_lines() -> None:
    """Keys with the same reason stand together, in order."""
    sink = Sink()
    keep = Recorder(sink, pytest.fail, now=Now())
    for n in range(1200):
        keep(left(str(n)))
    keep(left("other", "denied"))
    keep.end(4, "why")
    assert [len(data["keys"]) for data in sink.of("skipped")] == [500, 500, 200, 1]
    assert [key for data in sink.of("skipped") for key in data["keys"]][:-1] == [
        str(n) for n in range(1200)
    ]


def test_what_is_beyond_a_list_is_counted() -> None:
    """A hundred thousand keys of each sort fit; the number of the others is kept."""
    sink = Sink()
    keep = Recorder(sink, pytest.fail, now=Now())
    for start in range(0, KEYS + 1000, 500):
        keys = [f"k{n}" for n in range(start, start + 500)]
        keep(
            event(
                "compared-different",
                difference="missing",
                count=500,
                keys=keys,
                source="s",
                name="t",
            )
        )
    keep(event("compared-different", difference="extra", count=1, keys=["x"], source="s", name="t"))
    keep.end(2, None)
    assert sum(len(data["keys"]) for data in sink.of("compared-different")) == KEYS + 1
    assert sink.of("cut") == [{"compared-different-missing": 1000}]


def test_a_record_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its size a record holds only how things ended, and how much is missing in it."""
    monkeypatch.setattr(recorder, "BYTES", 1000)
    sink = Sink()
    keep = Recorder(sink, pytest.fail, now=Now())
    for _ in range(100):
        keep(event("note", text="x" * 90))
    keep(event("migrated", name="t"))
    keep.end(0, None)
    assert sink.size < 2000
    assert [record["code"] for record in sink.records][-3:] == ["migrated", "cut", "end"]
    assert sink.of("cut")[0]["note"] == 100 - len(sink.of("note"))


def test_a_full_disk_is_told_once_and_stops_nothing() -> None:
    """A record that cannot be written is given up with one warning."""
    told: list[OSError] = []
    keep = Recorder(Sink(room=1), told.append, now=Now())
    for n in range(5):
        keep(event("note", text=str(n)))
    keep.end(0, None)
    assert [error.strerror for error in told] == ["No space left on device"]


def test_what_others_tell_better_is_passed_over() -> None:
    """Batches, and the few differences that people are shown, are not kept twice."""
    sink = Sink()
    keep = Recorder(sink, pytest.fail, now=Now())
    keep(event("batch", name="t", batch=1, batches=4))
    keep(event("difference", difference="missing", place="s3://t", key="k", name="t"))
    assert sink.records == []


def test_a_decision_is_kept_once_until_it_changes() -> None:
    """A run that looks several times keeps a decision again only if it is another one."""
    sink = Sink()
    keep = Recorder(sink, pytest.fail, now=Now())
    for action, rule in (("migrate", 3), ("migrate", 3), ("import", 1), ("import", 1)):
        keep(event("decision", name="t", type="Box", action=action, rule=rule))
    assert [data["action"] for data in sink.of("decision")] == ["migrate", "import"]


def test_what_is_no_record_ends_no_run() -> None:
    """An event that cannot be kept is told of like a full disk."""
    told: list[OSError] = []
    keep = Recorder(Sink(), told.append, now=Now())
    keep(event("compared-different", difference="missing", count=1, source="s", name="t"))
    assert len(told) == 1
