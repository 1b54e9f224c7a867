"""The Distributed Map of the emulator as AWS has it; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
of `overlay`. Every section names the difference from AWS that it removes. Sources: AWS Step
Functions Developer Guide, "ItemBatcher (Map)", "ResultWriter (Map)", "Using Map state in
Distributed mode" (counts of items and of child executions); API Reference, DescribeMapRun.
"""

import json

from ministack.core import iam_actions as iam
from ministack.services import s3
from ministack.services import stepfunctions as states

replaces = globals()["replaces"]

OUTCOMES = ("SUCCEEDED", "FAILED", "PENDING")
ITEMS = {}
"""How many items the newest map run of an execution has in its batches, by its ARN."""

STOPPED = "States.Aborted"
"""The error of what a stopped execution leaves."""


# --- Step Functions: a Distributed Map hands out batches, and its fields may be paths


@replaces(states, "_run_distributed_map")
def run_distributed_map(original, state, given, effective, iterator, execution, ctx):
    """Make batches of the items, and write what became of them where the state says so."""
    plain = {**state, **_resolve_paths(state, effective, ctx)}
    if "ItemBatcher" in state:
        items = _read_items(state, effective, ctx)
        batches = list(_make_batches(state["ItemBatcher"], items, effective, ctx))
        ITEMS[execution["executionArn"]] = len(items)
        for name in ("ItemReader", "ItemSelector", "Parameters", "ItemsPath", "ItemBatcher"):
            plain.pop(name, None)
        effective = batches
    if "ResultWriter" not in state:
        return original(plain, given, effective, iterator, execution, ctx)
    for name in ("ResultSelector", "ResultPath", "OutputPath", "ResultWriter"):
        plain.pop(name, None)
    place = states._resolve_params_obj(state["ResultWriter"]["Parameters"], given, ctx)
    inputs = effective if "ItemBatcher" in state else []
    try:
        _, following = original(plain, given, effective, iterator, execution, ctx)
    finally:
        written = _write_results(place, execution, inputs)
    result = states._apply_result_selector(state, written)
    output = states._apply_result_path(state, given, result)
    return states._apply_output_path(state, output, ctx), following


def _resolve_paths(state, effective, ctx):
    """The fields that a state may also give as a path, by the names that have none."""
    names = ("MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount")
    return {
        name: states._resolve_path_or_ctx(state[f"{name}Path"], effective, ctx)
        for name in names
        if f"{name}Path" in state
    }


def _read_items(state, effective, ctx):
    """The items, each as its selector makes it."""
    if state.get("ItemReader"):
        items = states._read_map_items(state["ItemReader"], effective, ctx)
    else:
        items = states._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, ctx)
    selector = state.get("ItemSelector")
    if not selector:
        return items
    return [
        states._resolve_params_obj(
            selector, effective, {**ctx, "Map": {"Item": {"Index": at, "Value": item}}}
        )
        for at, item in enumerate(items)
    ]


def _make_batches(batcher, items, effective, ctx):
    """Batches by number and by size; what all of them get stands in each."""
    most, size = (
        states._resolve_path_or_ctx(batcher[f"{name}Path"], effective, ctx)
        if f"{name}Path" in batcher
        else batcher.get(name)
        for name in ("MaxItemsPerBatch", "MaxInputBytesPerBatch")
    )
    if most is None and size is None:
        raise states._ExecutionError(
            "States.Runtime", "ItemBatcher needs MaxItemsPerBatch or MaxInputBytesPerBatch"
        )
    shared = states._resolve_params_obj(batcher.get("BatchInput"), effective, ctx)
    head = {"BatchInput": shared} if "BatchInput" in batcher else {}
    batch = []
    for item in items:
        longer = {**head, "Items": [*batch, item]}
        full = most is not None and len(batch) >= most
        if batch and (full or (size is not None and len(json.dumps(longer)) > size)):
            yield {**head, "Items": batch}
            batch = []
        batch.append(item)
    if batch:
        yield {**head, "Items": batch}


# --- Step Functions: results are written to S3, by outcome


