"""The state machines of the workers, in the Amazon States Language; that of a deployment first.

    Which ──a copy──> Begin ──copy──> Shards (Distributed Map: Work, again until it has ended)
      │                 ^                ^  └──> Finish ──┐
      │                 └─────again──────┴──verify────────┤
      │                                      done │ failed┘
      └──a watch──> Wait ──> Look ──ended?──> Answered
                     ^────────┘ not yet

Two executions serve one migration. One copies; a shard's state is its checkpoint, and a worker
that fails, or that Lambda ends, leaves its shard as it was, so that the others go on and `Finish`
knows how far the copy or the verification is. The other one watches the first, keeps its lock
alive and answers CloudFormation, however the first one ends.

For a command there is the Distributed Map alone (`batch_definition`), which reads its shards from a
bucket and writes there what became of them, because they may be more than a state carries.
"""

from __future__ import annotations

from typing import Any

RETRIES = 2
LONGEST_SECONDS = 3600
"""A last resort, because workers and looks know their deadline."""

State = dict[str, Any]

# Lambda itself, not the function, has failed (AWS Step Functions Developer Guide, "Handle
# transient Lambda service exceptions").
TRANSIENT = {
    "ErrorEquals": [
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "IntervalSeconds": 2,
    "MaxAttempts": 6,
    "BackoffRate": 2,
}
LOOK_AGAIN = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 5,
    "MaxAttempts": 4,
    "BackoffRate": 2,
}


NEW_ROLE = {
    "ErrorEquals": ["States.ItemReaderFailed"],
    "IntervalSeconds": 10,
    "MaxAttempts": 4,
    "BackoffRate": 2,
}
"""What a role was just granted may not be seen everywhere yet (IAM User Guide, "Changes that I make
are not always immediately visible")."""

LONGEST_DAYS = 30
"""How long an execution for a command may last; its workers know their deadline."""

BATCH_BYTES = 128 * 1024
"""Of the 256 KiB that a state may carry, so that a batch has room for how far its shards are."""


def definition(look: str, work: str) -> State:
    """The definition, given the ARNs of both functions."""
    return {
        "StartAt": "Which",
        "TimeoutSeconds": LONGEST_SECONDS,
        "States": {**_watch(look), **_copy(work)},
    }


def _watch(look: str) -> dict[str, State]:
    lost = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.watch.lost", "Next": "GiveUp"}
    task = {"Type": "Task", "Resource": look, "Retry": [LOOK_AGAIN]}
    return {
        "Which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.watch", "IsPresent": True, "Next": "Wait"}],
            "Default": "Begin",
        },
        "Wait": {"Type": "Wait", "SecondsPath": "$.watch.every", "Next": "Look"},
        "Look": {**task, "ResultPath": "$.seen", "Catch": [lost], "Next": "Seen"},
        "Seen": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.seen.ended", "BooleanEquals": True, "Next": "Answered"}],
            "Default": "Wait",
        },
        "GiveUp": {**task, "ResultPath": "$.seen", "Next": "Answered"},
        "Answered": {"Type": "Succeed"},
    }


def _copy(work: str) -> dict[str, State]:
    outcomes = {"copy": "Shards", "verify": "Shards", "again": "Begin", "done": "Done"}
    return {
        "Begin": {**_step(work, "begin"), "Retry": [TRANSIENT], "Next": "Outcome"},
        "Outcome": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.outcome", "StringEquals": word, "Next": state}
                for word, state in outcomes.items()
            ],
            "Default": "Failed",
        },
        "Shards": _shards(work),
        "Finish": {**_step(work, "finish"), "Retry": [TRANSIENT], "Next": "Outcome"},
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "Incomplete", "CausePath": "$.cause"},
    }


def batch_definition(work: str, bucket: str, partition: str) -> State:
    """The definition for a command, which has listed the shards in a bucket.

    Its input is ``{"shards": KEY, "results": PREFIX, "batch": SHARDS, "job": …}``. No failure of a
    batch ends the others. Sources: AWS Step Functions Developer Guide, "ItemReader (Map)",
    "ItemBatcher (Map)", "ResultWriter (Map)", "Setting failure thresholds for Distributed Map
    states".
    """
    service = f"arn:{partition}:states:::s3"
    shards: State = {
        "Type": "Map",
        "Label": "Shards",
        "ItemReader": {
            "Resource": f"{service}:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": bucket, "Key.$": "$.shards"},
        },
        "ItemBatcher": {
            "MaxItemsPerBatchPath": "$.batch",
            "MaxInputBytesPerBatch": BATCH_BYTES,
            "BatchInput": {"job.$": "$.job"},
        },
        "MaxConcurrencyPath": "$.job.workers",
        "ToleratedFailurePercentage": 100,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Work",
            "States": _batch(work),
        },
        "ResultWriter": {
            "Resource": f"{service}:putObject",
            "Parameters": {"Bucket": bucket, "Prefix.$": "$.results"},
        },
        "Retry": [NEW_ROLE],
        "End": True,
    }
    seconds = LONGEST_DAYS * 24 * 3600
    return {"StartAt": "Shards", "TimeoutSeconds": seconds, "States": {"Shards": shards}}


def _batch(work: str) -> dict[str, State]:
    again = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": RETRIES}
    return {
        "Work": {**_step(work, "work"), "Retry": [TRANSIENT, again], "Next": "Ended"},
        "Ended": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.ended", "BooleanEquals": True, "Next": "Batch"}],
            "Default": "Work",
        },
        "Batch": {"Type": "Pass", "OutputPath": "$.Items", "End": True},
    }


def _step(work: str, step: str) -> State:
    return {"Type": "Task", "Resource": work, "Parameters": {"step": step, "event.$": "$"}}


def _shards(work: str) -> State:
    return {
        "Type": "Map",
        "ItemsPath": "$.shards",
        "ItemSelector": {"job.$": "$.job", "shard.$": "$$.Map.Item.Value"},
        "MaxConcurrencyPath": "$.job.workers",
        "ItemProcessor": {
            # Standard children may run as long as a shard takes.
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Work",
            "States": _shard(work),
        },
        "ResultPath": "$.shards",
        "Next": "Finish",
    }


def _shard(work: str) -> dict[str, State]:
    again = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": RETRIES}
    lost = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.lost", "Next": "Lost"}
    merged = "States.JsonMerge($.shard, $.lost, false)"
    return {
        "Work": {
            **_step(work, "work"),
            "ResultPath": "$.shard",
            "Retry": [again],
            "Catch": [lost],
            "Next": "Ended",
        },
        "Ended": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.shard.ended", "BooleanEquals": True, "Next": "Shard"}],
            "Default": "Work",
        },
        # The shard as it was before the call that failed, with the name of the error.
        "Lost": {
            "Type": "Pass",
            "Parameters": {"failed.$": "$.lost.Error"},
            "ResultPath": "$.lost",
            "Next": "Marked",
        },
        "Marked": {"Type": "Pass", "Parameters": {"shard.$": merged}, "Next": "Shard"},
        "Shard": {"Type": "Pass", "OutputPath": "$.shard", "End": True},
    }
