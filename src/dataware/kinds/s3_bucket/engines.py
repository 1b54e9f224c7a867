"""The engine that carries a bucket within S3: Batch Operations."""

from __future__ import annotations

from math import ceil

from dataware.core.engines.card import NOT_BOUNDED, EngineCard, EngineCost, EngineName, price_of
from dataware.core.engines.general import CURRENT, OWN_TARGET
from dataware.core.engines.situation import EngineSituation
from dataware.core.estimate import Prices
from dataware.core.model import Size

MANY = 10_000_000
"""Objects above which a job is better than a copy by this machine."""


def _estimate_batch(_situation: EngineSituation, size: Size, prices: Prices) -> EngineCost:
    """A job, each object in it, its copy request, and five listings of a thousand keys a page.

    The source is listed for the manifest, both sides for what the job left, both to verify.
    """
    requests = size.items + 5 * ceil(size.items / 1000)
    usd = price_of(prices, "s3.batch-job") + size.items * price_of(prices, "s3.batch-object")
    return EngineCost(None, usd + requests * price_of(prices, "s3.put"))


BATCH = EngineCard(
    name=EngineName.BATCH,
    summary="S3 Batch Operations copies what a manifest of dataware lists",
    runs_on="Amazon S3",
    needs=(OWN_TARGET, CURRENT),
    when=f"over {MANY:,} objects",
    is_better=lambda it: it.size is not None and it.size.items > MANY,
    estimate=_estimate_batch,
    limits=(
        "only into a bucket that this run made, because a job replaces what it finds",
        "objects over 5 GB, archived or encrypted with a customer's key stay with local",
        "current versions only",
    ),
    permissions=("s3:CreateJob", "s3:DescribeJob", "s3:UpdateJobStatus", "iam:PassRole"),
    proven="not built",
    time=NOT_BOUNDED,
    money="a price for the job and for each object, the copy requests, and five listings",
    formula=(
        "not bounded",
        "batch-job + N x batch-object + (N + 5 x N / 1,000) x put",
    ),
    sources=("Amazon S3 User Guide, Copy objects (S3 Batch Operations)",),
    instead=(
        "create the job yourself from a manifest, then run the same command, which copies the "
        "rest and verifies"
    ),
)

BUCKET_ENGINES = (BATCH,)
