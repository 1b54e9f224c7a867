"""Bulk puts into a table from objects of S3, which the emulator lacks; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
of `overlay`. Sources: Amazon DynamoDB API Reference, StartBulkPutItems, DescribeBulkOperation,
ListBulkOperations and CancelBulkOperation; Developer Guide, "Running a bulk put items operation".
Setting:

    STREAMS_IMPORT_SECONDS    how long a bulk put takes (AWS promises no time); 0

An item that stands is replaced. The conditions that an input may carry, reports and usage are left
out: whoever asks for them is refused.
"""

import json
import os
import time
import uuid
import zlib

from ministack.core.concurrency import spawn_background
from ministack.core.responses import AccountRegionScopedDict
from ministack.core.responses import error_response_json as refuse
from ministack.services import dynamodb

replaces = globals()["replaces"]

SECONDS = float(os.environ.get("STREAMS_IMPORT_SECONDS", "0"))
GIVEN = ("TableName", "InputS3Configuration", "OutputS3Configuration")
RUNNING = ("IN_PROGRESS", "CANCELLING")

operations = AccountRegionScopedDict()


# --- DynamoDB: there are bulk operations


@replaces(dynamodb, "handle_request")
async def handle_request(original, method, path, headers, body, query_params):
    """Answer what is asked of bulk operations, and leave all else to the emulator."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if action not in CALLS:
        return await original(method, path, headers, body, query_params)
    status, answered, text = CALLS[action](json.loads(body or b"{}"))
    content = text if isinstance(text, bytes) else text.encode()
    return status, {**answered, "x-amz-crc32": str(zlib.crc32(content))}, content


@replaces(dynamodb, "reset")
def reset(original):
    """Forget them with everything else."""
    original()
    operations.clear()


def _start(data):
    """Begin one, or answer with the one of the same token."""
    token, table = data.get("ClientToken"), dynamodb._tables.get(data.get("TableName"))
    for begun in operations.values():
        if token and begun["ClientToken"] == token:
            if any(begun["asked"][name] != data.get(name) for name in GIVEN):
                text = "The client token was used with other parameters"
                return refuse("IdempotentParameterMismatchException", text, 400)
            return _answer(begun)
    if data["OutputS3Configuration"].get("OutputType") != ["ERROR"]:
        return refuse("ValidationException", "Only errors are reported here", 400)
    if table is None:
        return refuse("ResourceNotFoundException", "Requested resource not found", 400)
    if dynamodb._table_description(data["TableName"])["TableStatus"] != "ACTIVE":
        text = "Attempt to change a resource which is in use"
        return refuse("ResourceInUseException", text, 400)
    arn = (
        f"{table['TableArn']}/bulk-operation/{int(time.time() * 1000):014d}-{uuid.uuid4().hex[:8]}"
    )
    operations[arn] = {
        "BulkOperationArn": arn,
        "BulkOperationStatus": "IN_PROGRESS",
        "ClientToken": token or uuid.uuid4().hex,
        "StartTime": time.time(),
        "ProcessedItemCount": 0,
        "FailedItemCount": 0,
        "asked": {name: data.get(name) for name in GIVEN},
    }
    spawn_background(_put_all, operations[arn], thread_name="ministack-ddb-bulk-put")
    return _answer(operations[arn])


def _put_all(operation):
    """Put every item of the objects; say in the end how many could not be put."""
    time.sleep(SECONDS)
    place = operation["asked"]["InputS3Configuration"]
    try:
        _, objects = dynamodb._import_source_objects(place, place["InputCompressionType"])
        for _key, blob in objects:
            items, malformed = dynamodb._import_dynamodb_json_items(blob)
            operation["FailedItemCount"] += len(malformed)
            for _, item in items:
                if operation["BulkOperationStatus"] == "CANCELLING":
                    operation |= {"BulkOperationStatus": "CANCELLED", "EndTime": time.time()}
                    return
                name = operation["asked"]["TableName"]
                put = dynamodb._put_item({"TableName": name, "Item": item})[0] == 200
                operation["ProcessedItemCount" if put else "FailedItemCount"] += 1
    except dynamodb._ImportFailed as error:
        failure = {"FailureCode": error.code, "FailureMessage": error.message}
        operation |= {"BulkOperationStatus": "FAILED", "EndTime": time.time(), **failure}
        return
    errors = "_WITH_ERRORS" if operation["FailedItemCount"] else ""
    operation |= {"BulkOperationStatus": f"COMPLETED{errors}", "EndTime": time.time()}


def _describe(data):
    """How far one is."""
    operation = operations.get(data.get("BulkOperationArn"))
    if operation is None:
        return refuse("ResourceNotFoundException", "Requested resource not found", 400)
    return _answer(operation)


def _list(_data):
    """All of the account and region."""
    names = ("BulkOperationArn", "BulkOperationStatus", "StartTime", "EndTime")
    rows = [{name: one[name] for name in names if name in one} for one in operations.values()]
    return dynamodb.json_response({"BulkOperationsSummaryList": rows})


def _cancel(data):
    """End one; what it has put stays."""
    operation = operations.get(data.get("BulkOperationArn"))
    if operation is None:
        return refuse("ResourceNotFoundException", "Requested resource not found", 400)
    if operation["BulkOperationStatus"] in RUNNING:
        operation["BulkOperationStatus"] = "CANCELLING"
    names = ("BulkOperationArn", "BulkOperationStatus")
    return dynamodb.json_response({name: operation[name] for name in names})


def _answer(operation):
    """The description of one, without what only this file keeps."""
    name = operation["asked"]["TableName"]
    details = {"TableName": name, "TableId": dynamodb._tables[name]["TableId"]}
    answer = {key: value for key, value in operation.items() if key != "asked"}
    places = {key: operation["asked"][key] for key in GIVEN[1:]}
    described = {**answer, **places, "TableDetails": [details]}
    return dynamodb.json_response({"BulkOperationDescription": described})


CALLS = {
    "StartBulkPutItems": _start,
    "DescribeBulkOperation": _describe,
    "ListBulkOperations": _list,
    "CancelBulkOperation": _cancel,
}
