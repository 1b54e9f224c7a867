"""The card of log groups: what is seen, and what adopting one would delete."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.comparison import LiveConfiguration as Live
from dataware.core.comparison import PropertyVerdict, compare_configuration
from dataware.core.errors import NotFoundError
from dataware.core.model import Content, Existence
from dataware.embedded import EmbeddedAws
from dataware.kinds.log_group import (
    COMPARISON,
    KIND,
    check_name,
    describe_oldest,
    find_shorter_retention,
    probe,
    read_configuration,
)
from support.dynamo import account
from support.log_events import put_events
from support.stubbed import StubbedAws

DAY = 24 * 3600 * 1000
NAME = "/app/web"


def now() -> int:
    """This moment in milliseconds."""
    return int(time.time() * 1000)


def group(name: str = NAME, **more: Any) -> dict[str, Any]:
    """A log group as DescribeLogGroups gives it."""
    return {"logGroupName": name, "creationTime": 5, "arn": f"arn:{name}:*", **more}


def stubbed(*pages: dict[str, Any], name: str = NAME) -> StubbedAws:
    """Pages of DescribeLogGroups, one after the other."""
    aws = StubbedAws("logs")
    token: dict[str, str] = {}
    for number, page in enumerate(pages, 1):
        more = {"nextToken": str(number)} if number < len(pages) else {}
        asked = {"logGroupNamePrefix": name, **token}
        aws.stubber.add_response("describe_log_groups", {**page, **more}, asked)
        token = more
    return aws


def add_streams(aws: StubbedAws, *streams: dict[str, Any]) -> None:
    """What DescribeLogStreams says, newest first."""
    asked = {"logGroupName": NAME, "orderBy": "LastEventTime", "descending": True, "limit": 1}
    aws.stubber.add_response("describe_log_streams", {"logStreams": [*streams]}, asked)


def add_events(aws: StubbedAws, *pages: list[int], **asked: Any) -> None:
    """Pages of FilterLogEvents with events of some times; one may be empty and not the last."""
    token: dict[str, str] = {}
    for number, times in enumerate(pages, 1):
        more = {"nextToken": str(number)} if number < len(pages) else {}
        answer = {"events": [{"timestamp": at, "message": "m"} for at in times], **more}
        expected = {"logGroupName": NAME, **asked, **token}
        aws.stubber.add_response("filter_log_events", answer, expected)
        token = more


def test_only_the_exact_name_counts_on_whatever_page(aws_server: EmbeddedAws) -> None:
    """A listing by prefix gives longer names, too, and has pages."""
    logs = account().client("logs")
    for number in range(60):
        logs.create_log_group(logGroupName=f"{NAME}-{number:02}")
    assert probe(account(), NAME).existence is Existence.ABSENT
    logs.create_log_group(logGroupName=f"{NAME}-zz")
    assert probe(account(), f"{NAME}-zz").existence is Existence.EXISTS


def test_a_name_on_a_later_page_is_found() -> None:
    """Pages that are empty or hold other names do not end the search."""
    aws = stubbed({"logGroups": [group(f"{NAME}-")]}, {"logGroups": []}, {"logGroups": [group()]})
    add_streams(aws, {"logStreamName": "a", "lastEventTimestamp": now()})
    facts = probe(aws, NAME)  # type: ignore[arg-type]  # the part of the port that it uses
    assert (facts.existence, facts.content, facts.identity) == (
        Existence.EXISTS,
        Content.DATA,
        "5",
    )


@pytest.mark.parametrize("pages", [[[], [], [7]], [[7]]])
def test_what_a_stream_does_not_tell_yet_is_looked_for_among_the_events(
    pages: list[list[int]],
) -> None:
    """The newest time of a stream lags by an hour or more, and pages of events may be empty."""
    aws = stubbed({"logGroups": [group()]})
    add_streams(aws, {"logStreamName": "a"})
    add_events(aws, *pages)
    assert probe(aws, NAME).content is Content.DATA  # type: ignore[arg-type]


def test_events_that_have_reached_their_retention_are_no_data() -> None:
    """A stream keeps the time of an event that is gone."""
    aws = stubbed({"logGroups": [group(retentionInDays=30)]})
    add_streams(aws, {"logStreamName": "a", "lastEventTimestamp": now() - 31 * DAY})
    add_events(aws, [], [])
    assert probe(aws, NAME).content is Content.EMPTY  # type: ignore[arg-type]


def test_an_old_event_without_retention_is_data(aws_server: EmbeddedAws) -> None:
    """Events of a group that never expire stay for ever."""
    aws = account()
    aws.client("logs").create_log_group(logGroupName=NAME)
    assert probe(aws, NAME).content is Content.EMPTY
    put_events(aws.client("logs"), NAME, [now() - 10 * DAY])
    assert probe(aws, NAME).content is Content.DATA


@pytest.mark.parametrize("name", ["a", NAME, "/aws/lambda/x", "a.b#c_d-e", "a" * 512])
def test_good_names_pass(name: str) -> None:
    """Names of the service's own rule are accepted."""
    assert check_name(name) is None


@pytest.mark.parametrize("name", ["", "aws/x", "a b", "a:b", "ä", "a" * 513])
def test_bad_names_are_told(name: str) -> None:
    """What the service would refuse is told beforehand."""
    assert check_name(name)


retentions = st.sampled_from([1, 3, 7, 14, 30, 90, 365, 3653])


