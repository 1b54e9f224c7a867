"""The rules of a marker's parameter: its name, its size, its JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.model import MarkerState
from dataware.state.marker_value import (
    LIMIT,
    ROOT,
    MarkerValue,
    NewerValueError,
    decode,
    encode,
    kind_of,
    parameter_name,
    target_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def value(**detail: object) -> MarkerValue:
    """A running marker with some progress."""
    return MarkerValue(
        MarkerState.RUNNING, "new", "old", "run-1", "id", True, "2026-01-01", "host", detail=detail
    )


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_values_come_back_as_they_went(detail: dict[str, object]) -> None:
    """Encoding loses nothing, and never holds what the service reads as a reference."""
    text = encode(value(**{"d": detail}))
    assert "{{" not in text
    assert decode(text) == value(d=detail)


@given(st.dictionaries(st.text(), st.text(max_size=3000)), st.text(max_size=9000))
def test_values_fit_the_parameter(detail: dict[str, str], cursor: str) -> None:
    """However much progress there is, the facts of the marker are kept."""
    text = encode(value(**{"counts": detail, "checkpoint": cursor}))
    assert len(text.encode()) <= LIMIT
    assert decode(text).source == "old"


def test_the_checkpoint_goes_before_the_counts() -> None:
    """What can be read again from the journal is given up first."""
    assert decode(encode(value(copied=7, checkpoint="x" * LIMIT))).detail == {"copied": 7}


def test_the_reason_of_a_slow_moment_goes_before_the_checkpoint() -> None:
    """What the next run goes on from is worth more; how the last one ended stays longest."""
    detail = {
        "reason": "r" * 900,
        "checkpoint": "x" * 2600,
        "failure": {"exit_code": 4, "reason": "w" * 400},
    }
    assert set(decode(encode(value(**detail))).detail) == {"checkpoint", "failure"}
    longer = {**detail, "checkpoint": "x" * 4000}
    assert set(decode(encode(value(**longer))).detail) == {"failure"}


def test_a_usual_record_with_everything_fits() -> None:
    """Figures, reasons and the largest checkpoint fit beside the longest names of AWS."""
    figures = {
        **{"phase": "verifying", "done": 10**12, "total": 10**12, "exact": False, "unit": "object"},
        **{"rate": 12345.6, "left": 10**6, "throttled": 10**9, "retries": 10**9, "stale": 10**4},
        "reason": "BatchWriteItem returned ProvisionedThroughputExceededException",
        "identity": "arn:aws:dynamodb:eu-central-1:111122223333:table/" + "x" * 63,
        "checkpoint": "x" * 2600,
        "failure": {"exit_code": 4, "reason": "w" * 300},
    }
    names = {"target": "x" * 63, "source": "x" * 63, "holder": "h" * 64, "token": "t" * 80}
    assert decode(encode(replace(value(**figures), **names))).detail == figures


@given(st.text(min_size=1), st.text(min_size=1))
def test_parameter_names_are_allowed_and_unique(first: str, second: str) -> None:
    """Every target has a name of its own that the Parameter Store takes."""
    names = [parameter_name("s3-bucket", target) for target in (first, second)]
    for name in names:
        assert re.fullmatch(r"/dataware/markers/s3-bucket/[A-Za-z0-9_.-]{1,255}", name)
        assert kind_of(name) == "s3-bucket"
        assert target_of(name) == name.rpartition("/")[2]
    assert (names[0] == names[1]) == (first == second)


def test_plain_targets_are_readable_in_the_console() -> None:
    """Bucket and table names stand in the parameter's name as they are."""
    assert parameter_name("dynamodb-table", "My_Table.v1-prod") == (
        f"{ROOT}/dynamodb-table/My_Table.v1-prod"
    )


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "{}", '{"version":3}', encode(value()).replace("running", "walking")],
)
def test_unreadable_values_are_told_apart(text: str) -> None:
    """What another version or a person wrote raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


def test_a_newer_format_is_told_from_damage() -> None:
    """Only a later number is a newer version; what is no number at all is damage."""
    with pytest.raises(NewerValueError, match="its format is 3"):
        decode('{"version":3}')
    for text in ('{"version":0}', '{"version":"2"}', '{"version":true}'):
        with pytest.raises(ValueError, match="version") as caught:
            decode(text)
        assert not isinstance(caught.value, NewerValueError)


def test_the_stored_fields_are_documented_ones() -> None:
    """The JSON is a stable format that `status` of another version reads."""
    assert set(json.loads(encode(value()))) == {
        "version",
        "state",
        "target",
        "source",
        "run",
        "identity",
        "created",
        "started",
        "holder",
        "token",
        "released",
        "detail",
        "after",
        "lease",
        "batches",
        "settled",
    }


ENGINES = {
    "map": {"attempt": 2, "execution": None, "items": 7, "read": True, "verification": 1},
    "batch": {"bucket": "b", "token": "t", "manifest": None, "listed_at": 5, "seen": "x"},
    "restore": {"restore_time": 5, "restore_times": [4, 5], "source_arn": "arn", "asked_at": 5},
    "bulk": {"bucket": "b", "token": "t", "export": "e", "data": "d", "failed": True, "job": "j"},
}


@pytest.mark.parametrize("name", ENGINES)
def test_the_record_of_an_engine_is_read_only_as_the_engine_writes_it(name: str) -> None:
    """With another part of a wrong type neither the next run nor `forget` could go on."""
    record = {"name": name, **ENGINES[name]}
    assert decode(encode(value(engine=record))).detail["engine"] == record
    for part in record.keys() - {"bucket"}:  # whose reader refuses it
        for wrong in ({"x": 1} if part != "manifest" else 7, ["x"], 10**400):
            with pytest.raises(ValueError, match=f"its {part} (is|are) |its engine is "):
                decode(encode(value(engine={**record, part: wrong})))
    for wrong in ("text", 7, [record]):
        with pytest.raises(ValueError, match="its engine is of a wrong type"):
            decode(encode(value(engine=wrong)))


def test_the_record_of_an_engine_that_is_not_known_is_a_newer_versions() -> None:
    """Its work may go on, so no other engine may begin beside it."""
    with pytest.raises(NewerValueError, match="its engine is 'future'"):
        decode(encode(value(engine={"name": "future", "token": "t"})))
