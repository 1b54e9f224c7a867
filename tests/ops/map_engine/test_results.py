"""What a Distributed Map has written of its batches, as AWS documents the files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.migrate.shard import Shard
from dataware.ops.map_engine.results import read_results
from dataware.ops.map_engine.state_machine import definition

DONE = Shard("0/2", done=True)


def files_of(**rows: list[Mapping[str, Any]]) -> dict[str, bytes]:
    """Result files by key, with their manifest."""
    files = {outcome: [{"Key": outcome, "Size": 1}] for outcome in rows}
    manifest = {"DestinationBucket": "b", "MapRunArn": "r", "ResultFiles": files}
    return {
        "manifest": json.dumps(manifest).encode(),
        **{outcome: json.dumps(listed).encode() for outcome, listed in rows.items()},
    }


def test_what_succeeded_is_shards_and_what_failed_is_reasons() -> None:
    """Each reason once; what was never started has none."""
    output = {"Status": "SUCCEEDED", "Output": json.dumps([DONE.to_json()])}
    timed_out = {"Status": "TIMED_OUT", "Error": "States.Timeout", "Input": "{}"}
    died = {"Status": "FAILED", "Error": "Runtime", "Cause": json.dumps({"errorMessage": "dead"})}
    listed = {"Status": "FAILED", "Cause": json.dumps(["a list"])}
    files = files_of(SUCCEEDED=[output], FAILED=[timed_out, died, died, listed], PENDING=[{}])
    results = read_results(files["manifest"], files.__getitem__)
    assert [shard.partition for shard in results.shards] == ["0/2"]
    assert results.reasons == [
        "timed_out: States.Timeout",
        "failed: Runtime: dead",
        'failed: ["a list"]',
    ]


@pytest.mark.parametrize("torn", ["manifest", "SUCCEEDED"])
def test_a_torn_file_is_no_result(torn: str) -> None:
    """It is an error, and never an empty result."""
    files = files_of(SUCCEEDED=[]) | {torn: b"[{"}
    with pytest.raises(LookupFailedError, match="results of the workers cannot be read"):
        read_results(files["manifest"], files.__getitem__)


def test_a_shard_in_two_files_counts_once_and_one_that_is_done_wins() -> None:
    """An execution that a person has redriven may tell of a shard twice."""
    begun = Shard("0/2", cursor="k", failed="no memory")
    rows = [{"Output": json.dumps([one.to_json()])} for one in (begun, DONE, DONE, begun)]
    files = files_of(SUCCEEDED=rows)
    results = read_results(files["manifest"], files.__getitem__)
    assert results.shards == [DONE]


def test_a_file_that_is_gone_is_a_reason_and_no_result() -> None:
    """Its shards are not done, and what the other files tell of is."""
    failed = {"Status": "FAILED", "Error": "Runtime"}
    files = files_of(SUCCEEDED=[{"Output": json.dumps([DONE.to_json()])}], FAILED=[failed])

    def read(key: str) -> bytes:
        if key == "SUCCEEDED":
            raise NotFoundError(key)
        return files[key]

    results = read_results(files["manifest"], read)
    assert results.shards == []
    assert results.reasons == ["a file with results of the workers is gone", "failed: Runtime"]


def test_the_states_of_a_deployment_know_every_outcome() -> None:
    """Each name that a state goes on with is a state."""
    states = definition("look", "work")["States"]
    following = [one["Next"] for one in states.values() if "Next" in one]
    following += [choice["Next"] for one in states.values() for choice in one.get("Choices", ())]
    assert set(following) <= set(states)
    assert states["Shards"]["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
