"""Access points: their ARNs and aliases, the bucket behind them, and the source of a copy."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.handlers import handle_copy_source_param

from dataware.cli.pair import addresses_of
from dataware.cli.settings import PairOptions
from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.errors import InputError, LookupFailedError
from dataware.core.model import Location
from dataware.kinds.s3_bucket import KIND
from dataware.kinds.s3_bucket.access_points import check_pair, parse, resolve
from dataware.kinds.s3_bucket.copy.copier import make as make_copier
from dataware.kinds.s3_bucket.copy.requests import Bucket
from support.buckets import DIFFICULT_KEYS, whole
from support.copying import LoopClock
from support.memory_aws import MemoryAws
from support.memory_buckets import stored
from support.operations import headers_sent
from support.stubbed import StubbedAws
from support.virtual import run_virtually

ARN = "arn:aws:s3:eu-west-1:444455556666:accesspoint/partner-drop"
ALIAS = "partner-drop-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"


@pytest.mark.parametrize(
    ("text", "name", "prefix", "account", "region"),
    [
        (ARN, ARN, "", "444455556666", "eu-west-1"),
        (f"{ARN}/object/2024/a b\n", ARN, "2024/a b\n", "444455556666", "eu-west-1"),
        (ARN.replace("aws:", "aws-cn:"), ARN.replace("aws:", "aws-cn:"), "", "444455556666", None),
        (ALIAS, ALIAS, "", None, None),
        (f"{ALIAS}/2024/", ALIAS, "2024/", None, None),
    ],
)
def test_an_access_point_is_named_by_arn_or_alias(
    text: str, name: str, prefix: str, account: str | None, region: str | None
) -> None:
    """With the part of its keys that is meant, in every partition."""
    found = parse(text)
    assert found is not None
    assert (found.name, found.prefix, found.account) == (name, prefix, account)
    assert found.region == (region or ("eu-west-1" if account else None))


@pytest.mark.parametrize(
    "text", ["bucket", "arn:aws:s3:::bucket", "arn:aws:s3:::b/k", "s3alias", ""]
)
def test_a_bucket_is_no_access_point(text: str) -> None:
    """Whatever else is an address is read as before."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("arn:aws:s3::444455556666:accesspoint/mfzwi23gnjvgw.mrap", "a multi-region access point"),
        ("mfzwi23gnjvgw.mrap/2024/", "a multi-region access point"),
        (
            "arn:aws:s3-outposts:us-west-2:444455556666:outpost/op-1/accesspoint/ap",
            "an access point of an Outpost",
        ),
        (
            "arn:aws:s3-object-lambda:us-west-2:444455556666:accesspoint/ap",
            "an Object Lambda access point",
        ),
        ("my-olap-hrzrlukc5m36ft7okagglf3gmwluquse1b--ol-s3", "an Object Lambda access point"),
    ],
)
def test_other_sorts_are_named_as_unsupported(text: str, what: str) -> None:
    """By ARN and by alias, in the address that a person gave; no request is sent."""
    source = text if text.startswith("arn:") else f"s3://{text}"
    with pytest.raises(InputError, match=f"is {what}, which dataware does not copy through"):
        addresses_of(PairOptions(source, "s3://new-bucket", None, None))


def test_addresses_keep_what_an_access_point_says() -> None:
    """The account and region of the ARN, and the prefix; beside a bucket that is none."""
    one, other = addresses_of(PairOptions(f"{ARN}/object/2024/", "s3://new-bucket", None, None))
    place = one.place("111122223333", "us-east-1")
    assert place == Location(ARN, "444455556666", "eu-west-1", "2024/")
    assert other.place("111122223333", "us-east-1").name == "new-bucket"
    alias, _ = addresses_of(PairOptions(f"s3://{ALIAS}/x/", "s3://new", "444455556666", None))
    assert alias.place("1" * 12, "us-east-1") == Location(ALIAS, "444455556666", "us-east-1", "x/")


def test_no_bucket_that_is_created_or_looked_for_has_such_a_name() -> None:
    """In an app a name with the ending of an alias stays a mistake."""
    assert KIND.names.check(ALIAS)
    assert KIND.names.find_problem(ALIAS)


def stub(bucket_account: str | None = "777788889999") -> StubbedAws:
    """An account in which the access point is."""
    aws = StubbedAws("s3control")
    answer = {"Name": "partner-drop", "Bucket": "their-bucket", "Alias": ALIAS}
    if bucket_account:
        answer["BucketAccountId"] = bucket_account
    asked = {"AccountId": "444455556666", "Name": "partner-drop"}
    aws.stubber.add_response("get_access_point", answer, asked)
    return aws


