"""What a table is and whether it holds data; nothing is changed.

Content comes from consistent one-item scans and never from ItemCount, which DynamoDB refreshes
about every six hours (Amazon DynamoDB API Reference, TableDescription).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError, ServiceError
from dataware.core.model import Content, Existence, Facts, Problem, Setting, Size, absent
from dataware.core.page_cursor import PageCursor
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.declared import schema_text

_ENCRYPTED = {False: "AWS owned key", True: "KMS key"}
_SWITCHED = {False: "off", True: "on"}

# A table that is being created may be a restore or an import on its way: DynamoDB lets nobody
# look into it yet, so its emptiness is not seen. DELETING and ARCHIVED tables cannot be read.
_UNREADABLE = frozenset({"CREATING", "DELETING", "ARCHIVING", "ARCHIVED"})

EXPIRES = "items expire"


def probe(aws: Aws, name: str) -> Facts:
    """What stands under `name`, a table's name or ARN."""
    look = _Look(aws, name)
    try:
        table = look.ask("DescribeTable", "Table")
    except NotFoundError:
        return absent(name)
    if table is None:
        return Facts(name, schema=None, problems=tuple(look.problems))
    content = look.content(table["TableStatus"])
    settings = _settings(table)
    backups = look.try_to_ask(
        "DescribeContinuousBackups",
        "ContinuousBackupsDescription",
        "point in time recovery is not compared",
    )
    if backups is not None:
        recovery = backups.get("PointInTimeRecoveryDescription", {})
        settings["point_in_time_recovery"] = _switch(
            recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
        )
    expiry = look.try_to_ask(
        "DescribeTimeToLive", "TimeToLiveDescription", "whether items expire is unknown"
    )
    return Facts(
        name,
        Existence.EXISTS,
        content,
        schema=schema_text(table["KeySchema"], table["AttributeDefinitions"]),
        size=Size(table.get("ItemCount", 0), table.get("TableSizeBytes", 0), exact=False),
        identity=table.get("TableId") or str(table["CreationDateTime"]),
        settings=settings,
        notes=_notes(table, expiry),
        problems=tuple(look.problems),
        other_regions=tuple(one["RegionName"] for one in table.get("Replicas") or ()),
    )


def key_schema(aws: Aws, name: str) -> str | None:
    """The key schema of a table in words; None where it is not seen. Raises NotFoundError."""
    table = _Look(aws, name).ask("DescribeTable", "Table")
    return schema_text(table["KeySchema"], table["AttributeDefinitions"]) if table else None


class _Look:
    """Asks about one table and collects what was not answered."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._name = name
        self.problems: list[Problem] = []
        client = aws.client("dynamodb")
        self._calls: Mapping[str, Callable[..., dict[str, Any]]] = {
            "DescribeTable": client.describe_table,
            "DescribeContinuousBackups": client.describe_continuous_backups,
            "DescribeTimeToLive": client.describe_time_to_live,
            "Scan": client.scan,
        }

    def ask(self, call: str, field: str) -> dict[str, Any] | None:
        """One part of an answer, None (and a problem) without one; raises NotFoundError."""
        answer = self._call(call)
        return None if answer is None else dict(answer.get(field) or {})

    def try_to_ask(self, call: str, field: str, consequence: str) -> dict[str, Any] | None:
        """As `ask`, for what only informs; the table being gone is a problem like any other."""
        before = len(self.problems)
        try:
            answer = self.ask(call, field)
        except NotFoundError as error:
            self._remember(call, error)
            answer = None
        self.problems[before:] = [one.meaning(consequence) for one in self.problems[before:]]
        return answer

    def content(self, status: str) -> Content:
        """Whether any item is there: a page may be empty and still not be the last one."""
        if status in _UNREADABLE:
            self.problems.append(
                Problem("Scan", status, detail=f"a table that is {status} cannot be read")
            )
            return Content.UNKNOWN
        start: dict[str, Any] = {}
        cursor = PageCursor("Scan", f"table {self._name}")
        try:
            while (page := self._call("Scan", Limit=1, ConsistentRead=True, **start)) is not None:
                if page["Items"]:
                    return Content.DATA
                if "LastEvaluatedKey" not in page:
                    return Content.EMPTY
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
                cursor.advance(start, entries=0)
        except (LookupFailedError, NotFoundError) as error:
            self._remember("Scan", error)
        return Content.UNKNOWN

    def _call(self, call: str, **parameters: Any) -> dict[str, Any] | None:
        try:
            with self._aws.translate_errors(f"table {self._name}", f"dynamodb:{call}"):
                return self._calls[call](TableName=self._name, **parameters)
        except LookupFailedError as error:
            self._remember(call, error)
            return None

    def _remember(self, call: str, error: ServiceError) -> None:
        self.problems.append(error.problem or Problem(call, "unknown", detail=str(error)))


def _switch(on: bool) -> Setting:
    return Setting(int(on), _SWITCHED[on])


def _encryption(kms: bool) -> Setting:
    """KMS keys of AWS and of the customer rank alike: only kms:DescribeKey tells them apart."""
    return Setting(int(kms), _ENCRYPTED[kms])


def _settings(table: Mapping[str, Any]) -> dict[str, Setting]:
    return {
        "encryption": _encryption(table.get("SSEDescription", {}).get("SSEType") == "KMS"),
        "deletion_protection": _switch(bool(table.get("DeletionProtectionEnabled"))),
    }


def _notes(table: Mapping[str, Any], time_to_live: Mapping[str, Any] | None) -> tuple[str, ...]:
    notes = []
    if table["TableStatus"] != "ACTIVE":
        notes.append(f"status {table['TableStatus']}")
    stream = table.get("StreamSpecification", {})
    if stream.get("StreamEnabled"):
        notes.append(f"stream on ({stream.get('StreamViewType')})")
    if time_to_live and time_to_live.get("TimeToLiveStatus") == "ENABLED":
        notes.append(f"{EXPIRES} by {time_to_live.get('AttributeName')}")
    return tuple(notes)


def declared_settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
    """The protective settings that CloudFormation properties declare.

    What is not declared is CloudFormation's default; what is not literal is left out.
    """
    declared = {
        "encryption": _flag(properties, "SSESpecification", "SSEEnabled"),
        "point_in_time_recovery": _flag(
            properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"
        ),
        "deletion_protection": _flag(properties, "DeletionProtectionEnabled"),
    }
    return {
        name: _encryption(on) if name == "encryption" else _switch(on)
        for name, on in declared.items()
        if on is not None
    }


def _flag(properties: Mapping[str, Any], *path: str) -> bool | None:
    """A literal switch under `path`: False where nothing is declared, None for an intrinsic."""
    value: Any = properties
    for name in path:
        if not isinstance(value, Mapping) or any(key.startswith(("Fn::", "Ref")) for key in value):
            return None
        value = value.get(name)
        if value is None:
            return False
    folded = str(value).casefold()
    return folded == "true" if folded in {"true", "false"} else None