def _write_results(place, execution, inputs):
    """The files of a map run, and what the state's result is then."""
    run = _newest_run(execution)
    arn = run["mapRunArn"]
    folder = "/".join(part for part in (place.get("Prefix"), arn.split(":")[-1]) if part)
    rows = {outcome: [] for outcome in OUTCOMES}
    inputs_run = []
    for child in [one for one in states._executions.values() if one.get("mapRunArn") == arn]:
        inputs_run.append(child["input"])
        rows[_outcome_of(child)].append(_describe(child))
    for given in map(json.dumps, inputs):
        if given not in inputs_run:
            rows["PENDING"].append({"Input": given, "InputDetails": {"Included": True}})
    if execution["status"] == "ABORTED":
        run["status"] = "ABORTED"
    files = {outcome: [] for outcome in OUTCOMES}
    for outcome, listed in rows.items():
        if listed:
            key, body = f"{folder}/{outcome}_0.json", json.dumps(listed).encode()
            _put(place["Bucket"], key, body)
            files[outcome].append({"Key": key, "Size": len(body)})
    manifest = {
        "DestinationBucket": place["Bucket"],
        "MapRunArn": arn,
        "ResultFiles": files,
    }
    _put(place["Bucket"], f"{folder}/manifest.json", json.dumps(manifest).encode())
    details = {"Bucket": place["Bucket"], "Key": f"{folder}/manifest.json"}
    return {"MapRunArn": arn, "ResultWriterDetails": details}


def _outcome_of(child):
    """In which file a child stands; one that was stopped before its first task never began."""
    if child["status"] == "SUCCEEDED":
        return "SUCCEEDED"
    if child.get("error") == STOPPED:
        child["status"] = "ABORTED"
        return "FAILED" if child["events"] else "PENDING"
    return "FAILED"


def _newest_run(execution):
    arn = execution["executionArn"]
    return [one for one in states._map_runs.values() if one["executionArn"] == arn][-1]


def _describe(child):
    """One child execution, as a result file has it."""
    succeeded = child["status"] == "SUCCEEDED"
    ended = (
        {"Output": child["output"]}
        if succeeded
        else {"Cause": child.get("cause") or "", "Error": child.get("error") or ""}
    )
    why = {"RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven"}
    return {
        **ended,
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE" if succeeded else "REDRIVABLE",
        **(why if succeeded else {}),
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
        "StopDate": child["stopDate"],
    }


def _put(bucket, key, body):
    status, _, answer = s3._put_object(bucket, key, body, {})
    if status != 200:
        raise states._ExecutionError("States.ResultWriterFailed", str(answer))


# --- Step Functions: a map run counts items and child executions apart


@replaces(states, "_map_run_view")
def view_map_run(original, run):
    """Count an item for each that is in a batch."""
    shown = original(run)
    batches = [
        (child["status"], json.loads(child["input"]))
        for child in states._executions.values()
        if child.get("mapRunArn") == run["mapRunArn"]
    ]
    if not any(isinstance(given, dict) and "Items" in given for _, given in batches):
        return shown
    counts = dict.fromkeys(run["itemCounts"], 0)
    names = {"SUCCEEDED": "succeeded", "FAILED": "failed", "ABORTED": "aborted"}
    for status, given in batches:
        counts[names.get(status, "running")] += len(given["Items"])
    total = ITEMS.get(run["executionArn"], sum(counts.values()))
    counts["pending"] = max(0, total - sum(counts.values()))
    counts["total"] = total
    return {**shown, "itemCounts": counts}


# --- Step Functions: children of a stopped execution are stopped, and the rest is never started


def _parent_of(execution):
    run = states._map_runs.get(execution.get("mapRunArn"))
    return states._executions.get(run["executionArn"]) if run else None


@replaces(states, "_execute_task")
def execute_task(original, state, given, execution, ctx):
    """Begin no task of a child whose execution was stopped."""
    parent = _parent_of(execution)
    if parent is not None and parent["status"] == "ABORTED":
        raise states._ExecutionError(STOPPED, parent.get("cause") or "")
    return original(state, given, execution, ctx)


# --- IAM: what a call about a map run touches is the map run


@replaces(iam, "extract_resource_arn")
def extract_resource_arn(original, service, *request, **more):
    """Name the map run, as the Service Authorization Reference has it."""
    arn = original(service, *request, **more)
    if service != "states" or arn != "*":
        return arn
    bodies = [one for one in (*request, *more.values()) if isinstance(one, bytes)]
    arns = [iam._safe_json_field(body, "mapRunArn") for body in bodies]
    return next((one for one in arns if one), arn)
