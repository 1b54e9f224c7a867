"""The card of the engine that copies by workers in the account."""

from __future__ import annotations

from math import ceil

from dataware.core.engines.card import (
    ON_A_MODEL,
    EngineCard,
    EngineCost,
    EngineName,
    VerificationCost,
    price_of,
)
from dataware.core.engines.general import NO_HEADERS, NOT_FOLLOWED, ONE_ACCOUNT, estimate_local
from dataware.core.engines.situation import EngineSituation
from dataware.core.estimate import VERIFYING, Prices, estimate_deployment
from dataware.core.model import Size

MAP_WORKERS = 100
"""Workers for which the map engine is estimated."""

WORKER_GIGABYTES = 1769 / 1024
"""Memory of a worker, which gives it one processor (AWS Lambda Developer Guide, "Configure Lambda
function memory")."""


def _estimate_map(situation: EngineSituation, size: Size, prices: Prices) -> EngineCost:
    charges, speed = situation.charges, situation.speed
    seconds = estimate_deployment(size, charges, speed, workers=MAP_WORKERS)
    each = MAP_WORKERS * WORKER_GIGABYTES * price_of(prices, "lambda.gb-second")
    copied = estimate_local(situation, size, prices).usd
    # The verification is what a copy takes longer together with it.
    verifying = seconds - ceil(seconds / VERIFYING)
    read = sum(units * price_of(prices, name) for name, units in situation.verify_charges.items())
    part = VerificationCost(verifying, round(read + each * verifying, 6))
    return EngineCost(seconds, copied + each * seconds, verification=part)


MAP_PERMISSIONS = (
    "cloudformation:CreateStack",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:TagResource",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    "lambda:GetFunction",
    "lambda:TagResource",
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DescribeLogGroups",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "s3:AbortMultipartUpload",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:PutObject",
    "states:CreateStateMachine",
    "states:DeleteStateMachine",
    "states:DescribeExecution",
    "states:DescribeMapRun",
    "states:DescribeStateMachine",
    "states:ListMapRuns",
    "states:StartExecution",
    "states:StopExecution",
    "states:TagResource",
)
"""What the caller needs to make, start, watch, stop and remove the workers."""


MAP = EngineCard(
    name=EngineName.MAP,
    pause="its workers wait within 15 seconds, and are paid for while they wait",
    summary="workers in the account, as many as a Distributed Map starts",
    runs_on="AWS Step Functions and AWS Lambda in the account",
    needs=(ONE_ACCOUNT, NOT_FOLLOWED, NO_HEADERS),
    when="only when it is asked for",
    is_better=lambda _situation: False,
    why_asked="it makes roles and functions in the account",
    estimate=_estimate_map,
    limits=(
        f"up to {MAP_WORKERS} workers at once; each ends after 15 minutes, and the next one "
        "resumes",
        "this run makes a stack dataware-map-RUN and a bucket dataware-map-ACCOUNT-RUN; a "
        "complete migration or `dataware forget` removes them",
        "Ctrl-C stops the workers; if the command is killed they continue, and the same command "
        "resumes with them",
        "the record names 5 skipped keys of each part of the data; the workers' log names all",
        "workers verify, too: they read both sides again, and this machine compares their sums; "
        "with --deep this machine verifies",
        "a part that no worker reported on leaves the verification incomplete; the same command "
        "reads that part again, within an hour",
    ),
    permissions=MAP_PERMISSIONS,
    passes_to=("lambda.amazonaws.com", "states.amazonaws.com"),
    proven=f"{ON_A_MODEL}: an emulator whose Distributed Map is as AWS documents it",
    time="that of local by the number of workers, with the verification, a third of it",
    money="as local, and the time of the workers; the line says what of it is the verification",
    formula=(
        f"as local with {MAP_WORKERS} workers, of which 20 do what one machine does, times 1.5",
        f"as local, and {MAP_WORKERS} workers of {WORKER_GIGABYTES:.2f} GB for that time",
    ),
    sources=(
        "AWS Step Functions Developer Guide, Using Map state in Distributed mode",
        "AWS Step Functions Developer Guide, ItemBatcher (Map) and ResultWriter (Map)",
    ),
)
