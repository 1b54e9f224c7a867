"""Where a request for a bucket of another region goes, over all answers and all buckets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from hypothesis import example, given
from hypothesis import strategies as st

from dataware.core.ports import Judgement, Request, Response
from dataware.http.redirect import BucketRegions

HERE = "us-east-1"
REGIONS = st.sampled_from([HERE, "eu-west-1", "ap-southeast-2", "us-gov-west-1"])
BUCKETS = st.sampled_from(["a", "a-b", "b.c", "d"])
STATUSES = st.sampled_from([200, 204, 301, 302, 304, 307, 400, 403, 404, 412, 500, 503])
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def request(bucket: str, region: str | None = None, service: str = "s3") -> Request:
    """A request for an object."""
    return Request(service, "GET", f"/{bucket}/k", lambda _: Judgement.DONE, region=region)


def malformed(region: str) -> bytes:
    """The document of a signature for another region."""
    code = "<Error><Code>AuthorizationHeaderMalformed</Code>"
    return f"{code}<Region>{region}</Region></Error>".encode()


REQUESTS = st.builds(
    request, BUCKETS | st.just(""), st.none() | REGIONS, st.sampled_from(["s3", "dynamodb"])
)
HEADERS = st.dictionaries(st.just("x-amz-bucket-region"), REGIONS | st.text())
BODIES = st.builds(malformed, REGIONS | st.text()) | st.binary()


@given(REQUESTS, st.builds(Response, STATUSES, HEADERS, BODIES))
@example(request("a"), Response(400, {}, malformed("eu-west-1\n")))
@example(request("a"), Response(301, {"x-amz-bucket-region": "eu-west-1.example"}, b""))
def test_no_answer_redirects_in_a_circle_or_to_a_made_up_host(
    asked: Request, response: Response
) -> None:
    """It leads to a region that is a label of a host, and once only; nothing else changes."""
    regions = BucketRegions(HERE)
    moved = regions.follow_redirect(asked, response)
    if moved is None:
        assert regions.known == {}
        assert regions.with_known_region(asked) is asked
        return
    assert (asked.service, response.status in {301, 302, 307, 400}) == ("s3", True)
    assert moved.region is not None
    assert LABEL.fullmatch(moved.region)
    assert moved.region != (asked.region or HERE)
    assert moved == asked._replace(region=moved.region)
    assert regions.known == {asked.path.split("/")[1]: moved.region}
    assert regions.with_known_region(asked) == moved
    assert regions.follow_redirect(moved, response) is None


@given(st.dictionaries(BUCKETS, REGIONS), st.lists(st.tuples(BUCKETS, st.none() | REGIONS)))
def test_each_bucket_costs_one_redirect(
    homes: Mapping[str, str], asked: list[tuple[str, str | None]]
) -> None:
    """Every request ends in its bucket's region, and of one bucket at most one was redirected."""
    regions = BucketRegions(HERE)
    redirected: Counter[str] = Counter()
    for bucket, region in asked:
        home = homes.get(bucket, HERE)
        sent = regions.with_known_region(request(bucket, region))
        if (sent.region or HERE) != home:
            redirected[bucket] += 1
            moved = regions.follow_redirect(sent, Response(301, {"x-amz-bucket-region": home}, b""))
            assert moved is not None
            sent = moved
        assert (sent.region or HERE) == home
    assert all(count == 1 for count in redirected.values())
