"""Incremental exports of a table as a feed of keys: its configuration stays as it is.

Amazon DynamoDB Developer Guide, "Requesting a table export": an incremental export covers 15
minutes to 24 hours within the time of point-in-time recovery, from its first second to before its
last; "DynamoDB table export output format": manifest-summary.json names manifest-files.json, whose
lines name the data files with their number of items and the MD5 of their compressed bytes; a line
of a data file has the keys, whether the item was put or deleted.

A round reads one file, so that memory does not grow with an export. What was read, and which export
goes on, is in the position; an export that was asked for is not asked for twice, by its token.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import md5
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from dataware.core.errors import IncompleteError, LookupFailedError, NotFoundError
from dataware.core.follow.feed import FeedRound, Gap, GapCause
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.keys import encode_key, name_keys
from dataware.kinds.dynamodb_table.follow.stream_switch import describe_table

LEAST_SECONDS, MOST_SECONDS = 900.0, 86_400.0
"""What one export covers."""

LOOK_SECONDS = 15.0
"""Between two looks at an export that goes on, or at what can be exported."""

UNREADABLE_LOOKS = 8
"""How often what an export has written may be unreadable, or the export unknown, as it may be right
after it was asked for, before another one is asked for."""

BEFORE_SECONDS = 300.0
"""How long before its beginning a feed begins, whatever this machine's clock says."""


class DamagedExportError(LookupFailedError):
    """What an export has written is not what it says that it has written."""


@dataclass(frozen=True, slots=True)
class ExportPosition:
    """How far the exports of a table, by its id, were read.

    Every change before `until` was read. `export` is the ARN of the one that goes on, up to `to`,
    of which `files` were read; `attempt` counts those that failed.
    """

    table_id: str
    until: float
    export: str = ""
    to: float = 0.0
    files: int = 0
    attempt: int = 0

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> ExportPosition | None:
        """The position that was saved; None for that of another feed."""
        try:
            return ExportPosition(**value)
        except TypeError:
            return None


