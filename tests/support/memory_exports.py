"""Exports, imports and bulk puts of tables in memory, with the bucket between them.

Every request and every answer is checked against the SDK's own model, so that neither has a field
that AWS does not have. `moment` is called before and after each call, as a place to die.
"""

from __future__ import annotations

import gzip
import io
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from typing import Any, Self
from uuid import NAMESPACE_URL, uuid5

import boto3
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from dataware.aws.errors import translate_errors

ACCOUNT, REGION = "111122223333", "eu-central-1"
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": REGION}
MODELS = {
    name: boto3.client(name, **KEYS).meta.service_model for name in ("dynamodb", "s3", "logs")
}
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)

Json = Mapping[str, Any]


def refuse(operation: str, code: str, message: str = "no") -> ClientError:
    """The SDK's error for an answer."""
    answer = {"Error": {"Code": code, "Message": message}}
    status = {"ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError({**answer, **status}, operation)  # type: ignore[arg-type]


@dataclass
class CheckedClient:
    """A client whose calls go to methods of `service` after their names, checked both ways."""

    name: str
    service: Any
    moment: Callable[[str], None]

    def __getattr__(self, call: str) -> Callable[..., Any]:
        """A call of the SDK."""
        operation = "".join(part.title() for part in call.split("_"))
        model = MODELS[self.name].operation_model(operation)

        def ask(**asked: Any) -> Any:
            report = ParamValidator().validate(asked, model.input_shape)
            assert not report.has_errors(), report.generate_report()
            self.moment(f"{operation} asked")
            answer = getattr(self.service, call)(**asked)
            told = {name: value for name, value in answer.items() if name != "Body"}
            if model.output_shape is None:
                assert not told
            else:
                checked = ParamValidator().validate(told, model.output_shape)
                assert not checked.has_errors(), checked.generate_report()
            self.moment(f"{operation} answered")
            return answer

        return ask


def arn_of(table: str) -> str:
    """The ARN of a table."""
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"


@dataclass
class MemoryExports:
    """The Aws port, and both services; it survives the death of a run.

    `looks` is how often one looks before an export, an import or a bulk put has ended. The `next`
    one of a sort ends as it says: a status, and more of its description.
    """

    tables: dict[str, dict[str, Json]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)
    imports: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    regions: list[str] = field(default_factory=list)
    requests: list[tuple[str, Json]] = field(default_factory=list)
    policies: dict[str, str] = field(default_factory=dict)
    next: dict[str, tuple[str, Json]] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    logged: dict[str, list[str]] = field(default_factory=dict)
    looks: int = 1
    recovery: bool = True
    forgets_tokens: bool = False
    made: int = 0
    moment: Callable[[str], None] = lambda _what: None
    account, region, partition = ACCOUNT, REGION, "aws"

    def for_region(self, region: str) -> Self:
        """The same memory; `regions` has those that were asked for."""
        self.regions.append(region)
        return self

    def client(self, name: str) -> CheckedClient:
        """The client of a service."""
        return CheckedClient(name, self, self.moment)

    def pause(self, _seconds: float) -> None:
        """Wait no time."""

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As in earnest."""
        return translate_errors(what, permission)

    def fill(self, table: str, count: int) -> None:
        """A table of items."""
        self.tables[table] = {f"k{n}": {"pk": {"S": f"k{n}"}} for n in range(count)}
        self.ids[table] = str(uuid5(NAMESPACE_URL, f"{table}{self.made}"))
        self.made += 1

    # --- DynamoDB

    def describe_table(self, TableName: str) -> Json:  # noqa: N803 - the SDK's name
        """A table, which may be named by its ARN."""
        name = TableName.rpartition("/")[2]
        if name not in self.tables:
            raise refuse("DescribeTable", "ResourceNotFoundException")
        busy = any(
            one["TableArn"] == arn_of(name) and one["ImportStatus"] == "IN_PROGRESS"
            for one in self.imports.values()
        )
        status = "CREATING" if busy else "ACTIVE"
        described = {"TableArn": arn_of(name), "TableId": self.ids[name], "TableStatus": status}
        described |= {
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        }
        return {"Table": described}

    def describe_time_to_live(self, **_asked: Any) -> Json:
        """Off."""
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}

    def list_tags_of_resource(self, **_asked: Any) -> Json:
        """None."""
        return {"Tags": []}

    def describe_continuous_backups(self, **_asked: Any) -> Json:
        """Recovery is possible up to noon."""
        status = "ENABLED" if self.recovery else "DISABLED"
        recovery = {"PointInTimeRecoveryStatus": status, "LatestRestorableDateTime": NOON}
        backups = {"ContinuousBackupsStatus": "ENABLED"}
        return {
            "ContinuousBackupsDescription": {**backups, "PointInTimeRecoveryDescription": recovery}
        }

    def export_table_to_point_in_time(self, **asked: Any) -> Json:
        """Begin an export, or find the one of the token."""
        self.requests.append(("export", asked))
        for one in self.exports.values():
            if one["token"] == asked["ClientToken"]:
                return {"ExportDescription": _public(one)}
        table = asked["TableArn"].rpartition("/")[2]
        arn = f"{asked['TableArn']}/export/{len(self.exports):014d}-a1b2c3d4"
        self.exports[arn] = {
            "ExportArn": arn,
            "ExportStatus": "IN_PROGRESS",
            "token": asked["ClientToken"],
            "items": list(self.tables[table].values()),
            "place": asked,
            "looks": self.looks,
        }
        return {"ExportDescription": _public(self.exports[arn])}

    def describe_export(self, ExportArn: str) -> Json:  # noqa: N803 - the SDK's name
        """How far it is; at the end its files are written."""
        if ExportArn not in self.exports:
            raise refuse("DescribeExport", "ExportNotFoundException")
        one = self.exports[ExportArn]
        if one["ExportStatus"] == "IN_PROGRESS":
            one["looks"] -= 1
            if one["looks"] < 0:
                self._end_export(one)
        return {"ExportDescription": _public(one)}

    def _end_export(self, one: dict[str, Any]) -> None:
        status, more = self.next.pop("export", ("COMPLETED", {}))
        one |= {"ExportStatus": status, **more}
        if status == "COMPLETED":
            asked = one["place"]
            folder = f"{asked['S3Prefix']}/AWSDynamoDB/{one['ExportArn'].rpartition('/')[2]}"
            bucket = self.buckets[asked["S3Bucket"]]
            one["ExportManifest"] = write_export(bucket, folder, asked["TableArn"], one["items"])

    def import_table(self, **asked: Any) -> Json:
        """Begin an import into a new table, or find the one of the token."""
        self.requests.append(("import", asked))
        token, name = asked["ClientToken"], asked["TableCreationParameters"]["TableName"]
        for one in self.imports.values():
            if one["ClientToken"] == token and not self.forgets_tokens:
                return {"ImportTableDescription": _public(one)}
        if name in self.tables:
            raise refuse("ImportTable", "ResourceInUseException")
        self.fill(name, 0)
        arn = f"{arn_of(name)}/import/{len(self.imports):014d}-a1b2c3d4"
        self.imports[arn] = {
            "ImportArn": arn,
            "ImportStatus": "IN_PROGRESS",
            "TableArn": arn_of(name),
            "TableId": self.ids[name],
            "ClientToken": token,
            "S3BucketSource": asked["S3BucketSource"],
            "CloudWatchLogGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws-dynamodb/"
            "imports:*",
            "looks": self.looks,
        }
        return {"ImportTableDescription": _public(self.imports[arn])}

    def describe_import(self, ImportArn: str) -> Json:  # noqa: N803 - the SDK's name
        """How far it is; at the end the table is filled."""
        if ImportArn not in self.imports:
            raise refuse("DescribeImport", "ImportNotFoundException")
        one = self.imports[ImportArn]
        if one["ImportStatus"] == "IN_PROGRESS":
            one["looks"] -= 1
            if one["looks"] < 0:
                self._end_import(one)
        return {"ImportTableDescription": _public(one)}

    def _end_import(self, one: dict[str, Any]) -> None:
        name = one["TableArn"].rpartition("/")[2]
        items = [] if "import" in self.next else self._read(one["S3BucketSource"])
        good = {key: item for key, item in items if key not in self.bad}
        self.logged[one["ImportArn"].rpartition("/")[2]] = self._log_bad(one["S3BucketSource"])
        self.tables[name].update(good)
        one |= {"ImportedItemCount": len(good), "ErrorCount": len(items) - len(good)}
        status = "FAILED" if self.bad else "COMPLETED"
        one |= {"ImportStatus": status}
        if self.bad:
            one |= {"FailureCode": "ItemValidationError", "FailureMessage": "some are bad"}
        if "import" in self.next:
            status, more = self.next.pop("import")
            one |= {"ImportStatus": status, **more}
            del self.tables[name]

    def list_imports(self, TableArn: str, **more: Any) -> Json:  # noqa: N803 - the SDK's name
        """The imports into a table, each on a page of its own."""
        found = [one for one in self.imports.values() if one["TableArn"] == TableArn]
        at = int(more.get("NextToken", "0"), 16)
        names = ("ImportArn", "ImportStatus", "TableArn", "S3BucketSource")
        page = [{name: one[name] for name in names} for one in found[at : at + 1]]
        rest = {"NextToken": f"{at + 1:0112x}"} if at + 1 < len(found) else {}
        return {"ImportSummaryList": page, **rest}

    def start_bulk_put_items(self, **asked: Any) -> Json:
        """Begin to put what an export has left, or find the operation of the token."""
        self.requests.append(("bulk", asked))
        for one in self.operations.values():
            if one["ClientToken"] == asked["ClientToken"] and not self.forgets_tokens:
                return {"BulkOperationDescription": _public(one)}
        arn = f"{arn_of(asked['TableName'])}/bulk/{len(self.operations):014d}"
        self.operations[arn] = {
            "BulkOperationArn": arn,
            "BulkOperationStatus": "IN_PROGRESS",
            "ClientToken": asked["ClientToken"],
            "asked": asked,
            "looks": self.looks,
        }
        return {"BulkOperationDescription": _public(self.operations[arn])}

    def describe_bulk_operation(self, BulkOperationArn: str) -> Json:  # noqa: N803 - the SDK's name
        """How far it is; at the end the items are in the table."""
        if BulkOperationArn not in self.operations:
            raise refuse("DescribeBulkOperation", "ResourceNotFoundException")
        one = self.operations[BulkOperationArn]
        if one["BulkOperationStatus"] == "IN_PROGRESS":
            one["looks"] -= 1
            if one["looks"] < 0:
                self._end_operation(one)
        return {"BulkOperationDescription": _public(one)}

    def cancel_bulk_operation(self, BulkOperationArn: str) -> Json:  # noqa: N803 - the SDK's name
        """End it; what it has put stays."""
        one = self.operations[BulkOperationArn]
        if one["BulkOperationStatus"] == "IN_PROGRESS":
            one["BulkOperationStatus"] = "CANCELLED"
        names = ("BulkOperationArn", "BulkOperationStatus")
        return {name: one[name] for name in names}

    def _end_operation(self, one: dict[str, Any]) -> None:
        status, more = self.next.pop("bulk", ("COMPLETED", {}))
        one |= {"BulkOperationStatus": status, **more}
        if status not in {"FAILED", "CANCELLED"}:
            items = dict(self._read(one["asked"]["InputS3Configuration"]))
            bad = [items.pop(key) for key in sorted(self.bad & items.keys())]
            self.tables[one["asked"]["TableName"]].update(items)
            counts = {"ProcessedItemCount": len(items) + len(bad), "FailedItemCount": len(bad)}
            one |= {**counts, **more}
            if bad:
                one["BulkOperationStatus"] = "COMPLETED_WITH_ERRORS"
                self._write_report(one["asked"]["OutputS3Configuration"], bad)

    def _write_report(self, place: Json, bad: list[Json]) -> None:
        """The report of what was not put, with a manifest beside it."""
        bucket, folder = self.buckets[place["S3Bucket"]], place["S3KeyPrefix"]
        rows = [{"errorCode": "Validation", "errorMessage": "is too large", "item": i} for i in bad]
        bucket[f"{folder}/01/errors/0.json.gz"] = b"".join(
            gzip.compress(f"{json.dumps(row)}\n".encode()) for row in rows
        )
        bucket[f"{folder}/01/manifest.json"] = b'{"pk": {"S": "no item"}}'

    def list_bulk_operations(self, **more: Any) -> Json:
        """All operations, each on a page of its own."""
        found = list(self.operations.values())
        at = int(more.get("NextToken", "0"), 16)
        names = ("BulkOperationArn", "BulkOperationStatus")
        page = [
            {**{name: one[name] for name in names}, "StartTime": NOON} for one in found[at : at + 1]
        ]
        rest = {"NextToken": f"{at + 1:016x}"} if at + 1 < len(found) else {}
        return {"BulkOperationsSummaryList": page, **rest}

    def _log_bad(self, place: Json) -> list[str]:
        """What an import writes into its log."""
        lines = ["no JSON"] if self.bad else []
        for file, body in self.buckets[place["S3Bucket"]].items():
            if not file.startswith(place["S3KeyPrefix"]):
                continue
            for index, line in enumerate(gzip.decompress(body).splitlines()):
                if json.loads(line)["Item"]["pk"]["S"] in self.bad:
                    pointer = {"bucket": place["S3Bucket"], "key": file, "itemIndex": index}
                    told = {"itemS3Pointer": pointer, "errorMessages": ["is too large"]}
                    lines.append(json.dumps({**told, "importArn": "x"}))
        return lines

    def get_log_events(self, logGroupName: str, logStreamName: str, **asked: Any) -> Json:  # noqa: N803 - the SDK's names
        """One line a page; at the end the same token again."""
        lines = self.logged.get(logStreamName.removesuffix("/error"))
        if lines is None or logGroupName != "/aws-dynamodb/imports":
            raise refuse("GetLogEvents", "ResourceNotFoundException")
        at = int(asked.get("nextToken", "f/0")[2:])
        events = [{"timestamp": 1, "message": line} for line in lines[at : at + 1]]
        return {"events": events, "nextForwardToken": f"f/{min(at + 1, len(lines))}"}

    def _read(self, place: Json) -> list[tuple[str, Json]]:
        """What an import reads: whatever lies under the prefix."""
        bucket = self.buckets[place["S3Bucket"]]
        bodies = [body for key, body in bucket.items() if key.startswith(place["S3KeyPrefix"])]
        lines = [line for body in bodies for line in gzip.decompress(body).splitlines()]
        items = [json.loads(line)["Item"] for line in lines]
        return [(item["pk"]["S"], item) for item in items]

    # --- S3

    def create_bucket(self, Bucket: str, **_more: Any) -> Json:  # noqa: N803 - the SDK's name
        """A bucket of this account."""
        if Bucket in self.buckets:
            raise refuse("CreateBucket", "BucketAlreadyOwnedByYou")
        self.buckets[Bucket] = {}
        return {}

    def put_bucket_policy(self, Bucket: str, Policy: str, **_more: Any) -> Json:  # noqa: N803 - the SDK's names
        """Set the policy of a bucket."""
        self._bucket("PutBucketPolicy", Bucket)
        self.policies[Bucket] = Policy
        return {}

    def delete_bucket_policy(self, Bucket: str, **_more: Any) -> Json:  # noqa: N803 - the SDK's name
        """Remove the policy of a bucket."""
        self._bucket("DeleteBucketPolicy", Bucket)
        self.policies.pop(Bucket, None)
        return {}

    def get_object(self, Bucket: str, Key: str, **_more: Any) -> Any:  # noqa: N803 - the SDK's name
        """An object."""
        if Key not in self._bucket("GetObject", Bucket):
            raise refuse("GetObject", "NoSuchKey")
        return {"Body": _Body(self.buckets[Bucket][Key])}

    def list_objects_v2(self, Bucket: str, Prefix: str = "", **more: Any) -> Json:  # noqa: N803 - the SDK's name
        """Two objects a page."""
        after = more.get("ContinuationToken", "")
        keys = sorted(
            key
            for key in self._bucket("ListObjectsV2", Bucket)
            if key.startswith(Prefix) and key > after
        )
        found = [{"Key": key, "ETag": etag_of(self.buckets[Bucket][key])} for key in keys[:2]]
        rest = {"NextContinuationToken": keys[1]} if len(keys) > 2 else {}
        return {**({"Contents": found} if found else {}), "IsTruncated": bool(rest), **rest}

    def delete_object(self, Bucket: str, Key: str, **_more: Any) -> Json:  # noqa: N803 - the SDK's name
        """Remove an object."""
        self._bucket("DeleteObject", Bucket).pop(Key, None)
        return {}

    def list_multipart_uploads(self, **_asked: Any) -> Json:
        """None."""
        return {}

    def delete_bucket(self, Bucket: str, **_more: Any) -> Json:  # noqa: N803 - the SDK's name
        """Remove an empty bucket."""
        assert not self._bucket("DeleteBucket", Bucket)
        del self.buckets[Bucket]
        self.policies.pop(Bucket, None)
        return {}

    def _bucket(self, operation: str, name: str) -> dict[str, bytes]:
        if name not in self.buckets:
            raise refuse(operation, "NoSuchBucket")
        return self.buckets[name]


class _Body(io.BytesIO):
    """The body of an answer, as the SDK has it."""

    def iter_chunks(self, size: int) -> Any:
        """Piece by piece."""
        while piece := self.read(size):
            yield piece


def _public(one: Json) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name[0].isupper()}


def etag_of(body: bytes) -> str:
    """The ETag of an upload of one part."""
    part = md5(body, usedforsecurity=False).digest()
    return f'"{md5(part, usedforsecurity=False).hexdigest()}-1"'


def write_export(bucket: dict[str, bytes], folder: str, table: str, items: list[Json]) -> str:
    """Write the files of an export, one of them empty; the key of the summary."""
    lines = []
    for number, part in enumerate((items[::2], items[1::2], [])):
        key = f"{folder}/data/{number}.json.gz"
        bucket[key] = gzip.compress("".join(f"{json.dumps({'Item': i})}\n" for i in part).encode())
        digest = b64encode(md5(bucket[key], usedforsecurity=False).digest()).decode()
        told = {"itemCount": len(part), "md5Checksum": digest, "dataFileS3Key": key}
        lines.append(json.dumps({**told, "etag": etag_of(bucket[key]).strip('"')}))
    listing, summary = f"{folder}/manifest-files.json", f"{folder}/manifest-summary.json"
    bucket[listing] = "\n".join([*lines, ""]).encode()
    told = {"tableArn": table, "manifestFilesS3Key": listing, "itemCount": len(items)}
    bucket[summary] = json.dumps({"version": "2020-06-30", **told}).encode()
    return summary
