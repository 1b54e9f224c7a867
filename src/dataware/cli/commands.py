"""The commands, their options and their help; the work itself is in `jobs`, imported on demand."""

from __future__ import annotations

from typing import Any

import click

from dataware import __version__
from dataware.cli.options import (
    AppOptions,
    CopyOptions,
    GuardOptions,
    Outside,
    PairOptions,
    Saving,
    app_options,
    copy_options,
    deep_option,
    deploy_options,
    guard_options,
    outside_options,
    pair_options,
    pick,
    plain_options,
    saving_options,
    versions_option,
)

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=SETTINGS)
@click.version_option(__version__, message="dataware %(version)s")
def dataware() -> None:
    """Looks at the data first, then keeps, imports, creates or migrates.

    \b
    Exit codes: 0 done, 1 error, 2 difference, 3 stopped or refused,
    4 incomplete (the same command continues it).
    """


@dataware.command(short_help="Look and decide; changes nothing.")
@app_options
@guard_options
@saving_options
@outside_options
def plan(**given: Any) -> int:
    """Look and decide; changes nothing.

    APP is a cloud assembly folder (cdk.out), a CloudFormation template, or a dataware.toml.
    Without it the app that cdk.json names is run, or else ./dataware.toml is read.

    \b
    dataware plan
    dataware plan cdk.out --stack Spaceport-prod --out plan.json
    dataware plan dataware.toml --profile prod --detailed-exitcode
    """
    from dataware.cli.jobs import run_plan  # noqa: PLC0415 - keeps --help quick

    return run_plan(
        pick(Outside, given),
        pick(AppOptions, given),
        pick(Saving, given),
        pick(GuardOptions, given),
    )


@dataware.command(short_help="Create, copy and verify; safe to repeat.")
@app_options
@copy_options
@outside_options
def apply(**given: Any) -> int:
    """Create, copy and verify; safe to repeat, and continues where it was interrupted.

    APP is a plan that `dataware plan --out` saved, or anything that `dataware plan` takes. A
    saved plan is looked at again first, and refused if what it rests on has changed.

    \b
    dataware apply plan.json
    dataware apply cdk.out --max-share 50%
    dataware apply dataware.toml --on-conflict target
    """
    from dataware.cli.jobs import run_apply  # noqa: PLC0415 - keeps --help quick

    return run_apply(pick(Outside, given), pick(AppOptions, given), pick(CopyOptions, given))


@dataware.command(short_help="Plan, apply, then cdk deploy with adoption.")
@click.option("--yes", is_flag=True, help="Do not ask before something is changed.")
@deploy_options
@guard_options
@copy_options
@outside_options
@click.argument("arguments", nargs=-1, metavar="[-- CDK ARGS]")
def deploy(**given: Any) -> int:
    """Bring the data in place, then deploy the CDK app of this folder so that it adopts it.

    Plans, shows, asks, creates, copies and verifies; then runs `cdk deploy` with
    --import-existing-resources and writes dataware.lock.json. What follows `--` goes to CDK.

    \b
    dataware deploy
    dataware deploy --yes --stack Spaceport-prod -- --require-approval never
    """
    from dataware.cli.deploy import run_deploy  # noqa: PLC0415 - keeps --help quick

    return run_deploy(
        pick(Outside, given),
        pick(AppOptions, {**given, "app": None}),
        pick(CopyOptions, given),
        pick(GuardOptions, given),
        yes=given["yes"],
        arguments=given["arguments"],
    )


@dataware.command(short_help="Show running and finished migrations.")
@outside_options
def status(**given: Any) -> int:
    """Show every migration on record: running, interrupted or complete, and how far it is.

    \b
    dataware status --profile prod
    """
    from dataware.cli.jobs import run_status  # noqa: PLC0415 - keeps --help quick

    return run_status(pick(Outside, given))


@dataware.command("iam-policy", short_help="Print the least IAM policy.")
@app_options
@versions_option
@outside_options
def iam_policy(**given: Any) -> int:
    """Print the least IAM policy that planning and applying APP needs.

    APP is a saved plan, or anything that `dataware plan` takes.

    \b
    dataware iam-policy plan.json > policy.json
    """
    from dataware.cli.jobs import run_policy  # noqa: PLC0415 - keeps --help quick

    return run_policy(pick(Outside, given), pick(AppOptions, given), versions=given["versions"])


@dataware.command(short_help="Copy one place into another.")
@pair_options
@copy_options
@outside_options
def migrate(**given: Any) -> int:
    """Copy SOURCE into TARGET, both of which exist, and verify the copy.

    SOURCE is only read. What TARGET holds of its own is never replaced, unless --on-conflict
    says so. Killed at any moment, the same command continues.

    \b
    dataware migrate dynamodb://Waitlist dynamodb://Waitlist-prod
    dataware migrate s3://uploads/2024/ s3://uploads-prod/2024/ --versions all
    dataware migrate arn:aws:dynamodb:eu-west-1:111122223333:table/Orders dynamodb://Orders
    """
    from dataware.cli.jobs import run_migrate  # noqa: PLC0415 - keeps --help quick

    return run_migrate(pick(Outside, given), pick(PairOptions, given), pick(CopyOptions, given))


@dataware.command(short_help="Compare two places.")
@pair_options
@versions_option
@deep_option
@outside_options
def verify(**given: Any) -> int:
    """Compare SOURCE and TARGET, independently of any copy; exit 2 if they differ.

    \b
    dataware verify dynamodb://Waitlist dynamodb://Waitlist-prod
    dataware verify s3://uploads s3://uploads-prod --versions all --deep
    """
    from dataware.cli.jobs import run_verify  # noqa: PLC0415 - keeps --help quick

    versions, deep = given["versions"], given["deep"]
    return run_verify(pick(Outside, given), pick(PairOptions, given), versions=versions, deep=deep)


@dataware.command(short_help="The whole job on an embedded AWS, no account needed.")
@click.option(
    "--items",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Items of the large table.",
)
@click.option(
    "--objects",
    type=click.IntRange(1),
    default=5_000,
    show_default=True,
    help="Objects of the bucket.",
)
@click.option("--serve", is_flag=True, help="Only run the embedded AWS, for a shell beside it.")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of --serve; any free one if not given."
)
@plain_options
def demo(**given: Any) -> int:
    """Show the whole job on an AWS that is embedded in this machine; no account needed.

    The first run installs the emulator into a cache folder. The demo imports, migrates and
    creates, kills a running copy and resumes it, and ends with what to type for a real account.

    With --serve it shows nothing: it runs the embedded AWS until Ctrl-C, and prints the lines that
    point a shell at it.

    \b
    dataware demo
    dataware demo --items 5000 --objects 200
    dataware demo --serve > aws.sh
    """
    if given["serve"]:
        from dataware.cli.demo.serve import serve  # noqa: PLC0415 - keeps --help quick

        return serve(given["port"], plain=given["plain"])
    if given["port"] is not None:
        raise click.UsageError(
            "--port says where --serve listens: give both", click.get_current_context()
        )
    from dataware.cli.demo import Sizes, run_demo  # noqa: PLC0415 - keeps --help quick

    return run_demo(Sizes(given["items"], given["objects"]), plain=given["plain"])
