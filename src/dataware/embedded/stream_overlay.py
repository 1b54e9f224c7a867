"""Streams of the emulator with the shards, gaps and expiries of AWS; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
of `overlay`. Every section names the difference from AWS that it removes. Settings, in variables:

    STREAMS_SHARD_RECORDS      records of a generation of shards (AWS: about four hours); 1000
    STREAMS_STREAM_SECONDS     how long a record is kept (AWS: 24 hours)
    STREAMS_ITERATOR_SECONDS   how long an iterator is good for (AWS: 15 minutes)
    STREAMS_TTL_SECONDS        pause between two sweeps of expired items; 5
"""

import base64
import json
import os
import threading
import time
import zlib

from ministack.core.responses import error_response_json as refuse
from ministack.core.responses import json_response, request_scope
from ministack.services import dynamodb
from ministack.services import dynamodb_streams as streams

replaces = globals()["replaces"]

SHARD_RECORDS = int(os.environ.get("STREAMS_SHARD_RECORDS", "1000"))
TTL_SECONDS = float(os.environ.get("STREAMS_TTL_SECONDS", "5"))
PAGE_OF_SHARDS = 7
"""Few, so that whoever reads a listing has to turn its pages."""

if "STREAMS_STREAM_SECONDS" in os.environ:
    dynamodb._STREAM_RETENTION_SECONDS = float(os.environ["STREAMS_STREAM_SECONDS"])
if "STREAMS_ITERATOR_SECONDS" in os.environ:
    streams._ITERATOR_TTL_SECONDS = float(os.environ["STREAMS_ITERATOR_SECONDS"])


# --- Streams: records lie in shards that end, split and are trimmed; the listing has no order


class _Stream:
    """A stream as the emulator has it: records from an absolute position on."""

    def __init__(self, arn):
        source = streams._request_stream_source(arn)
        if source is None:
            raise LookupError(arn)
        spec, table = source
        where = {"account_id": spec.account_id, "region": spec.region}
        info = streams._enabled_stream_info(table, **where)
        self.closed = info is None or info["StreamArn"] != arn
        if self.closed:
            info = dynamodb.closed_stream(arn)
            if info is None:
                raise LookupError(arn)
            self.records, self.base = info["records"], info["trimmed"]
            self.keys, self.created = info["KeySchema"], info["CreationRequestDateTime"]
        else:
            self.records = streams._records_for(spec.account_id, spec.region, table)
            self.base = streams._horizon(spec.account_id, spec.region, table)
            described = dynamodb._tables.get_scoped(spec.account_id, spec.region, table, {})
            self.keys = described.get("KeySchema", [])
            self.created = described.get("CreationDateTime", 0)
        self.arn, self.info = arn, info
        self.end = self.base + len(self.records)

    def shards(self):
        """Every shard that is not trimmed, the newest first."""
        first, last = self.base // SHARD_RECORDS, max(self.end - 1, self.base) // SHARD_RECORDS
        listed = [
            self._shard(generation, line, last)
            for generation in range(first, last + 1)
            for line in ((0,) if generation == 0 else (0, 1))
        ]
        return listed[::-1]

    def _shard(self, generation, line, last):
        numbers = [
            record["dynamodb"]["SequenceNumber"]
            for position, record in enumerate(self.records, self.base)
            if position // SHARD_RECORDS == generation and _line(record, generation) == line
        ]
        span = {"StartingSequenceNumber": numbers[0] if numbers else f"{generation:030d}"}
        if generation < last or self.closed:
            span["EndingSequenceNumber"] = numbers[-1] if numbers else f"{generation:030d}"
        shard = {"ShardId": _shard_id(generation, line), "SequenceNumberRange": span}
        if generation:
            shard["ParentShardId"] = _shard_id(generation - 1, line if generation > 1 else 0)
        return shard

    def position_of(self, number):
        """The position of a record that is kept."""
        for position, record in enumerate(self.records, self.base):
            if record["dynamodb"]["SequenceNumber"] == number:
                return position
        return None


