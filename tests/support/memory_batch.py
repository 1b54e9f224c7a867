"""An account in memory for jobs of S3 Batch Operations: listings over the wire, calls of the SDK.

Every call is checked against AWS's own model. A job copies when a test says so, and like one of AWS
it replaces what it finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

import boto3
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.validate import ParamValidator

from dataware.aws.errors import translate_errors
from dataware.wire import RetryingWire
from support.batch_reports import report_manifest, write_report
from support.copying import LoopClock
from support.memory_aws import MemoryAws

ENDED = ("Complete", "Failed", "Cancelled")


def refuse(operation: str, code: str, status: int = 400) -> ClientError:
    """What the SDK raises for a refusal."""
    answer = {"Error": {"Code": code, "Message": code}}
    return ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)


class ModelledClient:
    """Calls of a service, each a method of its name; parameters are those of AWS's own model."""

    def __init__(self, service: str) -> None:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        self._sdk = boto3.client(service, region_name="eu-central-1", **keys)
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        operation = self._sdk.meta.method_to_api_mapping[name]
        shape = self._sdk.meta.service_model.operation_model(operation).input_shape

        def call(**given: Any) -> Any:
            report = ParamValidator().validate(given, shape)
            assert not report.has_errors(), report.generate_report()
            self.asked.append(operation)
            return getattr(self, f"on_{name}")(given)

        return call


class MemoryJobs(ModelledClient):
    """S3 Control: `jobs` by id, `token` by request; `refused` is the code of the next refusal."""

    def __init__(self) -> None:
        super().__init__("s3control")
        self.jobs: dict[str, dict[str, Any]] = {}
        self.refused = ""

    def on_create_job(self, given: Mapping[str, Any]) -> Any:
        """The job of a token, which waits until it is confirmed."""
        for job_id, job in self.jobs.items():
            if job["ask"]["ClientRequestToken"] == given["ClientRequestToken"]:
                if job["ask"] != given:
                    raise refuse("CreateJob", "IdempotencyException")
                return {"JobId": job_id}
        waits = given["ConfirmationRequired"]
        job_id = f"job-{len(self.jobs) + 1}"
        self.jobs[job_id] = {"ask": given, "status": "Suspended" if waits else "Active"}
        return {"JobId": job_id}

    def on_describe_job(self, given: Mapping[str, Any]) -> Any:
        """What is known of a job."""
        job = self._find("DescribeJob", given["JobId"])
        return {"Job": {"JobId": given["JobId"], "Status": job["status"], **job.get("more", {})}}

    def on_list_jobs(self, given: Mapping[str, Any]) -> Any:
        """The jobs of some statuses, one on each page."""
        found = [
            {"JobId": job_id, "Description": job["ask"]["Description"], "Status": job["status"]}
            for job_id, job in self.jobs.items()
            if job["status"] in given["JobStatuses"]
        ]
        at = int(given.get("NextToken", "0"))
        more = {"NextToken": str(at + 1)} if at + 1 < len(found) else {}
        return {"Jobs": found[at : at + 1], **more}

    def on_update_job_status(self, given: Mapping[str, Any]) -> Any:
        """Confirm or cancel."""
        job, wanted = self._find("UpdateJobStatus", given["JobId"]), given["RequestedJobStatus"]
        if self.refused:
            raise refuse("UpdateJobStatus", self.refused, 403)
        if job["status"] in ENDED or (wanted == "Ready" and job["status"] != "Suspended"):
            raise refuse("UpdateJobStatus", "JobStatusException")
        job["status"] = {"Ready": "Active"}.get(wanted, wanted)
        return {"JobId": given["JobId"], "Status": job["status"]}

    def _find(self, operation: str, job_id: str) -> dict[str, Any]:
        if job_id not in self.jobs:
            raise refuse(operation, "NotFoundException", 404)
        return self.jobs[job_id]


