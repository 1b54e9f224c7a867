"""Every look at AWS, answered by something that is not AWS: nothing is ever taken for absent.

A gateway, a proxy, a stand-in or a torn connection answers one call of a look, whatever its status
and its code; the others are answered as the service does. Existence and owner are unknown then, no
bucket or table is seen to be empty, and nothing ends in an error that no sentence explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dataware.aws import Account, ClientSettings, SystemClock, complete_answers
from dataware.cli.context import make_wire
from dataware.core.errors import DatawareError, LookupFailedError, NotFoundError
from dataware.core.model import Content, Existence, MarkerState, Ownership
from dataware.http.absence import CODES
from dataware.kinds import load
from dataware.state import ParameterMarkers
from support.cli import BUCKET, TABLE
from support.servers import FaultProxy, Forward, Reply, Seen

PARAMETER = "AWS::SSM::Parameter"
REFUSALS = st.sampled_from([400, 404, 405, 407, 409, 410, 418, 422, 451, 501])
CODED = st.sampled_from(
    [
        "NoRoute",
        "NotFound",
        "ResourceNotFound",
        "ThrottlingException2",
        "UnknownOperationException",
        "ValidationError",
        "404",
        *sorted({code for codes in CODES.values() for code in codes}),
    ]
)
PAGES = st.sampled_from(
    [
        b"",
        b" ",
        b"404 page not found",
        b"<!DOCTYPE html><html><body>Sign in<br></body></html>",
        b"<html><body>Sign in</body></html>",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b'{"message":"no Route matched with those values"}',
        b'{"__type":7,"message":[]}',
        b'{"Table":{}}',
        b'{"Items":[],"Count":1}',
        b'{"Parameter":null}',
        b"<Error/>",
        b"<Error><Code>A</Code><Code>B</Code></Error>",
        b"<ErrorResponse><Error/><Error/></ErrorResponse>",
        b'{"repositories":[]}',
        b'{"repositories":[{}]}',
        b'{"repositories":[null],"imageIds":null}',
        b'{"UserPools":null,"UserPool":{},"Users":null}',
        b"<ListBucketResult/>",
        b"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>3</KeyCount></ListBucketResult>",
        b"<DescribeStackResourcesResponse/>",
        b"<DescribeStackResourcesResponse><DescribeStackResourcesResult/></DescribeStackResourcesResponse>",
        b"<Stack" * 3,
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ]
)


@dataclass(frozen=True)
class Hostile:
    """An answer in the place of a service's."""

    status: int
    json: bytes
    xml: bytes

    def reply(self, json: bool) -> Reply:
        body = self.json if json else self.xml
        kind = "application/x-amz-json-1.0" if json else "application/xml"
        return Reply.of(self.status, body, {"Content-Type": kind})


def coded(status: int, code: str, message: str) -> Hostile:
    """An error that names itself by a code which the service does not document for the call."""
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Hostile(
        status,
        f'{{"__type":"com.amazon#{code}","message":"{message}"}}'.encode(),
        f"<ErrorResponse>{xml}</ErrorResponse>".encode(),
    )


MESSAGES = st.sampled_from(["", "nothing here", "no such host: it does not exist"])
ANSWERS = st.one_of(
    st.builds(coded, REFUSALS, CODED, MESSAGES),
    st.builds(lambda status, page: Hostile(status, page, page), REFUSALS, PAGES),
    st.builds(lambda page: Hostile(200, page, page), PAGES),
)


def is_documented(operation: str, answer: Hostile) -> bool:
    """Whether the answer says what the service itself says when nothing is there."""
    codes = CODES.get(operation, frozenset())
    return any(f'#{code}"'.encode() in answer.json for code in codes if code != "ValidationError")


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    """A server that is nobody's; each test says what it answers."""
    with FaultProxy("http://127.0.0.1:1", record=False) as server:
        yield server


@pytest.fixture
def account(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that asks once."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": proxy.endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(complete_answers, "PAUSE_SECONDS", 0.0)
    once = ClientSettings(first_attempts=1, attempts=1, read_seconds=5)
    return Account.open(make_wire, region="eu-central-1", client_settings=once)


CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
    b"<Arn>arn:aws:iam::111122223333:user/u</Arn></GetCallerIdentityResult>"
    b"</GetCallerIdentityResponse>"
)


def answer_with(proxy: FaultProxy, operation: str, hostile: Hostile) -> None:
    """Answer one operation in a hostile way, and every other as if nothing were there."""

    def respond(seen: Seen, _forward: Forward) -> Reply:
        name = seen.operation
        if name == "GetCallerIdentity":
            return Reply.of(200, CALLER)
        if name == operation:
            return hostile.reply("x-amz-target" in seen.headers)
        return coded(400, sorted(CODES.get(name, {"X"}))[0], "Stack for x does not exist").reply(
            "x-amz-target" in seen.headers
        )

    proxy.clear()
    proxy.add(respond)


def never_absent(look: Callable[[], object]) -> object:
    """What a look finds; raises an error that is a sentence, and no NotFoundError."""
    try:
        return look()
    except NotFoundError:
        raise AssertionError("taken for absent") from None
    except DatawareError as error:
        assert "\n" not in str(error)
        assert isinstance(error, LookupFailedError)
        return None


def probed(account: Account, type_name: str, name: str) -> None:
    """A probe must not see that nothing is there, or that it is empty."""
    facts = load(type_name).probe(account, name)
    assert facts.existence is not Existence.ABSENT
    assert facts.content is not Content.EMPTY
    assert facts.problems


