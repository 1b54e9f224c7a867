"""Requests to S3 that went to another region than the one in which their bucket is.

S3 refuses them with 301 PermanentRedirect, with 307 TemporaryRedirect or 302 while DNS updates, or
with 400 (AuthorizationHeaderMalformed, IllegalLocationConstraintException). Sources: Amazon S3 User
Guide, "Request routing" and "Billing for Amazon S3 error responses". Such an answer names the
bucket's region in the header `x-amz-bucket-region`, also where it has no body, as to HEAD (Amazon
S3 API Reference, HeadBucket), or in the `Region` of AuthorizationHeaderMalformed; the SDK looks in
the same two places (botocore, S3RegionRedirectorv2). An answer that names none is judged like any
other.

Nothing but the name of a region is taken from an answer, and only one that can be a label of a
host. The address comes from `Access.endpoint`: a `Location` or an `Endpoint` in an answer is never
gone to, because a signed request belongs to no host that somebody else has named. S3 asks not to
use those addresses again in any case. The region is that of the bucket in the path; where the
source of a copy is does not matter, S3 fetches it by itself.
"""

from __future__ import annotations

import re

from dataware.core.ports import Request, Response

REFUSED = frozenset({301, 302, 307, 400, 403})
"""Statuses after which another signature may help: of another region, time, or token."""

_MISDIRECTED = REFUSED - {403}
_HEADER = "x-amz-bucket-region"
_MALFORMED = b"<Code>AuthorizationHeaderMalformed</Code>"
_REGION = re.compile(rb"<Region>([^<]*)</Region>")
_LABEL = re.compile("(?=.{1,63}$)[a-z0-9]+(?:-[a-z0-9]+)*")


class BucketRegions:
    """The regions of buckets that answers have named; one for each transport.

    `region` is that of requests that name none. Threads may share it.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self.known: dict[str, str] = {}

    def with_known_region(self, request: Request) -> Request:
        """The request for the region in which its bucket is known to be, or as it is."""
        home = self.known.get(_bucket(request)) if self.known else None
        return request if home is None else request._replace(region=home)

    def follow_redirect(self, request: Request, response: Response) -> Request | None:
        """The request for the region that the answer names, which is kept for later ones.

        None if the answer is no redirect, or leads to where the request was sent: so the same
        answer never redirects twice, and whoever sends each request once more at most cannot be
        led in circles.
        """
        bucket = _bucket(request)
        if not bucket or response.status not in _MISDIRECTED:
            return None
        home = _region_in(response)
        if home is None or home == (request.region or self._region):
            return None
        self.known[bucket] = home
        return request._replace(region=home)


def _bucket(request: Request) -> str:
    """The bucket in the path; empty if the request is to no bucket."""
    return request.path[1:].partition("/")[0] if request.service == "s3" else ""


def _region_in(response: Response) -> str | None:
    """The region that a refusal names."""
    name = response.headers.get(_HEADER, "")
    if not name and _MALFORMED in response.body and (match := _REGION.search(response.body)):
        name = match[1].decode("latin-1")
    return name if _LABEL.fullmatch(name) else None
