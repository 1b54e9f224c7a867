"""A stand-in for S3 Batch Operations on 127.0.0.1: a job copies, and writes its report.

It speaks the REST of S3 Control. A job that requires confirmation waits for it, and a token names
one request. Every answer is checked against the model of the SDK before it is
sent, so that no field is one that AWS does not have. Sources: Amazon S3 API Reference, CreateJob,
DescribeJob and UpdateJobStatus; User Guide, "Copy objects (S3 Batch Operations)".
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import boto3
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from support.batch_reports import report_manifest, write_report
from support.worlds import client

MODEL = boto3.client(
    "s3control", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
).meta.service_model
ENDED = ("Complete", "Failed", "Cancelled")
NAMESPACE = "{http://awss3control.amazonaws.com/doc/2018-08-20/}"


class JobStatusError(Exception):
    """A status that a job cannot take from the one that it has."""


class BatchServer:
    """The stand-in, as a context manager; `gate` holds jobs back, `broken` makes them fail.

    `left_out` are keys that a job does not copy; `before_wait` is called when one is prepared.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.gate = threading.Event()
        self.gate.set()
        self.broken = ""
        self.left_out: set[str] = set()
        self.before_wait: Callable[[], None] = lambda: None
        self.jobs: dict[str, dict[str, Any]] = {}
        self.requests: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def create(self, body: bytes) -> Mapping[str, Any]:
        """Begin a job, or answer with the one that the token has begun."""
        ask = _read(ET.fromstring(body))
        with self._lock:
            self.requests.append(ask)
            token = ask["ClientRequestToken"]
            if token in self.jobs:
                if self.jobs[token]["ask"] != ask:
                    raise ValueError("the token names another request")
                return {"JobId": self.jobs[token]["id"]}
            job = {"id": f"job-{len(self.jobs) + 1}", "status": "New", "done": 0, "failed": 0}
            job |= {"ask": ask, "confirmed": threading.Event()}
            self.jobs[token] = job
        manifest = self._manifest(ask)
        threading.Thread(target=self._run, args=(job, ask, manifest), daemon=True).start()
        return {"JobId": job["id"]}

    def describe(self, job_id: str) -> Mapping[str, Any]:
        """What is known of a job."""
        job = next(one for one in self.jobs.values() if one["id"] == job_id)
        failures = [{"FailureCode": "Broken", "FailureReason": self.broken}] if self.broken else []
        numbers = {
            "TotalNumberOfTasks": job.get("total", 0),
            "NumberOfTasksSucceeded": job["done"],
            "NumberOfTasksFailed": job["failed"],
        }
        told = {"JobId": job_id, "Status": job["status"], "ProgressSummary": numbers}
        return {"Job": {**told, **({"FailureReasons": failures} if failures else {})}}

    def list(self, statuses: list[str]) -> Mapping[str, Any]:
        """The jobs of some statuses."""
        return {
            "Jobs": [
                {"JobId": job["id"], "Description": job["ask"]["Description"]}
                for job in self.jobs.values()
                if job["status"] in statuses
            ]
        }

    def update(self, job_id: str, status: str) -> Mapping[str, Any]:
        """Confirm a job that waits, or cancel one that has not ended."""
        job = next(one for one in self.jobs.values() if one["id"] == job_id)
        if job["status"] != "Suspended" and (status == "Ready" or job["status"] in ENDED):
            raise JobStatusError(job["status"])
        job["status"] = status
        job["confirmed"].set()
        return {"JobId": job_id, "Status": status}

    def _manifest(self, ask: Mapping[str, Any]) -> list[str]:
        """The rows of the manifest, whose ETag has to be the one that was named."""
        bucket, key = ask["Manifest"]["Location"]["ObjectArn"].split(":::")[1].split("/", 1)
        found = self._s3.get_object(Bucket=bucket, Key=key)
        if found["ETag"].strip('"') != ask["Manifest"]["Location"]["ETag"].strip('"'):
            raise ValueError("the ETag of the manifest is another one")
        return str(found["Body"].read().decode()).splitlines()

    @property
    def _s3(self) -> Any:
        return client("s3", self.upstream)

    def _run(self, job: dict[str, Any], ask: Mapping[str, Any], manifest: list[str]) -> None:
        job.update(status="Preparing", total=len(manifest))
        if ask["ConfirmationRequired"] == "true":
            self.before_wait()
            job["status"] = "Suspended"
            job["confirmed"].wait(60)
        if job["status"] in ENDED:
            return
        job["status"] = "Active"
        self.gate.wait(60)
        if job["status"] in ENDED:
            return
        if self.broken:
            job["status"] = "Failed"
            return
        results = [self._copy(ask, *row.split(",")) for row in manifest]
        failed = sum(bool(code) for _, code in results)
        self._report(job, ask["Report"], results)
        job.update(done=len(results) - failed, failed=failed, status="Complete")

    def _copy(self, ask: Mapping[str, Any], bucket: str, text: str) -> tuple[bytes, str]:
        key = unquote_plus(text)
        operation = ask["Operation"]["S3PutObjectCopy"]
        if key in self.left_out:
            return key.encode(), "AccessDenied"
        try:
            self._s3.copy_object(
                Bucket=operation["TargetResource"].split(":::")[1],
                Key=operation.get("TargetKeyPrefix", "") + key,
                CopySource={"Bucket": bucket, "Key": key},
                StorageClass=operation["StorageClass"],
            )
        except ClientError as error:
            return key.encode(), str(error.response["Error"]["Code"])
        return key.encode(), ""

    def _report(
        self, job: Mapping[str, Any], where: Mapping[str, Any], rows: list[tuple[bytes, str]]
    ) -> None:
        bucket = where["Bucket"].split(":::")[1]
        folder = f"{where['Prefix']}/job-{job['id']}"
        files = []
        for failed in (False, True):
            body = b"".join(write_report(row for row in rows if bool(row[1]) is failed))
            name = hashlib.sha256(body).hexdigest()[:40]
            files.append((f"{folder}/results/{name}.csv", body))
        files.append((f"{folder}/manifest.json", report_manifest(bucket, files)))
        for key, body in files:
            self._s3.put_object(Bucket=bucket, Key=key, Body=body)


