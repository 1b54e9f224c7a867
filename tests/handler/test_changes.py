"""The function that follows in the account: from the stream into the queue, and from there on."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from dataware.core.follow.feed import CarryOutcome
from dataware.embedded import EmbeddedAws
from dataware.handler import changes, is_complete, look
from dataware.handler.changes import AccountCarrier, handler, queue_keys
from support.cli import run
from support.deployments import Execution, begin, make_machine, one_state, poll, properties, record
from support.worlds import client, make_table

CARRIER = "arn:aws:lambda:us-east-1:000000000000:function:Carrier"
ON = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
RECORD = "/dataware/markers/dynamodb-table/new-one"
HERE = {"owner": "000000000000", "region": "us-east-1"}


class Call:
    """Lambda's context."""

    invoked_function_arn = CARRIER

    def get_remaining_time_in_millis(self) -> int:
        """A minute."""
        return 60_000


@dataclass
class Account:
    """Both tables, the queue, and a poller in the place of Lambda's."""

    url: str
    stream: str = ""
    answer: Any = None

    def copy(self, **more: str) -> None:
        """Copy, as the states of the machine do."""
        self.answer, given = begin(properties(Carrier=CARRIER, **more))
        assert "Refusal" not in self.answer, self.answer
        self.stream = self.answer["Data"]["Stream"]
        assert Execution().run(given)["outcome"] == "done"
        states, arn = client("stepfunctions"), self.answer["Execution"]
        while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            pass

    def put(self, key: str, value: int) -> None:
        """Change the source."""
        item = {"pk": {"S": key}, "v": {"N": str(value)}}
        client("dynamodb").put_item(TableName="old-one", Item=item)

    def delete(self, key: str) -> None:
        """Delete from the source."""
        client("dynamodb").delete_item(TableName="old-one", Key={"pk": {"S": key}})

    def content(self, table: str) -> dict[str, str]:
        """What a table holds."""
        page = client("dynamodb").scan(TableName=table, ConsistentRead=True)
        return {one["pk"]["S"]: one["v"]["N"] for one in page["Items"]}

    def records(self) -> list[dict[str, Any]]:
        """Every record of the stream, as Lambda passes it on."""
        streams, found = client("dynamodbstreams"), []
        described = streams.describe_stream(StreamArn=self.stream)["StreamDescription"]
        for shard in described["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=self.stream,
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]
            for one in streams.get_records(ShardIterator=iterator)["Records"]:
                change = {name: one["dynamodb"][name] for name in ("Keys", "SequenceNumber")}
                found.append({"eventSource": "aws:dynamodb", "dynamodb": change})
        return found

    def messages(self, seconds: int = 0) -> list[dict[str, Any]]:
        """What the queue gives to one call, as Lambda passes it on."""
        answer = client("sqs").receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds
        )
        return [
            {
                "eventSource": "aws:sqs",
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
            }
            for one in answer.get("Messages", ())
        ]

    def call(self, messages: list[dict[str, Any]]) -> list[str]:
        """Call the function; what it did not name is deleted from the queue."""
        answer = handler({"Records": messages}, Call())
        failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        for one in messages:
            if one["messageId"] not in failed:
                client("sqs").delete_message(QueueUrl=self.url, ReceiptHandle=one["receiptHandle"])
        return failed

    def drain(self) -> None:
        """Carry until the queue gives nothing."""
        while messages := self.messages():
            assert self.call(messages) == []


