"""The credentials of the account that owns an exported table, over services in memory.

They see their tables, and ask for exports; there is no call by which they could do anything else.
An export of another account's table is denied where the policy of the bucket does not let it in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Self

from dataware.aws.errors import translate_errors
from support.memory_exports import ACCOUNT, REGION, CheckedClient, Json, MemoryExports, refuse

OWNER = "444455556666"
WRITES = {"s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectAcl"}


@dataclass
class OwnerOfExports:
    """The Aws port of the owner; `asked` has the operations, and the first `late` are denied."""

    memory: MemoryExports
    account: str = OWNER
    late: int = 0
    asked: list[str] = field(default_factory=list)
    region, partition = REGION, "aws"

    def for_region(self, region: str) -> Self:
        """The same memory, in which the region is noted."""
        self.memory.for_region(region)
        return self

    def client(self, name: str) -> CheckedClient:
        """The client of a service."""
        return CheckedClient(name, self, self._note)

    def _note(self, what: str) -> None:
        if what.endswith(" asked"):
            self.asked.append(what.partition(" ")[0])
        self.memory.moment(what)

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As in earnest."""
        return translate_errors(what, permission)

    def describe_table(self, TableName: str) -> Json:  # noqa: N803 - the SDK's name
        """A table of this account."""
        table = dict(self.memory.describe_table(TableName)["Table"])
        return {"Table": {**table, "TableArn": self._own(table["TableArn"])}}

    def describe_continuous_backups(self, **asked: Any) -> Json:
        """Of a table of this account."""
        return self.memory.describe_continuous_backups(**asked)

    def describe_export(self, ExportArn: str) -> Json:  # noqa: N803 - the SDK's name
        """An export of this account."""
        self._require_own(ExportArn)
        place = self.memory.exports[ExportArn]["place"] if self._has(ExportArn) else None
        if place is not None and self._has(ExportArn) and self._is_running(ExportArn):
            # Who takes the policy away while an export goes on gets a part of it.
            assert self._may_write(place)
        return self.memory.describe_export(ExportArn)

    def export_table_to_point_in_time(self, **asked: Any) -> Json:
        """Denied while the policy of a bucket of another account does not say so."""
        self._require_own(asked["TableArn"])
        if self.late or not self._may_write(asked):
            self.late = max(0, self.late - 1)
            raise refuse("ExportTableToPointInTime", "AccessDeniedException")
        return self.memory.export_table_to_point_in_time(**asked)

    def _has(self, arn: str) -> bool:
        return arn in self.memory.exports

    def _is_running(self, arn: str) -> bool:
        return bool(self.memory.exports[arn]["ExportStatus"] == "IN_PROGRESS")

    def _may_write(self, asked: Mapping[str, Any]) -> bool:
        """Whether the bucket is of this account, or lets it write under this very prefix."""
        if asked["S3BucketOwner"] == self.account:
            return True
        bucket = asked["S3Bucket"]
        if bucket not in self.memory.policies:
            return False
        (allowed,) = json.loads(self.memory.policies[bucket])["Statement"]
        assert allowed == {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"},
            "Action": sorted(WRITES),
            "Resource": f"arn:aws:s3:::{bucket}/{asked['S3Prefix']}/*",
        }
        return True

    def _own(self, arn: str) -> str:
        return arn.replace(ACCOUNT, self.account)

    def _require_own(self, arn: str) -> None:
        assert arn.split(":")[4] == self.account
