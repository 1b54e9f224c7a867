"""What runs in AWS Lambda while a stack is deployed: the custom resource and its workers.

    look: on_event ──> Step Functions ──> work: shards ──> worker (each shard, again) ──> finish
    look: is_complete <──polls── Step Functions, until CloudFormation has its answer

Everything here, and everything that it imports, needs the standard library and boto3 only. No
state lives on module globals, because Lambda uses a process again for another event.

The record of the migration has one writer at a time: `on_event` takes the lock in the name of the
execution, and from then on only `is_complete` writes, with every poll. Workers look at it and stop
once it is lost.
"""