@pytest.fixture
def account(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Account:
    """A source that was copied, and whose changes are carried from now on."""
    done = one_state(Type="Pass", Result={"outcome": "done"}, End=True)
    monkeypatch.setenv("STATE_MACHINE", make_machine(done, name=f"ends-{uuid4().hex[:8]}"))
    make_table("old-one")
    make_table("new-one")
    queue = client("sqs").create_queue(
        QueueName=f"changes-{uuid4().hex[:8]}.fifo", Attributes={"FifoQueue": "true"}
    )
    places = {"SOURCE": "old-one", "TARGET": "new-one"}
    variables = {word: json.dumps({"name": name, **HERE}) for word, name in places.items()}
    variables |= {"QUEUE_URL": queue["QueueUrl"], "TYPE": "AWS::DynamoDB::Table"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.0)
    changes._open_carrier.cache_clear()
    changes._queue.cache_clear()
    return Account(queue["QueueUrl"])


@pytest.fixture
def followed(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The same, once the custom resource has answered."""
    client("dynamodb").update_table(TableName="old-one", StreamSpecification=ON)
    for number in range(5):
        account.put(f"k{number}", 1)
    account.copy()
    monkeypatch.setattr(is_complete, "UNKNOWN_OUTCOME_SECONDS", 0.0)
    assert poll(account.answer)["IsComplete"]
    return account


def test_nothing_is_carried_before_no_write_of_the_copy_may_arrive_any_more(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The custom resource answers a minute after the copy, and the stream is read after that."""
    client("dynamodb").update_table(TableName="old-one", StreamSpecification=ON)
    account.put("k", 1)
    account.copy()
    assert account.content("new-one") == {"k": "1"}
    assert poll(account.answer) == {"IsComplete": False}
    assert "carrier" not in record()["detail"]
    monkeypatch.setattr(is_complete, "UNKNOWN_OUTCOME_SECONDS", 0.0)
    for _ in range(2):
        assert poll(account.answer) == {"IsComplete": True, "Data": {"Stream": account.stream}}
    kept = record()
    assert (kept["state"], kept["released"]) == ("running", True)
    assert kept["detail"]["carrier"] == CARRIER
    assert kept["detail"]["followed"] is True
    assert "following, in the account by Carrier" in run("status", "new-one").out


def test_changes_and_deletes_arrive_by_the_queue(followed: Account) -> None:
    """Also those that were made while it was copied; many changes of a key are one message."""
    for value in range(2, 6):
        followed.put("k1", value)
    followed.delete("k2")
    followed.put("new", 1)
    assert queue_keys(followed.records()) == []
    followed.drain()
    assert followed.content("new-one") == followed.content("old-one")
    assert "k2" not in followed.content("new-one")
    assert queue_keys(followed.records()) == []
    followed.drain()
    assert followed.content("new-one") == followed.content("old-one")


def test_a_key_is_in_one_group_and_two_calls_never_have_it_at_once(followed: Account) -> None:
    """The second change waits in the queue until the first message is settled."""
    followed.put("k1", 2)
    queue_keys(followed.records()[-1:])
    first = followed.messages()
    followed.put("k1", 3)
    queue_keys(followed.records()[-1:])
    assert followed.messages() == []
    assert followed.call(first) == []
    assert followed.call(followed.messages()) == []
    assert followed.content("new-one")["k1"] == "3"


@pytest.mark.parametrize(("outcome", "seconds"), [("failed", 1), ("uncertain", 60)])
def test_what_is_not_settled_comes_again_after_its_time(
    followed: Account, monkeypatch: pytest.MonkeyPatch, outcome: str, seconds: int
) -> None:
    """What may still arrive waits a minute; the rest of the call is settled."""
    asked: list[int] = []

    def carry(_follower: AccountCarrier, keys: list[bytes], _seconds: float) -> CarryOutcome:
        return CarryOutcome(frozenset(keys[1:]), **{outcome: frozenset(keys[:1])})

    followed.put("k1", 2)
    followed.put("k3", 2)
    queue_keys(followed.records()[-2:])
    monkeypatch.setattr(AccountCarrier, "carry", carry)
    change = client("sqs").change_message_visibility_batch

    class Noting:
        def change_message_visibility_batch(self, **asking: Any) -> Any:
            asked.extend(one["VisibilityTimeout"] for one in asking["Entries"])
            return change(**asking)

    monkeypatch.setattr(changes, "_queue", Noting)
    messages = followed.messages()
    assert len(followed.call(messages)) == 1
    assert asked == [seconds]
    assert followed.messages() == []


@pytest.mark.parametrize("says_so", [True, False])
def test_what_the_queue_does_not_take_is_read_from_the_stream_again(
    followed: Account, monkeypatch: pytest.MonkeyPatch, says_so: bool
) -> None:
    """From the first record of such a key on, whatever came of the later ones.

    An answer that passes over a message says that it was not taken, too.
    """
    followed.put("k1", 2)
    followed.put("k3", 2)
    followed.put("k1", 3)
    records = followed.records()[-3:]

    class Refusing:
        def send_message_batch(self, **asking: Any) -> Any:
            refused = [one for one in asking["Entries"] if b"k1" in b64decode(one["MessageBody"])]
            taken = [one for one in asking["Entries"] if one not in refused]
            return {"Successful": taken, **({"Failed": refused} if says_so else {})}

    monkeypatch.setattr(changes, "_queue", Refusing)
    answer = handler({"Records": records}, Call())
    number = records[0]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}


def test_who_has_the_lock_carries_alone(followed: Account) -> None:
    """Keys wait in the queue for the end of the command that took over."""
    followed.put("k1", 2)
    queue_keys(followed.records()[-1:])
    messages = followed.messages()
    change_record(released=False, token="elsewhere|1|1")
    assert followed.call(messages) == [one["messageId"] for one in messages]
    assert followed.content("new-one")["k1"] == "1"
    change_record(released=True)
    assert followed.call(messages) == []
    assert followed.content("new-one")["k1"] == "2"


@pytest.mark.parametrize("name", ["another function", None])
def test_a_function_that_is_not_on_record_carries_nothing(
    followed: Account, name: str | None
) -> None:
    """Of an earlier stack, or after the record was deleted."""
    followed.put("k1", 2)
    queue_keys(followed.records()[-1:])
    if name is None:
        client("ssm").delete_parameter(Name=RECORD)
    else:
        change_record(detail={**record()["detail"], "carrier": name})
    assert len(followed.call(followed.messages())) == 1
    assert followed.content("new-one")["k1"] == "1"


def test_after_a_cut_over_a_writer_of_the_source_is_named_and_not_carried(
    followed: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """The target is in use by then."""
    followed.put("k1", 2)
    queue_keys(followed.records()[-1:])
    change_record(state="complete")
    assert followed.call(followed.messages()) == []
    assert followed.content("new-one")["k1"] == "1"
    assert '"stray-keys"' in capsys.readouterr().out


@pytest.mark.parametrize("state", ["undoing", "undo-frozen", "undo-drained", "undo-verified"])
def test_beside_an_undo_that_was_killed_nothing_is_carried(followed: Account, state: str) -> None:
    """The target is in use, and newer than what the undo has written to the source."""
    followed.put("k1", 2)
    queue_keys(followed.records()[-1:])
    messages, detail = followed.messages(), record()["detail"]
    cutover = {"state": state, "freeze_limit": 300.0, "freeze_began": 1.0}
    change_record(detail={**detail, "cutover": cutover})
    assert followed.call(messages) == [one["messageId"] for one in messages]
    assert followed.content("new-one")["k1"] == "1"
    change_record(detail={**detail, "cutover": {"state": "following", "freeze_limit": 300.0}})
    assert followed.call(messages) == []
    assert followed.content("new-one")["k1"] == "2"


def test_a_call_that_runs_out_of_time_leaves_its_keys_for_a_minute_later(
    followed: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had sent may still arrive."""
    followed.put("k1", 2)
    queue_keys(followed.records()[-1:])
    monkeypatch.setattr(Call, "get_remaining_time_in_millis", lambda _call: 10_000)
    assert len(followed.call(followed.messages())) == 1
    assert followed.messages() == []


def test_a_deployment_beside_a_follow_copies_nothing_again(followed: Account) -> None:
    """A copy could bring back what the function deletes."""
    about = properties(Carrier=CARRIER, MaxRate="50")
    old = properties(Carrier=CARRIER)
    answer, given = begin(about, "Update", 2, OldResourceProperties=old)
    assert given is None
    assert answer["Data"] == {"Stream": followed.stream}
    answer, given = begin(properties(Carrier=f"{CARRIER}2"), "Create", 3)
    assert given is not None, "a function of another stack has not read the stream"


def test_a_target_that_holds_something_is_not_followed_into(account: Account) -> None:
    """What stands under a key that changes would be replaced."""
    client("dynamodb").update_table(TableName="old-one", StreamSpecification=ON)
    item = {"pk": {"S": "theirs"}, "v": {"N": "1"}}
    client("dynamodb").put_item(TableName="new-one", Item=item)
    answer, _ = begin(properties(Carrier=CARRIER))
    assert "may not be empty" in answer["Refusal"]


def test_a_source_without_a_stream_is_refused_with_what_to_do(account: Account) -> None:
    """Nobody switches one on unasked."""
    answer, _ = begin(properties(Carrier=CARRIER))
    assert "set `stream=` in its own stack" in answer["Refusal"]
    assert is_on() is False


def test_a_stream_is_switched_on_by_consent_and_off_with_the_migration(account: Account) -> None:
    """Delete touches nothing else: neither the data nor the record."""
    account.put("k", 1)
    account.copy(EnableStream="true")
    assert is_on()
    assert record()["detail"]["feed_enabled"] == account.stream
    request_of_delete = properties(Carrier=CARRIER)
    look._let_go(request_of_delete)
    assert is_on()
    look._let_go({**request_of_delete, "EnableStream": "true"})
    assert not is_on()
    assert account.content("new-one") == account.content("old-one") == {"k": "1"}


def test_a_stream_that_somebody_else_switched_on_stays_on(account: Account) -> None:
    """Consent is not a wish."""
    client("dynamodb").update_table(TableName="old-one", StreamSpecification=ON)
    account.put("k", 1)
    account.copy(EnableStream="true")
    look._let_go(properties(Carrier=CARRIER, EnableStream="true"))
    assert is_on()


def is_on() -> bool:
    """Whether the source has a stream."""
    table = client("dynamodb").describe_table(TableName="old-one")["Table"]
    return bool(table.get("StreamSpecification", {}).get("StreamEnabled"))


def change_record(**fields: Any) -> None:
    """Write the record as another run would."""
    ssm = client("ssm")
    version = ssm.get_parameter(Name=RECORD)["Parameter"]["Version"]
    value = json.dumps({**record(), "after": version, **fields})
    ssm.put_parameter(Name=RECORD, Value=value, Type="String", Overwrite=True)
