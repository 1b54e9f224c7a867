"""`dataware cutover`: switch from the source of a followed migration to its target."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.file_path import FilePath
from dataware.cli.help import SectionedCommand
from dataware.cli.options import Decorator, join_options, max_rate_option, outside_options
from dataware.cli.settings import AwsOptions, CutoverOptions, pick
from dataware.core.errors import InputError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """A number of seconds, or of what a letter says: 90, 90s, 5m, 1h."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value))
        if match is None:
            self.fail(f"{value!r} is not a duration; write 90s, 5m or 1h", param, ctx)
        return float(match[1]) * UNITS[match[2]]


class PointInTime(click.ParamType[float]):
    """A time as ISO 8601 has it; of UTC where it names no zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The seconds since the epoch."""
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time; write 2026-11-29T22:00:00Z", param, ctx)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def freeze_options(side: str) -> Decorator[Any]:
    """The options by which the writers of a side are stopped, and for how long at most."""
    return join_options(
        click.option(
            "--freeze", metavar="COMMAND", help=f"Command that stops all writers of {side}."
        ),
        click.option(
            "--thaw",
            metavar="COMMAND",
            help="Command that restarts them if it is given up.",
        ),
        click.option(
            "--frozen",
            is_flag=True,
            help=f"The writers of {side} are stopped already; run no command for that.",
        ),
        click.option(
            "--freeze-limit",
            type=Duration(),
            default="5m",
            show_default=True,
            help=f"Give up and thaw after {side} was frozen for this long.",
        ),
    )


@click.command(cls=SectionedCommand, short_help="Switch from a followed source to its target.")
@click.argument("name", shell_complete=complete_migration)
@freeze_options("the source")
@click.option(
    "--postpone",
    metavar="FILE",
    type=FilePath(path_type=Path),
    help="Wait, following, while this file exists.",
)
@click.option("--at", type=PointInTime(), metavar="TIME", help="Wait, following, until this time.")
@click.option(
    "--await-approval",
    is_flag=True,
    help="Keep following until somebody approves with the token that is shown (--approve).",
)
@click.option(
    "--approve",
    metavar="TOKEN",
    help="Approve the cut-over to NAME that waits for this token, and do nothing else.",
)
@click.option(
    "--watch",
    type=Duration(),
    default="1m",
    show_default=True,
    help="Report writes to the source for this long after the switch.",
)
@click.option(
    "--enable-stream",
    is_flag=True,
    help="Switch on a stream of the target if it has none, so that `undo` can read its changes.",
)
@click.option(
    "--source", metavar="ADDRESS", help="The source, where it is in another account or region."
)
@max_rate_option("Carry at most N items per second.")
@outside_options
def cutover(**arguments: Any) -> int:
    """Switch from the source to NAME, the target of a followed migration.

    If a follow runs, on any machine, it does the work, and the commands run here. Otherwise this
    command follows. It compares both sides, and waits until nothing postpones it. Then --freeze
    stops the writers, the last changes are carried, and what changed is compared once more. Only
    if both sides are equal is the migration complete: point the writers to NAME. If anything fails
    before that, --thaw restarts the writers of the source; run the same command to try again.

    \b
    Examples:
      dataware cutover Orders-prod --freeze ./stop-app.sh --thaw ./start-app.sh
      dataware cutover Orders-prod --frozen --freeze-limit 15m
      dataware cutover Orders --freeze ./stop --thaw ./go --at 2026-11-29T22:00Z
      dataware cutover Orders-prod --frozen --await-approval
      dataware cutover Orders-prod --approve 3f2c9b1d7a604e58
    """
    return run_cutover(
        pick(AwsOptions, arguments), arguments["name"], pick(CutoverOptions, arguments)
    )


def run_cutover(out: AwsOptions, name: str, options: CutoverOptions) -> int:
    """Find the migration, and cut it over."""
    from dataware.cli.context import go_on_after_stop, outside
    from dataware.cli.pair import places_on_record
    from dataware.cli.process.freeze_hooks import FileGate, ShellHooks
    from dataware.ops.context import CopySettings
    from dataware.ops.follow.cut_over import cut_over, find_followed
    from dataware.ops.follow.cutover_run import CutoverSettings
    from dataware.ops.follow.reached_goal import report_switched
    from dataware.ops.follow.request_cutover import ask_follow

    if options.approve is not None:
        return run_approve(out, name, options)
    check_hooks(options.freeze, options.thaw, options.freeze_limit, frozen=options.frozen)
    with outside(out, copies=True) as stopping:
        context = go_on_after_stop(stopping, out)
        if report_switched(context, name):
            return 0
        followed = find_followed(context, name)
        hooks = ShellHooks(options.freeze, options.thaw, options.freeze_limit)
        cutover = CutoverSettings(
            hooks,
            FileGate(options.postpone, options.at),
            options.freeze_limit,
            options.watch,
            by_hand=options.frozen,
            enable_undo=options.enable_stream,
            await_approval=options.await_approval,
        )
        if followed.is_alive and ask_follow(context, followed, cutover):
            return 0
        places = places_on_record(
            context, followed.kind, followed.source, followed.target, options.source
        )
        settings = CopySettings(follow=True, max_rate=options.max_rate)
        cut_over(context, followed.type_name, places, settings, cutover)
    return 0


def run_approve(out: AwsOptions, name: str, options: CutoverOptions) -> int:
    """Say yes to a cut-over that waits on some machine. Raises UsageError for other options."""
    from dataware.cli.context import outside
    from dataware.ops.follow.approve import approve
    from dataware.state import ParameterMarkers
    from dataware.state.holder import this_process

    if options.freeze or options.thaw or options.frozen or options.await_approval:
        raise click.UsageError(
            "--approve only approves a cut-over that waits elsewhere; leave out --freeze, --thaw, "
            "--frozen and --await-approval"
        )
    with outside(out) as context:
        markers = ParameterMarkers(context.aws, context.clock)
        approve(context, markers, name, str(options.approve), this_process().host)
    return 0


def check_hooks(freeze: str | None, thaw: str | None, limit: float, *, frozen: bool) -> None:
    """Raise InputError unless it is said how the writers are stopped, and how they go on."""
    from dataware.core.follow.cutover_loop import LEAST_SETTLE_SECONDS

    if frozen and (freeze or thaw):
        raise InputError(
            "--frozen says that the writers are stopped; leave out --freeze and --thaw"
        )
    if not frozen and not (freeze and thaw):
        raise InputError(
            "say how the writers are stopped and restarted (--freeze, --thaw), or stop them by "
            "hand and pass --frozen"
        )
    if limit <= LEAST_SETTLE_SECONDS:
        raise InputError(
            f"--freeze-limit is too short: the changes are read for {LEAST_SETTLE_SECONDS:.0f} s "
            "at least after the writers stopped; write 1m or more"
        )
