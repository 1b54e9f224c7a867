"""`dataware iam-policy`: the least IAM policy that an app needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    app_options,
    batch_role_option,
    object_options,
    outside_options,
    versions_option,
)
from dataware.cli.settings import AppOptions, AwsOptions, pick
from dataware.cli.values import account, word_option
from dataware.core.engines.card import EngineName
from dataware.core.errors import InputError
from dataware.core.events import event, format_count
from dataware.core.object_headers import ObjectHeaders
from dataware.core.phases import PolicySide, PolicyUse
from dataware.report import Format

if TYPE_CHECKING:
    from dataware.core.kind import Kind
    from dataware.core.model import Wanted
    from dataware.ops.context import Context


GRANTED = (EngineName.MAP, EngineName.EXPORT_IMPORT, EngineName.BULK)
"""The engines that only run when they are asked for, and so are granted only then."""


@click.command("iam-policy", cls=SectionedCommand, short_help="Print the least IAM policy.")
@app_options
@word_option(
    "--for",
    PolicyUse,
    to="use",
    default=PolicyUse.ALL.value,
    help="Only what this command needs; all is what plan, apply and the guard of deploy need.",
)
@word_option(
    "--side",
    PolicySide,
    default=PolicySide.BOTH.value,
    help="Only what this side of a copy with --source-profile needs.",
)
@word_option(
    "--engine",
    EngineName,
    but=[one for one in EngineName if one not in GRANTED],
    help="Grant what this engine needs, too: map, export-import or bulk.",
)
@click.option(
    "--role-template",
    metavar="ACCOUNT",
    type=account,
    help="Print a CloudFormation template of a role that plans APP in any account, as by a "
    "StackSet; ACCOUNT may assume it.",
)
@versions_option
@object_options
@batch_role_option
@outside_options
def iam_policy(**arguments: Any) -> int:
    """Print the least IAM policy that planning and applying APP needs, or one command alone.

    APP is a saved plan, or anything that `dataware plan` takes. Only --for undo allows writes to a
    fallback: those of going back from a cut-over, and no other.

    \b
    Examples:
      dataware iam-policy plan.json > policy.json
      dataware iam-policy --for plan > reads.json
      dataware iam-policy --for apply --engine map > map.json
      dataware iam-policy --for undo > way-back.json
      dataware iam-policy cdk.out --role-template 111122223333 > role.json
    """
    from dataware.cli.context import headers_of

    out, app, use = pick(AwsOptions, arguments), pick(AppOptions, arguments), arguments["use"]
    if arguments["role_template"] is not None:
        return run_role_template(out, app, use, trusted=arguments["role_template"])
    headers = headers_of(arguments["sse"], arguments["sse_kms_key_id"], arguments["acl"])
    return run_policy(
        out,
        app,
        use,
        versions=arguments["versions"],
        headers=headers,
        side=arguments["side"],
        batch_role=arguments["batch_role"],
        engine=arguments["engine"],
    )


def run_policy(
    out: AwsOptions,
    app: AppOptions,
    use: PolicyUse,
    *,
    versions: str,
    headers: ObjectHeaders,
    side: PolicySide = PolicySide.BOTH,
    batch_role: str | None = None,
    engine: EngineName | None = None,
) -> int:
    """Print the least IAM policy."""
    from dataware.cli.app import app_of, saved_plan, wanted_here
    from dataware.cli.context import outside
    from dataware.cli.policy import policy_of
    from dataware.cli.project import in_project
    from dataware.ops.inputs.wanted import App

    saved = saved_plan(app)
    out = in_project(out, app)
    loaded = App([one.wanted for one in saved.resources]) if saved else app_of(out, app)
    with outside(out) as context:
        wanted = _choose_wanted(context, wanted_here(context, loaded), use)
        policy = policy_of(
            context.aws,
            wanted,
            use=use,
            all_versions=versions == "all",
            lookups=loaded.lookups,
            headers=headers,
            side=side,
            batch_role=batch_role,
            engine=engine,
        )
        if out.format is Format.JSON:
            text = f"The least IAM policy for {format_count(len(wanted), 'resource')}"
            context.emit(event("done", text=text, policy=policy))
    if out.format is not Format.JSON:
        print(json.dumps(policy, indent=2))
    return 0


def _choose_wanted(context: Context, wanted: Sequence[Wanted], use: PolicyUse) -> Sequence[Wanted]:
    """The resources of which a policy speaks, each with the names that a use works with."""
    from dataware.ops.policy import choose_undone

    if use is not PolicyUse.UNDO:
        return wanted
    return choose_undone(wanted, partial(_find_source, context))


def _find_source(context: Context, kind: Kind, name: str) -> str | None:
    """The source of the migration into a name, as its record says; None without one."""
    from dataware.core.names import place_of

    place = place_of(kind, name, context.aws.account, context.aws.region)
    return context.markers.get(kind.names.slug, place.name).source


def run_role_template(out: AwsOptions, app: AppOptions, use: PolicyUse, *, trusted: str) -> int:
    """Print the template of a role that plans, in whichever account."""
    from dataware.cli.app import app_of, saved_plan
    from dataware.cli.context import outside
    from dataware.cli.policy import policy_of
    from dataware.cli.project import in_project
    from dataware.ops.inputs.wanted import App
    from dataware.ops.role_template import KnownEnvironments, make_role_template

    if use not in {PolicyUse.ALL, PolicyUse.PLAN}:
        raise InputError("--role-template makes a role that only plans: leave out --for")
    saved = saved_plan(app)
    out = in_project(out, app)
    loaded = App([one.wanted for one in saved.resources]) if saved else app_of(out, app)
    with outside(out) as context:
        aws, wanted = context.aws, loaded.wanted
        policy = policy_of(aws, wanted, use=PolicyUse.PLAN, lookups=loaded.lookups)
        places = KnownEnvironments(
            aws.account,
            {aws.account, *(one.account for one in wanted if one.account)},
            {aws.region, *(one.region for one in wanted if one.region)},
        )
        template = make_role_template(policy, places, trusted)
        if out.format is Format.JSON:
            text = f"The role that plans {format_count(len(wanted), 'resource')}"
            context.emit(event("done", text=text, template=template))
    if out.format is not Format.JSON:
        print(json.dumps(template, indent=2))
    return 0