@given(st.none() | retentions, st.none() | retentions | retentions.map(str))
def test_a_shorter_retention_is_never_a_mere_change(
    live: int | None, declared: int | str | None
) -> None:
    """Events that are kept now would go; a longer one, or none in the template, deletes nothing."""
    found = compare_configuration(
        COMPARISON, Live({"RetentionInDays": live}), {"RetentionInDays": declared}
    )
    if declared is None:
        assert found == ()
        return
    (one,) = found
    shorter = live is None or int(declared) < live
    assert (one.verdict is PropertyVerdict.DELETES) is shorter
    assert (one.verdict is PropertyVerdict.SAME) is (live == int(declared))


@pytest.mark.parametrize("declared", [{"Ref": "Days"}, "soon", [1]])
def test_a_retention_that_cannot_be_read_may_delete(declared: Any) -> None:
    """Only CloudFormation knows it, or nobody: it stops as well."""
    assert "may delete events" in str(find_shorter_retention("RetentionInDays", 30, declared))


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ([[], [1_600_000_000_000]], "days old, of 2020-09-13"),
        ([[], []], "none of its events is that old now"),
        ([[]] * 21, ""),
    ],
)
def test_the_oldest_event_is_told_where_it_is_cheap_to_see(
    pages: list[list[int]], told: str
) -> None:
    """Pages may be empty; where no page of many holds an event, nothing is said."""
    aws = StubbedAws("logs")
    add_events(aws, *pages, startTime=0, endTime=ANY)
    said = describe_oldest(aws, NAME, "RetentionInDays", None, 30)  # type: ignore[arg-type]
    assert said.endswith(told)
    assert bool(said) is bool(told)
    assert not describe_oldest(aws, NAME, "Tags", None, [])  # type: ignore[arg-type]
    assert not describe_oldest(aws, NAME, "RetentionInDays", None, {"Ref": "X"})  # type: ignore[arg-type]


def test_the_configuration_is_read_as_a_template_says_it(aws_server: EmbeddedAws) -> None:
    """Retention, class and key come from the listing, tags from a call of their own."""
    aws = account()
    logs = aws.client("logs")
    with pytest.raises(NotFoundError):
        read_configuration(aws, NAME)
    logs.create_log_group(
        logGroupName=NAME, logGroupClass="INFREQUENT_ACCESS", kmsKeyId="arn:k", tags={"a": "1"}
    )
    logs.put_retention_policy(logGroupName=NAME, retentionInDays=30)
    found = read_configuration(aws, NAME).properties
    assert {name: found[name] for name in ("RetentionInDays", "LogGroupClass", "KmsKeyId")} == {
        "RetentionInDays": 30,
        "LogGroupClass": "INFREQUENT_ACCESS",
        "KmsKeyId": "arn:k",
    }
    assert found["Tags"] == [{"Key": "a", "Value": "1"}]


@pytest.mark.parametrize(
    ("live", "declared", "verdict"),
    [
        ({}, {"LogGroupClass": "INFREQUENT_ACCESS"}, PropertyVerdict.FIXED),
        ({"LogGroupClass": "STANDARD"}, {"LogGroupClass": "STANDARD"}, PropertyVerdict.SAME),
        ({}, {"KmsKeyId": "arn:key"}, PropertyVerdict.CHANGES),
        ({"KmsKeyId": "arn:key"}, {"KmsKeyId": {"Ref": "Key"}}, PropertyVerdict.UNKNOWN),
        ({}, {"DeletionProtectionEnabled": "true"}, PropertyVerdict.CHANGES),
        ({}, {"BearerTokenAuthenticationEnabled": False}, PropertyVerdict.SAME),
    ],
)
def test_what_becomes_of_each_property(
    live: dict[str, Any], declared: dict[str, Any], verdict: PropertyVerdict
) -> None:
    """The class cannot change; a key is taken for what comes in from then on."""
    (found,) = compare_configuration(COMPARISON, Live(live), declared)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("properties", "labels"),
    [
        ({}, {"deletion protection": "off", "encryption": "key of the service"}),
        (
            {"DeletionProtectionEnabled": "true", "KmsKeyId": "arn:key"},
            {"deletion protection": "on", "encryption": "own KMS key"},
        ),
        ({"DeletionProtectionEnabled": {"Ref": "X"}, "KmsKeyId": {"Ref": "Y"}}, {}),
    ],
)
def test_declared_settings_leave_out_what_is_not_literal(
    properties: dict[str, Any], labels: dict[str, str]
) -> None:
    """A function is not a setting; what is left out of a template has CloudFormation's default."""
    found = KIND.template.declared_settings(properties)
    assert {name: setting.label for name, setting in found.items()} == labels


def test_the_arn_of_a_template_comes_first() -> None:
    """`Fn::GetAtt` of `Arn` ends in `:*`; tags are asked for without it."""
    first, second = KIND.access.arns(NAME, "111122223333", "eu-west-1", "aws")
    assert first == f"arn:aws:logs:eu-west-1:111122223333:log-group:{NAME}:*"
    assert second == first.removesuffix(":*")


def test_the_age_is_that_of_the_event(aws_server: EmbeddedAws) -> None:
    """The oldest of several, by its own time."""
    aws = account()
    aws.client("logs").create_log_group(logGroupName=NAME)
    oldest = now() - 12 * DAY
    put_events(aws.client("logs"), NAME, [oldest, now() - 8 * DAY, now()])
    day = f"{datetime.fromtimestamp(oldest / 1000, UTC):%Y-%m-%d}"
    said = describe_oldest(aws, NAME, "RetentionInDays", None, 7)
    assert said == f"its oldest is 12 days old, of {day}"
    assert describe_oldest(aws, NAME, "RetentionInDays", None, 13).startswith("none of its events")
