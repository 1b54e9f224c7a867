"""Exports and imports of tables as AWS has them; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
and `refuses_while_made` of `overlay`. Every section names the difference from AWS that it removes.
Sources: Amazon DynamoDB API Reference, ExportTableToPointInTime, DescribeExport, ImportTable;
Developer Guide, "DynamoDB table export output format", "Requesting a table export in DynamoDB" and
"DynamoDB data import from Amazon S3: how it works". Settings:

    STREAMS_EXPORT_SECONDS    how long an export takes (AWS: minutes to hours); 0
    STREAMS_IMPORT_SECONDS    how long an import takes, at least; 0

An export has the items as they are when it is asked for, whatever time is named.
"""

import copy
import gzip
import hashlib
import json
import os
import threading
import time
from base64 import b64encode
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from ministack.core.responses import error_response_json as refuse
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import dynamodb, s3

replaces = globals()["replaces"]

SECONDS = float(os.environ.get("STREAMS_EXPORT_SECONDS", "0"))
dynamodb._IMPORT_COMPLETE_AFTER_SEC = float(os.environ.get("STREAMS_IMPORT_SECONDS", "0"))
SNAPSHOT, SINCE, IMPORTED_BY = "_snapshot", "_recoverable_since", "_imported_by"
PARTITIONS = 3
WRITES = ("s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl")


# --- DynamoDB: only what is recoverable is exported, as of a time that is within the window


@replaces(dynamodb, "_export_table_to_point_in_time")
def export_table_to_point_in_time(original, data):
    """Refuse what AWS refuses, and keep the items as they are now."""
    name = dynamodb._table_name_from_arn(data.get("TableArn") or "")
    if data.get("ExportType") == "INCREMENTAL_EXPORT" or name not in dynamodb._tables:
        return original(data)
    token = data.get("ClientToken")
    if token and any(one.get("ClientToken") == token for one in dynamodb._exports.values()):
        return original(data)
    if not dynamodb._pitr_settings.get(name, False):
        text = f"Point in time recovery is not enabled for table '{name}'"
        return refuse("PointInTimeRecoveryUnavailableException", text, 400)
    table, now = dynamodb._tables[name], time.time()
    earliest = int(table.get(SINCE) or table["CreationDateTime"])
    when = data.get("ExportTime", int(now))
    if not earliest <= int(when) <= now:
        text = f"The export time must be between {earliest} and {int(now)}"
        return refuse("InvalidExportTimeException", text, 400)
    if not _may_write(data):
        return refuse("AccessDeniedException", "Access denied when writing to S3", 400)
    answer = original({**data, "ExportTime": when})
    if answer[0] == 200:
        arn = json.loads(answer[2])["ExportDescription"]["ExportArn"]
        rows = [item for row in table["items"].values() for item in row.values()]
        dynamodb._exports[arn][SNAPSHOT] = copy.deepcopy(rows)
    return answer


@replaces(dynamodb, "_describe_export")
def describe_export(original, data):
    """Write the files of an export before it is complete."""
    export = dynamodb._exports.get(data.get("ExportArn"))
    if export is not None and SNAPSHOT in export:
        if time.time() - export["StartTime"] < SECONDS:
            return dynamodb.json_response({"ExportDescription": _public_part(export)})
        with request_scope(export.get("S3BucketOwner") or get_account_id(), get_region()):
            _write_export(export)
    return original(data)


# --- S3: a bucket of another account lets write whom its policy names ("Requesting a table export")


def _may_write(data):
    """Whether the caller owns the bucket, or its policy lets him write under the prefix."""
    caller, bucket = get_account_id(), data.get("S3Bucket")
    owner = data.get("S3BucketOwner") or caller
    if owner == caller:
        return True
    with request_scope(owner, get_region()):
        policy = json.loads(s3._bucket_policies.get(bucket) or "{}")
    written = f"arn:aws:s3:::{bucket}/{data.get('S3Prefix') or ''}/AWSDynamoDB/x"
    return any(
        one.get("Effect") == "Allow"
        and one.get("Principal") == {"AWS": f"arn:aws:iam::{caller}:root"}
        and set(WRITES) <= set(one.get("Action", ()))
        and fnmatchcase(written, one.get("Resource", ""))
        for one in policy.get("Statement", ())
    )


def _public_part(export):
    return {name: value for name, value in export.items() if not name.startswith("_")}


# --- DynamoDB: a full export has a summary, a list of files, checksums, and an empty partition


