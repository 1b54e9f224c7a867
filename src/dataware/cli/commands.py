"""The commands, their options and their help; the work itself is in `jobs`, imported on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dataware import __version__
from dataware.cli.completion import SHELLS, complete_topic, script
from dataware.cli.file_path import FilePath
from dataware.cli.help import CommandGroup, WordChoice
from dataware.cli.options import (
    AppOptions,
    AwsOptions,
    CopyOptions,
    GuardOptions,
    PairOptions,
    PlanOptions,
    app_argument,
    app_options,
    copy_options,
    deep_option,
    deploy_options,
    format_option,
    guard_options,
    outside_options,
    pair_options,
    pick,
    plain_options,
    plan_outside_options,
    prices_option,
    saving_options,
    stack_options,
    versions_option,
)

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=CommandGroup, context_settings=SETTINGS, invoke_without_command=True)
@click.version_option(__version__, "-V", "--version", message="dataware %(version)s")
@click.pass_context
def dataware(context: click.Context, /) -> None:
    """Looks at the data first, then keeps, imports, creates or migrates.

    \b
    Exit codes: 0 done, 1 error, 2 difference, 3 stopped or refused,
    4 incomplete (the same command continues it).
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@dataware.command("help", short_help="Show the help of a command.")
@click.argument("command", required=False)
@plain_options
@click.pass_context
def show_help(context: click.Context, /, **given: Any) -> int:
    """Show the help of COMMAND, or of dataware itself.

    \b
    Examples:
      dataware help
      dataware help plan
    """
    root, name = context.find_root(), given["command"]
    if name is None:
        click.echo(root.get_help())
        return 0
    _, command, _ = dataware.resolve_command(root, [name])
    if command is not None:
        with click.Context(command, info_name=name, parent=root) as shown:
            click.echo(command.get_help(shown))
    return 0