def test_requests_go_to_the_alias_and_expect_the_owner_of_the_bucket() -> None:
    """Who owns the access point need not own the bucket."""
    aws: Any = stub()
    place = resolve(aws, Location(ARN, "444455556666", "eu-west-1", "2024/"))
    assert place == Location(ALIAS, "777788889999", "eu-west-1", "2024/", access_point=ARN)
    bucket = Bucket.of(place)
    assert (bucket.name, bucket.owner) == (ALIAS, "777788889999")


def test_a_named_owner_is_kept() -> None:
    """S3 then refuses a bucket that is not theirs; without any word it is the ARN's account."""
    named: Any = stub()
    place = resolve(named, Location(ARN, "111122223333", "eu-west-1"))
    assert place.owner == "111122223333"
    silent: Any = stub(None)
    assert resolve(silent, Location(ARN, "444455556666", "eu-west-1")).owner == "444455556666"


def test_what_is_no_arn_is_asked_of_nobody() -> None:
    """An alias and a bucket are what they are."""
    aws: Any = StubbedAws("s3control")
    for name in (ALIAS, "bucket"):
        place = Location(name, "444455556666", "eu-west-1")
        assert resolve(aws, place) is place


def test_a_denial_names_the_permission() -> None:
    """The access point of another account is theirs to describe."""
    aws: Any = StubbedAws("s3control")
    aws.stubber.add_client_error("get_access_point", "AccessDenied", http_status_code=403)
    with pytest.raises(LookupFailedError, match="s3:GetAccessPoint"):
        resolve(aws, Location(ARN, "444455556666", "eu-west-1"))


@pytest.mark.parametrize("key", DIFFICULT_KEYS)
@pytest.mark.parametrize("arn", ["", ARN])
def test_the_source_of_a_copy_is_encoded_as_the_sdk_does(key: str, arn: str) -> None:
    """``ARN/object/KEY``, percent-encoded; the SDK's own encoder is the second opinion."""
    place = Location(ALIAS if arn else "old", "1" * 12, "eu-west-1", access_point=arn)
    mine = Bucket.of(place).as_source(key.encode(), "etag")["x-amz-copy-source"]
    params: dict[str, Any] = {"CopySource": {"Bucket": arn or "old", "Key": key}}
    handle_copy_source_param(params)
    assert mine == params["CopySource"]


def test_a_copy_reads_the_alias_and_names_the_arn() -> None:
    """At once and in parts; only what names a source of a copy says the ARN."""
    aws = MemoryAws()
    aws.buckets.fill(ALIAS, {b"a": stored(b"small"), b"b": stored(b"large" * 9)})
    aws.buckets.aliases[ARN] = ALIAS
    aws.buckets.fill("new")
    order = CopyOrder(
        Location(ALIAS, "777788889999", "eu-west-1", access_point=ARN),
        Location("new", "111122223333", "eu-west-1"),
        multipart_threshold=10,
        part_size=10,
    )

    class Wire:
        permit = None
        retries = 0

        async def send(self, request: Any) -> Any:
            response = await aws.exchange(request)
            request.judge(response)
            return response

    async def copy() -> None:
        wire: Any = Wire()
        tools = CopyTools(None, wire, LoopClock())  # type: ignore[arg-type]  # no Aws
        outcome = await whole(make_copier(tools, order))
        assert (outcome.copied, outcome.skipped) == (2, ())

    run_virtually(copy())
    sources = [headers_sent(call.request).get("x-amz-copy-source") for call in aws.calls]
    named = {source for source in sources if source}
    assert named == {f"{ARN.replace(':', '%3A')}/object/{key}" for key in "ab"}
    owners = {
        headers_sent(call.request)["x-amz-source-expected-bucket-owner"]
        for call in aws.calls
        if "x-amz-copy-source" in headers_sent(call.request)
    }
    assert owners == {"777788889999"}


def test_a_copy_between_regions_is_refused_with_the_way_on() -> None:
    """S3 copies through access points within a region only; through this machine it goes."""
    here = Location(ALIAS, "1" * 12, "eu-west-1", access_point=ARN)
    there = Location("new", "1" * 12, "us-east-1")
    for pair in ((here, there), (there, here)):
        with pytest.raises(InputError, match=r"only within its region.*name the bucket itself"):
            check_pair(*pair)
    check_pair(here, Location("new", "1" * 12, "eu-west-1"))
    check_pair(Location("old", "1" * 12, "eu-west-1"), there)
    check_pair(Location(ALIAS, "1" * 12, "eu-west-1", profile="partner"), there)
