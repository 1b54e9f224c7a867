"""Runs the emulator with its gaps closed; started by the emulator's own interpreter.

Usage: ``python -I overlay.py LISTENING_SOCKET``. The server ends when standard input does, and so
never outlives the process that started it. This file imports nothing of dataware, which is not
installed where it runs. Every section names the difference from AWS that it removes.
"""

import asyncio
import contextvars
import os
import re
import runpy
import shutil
import signal
import sys
import threading
import time
from functools import partial
from importlib.metadata import version
from urllib.parse import parse_qs, parse_qsl, unquote

import ministack.app as gateway
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.services import cloudformation as stacks_api
from ministack.services import dynamodb, s3
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

KNOWN_VERSION = "1.5.33"

# What follows replaces private functions, which another version may not have or mean.
if version("ministack") != KNOWN_VERSION:
    sys.exit(f"the overlay knows ministack {KNOWN_VERSION}, and this is {version('ministack')}")


def replaces(owner, name):
    """Put the decorated function in the place of `owner.name`; it gets the original first."""

    def install(function):
        setattr(owner, name, partial(function, getattr(owner, name)))
        return function

    return install


def replaces_entry(table, key):
    """Put the decorated function in the place of `table[key]`; it gets the original first."""

    def install(function):
        table[key] = partial(function, table[key])
        return function

    return install


# --- DynamoDB: a billing mode that does not exist is refused, by CloudFormation, too

BILLING_MODES = ("PROVISIONED", "PAY_PER_REQUEST")


def _wrong_billing_mode(properties):
    """The service's sentence about a billing mode that it does not know, or None."""
    mode = properties.get("BillingMode", "PROVISIONED")
    if mode in BILLING_MODES:
        return None
    return (
        f"1 validation error detected: Value '{mode}' at 'billingMode' failed to satisfy "
        f"constraint: Member must satisfy enum value set: [{', '.join(BILLING_MODES)}]"
    )


@replaces(dynamodb, "_create_table")
def create_table_by_call(original, data):
    """Refuse the billing mode, as the API Reference lists them (CreateTable)."""
    if wrong := _wrong_billing_mode(data):
        return dynamodb.error_response_json("ValidationException", wrong, 400)
    return original(data)


# --- CloudFormation: a table that exists is a conflict, and keeps its items

TABLE = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]


@replaces_entry(TABLE, "create")
def create_table(original, logical_id, properties, stack_name):
    """Refuse a name that is taken, and a billing mode that does not exist."""
    if wrong := _wrong_billing_mode(properties):
        raise ValueError(wrong)
    name = properties.get("TableName")
    if name and dynamodb._tables.get(name) is not None:
        raise ValueError(
            f"Resource of type 'AWS::DynamoDB::Table' with identifier '{name}' already exists."
        )
    return original(logical_id, properties, stack_name)


@replaces_entry(provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::GlobalTable"], "create")
def create_global_table(original, logical_id, properties, stack_name):
    """Refuse a billing mode that does not exist."""
    if wrong := _wrong_billing_mode(properties):
        raise ValueError(wrong)
    return original(logical_id, properties, stack_name)


# --- CloudFormation: a bucket that holds anything is not deleted

BUCKET = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]


@replaces_entry(BUCKET, "delete")
def delete_bucket(original, physical_id, properties):
    """Refuse while there is an object, an old version or a delete marker."""
    bucket = s3._buckets.get(physical_id)
    if bucket and (bucket.get("objects") or s3._bucket_has_versions(physical_id)):
        raise ValueError(
            "The bucket you tried to delete is not empty (Service: S3, Status Code: 409)"
        )
    return original(physical_id, properties)


# --- CloudFormation: ImportExistingResources takes in a bucket, whose name is then no conflict

IMPORTED = contextvars.ContextVar("IMPORTED", default=frozenset())


@replaces(changesets, "_deploy_stack_async")
async def deploy(original, *args, imports=None, **options):
    """Remember which logical ids this deployment imports."""
    IMPORTED.set(frozenset(imports or ()))
    return await original(*args, imports=imports, **options)


@replaces(stacks, "_validation_errors")
def validation_errors(original, *args, **options):
    """Leave out the name conflicts of what is imported."""
    return [
        error
        for error in original(*args, **options)
        if not (error[2] == "NAME_CONFLICT_VALIDATION" and error[0] in IMPORTED.get())
    ]


# --- CloudFormation: DescribeStackResources finds the stack that owns a physical id