class MemoryWork(ModelledClient):
    """S3 as far as a work bucket needs it: `objects` by bucket and key, `uploads` by number."""

    def __init__(self) -> None:
        super().__init__("s3")
        self.objects: dict[str, dict[str, bytes]] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.owned_elsewhere = False

    def on_create_bucket(self, given: Mapping[str, Any]) -> Any:
        """A bucket, once."""
        if self.owned_elsewhere:
            raise refuse("CreateBucket", "BucketAlreadyExists", 409)
        if given["Bucket"] in self.objects:
            raise refuse("CreateBucket", "BucketAlreadyOwnedByYou", 409)
        self.objects[given["Bucket"]] = {}
        return {}

    def on_create_multipart_upload(self, _given: Mapping[str, Any]) -> Any:
        """An upload."""
        self.uploads["1"] = {}
        return {"UploadId": "1"}

    def on_upload_part(self, given: Mapping[str, Any]) -> Any:
        """A part of one."""
        self.uploads[given["UploadId"]][given["PartNumber"]] = given["Body"]
        return {"ETag": f'"{given["PartNumber"]}"'}

    def on_complete_multipart_upload(self, given: Mapping[str, Any]) -> Any:
        """The object."""
        parts = self.uploads.pop(given["UploadId"])
        body = b"".join(part for _, part in sorted(parts.items()))
        return {"ETag": self.put(given["Bucket"], given["Key"], body)}

    def on_get_object(self, given: Mapping[str, Any]) -> Any:
        """An object."""
        body = self.objects[given["Bucket"]][given["Key"]]
        return {"Body": StreamingBody(BytesIO(body), len(body))}

    def on_list_objects_v2(self, given: Mapping[str, Any]) -> Any:
        """All keys at once."""
        if given["Bucket"] not in self.objects:
            raise refuse("ListObjectsV2", "NoSuchBucket", 404)
        found = [{"Key": key} for key in sorted(self.objects[given["Bucket"]])]
        return {"Contents": found} if found else {}

    def on_list_multipart_uploads(self, _given: Mapping[str, Any]) -> Any:
        """All uploads at once."""
        return {"Uploads": [{"Key": "manifest", "UploadId": one} for one in self.uploads]}

    def on_abort_multipart_upload(self, given: Mapping[str, Any]) -> Any:
        """No upload any more."""
        del self.uploads[given["UploadId"]]
        return {}

    def on_delete_object(self, given: Mapping[str, Any]) -> Any:
        """No object any more."""
        del self.objects[given["Bucket"]][given["Key"]]
        return {}

    def on_delete_bucket(self, given: Mapping[str, Any]) -> Any:
        """No bucket any more."""
        assert not self.objects[given["Bucket"]]
        del self.objects[given["Bucket"]]
        return {}

    def put(self, bucket: str, key: str, body: bytes) -> str:
        """Store an object; its ETag."""
        self.objects[bucket][key] = body
        return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


class BatchAccount:
    """The Aws port with listings in memory, a work bucket and jobs."""

    account, region, partition = "111122223333", "eu-central-1", "aws"

    def __init__(self) -> None:
        self.memory = MemoryAws()
        self.jobs, self.work = MemoryJobs(), MemoryWork()
        self.pauses: list[float] = []

    def client(self, service: str) -> Any:
        """The calls of a service."""
        return {"s3control": self.jobs, "s3": self.work}[service]

    def wire(self, report: Any) -> Any:
        """What listings go over."""
        return RetryingWire(self.memory, LoopClock(), lambda: 0.5, report)

    def pause(self, seconds: float) -> None:
        """Wait no time."""
        self.pauses.append(seconds)

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As in earnest."""
        return translate_errors(what, permission)

    def manifest_of(self, job_id: str) -> list[bytes]:
        """The keys that a job is to copy."""
        arn = self.jobs.jobs[job_id]["ask"]["Manifest"]["Location"]["ObjectArn"]
        bucket, _, key = arn.rpartition(":::")[2].partition("/")
        rows = self.work.objects[bucket][key].decode().splitlines()
        return [unquote_to_bytes(row.split(",")[1].replace("+", " ")) for row in rows]

    def carry_out(self, job_id: str, *left_out: bytes) -> None:
        """Copy what the manifest lists, whatever stands in the target, and report."""
        job = self.jobs.jobs[job_id]
        assert job["status"] == "Active", "a job that nobody has confirmed does nothing"
        target = job["ask"]["Operation"]["S3PutObjectCopy"]["TargetResource"].rpartition(":::")[2]
        buckets, keys = self.memory.buckets.content, self.manifest_of(job_id)
        for key in keys:
            if key not in left_out:
                buckets[target][key] = buckets["old"][key]
        where = job["ask"]["Report"]
        bucket = where["Bucket"].rpartition(":::")[2]
        body = b"".join(write_report((key, "Denied" if key in left_out else "") for key in keys))
        files = [(f"{where['Prefix']}/job-{job_id}/results/1.csv", body)]
        files.append(
            (f"{where['Prefix']}/job-{job_id}/manifest.json", report_manifest(bucket, files))
        )
        for key, text in files:
            self.work.put(bucket, key, text)
        job["status"] = "Complete"
