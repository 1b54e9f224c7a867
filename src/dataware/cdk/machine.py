"""The state machine of a migration.

    Begin ──copy──> Shards (Distributed Map: Work, again until the shard has ended) ──> Finish
      ^                ^                                                                  │
      │                └── verify, step by step ──────────────────────────────────────────┤
      └────────────────────────────────── again ──────────────────────────────────────────┤
                                                                         done │ failed <──┘

A shard's state is its checkpoint. A worker that fails, or that Lambda ends, leaves its shard as it
was, so that the others go on and `Finish` knows how far the copy or the verification is.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

STATE = sfn.JsonPath.string_at
RETRIES = 2


def state_machine(
    scope: Construct,
    *,
    begin: lambda_.IFunction,
    worker: lambda_.IFunction,
    finish: lambda_.IFunction,
    max_concurrency: int,
    timeout: Duration,
) -> sfn.StateMachine:
    """The state machine; `timeout` is a last resort, because workers know their deadline."""
    states = Construct(scope, "States")
    first = _invoke(states, "Begin", begin)
    shards = _shards(states, worker, max_concurrency)
    outcome = sfn.Choice(states, "Outcome")
    for word in ("copy", "verify"):
        outcome.when(sfn.Condition.string_equals("$.outcome", word), shards)
    outcome.when(sfn.Condition.string_equals("$.outcome", "again"), first)
    outcome.when(sfn.Condition.string_equals("$.outcome", "done"), sfn.Succeed(states, "Done"))
    outcome.otherwise(sfn.Fail(states, "Failed", error="Incomplete", cause_path=STATE("$.cause")))
    first.next(outcome)
    shards.next(_invoke(states, "Finish", finish).next(outcome))
    return sfn.StateMachine(
        scope,
        "StateMachine",
        definition_body=sfn.DefinitionBody.from_chainable(first),
        timeout=timeout,
    )


def _invoke(scope: Construct, id: str, function: lambda_.IFunction) -> tasks.LambdaInvoke:
    return tasks.LambdaInvoke(scope, id, lambda_function=function, payload_response_only=True)


def _shards(
    scope: Construct, worker: lambda_.IFunction, max_concurrency: int
) -> sfn.DistributedMap:
    work = tasks.LambdaInvoke(
        scope, "Work", lambda_function=worker, payload_response_only=True, result_path="$.shard"
    )
    work.add_retry(errors=["States.ALL"], max_attempts=RETRIES, interval=Duration.seconds(5))
    answer = sfn.Pass(scope, "Shard", output_path="$.shard")
    lost, marked = _lost(scope)
    work.add_catch(lost.next(marked).next(answer), errors=["States.ALL"], result_path="$.lost")
    ended = sfn.Choice(scope, "Ended")
    ended.when(sfn.Condition.boolean_equals("$.shard.ended", True), answer).otherwise(work)
    shards = sfn.DistributedMap(
        scope,
        "Shards",
        items_path="$.shards",
        item_selector={
            "job": sfn.JsonPath.object_at("$.job"),
            "shard": sfn.JsonPath.object_at("$$.Map.Item.Value"),
        },
        max_concurrency=max_concurrency,
        map_execution_type=sfn.StateMachineType.STANDARD,
        result_path="$.shards",
    )
    shards.item_processor(work.next(ended))
    return shards


def _lost(scope: Construct) -> tuple[sfn.Pass, sfn.Pass]:
    """The shard as it was before the call that failed, with the name of the error."""
    why = {"failed": STATE("$.lost.Error")}
    lost = sfn.Pass(scope, "Lost", parameters=why, result_path="$.lost")
    merged = sfn.JsonPath.json_merge(
        sfn.JsonPath.object_at("$.shard"), sfn.JsonPath.object_at("$.lost")
    )
    return lost, sfn.Pass(scope, "Marked", parameters={"shard": merged})