def _line(record, generation):
    """Which shard of its generation a record lies in: the first one splits in two."""
    key = json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
    return zlib.crc32(key.encode()) % 2 if generation else 0


def _shard_id(generation, line):
    return f"shardId-{generation:020d}-{line:08x}"


def _read_shard_id(text):
    _, generation, line = text.split("-")
    return int(generation), int(line, 16)


def _absent(what="Stream not found"):
    return refuse("ResourceNotFoundException", f"Requested resource not found: {what}", 400)


@replaces(streams, "_describe_stream")
def describe_stream(_original, data):
    """List the shards by pages, or the children of one of them."""
    try:
        stream = _Stream(data.get("StreamArn", ""))
    except LookupError:
        return _absent()
    shards = stream.shards()
    if wanted := data.get("ShardFilter"):
        shards = [one for one in shards if one.get("ParentShardId") == wanted.get("ShardId")]
    if after := data.get("ExclusiveStartShardId"):
        names = [one["ShardId"] for one in shards]
        shards = shards[names.index(after) + 1 :] if after in names else []
    page = shards[: min(int(data.get("Limit") or 100), PAGE_OF_SHARDS)]
    described = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.info["StreamLabel"],
        "StreamStatus": "DISABLED" if stream.closed else "ENABLED",
        "StreamViewType": stream.info["StreamViewType"],
        "CreationRequestDateTime": stream.created,
        "TableName": stream.info["TableName"],
        "KeySchema": stream.keys,
        "Shards": page,
    }
    if len(page) < len(shards):
        described["LastEvaluatedShardId"] = page[-1]["ShardId"]
    return json_response({"StreamDescription": described})


def _refuse_trimmed():
    return refuse(
        "TrimmedDataAccessException",
        "The operation attempted to read past the oldest stream record in a shard.",
        400,
    )


@replaces(streams, "_get_shard_iterator")
def get_shard_iterator(_original, data):
    """Begin in a shard that is there, at a number that is not trimmed."""
    try:
        stream = _Stream(data.get("StreamArn", ""))
    except LookupError:
        return _absent()
    name, sort = data.get("ShardId"), data.get("ShardIteratorType")
    if name not in [shard["ShardId"] for shard in stream.shards()]:
        return _absent("Shard does not exist")
    if sort not in streams._ITERATOR_TYPES:
        return refuse("ValidationException", "ShardIteratorType is not one of its values", 400)
    start = max(stream.base, _read_shard_id(name)[0] * SHARD_RECORDS)
    if sort == "LATEST":
        start = stream.end
    elif sort != "TRIM_HORIZON":
        position = stream.position_of(data.get("SequenceNumber"))
        if position is None:
            return _refuse_trimmed()
        start = position + (sort == "AFTER_SEQUENCE_NUMBER")
    return json_response({"ShardIterator": _iterator(stream.arn, name, start)})


def _iterator(arn, shard, position):
    token = {"t": "", "arn": arn, "s": shard, "p": position, "i": time.time()}
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode()


@replaces(streams, "_get_records")
def get_records(_original, data):
    """A page of one shard; only a shard that is closed and read has no next iterator."""
    token = streams._decode_iterator(data.get("ShardIterator") or "")
    if token is None or not token.get("arn"):
        return refuse("ValidationException", "ShardIterator is not valid", 400)
    if time.time() - token["i"] > streams._ITERATOR_TTL_SECONDS:
        return refuse("ExpiredIteratorException", "Iterator expired", 400)
    try:
        stream = _Stream(token["arn"])
    except LookupError:
        return _absent()
    position, (generation, line) = token["p"], _read_shard_id(token["s"])
    if position < stream.base:
        return _refuse_trimmed()
    end, page = (generation + 1) * SHARD_RECORDS, []
    limit = min(int(data.get("Limit") or 1000), 1000)
    while position < min(stream.end, end) and len(page) < limit:
        record = stream.records[position - stream.base]
        position += 1
        if _line(record, generation) == line:
            page.append({name: part for name, part in record.items() if name != "eventSourceARN"})
    whole = len(page)
    page = streams._cap_page_bytes(page)
    if len(page) < whole:
        position = stream.position_of(page[-1]["dynamodb"]["SequenceNumber"]) + 1
    answer = {"Records": page}
    # A shard is closed once its generation has ended, which the first record of the next one shows.
    ended = position >= end and stream.end > end
    if not (ended or (stream.closed and position >= min(stream.end, end))):
        answer["NextShardIterator"] = _iterator(token["arn"], token["s"], position)
    return json_response(answer)


