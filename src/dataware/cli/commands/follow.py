"""`dataware follow`: go on with followed migrations, as a service does."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.help import SectionedCommand
from dataware.cli.options import deep_option, max_rate_option, outside_options
from dataware.cli.settings import AwsOptions, pick


@click.command(cls=SectionedCommand, short_help="Keep following, as a service.")
@click.argument(
    "names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_migration
)
@max_rate_option("Limit each of them to N items or objects per second.")
@deep_option
@outside_options
def follow(**arguments: Any) -> int:
    """Go on following into each NAME, the target of a migration that was begun with --follow.

    Meant for a container or an instance: SIGTERM stops it after the requests in flight. Started
    again, it resumes, even without its disk. Ends with 0 once each NAME is cut over. --format json
    logs one JSON object per line.

    \b
    Examples:
      dataware follow Orders-prod Visits-prod --format json
      dataware follow s3://uploads-prod --max-rate 200
    """
    return run_follow(
        pick(AwsOptions, arguments),
        arguments["names"],
        arguments["max_rate"],
        deep=arguments["deep"],
    )


def run_follow(
    out: AwsOptions, names: tuple[str, ...], max_rate: float | None, *, deep: bool
) -> int:
    """Find what is on record, and follow it."""
    from dataware.cli.context import outside
    from dataware.cli.pair import places_on_record
    from dataware.core.names import is_arn
    from dataware.ops.context import CopySettings
    from dataware.ops.follow.follow_names import find_recorded, follow_recorded
    from dataware.ops.verify import with_real_region

    settings = CopySettings(follow=True, max_rate=max_rate, deep=deep)
    with outside(out, copies=True) as context:
        followed = []
        for name in dict.fromkeys(names):
            recorded = find_recorded(context, name)
            address = recorded.source if is_arn(recorded.source) else None
            source, target = places_on_record(
                context, recorded.kind, recorded.source, recorded.target, address
            )
            followed.append((recorded, (source, with_real_region(context, recorded.kind, target))))
        follow_recorded(context, followed, settings)
    return 0