def _write_export(export):
    """Write the files, and say how the export ended."""
    items = export.pop(SNAPSHOT)
    prefix = f"{export['S3Prefix']}/" if export.get("S3Prefix") else ""
    folder = f"{prefix}AWSDynamoDB/{export['ExportArn'].rpartition('/')[2]}"
    export["EndTime"] = time.time()
    bucket = export["S3Bucket"]
    if s3._buckets.get(bucket) is None:
        export |= {"ExportStatus": "FAILED", "FailureCode": "S3NoSuchBucket"}
        export["FailureMessage"] = "The specified bucket does not exist"
        return
    _put(bucket, f"{folder}/_started", b"")
    parts = [items[at::PARTITIONS] for at in range(PARTITIONS)] + [[]]
    lines = [_write_part(bucket, f"{folder}/data", at, part) for at, part in enumerate(parts)]
    listing = f"{folder}/manifest-files.json"
    _put_with_checksum(bucket, listing, "".join(f"{json.dumps(one)}\n" for one in lines))
    size = sum(len(json.dumps(item)) for item in items)
    export |= {"ExportStatus": "COMPLETED", "ItemCount": len(items), "BilledSizeBytes": size}
    export["ExportManifest"] = f"{folder}/manifest-summary.json"
    _put_with_checksum(bucket, export["ExportManifest"], json.dumps(_summary(export, listing)))


def _write_part(bucket, folder, number, items):
    """Write the file of one partition; its line in the list of files."""
    content = "".join(f"{json.dumps({'Item': item}, separators=(',', ':'))}\n" for item in items)
    packed = gzip.compress(content.encode(), mtime=0)
    name = hashlib.sha256(f"{folder}{number}".encode()).hexdigest()[:26]
    key = f"{folder}/{name}.json.gz"
    etag = _put(bucket, key, packed)
    digest = b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode()
    counted = {"itemCount": len(items), "md5Checksum": digest}
    return {**counted, "etag": etag.strip('"'), "dataFileS3Key": key}


def _summary(export, listing):
    return {
        "version": "2020-06-30",
        "exportArn": export["ExportArn"],
        "startTime": _iso(export["StartTime"]),
        "endTime": _iso(export["EndTime"]),
        "tableArn": export["TableArn"],
        "tableId": export["TableId"],
        "exportTime": _iso(export["ExportTime"]),
        "s3Bucket": export["S3Bucket"],
        "s3Prefix": export.get("S3Prefix"),
        "s3SseAlgorithm": export.get("S3SseAlgorithm", "AES256"),
        "s3SseKmsKeyId": export.get("S3SseKmsKeyId"),
        "manifestFilesS3Key": listing,
        "billedSizeBytes": export["BilledSizeBytes"],
        "itemCount": export["ItemCount"],
        "outputFormat": export["ExportFormat"],
        "exportType": "FULL_EXPORT",
    }


def _iso(seconds):
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _put_with_checksum(bucket, key, text):
    _put(bucket, key, text.encode())
    digest = b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest())
    _put(bucket, key.removesuffix(".json") + ".checksum", digest)


def _put(bucket, key, body):
    """Write an object as an upload of one part is written; its ETag."""
    s3._put_object(bucket, key, body, {})
    part = hashlib.md5(body, usedforsecurity=False).digest()
    etag = hashlib.md5(part, usedforsecurity=False).hexdigest()
    record = s3._buckets[bucket]["objects"][key]
    record["etag"] = f'"{etag}-1"'
    return record["etag"]


# --- DynamoDB: an import is known by its token, and its table is not there before it has ended


@replaces(dynamodb, "_import_table")
def import_table(original, data):
    """Answer a repeated request with the import that it has begun, before the name is looked at."""
    token = data.get("ClientToken")
    for begun in dynamodb._imports.values():
        if token and begun.get("ClientToken") == token:
            request = {
                name: data.get(name) for name in ("S3BucketSource", "TableCreationParameters")
            }
            if request != {name: begun.get(name) for name in request}:
                text = "The client token was used with other parameters"
                return refuse("ImportConflictException", text, 400)
            described = dynamodb._import_description(begun)
            return dynamodb.json_response({"ImportTableDescription": described})
    answer = original(data)
    if answer[0] == 200:
        begun = json.loads(answer[2])["ImportTableDescription"]
        table = dynamodb._tables[data["TableCreationParameters"]["TableName"]]
        table[IMPORTED_BY] = begun["ImportArn"]
    return answer


def _is_importing(name):
    """Whether a table is filled by an import, for everybody but the import itself."""
    table = dynamodb._tables.get(name) if name else None
    begun = dynamodb._imports.get((table or {}).get(IMPORTED_BY))
    by_import = threading.current_thread().name == "ministack-ddb-import"
    return bool(begun) and begun["ImportStatus"] == "IN_PROGRESS" and not by_import


@replaces(dynamodb, "_table_description")
def table_description(original, name):
    """Tell of a table that is imported that it is being created."""
    described = original(name)
    if _is_importing(name):
        described["TableStatus"] = "CREATING"
    return described


globals()["refuses_while_made"](_is_importing)