@replaces_entry(handlers._ACTION_HANDLERS, "DescribeStackResources")
def describe_stack_resources(original, params):
    """Look the stack up by the physical id of one of its resources."""
    physical_id = handlers._p(params, "PhysicalResourceId")
    if not physical_id:
        return original(params)
    for stack in stacks_api._stacks.values():
        owned = {each.get("PhysicalResourceId") for each in stack.get("_resources", {}).values()}
        if stack.get("StackStatus") != "DELETE_COMPLETE" and physical_id in owned:
            name = stack["StackName"]
            listed = isinstance(params.get("PhysicalResourceId"), list)
            return original({**params, "StackName": [name] if listed else name})
    return handlers._error("ValidationError", f"Stack for {physical_id} does not exist")


# --- CloudFormation: a deleted stack is found by its id alone


def of_living_stack(original, params):
    """Refuse the bare name of a deleted stack."""
    name = handlers._p(params, "StackName")
    if (stacks_api._stacks.get(name) or {}).get("StackStatus") == "DELETE_COMPLETE":
        return handlers._error("ValidationError", f"Stack with id {name} does not exist")
    return original(params)


for action in ("DescribeStackResource", "DescribeStackResources", "ListStackResources"):
    replaces_entry(handlers._ACTION_HANDLERS, action)(of_living_stack)


# --- S3: the expected owner of a bucket is enforced, and a key has at most 1,024 bytes

LONGEST_KEY = 1024


@replaces(s3, "_apply_bucket_scope")
def apply_bucket_scope(original, method, bucket, key, headers, *args, **options):
    """Answer 403 when a bucket of the request belongs to another account than the caller says."""
    if not _is_owner(bucket, headers.get("x-amz-expected-bucket-owner")) or not _is_owner(
        _copy_source(headers)[0], headers.get("x-amz-source-expected-bucket-owner")
    ):
        return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}")
    if method in {"PUT", "POST"} and len(key.encode("utf-8", "surrogateescape")) > LONGEST_KEY:
        return s3._error("KeyTooLongError", "Your key is too long", 400, f"/{bucket}/{key}")
    return original(method, bucket, key, headers, *args, **options)


def _is_owner(bucket, expected):
    owner = s3._bucket_owner_account(bucket) if expected and bucket else None
    return owner is None or owner == expected


def _copy_source(headers):
    path, _, query = headers.get("x-amz-copy-source", "").lstrip("/").partition("?")
    bucket, _, key = unquote(path).partition("/")
    return bucket, key, parse_qs(query).get("versionId", [None])[0]


# --- S3: a copy is conditional, is one part, and leaves behind what AWS leaves behind

REDIRECT = "x-amz-website-redirect-location"


@replaces(s3, "_copy_object")
def copy_object(original, bucket, key, headers):
    """Check the target's preconditions; class and redirect come from the request alone."""
    existing = (s3._buckets.get(bucket) or {}).get("objects", {}).get(key)
    refusal = _archived_source(headers) or s3._check_put_preconditions(headers, existing)
    if refusal is not None:
        return refusal
    status, answered, body = original(bucket, key, {"x-amz-storage-class": "STANDARD", **headers})
    if status == 200:
        copied, etag = _as_one_part(bucket, key, headers)
        body = body.replace(copied.encode(), etag.encode())
    return status, answered, body


def _as_one_part(bucket, key, headers):
    """Give a copy what one upload of its bytes would have; its ETag before and now."""
    copy = s3._buckets[bucket]["objects"][key]
    copied, content = copy["etag"], s3._read_body(bucket, key, copy)
    algorithm = (headers.get("x-amz-checksum-algorithm") or "").upper()
    checksums = {
        name: s3._compute_s3_checksum(name, content)
        for name in ([algorithm] if algorithm else copy.get("checksums") or {})
    }
    etag = f'"{s3.md5_hash(content)}"' if "-" in copied else copied
    latest = [
        version
        for version in s3._object_versions.get((bucket, key), [])
        if version.get("is_latest")
    ]
    for record in (copy, *latest):
        headers_before = dict(record["preserved_headers"])
        headers_before.pop(REDIRECT, None)
        if REDIRECT in headers:
            headers_before[REDIRECT] = headers[REDIRECT]
        record.update(etag=etag, checksums=dict(checksums), preserved_headers=headers_before)
    _save(bucket, key, copy)
    return copied, etag


def _save(bucket, key, record):
    if s3.S3_PERSIST:
        s3._persist_object(bucket, key, record)


