"""`dataware doctor`: check everything that a run needs; the checks are in `cli/doctor`."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import app_argument, outside_options, stack_options, versions_option
from dataware.cli.settings import AppOptions, AwsOptions, pick
from dataware.cli.source_profile import source_profile_option


@click.command(cls=SectionedCommand, short_help="Check setup and permissions.")
@app_argument
@stack_options
@versions_option
@source_profile_option
@outside_options
def doctor(**arguments: Any) -> int:
    """Check this machine, the account and the permissions that APP needs; changes nothing.

    APP is a saved plan, or anything that `dataware plan` takes. Each check is one line that says
    what to do. Exit 1 if something will fail. With --source-profile, or a plan that was made with
    it, the credentials and the permissions of that profile are checked, too.

    \b
    Examples:
      dataware doctor
      dataware doctor plan.json --profile prod
      dataware doctor dataware.toml --source-profile legacy
    """
    from dataware.cli.doctor import run_doctor

    undecided = dict.fromkeys(("strict", "on_error", "on_fallback_data", "import_mode"))
    app = pick(AppOptions, {**arguments, **undecided})
    return run_doctor(pick(AwsOptions, arguments), app, all_versions=arguments["versions"] == "all")
