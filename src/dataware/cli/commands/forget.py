"""`dataware forget`: delete the record of a migration."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.help import SectionedCommand
from dataware.cli.options import outside_options
from dataware.cli.settings import AwsOptions, pick
from dataware.core.errors import DatawareError, InputError, NotRecordedError

if TYPE_CHECKING:
    from dataware.ops.context import Context


@click.command(cls=SectionedCommand, short_help="Delete the record of a migration.")
@click.argument("name", shell_complete=complete_migration)
@click.option("--yes", is_flag=True, help="Do not ask before the record is deleted.")
@outside_options
def forget(**arguments: Any) -> int:
    """Delete the record of the migration into NAME, a target's name or address.

    Shows the record and what follows without it, asks, keeps a copy in the folder for state, and
    deletes the record. No data is touched. A running migration is refused. What the migration
    started in AWS is ended and removed: a stream that --enable-stream switched on, a job of S3
    Batch Operations, the workers of the engine map.

    \b
    Examples:
      dataware forget Spaceport-Waitlist-prod
      dataware forget s3://spaceport-uploads-prod --yes --region us-east-1
    """
    return run_forget(pick(AwsOptions, arguments), arguments["name"], yes=arguments["yes"])


def run_forget(out: AwsOptions, name: str, *, yes: bool) -> int:
    """Show, ask, keep a copy, delete. Raises RefusedError if the answer is no."""
    from dataware.cli.context import outside
    from dataware.cli.question import confirm
    from dataware.ops.follow.source_feed import switch_feeds_off
    from dataware.ops.forget import find_record, give_up_work, report_forgotten, report_record
    from dataware.ops.forget import forget as forget_record
    from dataware.state import ParameterMarkers
    from dataware.state.forgotten import was_forgotten

    with outside(out) as context:
        try:
            record = find_record(context, name)
        except NotRecordedError as error:
            place = context.aws.account, context.aws.region
            kept = was_forgotten(name.rpartition("://")[2], *place)
            report_forgotten(context, name, error, kept=kept)
            return 0
        report_record(context, record)
        if not yes:
            if not sys.stdin.isatty():
                raise InputError("this is not a terminal: pass --yes to continue")
            confirm(f"Delete the record of {record.status.subject}?")

        # Without the record it is not known any more what belongs to the migration.
        give_up_work(context, record)
        if record.status.source is not None:
            status = record.status
            sides = str(status.source), status.target
            switch_feeds_off(context, status.kind, sides, record.marker)
        markers = ParameterMarkers(context.aws, context.clock)
        forget_record(context, markers, record, partial(_keep_copy, context))
    return 0


def _keep_copy(context: Context, parameter: Mapping[str, Any]) -> None:
    """Keep a copy of a record on this machine. Raises DatawareError where that cannot be done."""
    from dataware.core.events import event
    from dataware.state.forgotten import forgotten_folder, keep_record

    aws = context.aws
    try:
        path = keep_record(parameter, aws.account, aws.region, context.clock.now())
    except OSError as error:
        # A full disk is found by a write, which knows no name.
        where = error.filename or forgotten_folder()
        raise DatawareError(
            f"cannot keep a copy of the record ({where}: {error.strerror}), so it was not "
            "deleted; name another folder in DATAWARE_STATE"
        ) from error
    context.emit(event("saved", what="a copy of the record", path=str(path)))