def _archived_source(headers):
    """The refusal to read an archived object that was not restored, or None."""
    bucket, key, version = _copy_source(headers)
    record = (s3._buckets.get(bucket) or {}).get("objects", {}).get(key)
    if version:
        versions = s3._object_versions.get((bucket, key), [])
        record = next((each for each in versions if each["version_id"] == version), None)
    storage_class = (record or {}).get("storage_class")
    if storage_class not in s3._ARCHIVE_STORAGE_CLASSES:
        return None
    if s3._sync_restore(bucket, key, record) == "restored":
        return None
    return s3._invalid_object_state(bucket, key, storage_class)


# --- S3: an upload in parts keeps its tags, a copied part has a checksum, a part has a HEAD


@replaces(s3, "_create_multipart_upload")
def create_multipart_upload(original, bucket, key, headers):
    """Remember the tags until the upload is complete."""
    answer = original(bucket, key, headers)
    if answer[0] == 200:
        upload = re.search(rb"<UploadId>([^<]+)", answer[2])[1].decode()
        s3._multipart_uploads[upload]["tagging"] = headers.get("x-amz-tagging", "")
    return answer


@replaces(s3, "_complete_multipart_upload")
def complete_multipart_upload(original, bucket, key, body, *sent):
    """Give the object the tags of its upload, and none of an earlier object."""
    query = sent[0]
    upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
    answer = original(bucket, key, body, *sent)
    if upload is not None and answer[0] == 200:
        record = s3._buckets[bucket]["objects"][key]
        place = (bucket, key, record.get("version_id"))
        s3._object_tags.pop(place, None)
        if upload["tagging"]:
            s3._object_tags[place] = dict(parse_qsl(upload["tagging"], keep_blank_values=True))
        _save(bucket, key, record)
    return answer


@replaces(s3, "_upload_part_copy")
def upload_part_copy(original, bucket, key, query, headers):
    """Refuse to read an archived object; compute the checksum that the upload asks for."""
    status, answered, body = _archived_source(headers) or original(bucket, key, query, headers)
    if status != 200:
        return status, answered, body
    upload = s3._multipart_uploads[s3._qp(query, "uploadId")]
    part = upload["parts"][int(s3._qp(query, "partNumber"))]
    part["checksums"], _ = s3._resolve_part_checksums(part["body"], {}, upload)
    checksums = "".join(
        f"<Checksum{name}>{value}</Checksum{name}>" for name, value in part["checksums"].items()
    )
    end = b"</CopyPartResult>"
    return status, answered, body.replace(end, checksums.encode() + end)


@replaces(s3, "_head_object")
def head_object(original, bucket, key, headers=None, query=None):
    """Tell the number of tags, and of one part what GetObject says of it."""
    status, answered, body = original(bucket, key, headers, query)
    archived = answered.get("x-amz-storage-class") in s3._ARCHIVE_STORAGE_CLASSES
    if status != 200:
        return status, answered, body
    if s3._qp(query or {}, "partNumber") and not archived:
        status, answered, _ = s3._get_object(bucket, key, headers or {}, query)
    version = answered.get("x-amz-version-id")
    place = (bucket, key, None if version == "null" else version)
    return status, answered | s3._object_tagging_count_header(*place), b""


# --- DynamoDB: streams have shards, gaps and expiries, restores a window; exports and bulk puts

GIVEN = {"replaces": replaces, "replaces_entry": replaces_entry}
for name in (
    "unready_table",
    "parameter",
    "stream",
    "import",
    "registry",
    "restore",
    "export",
    "bulk",
    "map",
):
    made = runpy.run_path(__file__.replace("overlay.py", f"{name}_overlay.py"), GIVEN)
    GIVEN.setdefault("refuses_while_made", made["refuses_while_made"])

# --- The server


def main(listener):
    """Serve on the socket `listener` until standard input or the process ends."""
    orphaned = threading.Event()
    asyncio.run(_serve(listener, orphaned))
    if orphaned.is_set():
        _vanish()


async def _serve(listener, orphaned):
    config = Config()
    config.bind = [f"fd://{listener}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = int(os.environ["PERSIST_STATE"])  # idle connections stay open
    config.loglevel = "WARNING"
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)

    def end():
        orphaned.set()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=_watch, args=(lifeline, end), daemon=True).start()
    await serve(gateway.app, config, shutdown_trigger=stop.wait)


def _watch(lifeline, end):
    """End the server when the other end of `lifeline` is closed; by force if it takes long."""
    while os.read(lifeline, 1024):
        pass
    end()
    time.sleep(5)
    _vanish()


def _vanish():
    """Do what the parent can no longer do: remove the temporary files and end every child."""
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
