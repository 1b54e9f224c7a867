"""A record lies in the region of the target, where every later look at it is made."""

from __future__ import annotations

from dataware.aws import SystemClock
from dataware.core.model import MarkerState
from dataware.embedded import EmbeddedAws
from dataware.state import ParameterMarkers
from support.cli import run
from support.dynamo import account, everything, make_table, put

KIND, ELSEWHERE = "dynamodb-table", "eu-west-1"


def test_the_record_of_a_copy_lies_in_the_targets_region(aws_server: EmbeddedAws) -> None:
    """A table of the same name in the caller's region keeps a record of its own."""
    here = account()
    there = here.for_region(ELSEWHERE)
    make_table(here, "old")
    put(here, "old", [{"pk": {"S": "a"}}])
    make_table(there, "new")
    target = f"arn:aws:dynamodb:{ELSEWHERE}:{aws_server.account}:table/new"
    ran = run("migrate", "dynamodb://old", target)
    assert ran.code == 0, ran
    assert everything(there, "new") == [{"pk": {"S": "a"}}]
    states = [ParameterMarkers(aws, SystemClock()).get(KIND, "new").state for aws in (here, there)]
    assert states == [MarkerState.NONE, MarkerState.COMPLETE]
