"""The engine that carries a bucket within S3: Batch Operations."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from dataware.core.engines.card import (
    NOT_BOUNDED,
    ON_A_MODEL,
    EngineCard,
    EngineCost,
    EngineName,
    price_of,
)
from dataware.core.engines.general import CURRENT, NO_HEADERS, NOT_FOLLOWED, OWN_TARGET, ROLE
from dataware.core.engines.map_card import MAP
from dataware.core.engines.situation import EngineSituation
from dataware.core.estimate import Prices
from dataware.core.model import Size
from dataware.core.ports import Aws
from dataware.kinds.s3_bucket.batch.permissions import JOB_SERVICE, PERMISSIONS, list_grants

if TYPE_CHECKING:
    from dataware.core.engines.port import CopyJob

MANY = 10_000_000
"""Objects above which a job is better than a copy by this machine."""


def _estimate_batch(_situation: EngineSituation, size: Size, prices: Prices) -> EngineCost:
    """A job, each object in it, its copy request, and five listings of a thousand keys a page.

    The source is listed for the manifest, both sides for what the job left, both to verify.
    """
    requests = size.items + 5 * ceil(size.items / 1000)
    usd = price_of(prices, "s3.batch-job") + size.items * price_of(prices, "s3.batch-object")
    return EngineCost(None, usd + requests * price_of(prices, "s3.put"))


def _make_job(aws: Aws, role: str) -> CopyJob:
    from dataware.kinds.s3_bucket.batch.job import BatchCopy

    return BatchCopy(aws, role)


BATCH = EngineCard(
    name=EngineName.BATCH,
    pause="its job is ended, because S3 cannot pause one, and another one begins after the pause",
    summary="S3 Batch Operations copies what a manifest of dataware lists",
    runs_on="Amazon S3",
    needs=(OWN_TARGET, CURRENT, NOT_FOLLOWED, NO_HEADERS, ROLE),
    when=f"over {MANY:,} objects",
    is_better=lambda it: it.size is not None and it.size.items > MANY,
    estimate=_estimate_batch,
    limits=(
        "only into a bucket that this run made and that is as it was listed; a job replaces what "
        "it finds, so no one else may write there",
        "this machine copies what is over 5 GB, archived, under a customer's key, not of class "
        "STANDARD, or uploaded in parts",
        "needs a role for S3 that may read the source and write the target and dataware-batch-*, "
        "a bucket that this run makes and removes",
        "a stop of the command does not stop the job; `dataware pause` and `dataware forget` do",
        "current versions only",
    ),
    permissions=PERMISSIONS,
    grants=list_grants,
    passes_to=(JOB_SERVICE,),
    proven=f"{ON_A_MODEL}: a stand-in whose answers are checked against AWS's own model",
    time=NOT_BOUNDED,
    money="a price for the job and for each object, the copy requests, and five listings",
    formula=(
        "not bounded",
        "batch-job + N x batch-object + (N + 5 x N / 1,000) x put",
    ),
    sources=("Amazon S3 User Guide, Copy objects (S3 Batch Operations)",),
    copy_job=_make_job,
)

BUCKET_ENGINES = (BATCH, MAP)
