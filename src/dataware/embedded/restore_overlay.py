"""Point in time recovery of the emulator as AWS has it; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
and `refuses_while_made` of `overlay`. Every section names the difference from AWS that it removes.
Sources: Amazon DynamoDB API Reference, RestoreTableToPointInTime, DescribeContinuousBackups and
TableDescription; Developer Guide, "Point-in-time backups for DynamoDB". Setting, in a variable:

    STREAMS_RESTORE_SECONDS    how long a restore takes (AWS: minutes to hours); 0

A restore brings back the items as they are when it is asked for, whatever time is named. The source
may be in another region (Developer Guide, "Before you begin using point-in-time recovery").
"""

import os
import time

from ministack.core.responses import error_response_json as refuse
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import dynamodb

replaces = globals()["replaces"]

SECONDS = float(os.environ.get("STREAMS_RESTORE_SECONDS", "0"))
RESTORE, UNTIL, SINCE = "_restore", "_restored_until", "_recoverable_since"


# --- DynamoDB: a table can be restored to the times since its recovery was switched on


@replaces(dynamodb, "_update_continuous_backups")
def update_continuous_backups(original, data):
    """Remember since when a table can be restored."""
    name = dynamodb._normalize_table_name(data.get("TableName"))
    was_on = dynamodb._pitr_settings.get(name, False)
    answer = original(data)
    if answer[0] == 200 and dynamodb._pitr_settings.get(name, False) and not was_on:
        dynamodb._tables[name][SINCE] = int(time.time())
    return answer


def _window(name):
    """The earliest and the latest time to which a table can be restored."""
    table = dynamodb._tables[name]
    return int(table.get(SINCE) or table["CreationDateTime"]), int(time.time())


# --- DynamoDB: without recovery, and to other times, nothing is restored; a restore takes time


@replaces(dynamodb, "_restore_table_to_point_in_time")
def restore_table_to_point_in_time(original, data):
    """Refuse what AWS refuses, and say of the new table where it comes from."""
    region, source = _locate_source(data)
    target = data.get("TargetTableName")
    with request_scope(get_account_id(), region):
        table = dynamodb._tables.get(source)
        is_on = dynamodb._pitr_settings.get(source, False)
        earliest, latest = _window(source) if table else (0, 0)
    if table is None or not target or target in dynamodb._tables:
        return original(data)
    if not is_on:
        return refuse(
            "PointInTimeRecoveryUnavailableException",
            f"Point in time recovery is not enabled for table '{source}'",
            400,
        )
    at = data.get("RestoreDateTime")
    when = latest if data.get("UseLatestRestorableTime") or at is None else int(at)
    if not earliest <= when <= latest:
        return refuse(
            "InvalidRestoreTimeException",
            f"The restore time must be between {earliest} and {latest}",
            400,
        )
    answer = _restore_copy(original, data, table)
    if answer[0] != 200:
        return answer
    made = dynamodb._tables[target]
    made[RESTORE] = {"SourceTableArn": table["TableArn"], "RestoreDateTime": when}
    made[UNTIL] = time.time() + SECONDS
    return dynamodb.json_response({"TableDescription": dynamodb._table_description(target)})


def _locate_source(data):
    """The region and the name of the source, which may be named by its ARN."""
    given = data.get("SourceTableName") or data.get("SourceTableArn") or ""
    spec = dynamodb._dynamodb_arn_spec(given) if given.startswith("arn:") else None
    if spec is None or spec.account_id != get_account_id():
        return get_region(), given
    return spec.region, spec.resource.removeprefix("table/")


def _restore_copy(original, data, table):
    """Restore a table, which has a name of this region only while that is asked for."""
    lent = f"{table['TableArn']} lent"
    dynamodb._tables[lent] = table
    try:
        return original({**data, "SourceTableName": lent})
    finally:
        del dynamodb._tables[lent]


def _is_restoring(name):
    table = dynamodb._tables.get(name) if name else None
    return bool(table) and time.time() < table.get(UNTIL, 0)


@replaces(dynamodb, "_table_description")
def table_description(original, name):
    """Tell of a restored table what it was restored from, and whether it still is."""
    described = original(name)
    table = dynamodb._tables[name]
    if RESTORE in table:
        busy = _is_restoring(name)
        described["RestoreSummary"] = {**table[RESTORE], "RestoreInProgress": busy}
        if busy:
            described["TableStatus"] = "CREATING"
    return described


# --- DynamoDB: a table that is being created can neither be read nor changed

globals()["refuses_while_made"](_is_restoring)
