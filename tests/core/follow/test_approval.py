"""The token of an approval opens one gate of one run, and no reader of the record knows it."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.follow.approval import TOPIC, Approval, read_approver
from dataware.core.follow.cutover_request import WATCH_SECONDS, CutoverRequest

APPROVAL = Approval("run-1", "3f2c9b1d7a604e58")


def test_the_digest_tells_nothing_of_the_token_and_binds_it_to_its_run() -> None:
    """Of another run the same token has another digest."""
    assert APPROVAL.token not in APPROVAL.token_digest
    assert APPROVAL.fits(APPROVAL.token_digest)
    assert not Approval("run-2", APPROVAL.token).fits(APPROVAL.token_digest)
    assert not Approval("run-1", "3f2c9b1d7a604e59").fits(APPROVAL.token_digest)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({}, False),
        ({TOPIC: None}, False),
        ({TOPIC: "3f2c9b1d7a604e58"}, False),
        ({TOPIC: {}}, False),
        ({TOPIC: {"token": ""}}, False),
        ({TOPIC: {"token": "another"}}, False),
        ({TOPIC: APPROVAL.to_json("laptop")}, True),
    ],
)
def test_only_the_very_token_is_an_approval(asked: dict[str, Any], given: bool) -> None:
    """Whatever else stands in the record opens nothing."""
    assert APPROVAL.is_given(asked) is given
    assert read_approver(asked) == ("laptop" if given else "")


def test_a_request_of_a_former_version_has_the_usual_watch_and_waits_for_no_approval() -> None:
    """Both are new, and the request is understood all the same."""
    whole = CutoverRequest("id", "host", 300.0, watch=600.0, token_digest="abc")
    assert CutoverRequest.from_json(whole.to_json()) == whole
    former = {
        name: one for name, one in whole.to_json().items() if name not in ("watch", "token_digest")
    }
    read = CutoverRequest.from_json(former)
    assert read is not None
    assert (read.watch, read.token_digest) == (WATCH_SECONDS, "")