# --- Kinesis: a record names its table, and its binary values are Base64 twice


@replaces(dynamodb, "_fan_out_to_kinesis")
def fan_out_to_kinesis(original, table_name, record):
    """Put a record as real streams have it (awslabs/amazon-kinesis-client, issue 959)."""
    named = {"recordFormat": "application/json", "tableName": table_name, "userIdentity": None}
    kept = {name: part for name, part in record.items() if name != "eventSourceARN"}
    return original(table_name, {**kept, **named, "dynamodb": _encode_again(record["dynamodb"])})


def _encode_again(part, kind=None):
    if isinstance(part, dict):
        return {name: _encode_again(each, name) for name, each in part.items()}
    if isinstance(part, list):
        return [_encode_again(each, {"BS": "B"}.get(kind)) for each in part]
    if kind == "B" and isinstance(part, str):
        return base64.b64encode(part.encode()).decode()
    return part


# --- DynamoDB: a stream that is on is not switched on again


@replaces(dynamodb, "_update_table")
def update_table(original, data):
    """Refuse to enable a second stream (API Reference, UpdateTable, StreamSpecification)."""
    table = dynamodb._tables.get(str(data.get("TableName", "")).rpartition("/")[2]) or {}
    is_on = (table.get("StreamSpecification") or {}).get("StreamEnabled")
    if is_on and (data.get("StreamSpecification") or {}).get("StreamEnabled"):
        text = f"Table already has an enabled stream: TableName: {data['TableName']}"
        return refuse("ValidationException", text, 400)
    return original(data)


# --- DynamoDB: an item that expires leaves a record, and one that expired long ago stays

OLDEST_SECONDS = 5 * 365 * 86400
BY_TTL = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


@replaces(dynamodb, "_remove_item")
def remove_item(original, table, *key):
    """Let nobody but the sweep below remove what has expired."""
    if threading.current_thread().name == "dynamodb-ttl-reaper":
        return None
    return original(table, *key)


def _sweep(table, attribute, now):
    """Remove the expired items of a table, each with a record that says why.

    Developer Guide, "Using time to live (TTL) in DynamoDB": items older than five years stay.
    """
    rows = [(one, two, item) for one, row in table["items"].items() for two, item in row.items()]
    for one, two, item in rows:
        try:
            expired = now - float((item.get(attribute) or {}).get("N", "nan"))
        except ValueError:
            continue
        if 0 <= expired < OLDEST_SECONDS:
            dynamodb._remove_item(table, one, two)
            name = table["TableName"]
            before = len(dynamodb._stream_records.get(name) or ())
            dynamodb._emit_stream_event(name, "REMOVE", item, None)
            for record in (dynamodb._stream_records.get(name) or ())[before:]:
                record["userIdentity"] = dict(BY_TTL)


def _sweep_for_ever():
    while True:
        time.sleep(TTL_SECONDS)
        for (account, region, name), setting in list(dynamodb._ttl_settings.all_items()):
            table = dynamodb._tables.get_scoped(account, region, name)
            if table and setting.get("TimeToLiveStatus") == "ENABLED":
                with request_scope(account, region), dynamodb._lock:
                    _sweep(table, setting.get("AttributeName", ""), time.time())


threading.Thread(target=_sweep_for_ever, daemon=True, name="ttl").start()
