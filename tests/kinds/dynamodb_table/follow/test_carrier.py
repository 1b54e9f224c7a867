"""Carrying keys: what each answer of DynamoDB means for the keys that it speaks of."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.dynamo import FakeClock, FakeTransport, place, refuse, respond

from dataware.core.copier import CopyOrder
from dataware.core.errors import LookupFailedError, WriteDeniedError
from dataware.core.follow.feed import CarryOutcome
from dataware.core.follow.written import WrittenKeys
from dataware.core.ports import Response
from dataware.kinds.dynamodb_table.follow.carrier import TableCarrier
from dataware.kinds.dynamodb_table.follow.keys import decode_key, encode_key, name_keys
from dataware.kinds.dynamodb_table.verify import reader
from dataware.wire import RetryBudget, RetryingWire

Answer = Callable[[str, dict[str, Any]], Response]


def key(text: str) -> bytes:
    """A key as the feed gives it."""
    return encode_key({"pk": {"S": text}}, ("pk",))


class Sides:
    """A source and a target in memory; `fault` may answer, or lose an answer, in their place."""

    def __init__(self) -> None:
        self.source: dict[str, Any] = {}
        self.target: dict[str, Any] = {}
        self.sent: list[tuple[str, list[str]]] = []
        self.fault: Answer | None = None

    def answer(self, operation: str, body: dict[str, Any]) -> Response:
        """What DynamoDB answers."""
        if self.fault is not None:
            return self.fault(operation, body)
        return self.do(operation, body)

    def do(self, operation: str, body: dict[str, Any]) -> Response:
        """Carry a request out."""
        if operation in ("PutItem", "DeleteItem"):
            self._write(body)
            return respond({})
        ((name, asked),) = body["RequestItems"].items()
        if operation == "BatchGetItem":
            assert name == "old"
            assert asked["ConsistentRead"] is True
            keys = [each["pk"]["S"] for each in asked["Keys"]]
            assert len(keys) <= 100
            self.sent.append((operation, keys))
            items = [self.source[each] for each in keys if each in self.source]
            return respond({"Responses": {name: items}, "UnprocessedKeys": {}})
        assert name == "new"
        assert len(asked) <= 25
        for request in asked:
            self._write(next(iter(request.values())))
        return respond({"UnprocessedItems": {}})

    def _write(self, write: dict[str, Any]) -> None:
        if "Item" in write:
            self.target[write["Item"]["pk"]["S"]] = write["Item"]
        else:
            self.target.pop(write["Key"]["pk"]["S"], None)

    def carry(self, *keys: str, attempts: int = 3) -> CarryOutcome:
        """Carry keys."""
        clock = FakeClock()
        budget = RetryBudget(attempts=attempts, seconds=60)
        wires = [
            RetryingWire(FakeTransport(self.answer), clock, lambda: 0.5, lambda _why: None, budget)
            for _ in range(2)
        ]
        order, written = CopyOrder(place("old"), place("new")), cast("WrittenKeys", None)
        carrier = TableCarrier(*wires, order, written)
        return asyncio.run(carrier.carry([key(each) for each in keys]))


@pytest.fixture
def sides() -> Sides:
    """A source with `a` and `b`, and a target with an old `a` and a `gone` one."""
    both = Sides()
    both.source = {each: {"pk": {"S": each}, "v": {"N": "1"}} for each in "ab"}
    both.target = {"a": {"pk": {"S": "a"}, "v": {"N": "0"}}, "gone": {"pk": {"S": "gone"}}}
    return both


def keys(*texts: str) -> frozenset[bytes]:
    """Keys as the feed gives them."""
    return frozenset(map(key, texts))


def once(sides: Sides, operation: str, answer: Answer) -> None:
    """The first request of an operation is answered in another way."""
    left = [operation]

    def fault(asked: str, body: dict[str, Any]) -> Response:
        if asked in left:
            left.remove(asked)
            return answer(asked, body)
        return sides.do(asked, body)

    sides.fault = fault


def test_what_the_source_has_is_put_and_what_it_has_not_is_deleted(sides: Sides) -> None:
    """Whatever the target held."""
    assert sides.carry("a", "b", "gone", "never") == CarryOutcome(keys("a", "b", "gone", "never"))
    assert sides.target == sides.source


def test_a_lot_goes_in_batches_that_dynamodb_takes(sides: Sides) -> None:
    """A hundred keys to read, 25 to write; the sides check it."""
    sides.source = {f"k{n}": {"pk": {"S": f"k{n}"}} for n in range(0, 260, 2)}
    texts = [f"k{n}" for n in range(260)]
    assert sides.carry(*texts).carried == keys(*texts)
    assert sorted(len(asked) for _, asked in sides.sent) == [60, 100, 100]
    assert {name for name in sides.target if name.startswith("k")} == set(sides.source)


def test_keys_that_were_not_read_are_not_taken_for_deleted(sides: Sides) -> None:
    """UnprocessedKeys come back, and nothing is written for them."""

    def answer(_operation: str, _body: dict[str, Any]) -> Response:
        left = {"old": {"Keys": [{"pk": {"S": "a"}}], "ConsistentRead": True}}
        return respond({"Responses": {"old": [sides.source["b"]]}, "UnprocessedKeys": left})

    once(sides, "BatchGetItem", answer)
    assert sides.carry("a", "b") == CarryOutcome(keys("b"), failed=keys("a"))
    assert sides.target["a"]["v"] == {"N": "0"}


def test_writes_that_were_not_processed_come_back(sides: Sides) -> None:
    """Puts and deletes alike."""

    def answer(_operation: str, body: dict[str, Any]) -> Response:
        requests = body["RequestItems"]["new"]
        left = [one for one in requests if "DeleteRequest" in one or "b" in str(one)]
        return respond({"UnprocessedItems": {"new": left}})

    once(sides, "BatchWriteItem", answer)
    assert sides.carry("a", "b", "gone") == CarryOutcome(keys("a"), failed=keys("b", "gone"))


def test_a_batch_that_comes_back_whole_is_not_counted_as_carried(sides: Sides) -> None:
    """A throttled table writes nothing; its keys are tried later."""
    whole = lambda _operation, body: respond({"UnprocessedItems": body["RequestItems"]})  # noqa: E731
    once(sides, "BatchWriteItem", whole)
    assert sides.carry("a", "b").failed == keys("a", "b")


def lose(sides: Sides, after: bool) -> Answer:
    """The connection breaks, `after` the request was carried out or before."""

    def answer(operation: str, body: dict[str, Any]) -> Response:
        if after:
            sides.do(operation, body)
        raise ConnectionError

    return answer


@pytest.mark.parametrize("after", [False, True])
def test_a_success_that_hides_a_lost_answer_leaves_every_key_of_the_lot_uncertain(
    after: bool, sides: Sides
) -> None:
    """The first try may still arrive, after a newer carry of the same key."""
    once(sides, "BatchWriteItem", lose(sides, after))
    assert sides.carry("a", "b") == CarryOutcome(uncertain=keys("a", "b"))
    assert sides.target["b"] == sides.source["b"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_servers_error_that_is_tried_again_leaves_keys_uncertain_and_throttling_does_not(
    status: int, sides: Sides
) -> None:
    """Only a refusal says for certain that nothing was written."""
    body = (
        {"__type": "x#InternalServerError"}
        if status == 500
        else {"__type": "x#ThrottlingException"}
    )
    once(sides, "BatchWriteItem", lambda _operation, _body: respond(body, status))
    outcome = sides.carry("a")
    assert (outcome.uncertain if status == 500 else outcome.carried) == keys("a")


def test_a_write_without_any_answer_is_uncertain(sides: Sides) -> None:
    """Nothing is raised: the keys wait, and are carried again."""

    def fault(operation: str, body: dict[str, Any]) -> Response:
        if operation == "BatchWriteItem":
            raise TimeoutError
        return sides.do(operation, body)

    sides.fault = fault
    assert sides.carry("a", "b") == CarryOutcome(uncertain=keys("a", "b"))


def test_a_read_without_any_answer_fails_and_writes_nothing(sides: Sides) -> None:
    """It says nothing of the target."""

    def fault(operation: str, body: dict[str, Any]) -> Response:
        assert operation == "BatchGetItem"
        raise TimeoutError

    sides.fault = fault
    assert sides.carry("a") == CarryOutcome(failed=keys("a"))


def test_an_answer_about_other_keys_is_asked_for_again(sides: Sides) -> None:
    """What an answer lacks is deleted, so it has to be one to this very question."""
    stranger = {"pk": {"S": "stranger"}}
    wrong = respond({"Responses": {"old": [stranger]}, "UnprocessedKeys": {}})
    once(sides, "BatchGetItem", lambda _operation, _body: wrong)
    assert sides.carry("a").carried == keys("a")
    assert sides.target["a"] == sides.source["a"]


def test_an_answer_that_names_no_table_deletes_nothing(sides: Sides) -> None:
    """DynamoDB names the table also where it found nothing of it."""

    def lose_the_items(operation: str, body: dict[str, Any]) -> Response:
        if operation == "BatchGetItem":
            return respond({"Responses": {}, "UnprocessedKeys": {}})
        return sides.do(operation, body)

    sides.fault = lose_the_items
    outcome = sides.carry("a", "gone")
    assert outcome.failed == keys("a", "gone")
    assert sides.target.keys() == {"a", "gone"}


def test_one_item_that_the_target_refuses_is_listed_and_the_others_are_carried(
    sides: Sides,
) -> None:
    """Such as one whose attribute is no key of an index of the target."""
    refused = refuse("ValidationException", "Item size has exceeded the maximum allowed size")

    def fault(operation: str, body: dict[str, Any]) -> Response:
        if operation == "BatchWriteItem" or body.get("Item", {}).get("pk") == {"S": "b"}:
            return refused
        return sides.do(operation, body)

    original = sides.do
    sides.fault = lambda operation, body: (
        original(operation, body) if operation == "BatchGetItem" else fault(operation, body)
    )
    outcome = sides.carry("a", "b", "gone")
    assert outcome.carried == keys("a", "gone")
    assert [conflict.key for conflict in outcome.conflicts] == [key("b")]


@pytest.mark.parametrize(
    ("operation", "error"),
    [("BatchWriteItem", WriteDeniedError), ("BatchGetItem", LookupFailedError)],
)
def test_a_denial_ends_the_carry(operation: str, error: type[Exception], sides: Sides) -> None:
    """The next try is denied as well."""

    def fault(asked: str, body: dict[str, Any]) -> Response:
        return refuse("AccessDeniedException") if asked == operation else sides.do(asked, body)

    sides.fault = fault
    with pytest.raises(error, match=operation):
        sides.carry("a", "b")


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str) | st.integers(
    -(10**20), 10**20
).map(str)
values = (
    st.builds(lambda text: {"S": text}, texts)
    | st.builds(lambda text: {"N": text}, numbers)
    | st.builds(lambda data: {"B": data}, st.binary(min_size=1, max_size=8))
)


@given(values, values)
def test_a_key_is_the_same_from_a_stream_and_from_the_verifier(one: Any, two: Any) -> None:
    """So a key that a comparison lists is the very one that a record would have given."""
    schema = [
        {"AttributeName": "sort", "KeyType": "RANGE"},
        {"AttributeName": "part", "KeyType": "HASH"},
    ]
    names = name_keys(schema)
    assert names == ("part", "sort")
    mine = encode_key({"sort": two, "part": one, "other": {"S": "x"}}, names)
    plain = {name: _as_sent(value) for name, value in (("part", one), ("sort", two))}
    assert reader._key_label(plain).encode("utf-8", "surrogatepass") == mine
    decoded = decode_key(mine)
    assert list(decoded) == ["part", "sort"]
    assert encode_key(decoded, names) == mine
    for name, value in plain.items():
        ((kind, content),) = value.items()
        assert (Decimal(decoded[name]["N"]) == Decimal(content)) if kind == "N" else True


def _as_sent(value: dict[str, Any]) -> dict[str, str]:
    from base64 import b64encode

    return {"B": b64encode(value["B"]).decode()} if "B" in value else value


def test_equal_numbers_are_one_key() -> None:
    """However they are written."""
    ways = ["10", "10.0", "1E1", "+10", "010"]
    assert len({encode_key({"pk": {"N": way}}, ("pk",)) for way in ways}) == 1
    assert json.loads(encode_key({"pk": {"N": "1E1"}}, ("pk",))) == {"pk": {"N": "10"}}