class ExportFeed:
    """The ChangeFeed port over incremental exports into a bucket, under a prefix."""

    def __init__(
        self,
        aws: Aws,
        table: str,
        bucket: str,
        prefix: str,
        *,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._aws = aws
        self._look_seconds = look_seconds
        self._looked = float("-inf")
        self._unreadable = 0
        self._table = table
        self._bucket, self._prefix = bucket, prefix.strip("/")
        self._at = ExportPosition("", 0.0)
        self._gaps: tuple[Gap, ...] = ()

    def open(self, position: Mapping[str, Any] | None, now: float) -> Mapping[str, Any]:
        """Go on after `position`, or begin with None.

        Raises NotFoundError for a table without point-in-time recovery.
        """
        self._window()
        table_id = str(describe_table(self._aws, self._table).get("TableId", ""))
        fresh = ExportPosition(table_id, float(int(now - BEFORE_SECONDS)))
        self._at, self._gaps = fresh, ()
        if position is not None:
            before = ExportPosition.from_json(position)
            if before is None or before.table_id != table_id:
                self._gaps = (Gap(GapCause.OTHER_STREAM),)
            else:
                self._at = before
        return asdict(self._at)

    def poll(self, now: float) -> FeedRound:
        """One step: an export that is asked for, waited for, or of which one file is read."""
        gaps, self._gaps = self._gaps, ()
        if not self._at.files and 0 <= now - self._looked < self._look_seconds:
            return self._round(gaps)
        self._looked = now
        if not self._at.export:
            gaps += self._begin_export()
            return self._round(gaps)
        try:
            described = self._describe_export()
            if described["ExportStatus"] == "COMPLETED":
                return self._read_next(described, gaps)
        except (NotFoundError, DamagedExportError) as error:
            self._gaps = gaps
            raise self._note_unreadable(error) from error
        if described["ExportStatus"] == "FAILED":
            self._give_up()
            raise LookupFailedError(
                f"an incremental export of table {self._table} failed "
                f"({described.get('FailureCode', 'no reason given')}); another one is asked for"
            )
        return self._round(gaps)

    def _give_up(self) -> None:
        """Have the same time exported once more, by another request."""
        at = self._at
        self._at = replace(at, export="", files=0, attempt=at.attempt + 1)
        self._unreadable = 0

    def _note_unreadable(self, error: Exception) -> LookupFailedError:
        """What ends this round, after which the export is read again, or asked for anew.

        Its files may be gone: somebody has emptied the bucket, or a lifecycle rule of it.
        """
        self._unreadable += 1
        if self._unreadable < UNREADABLE_LOOKS:
            return LookupFailedError(str(error))
        self._give_up()
        return LookupFailedError(f"{error}; another export is asked for")

    def _begin_export(self) -> tuple[Gap, ...]:
        """Ask for the next export, if there is enough to cover; why changes may be missing."""
        earliest, latest = self._window()
        at = self._at
        gaps: tuple[Gap, ...] = ()
        if at.until < earliest:
            gaps = (Gap(GapCause.AWAY_TOO_LONG, at.until),)
            at = replace(at, until=earliest)
        to = float(int(min(latest, at.until + MOST_SECONDS)))
        if to - at.until >= LEAST_SECONDS:
            at = replace(at, export=self._ask(at, to), to=to, files=0)
        self._at = at
        return gaps

    def _ask(self, at: ExportPosition, to: float) -> str:
        name = f"dataware:{at.table_id}:{at.until}:{to}:{self._bucket}:{self._prefix}:{at.attempt}"
        with self._aws.translate_errors(self._what, "dynamodb:ExportTableToPointInTime"):
            answer = self._aws.client("dynamodb").export_table_to_point_in_time(
                TableArn=describe_table(self._aws, self._table)["TableArn"],
                S3Bucket=self._bucket,
                **({"S3Prefix": self._prefix} if self._prefix else {}),
                ClientToken=str(uuid5(NAMESPACE_URL, name)),
                ExportFormat="DYNAMODB_JSON",
                ExportType="INCREMENTAL_EXPORT",
                IncrementalExportSpecification={
                    "ExportFromTime": datetime.fromtimestamp(at.until, UTC),
                    "ExportToTime": datetime.fromtimestamp(to, UTC),
                    "ExportViewType": "NEW_IMAGE",
                },
            )
        return str(answer["ExportDescription"]["ExportArn"])

    def _read_next(self, described: Mapping[str, Any], gaps: tuple[Gap, ...]) -> FeedRound:
        """The keys of the next file; with the last one the export is read."""
        at = self._at
        files = self._list_files(described)
        keys, times = self._read_file(files[at.files]) if at.files < len(files) else (set(), [])
        self._unreadable = 0
        if at.files + 1 < len(files):
            self._at = replace(at, files=at.files + 1)
            return self._round(gaps, keys, times)
        self._at = ExportPosition(at.table_id, at.to)
        return self._round(gaps, keys, times, as_of=at.to)

    def _list_files(self, described: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The data files, which have to hold as many items as the summary counts."""
        name = described.get("ExportManifest", "no manifest")
        try:
            summary = json.loads(self._get(name))
            name = summary["manifestFilesS3Key"]
            listing = self._get(name).decode()
            files = [json.loads(line) for line in listing.splitlines() if line]
            items = sum(int(one["itemCount"]) for one in files)
            counted = int(summary.get("itemCount", items))
        except (ValueError, KeyError, TypeError):
            raise self._make_damage_error(name) from None
        if items != counted:
            raise self._make_damage_error(name)
        return files

    def _read_file(self, file: Mapping[str, Any]) -> tuple[set[bytes], list[float]]:
        """The keys of a data file, which has to be as its manifest says, and their times."""
        content = self._get(file["dataFileS3Key"])
        digest = b64encode(md5(content, usedforsecurity=False).digest()).decode()
        if digest != file.get("md5Checksum", digest):
            raise self._make_damage_error(file["dataFileS3Key"])
        try:
            lines = [json.loads(line) for line in gzip.decompress(content).splitlines() if line]
        except (OSError, EOFError, ValueError):
            raise self._make_damage_error(file["dataFileS3Key"]) from None
        if len(lines) != file["itemCount"]:
            raise self._make_damage_error(file["dataFileS3Key"])
        names = name_keys(describe_table(self._aws, self._table)["KeySchema"])
        keys = {encode_key(line["Keys"], names) for line in lines}
        stamps = [line.get("Metadata", {}).get("WriteTimestampMicros", {}) for line in lines]
        return keys, [float(stamp["N"]) / 1e6 for stamp in stamps if "N" in stamp]

    def _make_damage_error(self, name: str) -> DamagedExportError:
        text = f"s3://{self._bucket}/{name} is not as the export's manifest says"
        return DamagedExportError(text)

    def _round(
        self,
        gaps: tuple[Gap, ...],
        keys: set[bytes] | None = None,
        times: list[float] | None = None,
        *,
        as_of: float | None = None,
    ) -> FeedRound:
        oldest, newest = min(times or (), default=None), max(times or (), default=None)
        whole, position = as_of is not None, asdict(self._at)
        changed = frozenset(keys or ())
        return FeedRound(changed, position, oldest, newest, gaps, whole=whole, as_of=as_of)

    def _window(self) -> tuple[float, float]:
        """From when to when exports are possible. Raises where point-in-time recovery is off."""
        with self._aws.translate_errors(self._what, "dynamodb:DescribeContinuousBackups"):
            answer = self._aws.client("dynamodb").describe_continuous_backups(TableName=self._table)
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
            text = (
                f"table {self._table} has no point-in-time recovery, which incremental exports "
                "need; switch it on, or run the same command without --export-to"
            )
            raise IncompleteError(text) if self._at.table_id else NotFoundError(text)
        times = recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"]
        earliest, latest = (moment.timestamp() for moment in times)
        return earliest, latest

    def _describe_export(self) -> Mapping[str, Any]:
        with self._aws.translate_errors(self._what, "dynamodb:DescribeExport"):
            client = self._aws.client("dynamodb")
            answer = client.describe_export(ExportArn=self._at.export)
        described: Mapping[str, Any] = answer["ExportDescription"]
        return described

    def _get(self, key: str) -> bytes:
        with self._aws.translate_errors(f"s3://{self._bucket}/{key}", "s3:GetObject"):
            answer = self._aws.client("s3").get_object(Bucket=self._bucket, Key=key)
            content: bytes = answer["Body"].read()
        return content

    @property
    def _what(self) -> str:
        return f"the incremental exports of table {self._table}"