@dataware.command(short_help="Look and decide; changes nothing.")
@app_options
@guard_options
@saving_options
@prices_option
@plan_outside_options
def plan(**given: Any) -> int:
    """Look and decide; changes nothing.

    APP is a cloud assembly folder (cdk.out), a CloudFormation template, or a dataware.toml.
    Without it the app that cdk.json names is run, or else ./dataware.toml is read.

    \b
    Examples:
      dataware plan
      dataware plan cdk.out --stack Spaceport-prod --out plan.json
      dataware plan dataware.toml --profile prod --detailed-exitcode
      dataware plan --format markdown > plan.md
      dataware plan --format html > plan.html
    """
    from dataware.cli.jobs import run_plan  # noqa: PLC0415 - keeps --help quick

    return run_plan(
        pick(AwsOptions, given),
        pick(AppOptions, given),
        pick(PlanOptions, given),
        pick(GuardOptions, given),
        prices=given["prices"],
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
    Examples:
      dataware apply plan.json
      dataware apply cdk.out --max-share 50%
      dataware apply dataware.toml --on-conflict target
    """
    from dataware.cli.jobs import run_apply  # noqa: PLC0415 - keeps --help quick

    return run_apply(pick(AwsOptions, given), pick(AppOptions, given), pick(CopyOptions, given))


@dataware.command(short_help="Plan, apply, then cdk deploy with adoption.")
@click.option("--yes", is_flag=True, help="Do not ask before something is changed.")
@deploy_options
@guard_options
@click.option(
    "--allow-unseen",
    is_flag=True,
    help="Deploy stacks, too, that the guard cannot look into.",
)
@prices_option
@copy_options
@outside_options
@click.argument("arguments", nargs=-1, metavar="[-- CDK ARGS]")
def deploy(**given: Any) -> int:
    """Bring the data in place, then deploy the CDK app of this folder so that it adopts it.

    Plans, shows, asks, creates, copies and verifies; then runs `cdk deploy` with
    --import-existing-resources and writes dataware.lock.json. What follows `--` goes to CDK.

    \b
    Examples:
      dataware deploy
      dataware deploy --yes --stack Spaceport-prod -- --require-approval never
    """
    from dataware.cli.deploy import run_deploy  # noqa: PLC0415 - keeps --help quick

    return run_deploy(
        pick(AwsOptions, given),
        pick(AppOptions, {**given, "app": None}),
        pick(CopyOptions, given),
        pick(GuardOptions, given),
        prices=given["prices"],
        yes=given["yes"],
        allow_unseen=given["allow_unseen"],
        arguments=given["arguments"],
    )


@dataware.command(short_help="Show running and finished migrations.")
@click.argument("name", required=False)
@click.option("--watch", is_flag=True, help="Show live what runs, until nothing runs any more.")
@click.option(
    "--interval",
    metavar="SECONDS",
    type=click.FloatRange(min=1),
    default=5,
    show_default=True,
    help="How often --watch looks.",
)
@outside_options
def status(**given: Any) -> int:
    """Show every migration on record, or the one into NAME: how far it is, or how it ended.

    A running one is shown from any terminal or machine, because it keeps its record in the
    account. Ctrl-C ends the watching and nothing else.

    \b
    Examples:
      dataware status --profile prod
      dataware status --watch
      dataware status Spaceport-Waitlist-prod --watch --interval 10
    """
    from dataware.cli.status import run_status  # noqa: PLC0415 - keeps --help quick

    watching, interval = given["watch"], given["interval"]
    return run_status(pick(AwsOptions, given), given["name"], watching=watching, interval=interval)


@dataware.command("iam-policy", short_help="Print the least IAM policy.")
@app_options
@versions_option
@outside_options
def iam_policy(**given: Any) -> int:
    """Print the least IAM policy that planning and applying APP needs.

    APP is a saved plan, or anything that `dataware plan` takes.

    \b
    Examples:
      dataware iam-policy plan.json > policy.json
    """
    from dataware.cli.jobs import run_policy  # noqa: PLC0415 - keeps --help quick

    return run_policy(pick(AwsOptions, given), pick(AppOptions, given), versions=given["versions"])


@dataware.command(short_help="Copy one place into another.")
@pair_options
@copy_options
@outside_options
def migrate(**given: Any) -> int:
    """Copy SOURCE into TARGET, both of which exist, and verify the copy.

    SOURCE is only read. What TARGET holds of its own is never replaced, unless --on-conflict
    says so. Killed at any moment, the same command continues.

    \b
    Examples:
      dataware migrate dynamodb://Waitlist dynamodb://Waitlist-prod
      dataware migrate s3://uploads/2024/ s3://uploads-prod/2024/ --versions all
      dataware migrate arn:aws:dynamodb:eu-west-1:111122223333:table/Orders dynamodb://Orders
    """
    from dataware.cli.jobs import run_migrate  # noqa: PLC0415 - keeps --help quick

    return run_migrate(pick(AwsOptions, given), pick(PairOptions, given), pick(CopyOptions, given))


@dataware.command(short_help="Compare two places.")
@pair_options
@versions_option
@deep_option
@outside_options
def verify(**given: Any) -> int:
    """Compare SOURCE and TARGET, independently of any copy; exit 2 if they differ.

    \b
    Examples:
      dataware verify dynamodb://Waitlist dynamodb://Waitlist-prod
      dataware verify s3://uploads s3://uploads-prod --versions all --deep
    """
    from dataware.cli.jobs import run_verify  # noqa: PLC0415 - keeps --help quick

    versions, deep = given["versions"], given["deep"]
    return run_verify(
        pick(AwsOptions, given), pick(PairOptions, given), versions=versions, deep=deep
    )


@dataware.command(short_help="Check everything that a run needs.")
@app_argument
@stack_options
@versions_option
@outside_options
def doctor(**given: Any) -> int:
    """Check this machine, the account and the permissions that APP needs; changes nothing.

    APP is a saved plan, or anything that `dataware plan` takes. Each check is one line that says
    what to do. Exit 1 if something will fail.

    \b
    Examples:
      dataware doctor
      dataware doctor plan.json --profile prod
    """
    from dataware.cli.doctor import run_doctor  # noqa: PLC0415 - keeps --help quick

    undecided = dict.fromkeys(("strict", "on_error", "on_fallback_data", "import_mode"))
    app = pick(AppOptions, {**given, **undecided})
    return run_doctor(pick(AwsOptions, given), app, all_versions=given["versions"] == "all")


@dataware.command(short_help="Explain a rule, an exit code or an event.")
@click.argument("topic", nargs=-1, shell_complete=complete_topic)
@format_option
@plain_options
def explain(**given: Any) -> int:
    """Explain each TOPIC: a rule by number or name, an exit code, or an event by its code.

    Without a topic, lists the rules and the exit codes.

    \b
    Examples:
      dataware explain
      dataware explain 9
      dataware explain rule 9
      dataware explain exit 4
      dataware explain slowed
    """
    from dataware.cli.explain import run_explain  # noqa: PLC0415 - keeps --help quick

    nowhere = {"profile": None, "region": None, "endpoint_url": None}
    return run_explain(pick(AwsOptions, {**given, **nowhere}), given["topic"])


@dataware.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=WordChoice(SHELLS), metavar="SHELL")
@plain_options
def completion(**given: Any) -> int:
    """Print the script that lets SHELL complete commands, options, words and files.

    \b
    Examples:
      dataware completion bash > ~/.local/share/bash-completion/completions/dataware
      dataware completion zsh > ~/.zfunc/_dataware
      dataware completion fish > ~/.config/fish/completions/dataware.fish
    """
    click.echo(script(dataware, given["shell"]))
    return 0


@dataware.command(short_help="Make a page of what a run saw, decided and did.")
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--out",
    metavar="FILE",
    type=FilePath(path_type=Path, dir_okay=False, allow_dash=True),
    default="report.html",
    show_default=True,
    help="Where to write the page; - for standard output.",
)
@click.option("--list", "lists", is_flag=True, help="Show the runs on record instead.")
@plain_options
def report(**given: Any) -> int:
    """Make one HTML file of a run: its decisions, migrations, verification and warnings.

    RUN is the id of a run, or its start, or the file of a record; without it the newest run is
    taken. The page needs no network, and holds names and keys but no values.

    \b
    Examples:
      dataware report
      dataware report --list
      dataware report 20261124-1801 --out migration.html
      dataware report --out - > migration.html
    """
    from dataware.cli.report import run_report  # noqa: PLC0415 - keeps --help quick

    return run_report(given["run"], given["out"], lists=given["lists"], plain=given["plain"])


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
    Examples:
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