def _read(node: ET.Element) -> Any:
    """An XML document as the dictionary that it was made of; lists are not told apart."""
    children = list(node)
    if not children:
        return node.text or ""
    return {child.tag.removeprefix(NAMESPACE): _read(child) for child in children}


def _write(name: str, value: Any, shape: Any) -> str:
    """A value in XML, by the names that the model gives its members."""
    if shape.type_name == "structure":
        inner = "".join(
            _write(shape.members[one].serialization.get("name", one), part, shape.members[one])
            for one, part in value.items()
        )
    elif shape.type_name == "list":
        each = shape.member.serialization.get("name", "member")
        inner = "".join(_write(each, part, shape.member) for part in value)
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def answer_of(operation: str, answer: Mapping[str, Any]) -> bytes:
    """An answer as it goes over the wire. Raises ValueError for one that AWS would not give."""
    shape = MODEL.operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    if report.has_errors():
        raise ValueError(report.generate_report())
    return _write(f"{operation}Result", answer, shape).encode()


def _handler_of(server: BatchServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if wanted := re.fullmatch(r"/v20180820/jobs/([^/]+)/status\?(.*)", self.path):
                status = parse_qs(wanted[2])["requestedJobStatus"][0]
                self._answer(lambda: answer_of("UpdateJobStatus", server.update(wanted[1], status)))
                return
            self._answer(lambda: answer_of("CreateJob", server.create(body)))

        def do_GET(self) -> None:
            if listed := re.fullmatch(r"/v20180820/jobs\?(.*)", self.path):
                statuses = parse_qs(listed[1])["jobStatuses"]
                self._answer(lambda: answer_of("ListJobs", server.list(statuses)))
                return
            job = re.fullmatch(r"/v20180820/jobs/([^/]+)", self.path)
            self._answer(lambda: answer_of("DescribeJob", server.describe(job[1] if job else "")))

        def _answer(self, make: Any) -> None:
            try:
                status, body = 200, make()
            except (ValueError, KeyError, JobStatusError) as error:
                status = 400
                code = "BadRequest"
                if isinstance(error, JobStatusError):
                    code = "JobStatusException"
                text = f"<Error><Code>{code}</Code><Message>{escape(str(error))}</Message></Error>"
                body = f"<ErrorResponse>{text}<RequestId>1</RequestId></ErrorResponse>".encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Nobody reads it."""

    return Handler
