"""What one plan asks of AWS: each question once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dataware.core.ports import Aws
from dataware.ops.context import Context
from dataware.ops.remembered_answers import remember_answers
from support.world import World


class Client:
    """A client that counts what it is asked."""

    def __init__(self, status: int = 200) -> None:
        self.asked: Counter[str] = Counter()
        self.status = status

    def describe_table(self, **asked: Any) -> dict[str, Any]:
        """A look at one thing."""
        return self._answer("describe_table", asked)

    def scan(self, **asked: Any) -> dict[str, Any]:
        """A look at what changes."""
        return self._answer("scan", asked)

    def get_paginator(self, name: str) -> str:
        """No call at all."""
        return name

    def _answer(self, call: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked[call] += 1
        if self.status != 200:
            answer = {"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": self.status}}
            raise ClientError(answer, call)  # type: ignore[arg-type] # as the SDK makes it
        return {"Table": {"Name": asked.get("TableName"), "Tags": []}}


def remembering(client: Client, monkeypatch: pytest.MonkeyPatch) -> tuple[Context, Any]:
    """A context that remembers what `client` answers, and its client."""
    context = World().context()
    monkeypatch.setattr(type(context.aws), "client", lambda _aws, _service: client, raising=False)
    aws: Aws = remember_answers(context).aws
    return context, aws.client("dynamodb")


def test_a_question_is_asked_once_and_no_answer_is_changed_by_who_got_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another question is another one, and whoever changes an answer changes his own."""
    there = Client()
    _, client = remembering(there, monkeypatch)
    first = client.describe_table(TableName="a")
    first["Table"]["Tags"].append("mine")
    assert client.describe_table(TableName="a") == {"Table": {"Name": "a", "Tags": []}}
    assert client.describe_table(TableName="b")["Table"]["Name"] == "b"
    assert there.asked == {"describe_table": 2}


def test_content_is_looked_at_whenever_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only settings are remembered, and only by the plan that asked."""
    there = Client()
    context, client = remembering(there, monkeypatch)
    client.scan(TableName="a")
    client.scan(TableName="a")
    assert client.get_paginator("scan") == "scan"
    again = remember_answers(context).aws.client("dynamodb")
    client.describe_table(TableName="a")
    again.describe_table(TableName="a")
    assert there.asked == {"scan": 2, "describe_table": 2}


@pytest.mark.parametrize(("status", "count"), [(404, 1), (403, 2), (500, 2)])
def test_only_what_is_not_there_is_remembered_among_errors(
    status: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A denial or a failure may be over a moment later."""
    there = Client(status)
    _, client = remembering(there, monkeypatch)
    for _ in range(2):
        with pytest.raises(ClientError):
            client.describe_table(TableName="a")
    assert there.asked["describe_table"] == count
