"""`dataware deploy`: plan, apply, then `cdk deploy` with adoption."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    copy_options,
    credentials_option,
    deploy_options,
    full_option,
    guard_options,
    outside_options,
    parallel_option,
    pattern_option,
    prices_option,
    restore_option,
    yes_option,
)
from dataware.cli.settings import AppOptions, AwsOptions, CopyOptions, GuardOptions, pick
from dataware.cli.source_profile import source_profile_option


@click.command(cls=SectionedCommand, short_help="Plan, apply, then run cdk deploy and import.")
@yes_option
@full_option
@deploy_options
@pattern_option
@guard_options
@click.option(
    "--allow-unseen",
    is_flag=True,
    help="Also deploy stacks that the guard cannot read.",
)
@restore_option
@credentials_option
@source_profile_option
@prices_option
@copy_options
@parallel_option
@outside_options
@click.argument("arguments", nargs=-1, metavar="[-- CDK ARGS]")
def deploy(**arguments: Any) -> int:
    """Move the data, then deploy the CDK app of this folder and import the resources.

    Plans, shows, asks, creates, copies and verifies; then runs `cdk deploy` with
    --import-existing-resources and writes dataware.lock.json. What follows `--` goes to CDK.

    \b
    Examples:
      dataware deploy
      dataware deploy --yes --stack Spaceport-prod -- --require-approval never
      dataware deploy --fallback '{base}-prod={base}' -- --all
    """
    from dataware.cli.deployment.deploy import run_deploy

    return run_deploy(
        pick(AwsOptions, arguments),
        pick(AppOptions, {**arguments, "app": None}),
        pick(CopyOptions, arguments),
        pick(GuardOptions, arguments),
        prices=arguments["prices"],
        yes=arguments["yes"],
        allow_unseen=arguments["allow_unseen"],
        arguments=arguments["arguments"],
        restores=arguments["restore_secrets"],
    )
