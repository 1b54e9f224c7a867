"""The feed of incremental exports, by the SDK's own models of what is asked and answered."""

from __future__ import annotations

import gzip
import io
import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from hashlib import md5
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from dataware.aws.errors import translate_errors
from dataware.core.errors import IncompleteError, LookupFailedError, NotFoundError
from dataware.core.follow.feed import GapCause
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.export_feed import UNREADABLE_LOOKS, ExportFeed
from dataware.kinds.dynamodb_table.follow.keys import encode_key

NOW = 1_800_000_000.0
TABLE_ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/old"
EXPORT = f"{TABLE_ARN}/export/01234567890123-a1b2c3d4"


def key(text: str) -> bytes:
    """A key as the feed gives it."""
    return encode_key({"pk": {"S": text}}, ("pk",))


def line(text: str, *, deleted: bool = False) -> dict[str, Any]:
    """A line of a data file."""
    image = {} if deleted else {"NewImage": {"pk": {"S": text}, "v": {"N": "1"}}}
    stamp = {"WriteTimestampMicros": {"N": str(int((NOW + 60) * 1e6))}}
    return {"Metadata": stamp, "Keys": {"pk": {"S": text}}, **image}


class Exports:
    """A table with point-in-time recovery, its exports, and their bucket; an Aws port of them."""

    def __init__(self) -> None:
        settings = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.dynamodb = boto3.client("dynamodb", region_name="eu-central-1", **settings)
        self.stub = Stubber(self.dynamodb)
        self.stub.activate()
        self.objects: dict[str, bytes] = {}

    def client(self, service: str) -> Any:
        """The client of a service."""
        return self.dynamodb if service == "dynamodb" else self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        """As the real port does."""
        return translate_errors(what, permission)

    def get_object(self, **asking: Any) -> Any:
        """An object of the bucket."""
        assert asking["Bucket"] == "exports"
        if asking["Key"] not in self.objects:
            answer = {"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(answer, "GetObject")
        return {"Body": io.BytesIO(self.objects[asking["Key"]])}

    def expect_window(
        self,
        earliest: float = NOW - 86_400 * 30,
        latest: float = NOW + 1800,
        status: str = "ENABLED",
    ) -> None:
        """The time of point-in-time recovery is asked for."""
        times = {
            "EarliestRestorableDateTime": datetime.fromtimestamp(earliest, UTC),
            "LatestRestorableDateTime": datetime.fromtimestamp(latest, UTC),
        }
        recovery = {"PointInTimeRecoveryStatus": status, **(times if status == "ENABLED" else {})}
        described = {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": recovery,
        }
        answer = {"ContinuousBackupsDescription": described}
        self.stub.add_response("describe_continuous_backups", answer, {"TableName": "old"})

    def expect_table(self, table_id: str = "id-1") -> None:
        """The table is asked for."""
        described = {
            "TableId": table_id,
            "TableArn": TABLE_ARN,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        }
        self.stub.add_response("describe_table", {"Table": described}, {"TableName": "old"})

    def expect_ask(self, start: float, to: float, token: Any) -> None:
        """An export is asked for."""
        asked = {
            "TableArn": TABLE_ARN,
            "S3Bucket": "exports",
            "S3Prefix": "old",
            "ClientToken": token,
            "ExportFormat": "DYNAMODB_JSON",
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {
                "ExportFromTime": datetime.fromtimestamp(start, UTC),
                "ExportToTime": datetime.fromtimestamp(to, UTC),
                "ExportViewType": "NEW_IMAGE",
            },
        }
        answer = {"ExportDescription": {"ExportArn": EXPORT, "ExportStatus": "IN_PROGRESS"}}
        self.stub.add_response("export_table_to_point_in_time", answer, asked)

    def expect_status(self, status: str, **more: str) -> None:
        """The export is looked at."""
        described = {"ExportArn": EXPORT, "ExportStatus": status, **more}
        answer = {"ExportDescription": described}
        self.stub.add_response("describe_export", answer, {"ExportArn": EXPORT})

    def expect_end(self) -> None:
        """The export is complete."""
        self.expect_status("COMPLETED", ExportManifest="old/AWSDynamoDB/1/manifest-summary.json")

    def write(self, *files: list[dict[str, Any]]) -> None:
        """What an export has left in the bucket; a partition without changes has an empty file."""
        lines = []
        for number, content in enumerate(files):
            name = f"old/AWSDynamoDB/data/{number}.json.gz"
            packed = gzip.compress("".join(f"{json.dumps(one)}\n" for one in content).encode())
            self.objects[name] = packed
            digest = b64encode(md5(packed, usedforsecurity=False).digest()).decode()
            entry = {"itemCount": len(content), "md5Checksum": digest, "dataFileS3Key": name}
            lines.append(json.dumps({**entry, "etag": "x-1"}))
        folder = "old/AWSDynamoDB/1"
        self.objects[f"{folder}/manifest-files.json"] = "\n".join([*lines, ""]).encode()
        summary = {
            "version": "2023-08-01",
            "manifestFilesS3Key": f"{folder}/manifest-files.json",
            "itemCount": sum(map(len, files)),
        }
        self.objects[f"{folder}/manifest-summary.json"] = json.dumps(summary).encode()


@pytest.fixture
def exports() -> Exports:
    """A table whose changes are exported."""
    return Exports()


def opened(exports: Exports, position: Any = None, table_id: str = "id-1") -> ExportFeed:
    """A feed that is open."""
    feed = ExportFeed(cast("Aws", exports), "old", "exports", "old/", look_seconds=0.0)
    exports.expect_window()
    exports.expect_table(table_id)
    feed.open(position, NOW)
    return feed


def asked(exports: Exports, feed: ExportFeed, token: Any) -> Any:
    """The feed has asked for its first export; the position."""
    exports.expect_window()
    exports.expect_table()
    exports.expect_ask(NOW - 300, NOW + 1800, token)
    return feed.poll(NOW + 2000).position


@pytest.fixture
def token() -> Any:
    """Any token; `seen` are those that were compared with it."""

    class Token:
        seen: list[str] = []  # noqa: RUF012 - one a test

        def __eq__(self, other: object) -> bool:
            self.seen.append(str(other))
            return isinstance(other, str) and len(other) == 36

        def __hash__(self) -> int:
            return 0

    Token.seen = []
    return Token()


def test_changes_and_deletes_come_file_by_file_and_the_round_is_whole_at_the_end(
    exports: Exports, token: Any
) -> None:
    """It is as of the end of the export, and begins five minutes before the feed was opened."""
    feed = opened(exports)
    asked(exports, feed, token)
    exports.expect_status("IN_PROGRESS")
    assert not feed.poll(NOW + 2001).whole
    exports.write([line("a"), line("b", deleted=True)], [], [line("c")])
    rounds = []
    for _ in range(3):
        exports.expect_end()
        exports.expect_table()
        rounds.append(feed.poll(NOW + 2002))
    assert [one.keys for one in rounds] == [{key("a"), key("b")}, set(), {key("c")}]
    assert [one.whole for one in rounds] == [False, False, True]
    assert rounds[-1].as_of == NOW + 1800
    assert rounds[0].newest == pytest.approx(NOW + 60)
    exports.expect_window(latest=NOW + 1900)
    assert not feed.poll(NOW + 2003).whole, "less than 15 minutes are not exported"
    exports.stub.assert_no_pending_responses()


def test_a_run_that_is_killed_asks_for_the_same_export_and_reads_no_file_twice(
    exports: Exports, token: Any
) -> None:
    """By the token where the answer was lost, and by the position after it."""
    asked(exports, opened(exports), token)
    position = asked(exports, opened(exports), token)
    first, second = token.seen[0], token.seen[-1]
    assert first == second
    exports.write([line("a")], [line("b")])
    feed = opened(exports, position)
    exports.expect_end()
    exports.expect_table()
    position = feed.poll(NOW + 2001).position
    again = opened(exports, position)
    exports.expect_end()
    exports.expect_table()
    done = again.poll(NOW + 2002)
    assert (done.keys, done.whole) == ({key("b")}, True)


def test_an_export_that_failed_is_asked_for_anew(exports: Exports, token: Any) -> None:
    """By another token, because that one stands for the failed one."""
    feed = opened(exports)
    asked(exports, feed, token)
    exports.expect_status("FAILED", FailureCode="S3NoSuchBucket")
    with pytest.raises(LookupFailedError, match="S3NoSuchBucket"):
        feed.poll(NOW + 2001)
    asked(exports, feed, token)
    assert token.seen[0] != token.seen[-1]


def forget_summary(exports: Exports) -> None:
    """The summary is gone."""
    del exports.objects["old/AWSDynamoDB/1/manifest-summary.json"]


def forget_file(exports: Exports) -> None:
    """A data file is gone."""
    del exports.objects["old/AWSDynamoDB/data/0.json.gz"]


def forget_export(_exports: Exports) -> None:
    """Its files are there, and the service does not know it."""


@pytest.mark.parametrize("forget", [forget_summary, forget_file, forget_export])
def test_an_export_that_cannot_be_read_any_more_is_asked_for_anew(
    exports: Exports, token: Any, forget: Callable[[Exports], None]
) -> None:
    """A lifecycle rule of its bucket has deleted it: no later run could go on otherwise."""
    feed = opened(exports)
    asked(exports, feed, token)
    exports.write([line("a")])
    forget(exports)
    for look in range(UNREADABLE_LOOKS):
        if forget is forget_export:
            exports.stub.add_client_error("describe_export", "ExportNotFoundException")
        else:
            exports.expect_end()
        with pytest.raises(LookupFailedError) as ended:
            feed.poll(NOW + 2001 + look)
        is_last = look == UNREADABLE_LOOKS - 1
        assert ("another export is asked for" in str(ended.value)) is is_last
    asked(exports, feed, token)
    assert token.seen[0] != token.seen[-1]
    exports.write([line("a")])
    exports.expect_end()
    exports.expect_table()
    done = feed.poll(NOW + 2100)
    assert (done.keys, done.whole) == ({key("a")}, True)


def test_a_list_of_files_that_lacks_one_is_not_believed(exports: Exports, token: Any) -> None:
    """Its changes would be missed, and the round called whole."""
    feed = opened(exports)
    asked(exports, feed, token)
    exports.write([line("a")], [line("b")])
    listing = "old/AWSDynamoDB/1/manifest-files.json"
    whole = exports.objects[listing]
    exports.objects[listing] = whole.splitlines()[0]
    exports.expect_end()
    with pytest.raises(LookupFailedError, match="not as the export's manifest says"):
        feed.poll(NOW + 2001)
    exports.objects[listing] = whole
    for _ in range(2):
        exports.expect_end()
        exports.expect_table()
    assert [feed.poll(NOW + 2002 + at).keys for at in range(2)] == [{key("a")}, {key("b")}]


@pytest.mark.parametrize("damage", ["bytes", "lines"])
def test_a_file_that_is_not_as_its_manifest_says_is_not_believed(
    exports: Exports, token: Any, damage: str
) -> None:
    """A torn one, or one with fewer lines; the next round reads it again."""
    feed = opened(exports)
    asked(exports, feed, token)
    exports.write([line("a"), line("b")])
    name = "old/AWSDynamoDB/data/0.json.gz"
    good = exports.objects[name]
    if damage == "bytes":
        exports.objects[name] = good[:-4]
    else:
        manifest = "old/AWSDynamoDB/1/manifest-files.json"
        exports.objects[manifest] = exports.objects[manifest].replace(
            b'"itemCount": 2', b'"itemCount": 3'
        )
        summary = "old/AWSDynamoDB/1/manifest-summary.json"
        exports.objects[summary] = exports.objects[summary].replace(b": 2}", b": 3}")
    exports.expect_end()
    with pytest.raises(LookupFailedError, match="not as the export's manifest says"):
        feed.poll(NOW + 2001)
    exports.write([line("a"), line("b")])
    exports.expect_end()
    exports.expect_table()
    assert feed.poll(NOW + 2002).keys == {key("a"), key("b")}


def test_what_lies_before_the_time_of_recovery_is_a_gap(exports: Exports, token: Any) -> None:
    """It cannot be exported any more, or point-in-time recovery was switched off and on."""
    feed = opened(exports)
    earliest = NOW + 600
    exports.expect_window(earliest=earliest, latest=NOW + 3600)
    exports.expect_table()
    exports.expect_ask(earliest, NOW + 3600, token)
    (gap,) = feed.poll(NOW + 4000).gaps
    assert (gap.cause, gap.since) == (GapCause.AWAY_TOO_LONG, NOW - 300)


@pytest.mark.parametrize("other", [{"stream": "arn", "whole_at": 1.0, "shards": {}}, "table"])
def test_the_position_of_another_feed_or_table_is_a_gap(exports: Exports, other: Any) -> None:
    """What came between the two is not known."""
    if other == "table":
        other = {"table_id": "id-1", "until": NOW}
    feed = opened(exports, other, table_id="id-2")
    exports.expect_window(latest=NOW)
    (gap,) = feed.poll(NOW + 1).gaps
    assert gap.cause is GapCause.OTHER_STREAM


def test_without_point_in_time_recovery_there_is_no_feed(exports: Exports) -> None:
    """And one that is switched off ends it, with what to do."""
    feed = ExportFeed(cast("Aws", exports), "old", "exports", "old")
    exports.expect_window(status="DISABLED")
    with pytest.raises(NotFoundError, match="without --export-to"):
        feed.open(None, NOW)
    feed = opened(exports)
    exports.expect_window(status="DISABLED")
    with pytest.raises(IncompleteError, match="switch it on"):
        feed.poll(NOW + 1)


def test_an_export_that_goes_on_is_not_looked_at_all_the_time(exports: Exports) -> None:
    """A follow polls every second, and an export takes minutes."""
    feed = ExportFeed(cast("Aws", exports), "old", "exports", "old", look_seconds=15.0)
    exports.expect_window()
    exports.expect_table()
    feed.open(None, NOW)
    exports.expect_window(latest=NOW)
    for second in range(15):
        assert not feed.poll(NOW + second).whole
    exports.stub.assert_no_pending_responses()
    exports.expect_window(latest=NOW)
    feed.poll(NOW + 15)
    exports.stub.assert_no_pending_responses()
