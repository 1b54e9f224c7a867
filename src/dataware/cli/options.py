"""The options that several commands share; `settings` holds what they become."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dataware.cli.file_path import FilePath
from dataware.cli.help import WordChoice
from dataware.cli.numbers import Number, WholeNumber
from dataware.cli.profiles import complete_profile
from dataware.cli.values import account, role_arn, share, size, word_option
from dataware.core.engines.card import EngineName
from dataware.core.model import ImportMode, OnConflict, OnError, OnFallbackData
from dataware.core.object_headers import ENCRYPTIONS
from dataware.ops.run_bounds import AT_ONCE
from dataware.report import DOCUMENTS, Format

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]


def join_options(*decorators: Decorator[Any]) -> Decorator[Any]:
    """One decorator for several options, which `--help` shows in this order."""

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def max_rate_option(text: str) -> Decorator[Any]:
    """The option that bounds a rate, as a command explains it."""
    rate = Number(min=0, min_open=True)
    return click.option("--max-rate", metavar="N", type=rate, help=text)


plain_options = join_options(
    click.option("--plain", is_flag=True, help="Plain text: no color, emoji or progress bar."),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
)

profile_option = click.option(
    "--profile",
    metavar="NAME",
    shell_complete=complete_profile,
    help="Named profile of the AWS configuration.",
)

endpoint_option = click.option(
    "--endpoint-url",
    metavar="URL",
    help="Use this endpoint instead of AWS, such as LocalStack.",
)

where_options = join_options(
    profile_option,
    click.option("--region", metavar="NAME", help="AWS region, such as eu-central-1."),
    endpoint_option,
)

format_option = word_option(
    "--format",
    Format,
    but=DOCUMENTS,
    default=Format.TEXT.value,
    help="text for people, github for annotations, json for one JSON object per event.",
)

outside_options = join_options(where_options, format_option, plain_options)

plan_format_option = word_option(
    "--format",
    Format,
    default=Format.TEXT.value,
    help="text for people, github for annotations, json for one JSON object per event; a document: "
    "markdown or html.",
)

plan_outside_options = join_options(where_options, plan_format_option, plain_options)

stack_options = join_options(
    click.option(
        "--stack",
        metavar="NAME",
        help="Only this stack, and those of the app that it depends on; for a template: the stack "
        "that it describes.",
    ),
    click.option(
        "-e", "--exclusively", is_flag=True, help="Leave out what the stack depends on, as in CDK."
    ),
    click.option(
        "-c",
        "--context",
        metavar="KEY=VALUE",
        multiple=True,
        help="Context value for the CDK app (repeatable).",
    ),
    click.option(
        "-a",
        "--app",
        "cdk_app",
        metavar="COMMAND",
        help="Command that runs the CDK app, instead of the one in cdk.json.",
    ),
)

deploy_options = join_options(
    stack_options,
    click.option(
        "--strict", is_flag=True, help="Stop when anything is uncertain; same as --on-error stop."
    ),
    word_option(
        "--on-error",
        OnError,
        help="What to do when a resource cannot be inspected (default: safe, unless the app says).",
    ),
    word_option(
        "--on-fallback-data",
        OnFallbackData,
        help="Migrate a fallback's data (the default), or import the fallback itself.",
    ),
    word_option(
        "--import",
        ImportMode,
        to="import_mode",
        help="How the stack uses an existing resource: adopt (import it) or reference it.",
    ),
)

only_option = click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    help="Only the resource of this preferred name or logical id (repeatable).",
)

app_argument = click.argument("app", required=False, type=FilePath(path_type=Path))

parameters_file_option = click.option(
    "--parameters-file",
    metavar="FILE",
    type=FilePath(path_type=Path),
    help="JSON or YAML file of parameters, as CloudFormation's tools take it.",
)

offline_parameter_options = join_options(
    click.option(
        "--parameter",
        metavar="KEY=VALUE",
        multiple=True,
        help="Value of a template parameter, or STACK:KEY=VALUE (repeatable); without it, the "
        "template's default counts, because no deployed stack is asked.",
    ),
    parameters_file_option,
)

parameter_options = join_options(
    click.option(
        "--parameter",
        metavar="KEY=VALUE",
        multiple=True,
        help="Value of a template parameter, or STACK:KEY=VALUE (repeatable); without it, the "
        "value in the deployed stack counts, or else the template's default.",
    ),
    parameters_file_option,
)

pattern_option = click.option(
    "--fallback",
    metavar="PATTERN",
    multiple=True,
    help="Fallback names by pattern, such as '{base}-prod={base}', for every bucket, table and "
    "other resource with data that has none (repeatable).",
)

every_option = click.option(
    "--all-stateful",
    is_flag=True,
    help="Every resource with data, opted in or not: what it holds, and who owns it.",
)

app_options = join_options(app_argument, deploy_options, parameter_options, pattern_option)

saving_options = join_options(
    click.option(
        "--out", metavar="FILE", type=FilePath(path_type=Path), help="Save the plan as JSON."
    ),
    click.option("--lock", is_flag=True, help="Write the decisions to dataware.lock.json."),
    click.option(
        "--prune",
        is_flag=True,
        help="With --lock: remove entries of these stacks that the app no longer declares.",
    ),
    click.option(
        "--detailed-exitcode",
        is_flag=True,
        help="Exit 2 if the plan would change something or needs attention.",
    ),
)

full_option = click.option(
    "-v",
    "--all",
    "full",
    is_flag=True,
    help="Show the facts and reasons of every resource, also of what stays as it is.",
)

yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")

restore_option = click.option(
    "--restore-secrets",
    is_flag=True,
    help="Cancel the deletion of a secret at which the plan stops, if nothing else stops it.",
)

prices_option = click.option(
    "--prices",
    metavar="FILE",
    type=FilePath(path_type=Path),
    help="JSON file with custom prices for the estimates.",
)

guard_options = click.option(
    "--allow-loss",
    metavar="LOGICAL_ID",
    multiple=True,
    help="Let a stack lose this resource, or data in it (repeatable).",
)

change_set_option = click.option(
    "--change-set",
    is_flag=True,
    help="Ask CloudFormation, too, what it would do to each stack with data, by a change set that "
    "is deleted again.",
)

engine_option = word_option(
    "--engine",
    EngineName,
    help="What carries the data, instead of what the plan picks; refused where it does not fit.",
)

credentials_option = click.option(
    "--credentials",
    metavar="ACCOUNT=PROFILE",
    multiple=True,
    help="Profile, or ARN of a role, for the stacks of another account (repeatable).",
)

batch_role_option = click.option(
    "--batch-role",
    metavar="ARN",
    type=role_arn,
    help="Role that S3 Batch Operations assumes, which the engine batch needs.",
)

engine_options = join_options(engine_option, batch_role_option)

partial_option = click.option(
    "--allow-partial",
    is_flag=True,
    help="Accept that a copy of a user pool leaves out what cannot be copied, such as passwords.",
)

deep_option = click.option(
    "--deep", is_flag=True, help="Verify objects by reading every byte of both sides."
)
versions_option = click.option(
    "--versions",
    type=WordChoice(["current", "all"]),
    default="current",
    show_default=True,
    help="Object versions: the current ones, or all with their delete markers.",
)

ACLS = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)
"""The canned ACLs of objects (Amazon S3 User Guide, "Access control list (ACL) overview")."""

request_payer_option = click.option(
    "--request-payer",
    is_flag=True,
    help="Pay for the requests, where the owner of a bucket lets requesters pay.",
)

object_options = join_options(
    click.option(
        "--sse",
        metavar="SSE",
        type=WordChoice(ENCRYPTIONS),
        help="Encryption of the objects that are written: AES256, aws:kms or aws:kms:dsse "
        "(default: that of the target bucket).",
    ),
    click.option(
        "--sse-kms-key-id",
        metavar="KEY",
        help="With --sse aws:kms: the key, by ARN, id or alias/NAME.",
    ),
    click.option(
        "--acl",
        metavar="ACL",
        type=WordChoice(ACLS),
        help="Canned ACL of the objects that are written, such as bucket-owner-full-control.",
    ),
)

copy_options = join_options(
    word_option(
        "--on-conflict",
        OnConflict,
        help="Which side wins when both hold different data under the same key (default: neither, "
        "the key is skipped and listed).",
    ),
    versions_option,
    max_rate_option("Limit to N items or objects per second."),
    click.option(
        "--max-share",
        metavar="SHARE",
        type=share,
        help="Share of provisioned capacity to use, such as 50%.",
    ),
    click.option(
        "--processes",
        metavar="N",
        type=WholeNumber(min=1),
        help="Copy with N processes (default: one per core for large copies).",
    ),
    click.option(
        "--allow-skipped",
        is_flag=True,
        help="Mark the migration complete even if some keys were skipped.",
    ),
    deep_option,
    object_options,
    request_payer_option,
    click.option(
        "--multipart-threshold", type=size, default="5GiB", hidden=True,
        help="Copy objects above this size in parts.",
    ),
    click.option(
        "--part-size", type=size, default="512MiB", hidden=True, help="Size of the parts."
    ),
    click.option(
        "--notify", metavar="COMMAND|URL", multiple=True,
        help="Run a command or call a webhook when the run ends (repeatable).",
    ),
)  # fmt: skip

follow_options = join_options(
    click.option(
        "--follow",
        is_flag=True,
        help="After the copy, carry every change of the source until Ctrl-C.",
    ),
    click.option(
        "--enable-stream",
        is_flag=True,
        help="With --follow: switch on the source's stream if it is off (a change of the source).",
    ),
    click.option(
        "--export-to",
        metavar="S3_ADDRESS",
        help="With --follow: read changes from incremental exports of the table into this bucket.",
    ),
)

rehearse_option = click.option(
    "--rehearse",
    is_flag=True,
    help="Copy and verify into a scratch resource like TARGET, say what it took, and remove it.",
)

parallel_option = click.option(
    "--max-parallel",
    metavar="N",
    type=WholeNumber(min=1),
    help=f"Migrate up to N resources at the same time (default: {AT_ONCE}).",
)

pair_options = join_options(
    click.argument("source"),
    click.argument("target"),
    click.option("--source-owner", metavar="ACCOUNT", type=account, help="Owner of the source."),
    click.option("--target-owner", metavar="ACCOUNT", type=account, help="Owner of the target."),
)