HOSTILE = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@HOSTILE
@given(ANSWERS)
@example(Hostile(404, b'{"__type":"UnknownOperationException"}', b""))
def test_a_table_is_never_taken_for_absent(
    proxy: FaultProxy, account: Account, hostile: Hostile
) -> None:
    """DescribeTable alone says that there is no table, by its own code."""
    if not is_documented("DescribeTable", hostile):
        answer_with(proxy, "DescribeTable", hostile)
        probed(account, TABLE, "some-table")


@HOSTILE
@given(ANSWERS)
def test_a_parameter_is_never_taken_for_absent(
    proxy: FaultProxy, account: Account, hostile: Hostile
) -> None:
    """So it is with parameters, and with the records of migrations, which are parameters."""
    if is_documented("GetParameter", hostile):
        return
    answer_with(proxy, "GetParameter", hostile)
    probed(account, PARAMETER, "/some/parameter")
    markers = ParameterMarkers(account, SystemClock())
    marker = never_absent(lambda: markers.get("dynamodb-table", "some-table").state)
    assert marker is None or marker is MarkerState.UNKNOWN


@HOSTILE
@given(ANSWERS)
def test_a_resource_is_never_taken_for_nobodys(
    proxy: FaultProxy, account: Account, hostile: Hostile
) -> None:
    """Only the sentence of CloudFormation says that no stack has it."""
    answer_with(proxy, "DescribeStackResources", hostile)
    owner = never_absent(lambda: account.owner_of(TABLE, "some-table").ownership)
    assert owner is None or owner is Ownership.UNKNOWN


@HOSTILE
@given(ANSWERS)
def test_a_stack_is_never_taken_for_empty(
    proxy: FaultProxy, account: Account, hostile: Hostile
) -> None:
    """What a stack has is unknown, and not nothing."""
    answer_with(proxy, "ListStackResources", hostile)
    assert never_absent(lambda: account.stack_resources("app")) is None


@HOSTILE
@given(ANSWERS, st.sampled_from(["HeadBucket", "ListObjectsV2"]))
def test_a_bucket_is_never_taken_for_absent(
    proxy: FaultProxy, account: Account, hostile: Hostile, operation: str
) -> None:
    """A 404 to HEAD has no code, so another call has to say the same, by the code of S3."""
    if is_documented(operation, hostile):
        return

    def respond(seen: Seen, _forward: Forward) -> Reply:
        name = seen.operation
        if name == "GetCallerIdentity":
            return Reply.of(200, CALLER)
        if name == "HeadBucket":
            return Reply.of(hostile.status if operation == name else 404)
        return hostile.reply(json=False)

    proxy.clear()
    proxy.add(respond)
    probed(account, BUCKET, "some-bucket")


REPOSITORY, POOL = "AWS::ECR::Repository", "AWS::Cognito::UserPool"
LOG_GROUP = "AWS::Logs::LogGroup"
LIST_POOLS = b'{"UserPools":[{"Id":"eu-central-1_Abc","Name":"some-pool"}]}'
SEEN = {
    "DescribeRepositories": b'{"repositories":[{"repositoryName":"some-repository"}]}',
    "ListUserPools": LIST_POOLS,
    "DescribeLogGroups": b'{"logGroups":[{"logGroupName":"some-group"}]}',
    "DescribeLogStreams": b'{"logStreams":[]}',
    "DescribeUserPool": b'{"UserPool":{"Id":"eu-central-1_Abc","Name":"some-pool"}}',
}


def answer_after(proxy: FaultProxy, operation: str, hostile: Hostile) -> None:
    """Answer one operation in a hostile way, and those before it as if something were there."""

    def respond(seen: Seen, _forward: Forward) -> Reply:
        if seen.operation == "GetCallerIdentity":
            return Reply.of(200, CALLER)
        if seen.operation == operation:
            return hostile.reply(json=True)
        return Reply.of(200, SEEN[seen.operation], {"Content-Type": "application/x-amz-json-1.1"})

    proxy.clear()
    proxy.add(respond)


@HOSTILE
@given(ANSWERS, st.sampled_from(["DescribeRepositories", "ListImages"]))
@example(Hostile(404, b"<html>no such page</html>", b""), "DescribeRepositories")
@example(Hostile(200, b'{"repositories":[]}', b""), "DescribeRepositories")
@example(Hostile(200, b"{}", b""), "ListImages")
def test_a_repository_is_never_taken_for_absent_or_empty(
    proxy: FaultProxy, account: Account, hostile: Hostile, operation: str
) -> None:
    """DescribeRepositories alone says that there is none, and a whole page that it is empty."""
    if not is_documented(operation, hostile):
        answer_after(proxy, operation, hostile)
        probed(account, REPOSITORY, "some-repository")


@HOSTILE
@given(ANSWERS, st.sampled_from(["ListUserPools", "DescribeUserPool", "ListUsers"]))
@example(Hostile(200, b"{}", b""), "ListUserPools")
@example(Hostile(200, b"{}", b""), "ListUsers")
def test_a_user_pool_is_never_taken_for_absent_or_empty(
    proxy: FaultProxy, account: Account, hostile: Hostile, operation: str
) -> None:
    """A list of pools that is not whole names none; a pool without its users is not empty."""
    if not is_documented(operation, hostile):
        answer_after(proxy, operation, hostile)
        probed(account, POOL, "some-pool")


@HOSTILE
@given(ANSWERS, st.sampled_from(["DescribeLogGroups", "FilterLogEvents"]))
@example(Hostile(200, b"{}", b""), "DescribeLogGroups")
@example(Hostile(200, b"{}", b""), "FilterLogEvents")
def test_a_log_group_is_never_taken_for_absent_or_empty(
    proxy: FaultProxy, account: Account, hostile: Hostile, operation: str
) -> None:
    """A listing that is not whole names no group, and one without events does not empty it."""
    if not is_documented(operation, hostile):
        answer_after(proxy, operation, hostile)
        probed(account, LOG_GROUP, "some-group")
