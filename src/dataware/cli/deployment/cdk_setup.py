"""Makes one thing of two command lines: what dataware is told, and what CDK is told behind `--`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataware.cli.defaults import FILE as TOML
from dataware.cli.deployment.cdk_cli import Cdk, cdk_environ, find_cdk
from dataware.cli.deployment.cdk_options import CdkArguments, parse_cdk_arguments
from dataware.cli.deployment.cdk_output import output_of
from dataware.cli.deployment.cdk_refusals import check_arguments, check_same
from dataware.cli.settings import AppOptions, AwsOptions, GuardOptions
from dataware.core.errors import InputError
from dataware.core.guard import ALLOWED
from dataware.ops.inputs.cdk_app import nameless_app
from dataware.ops.inputs.cdk_settings import PROJECT, GivenSettings, read_cdk_settings


def prepare_cdk(
    out: AwsOptions, app: AppOptions, words: Sequence[str], guarding: GuardOptions
) -> tuple[AwsOptions, Cdk, CdkArguments]:
    """The settings, the CDK command line and its arguments, all of which mean the same AWS and app.

    Raises InputError for what dataware cannot deploy in that way.
    """
    folder = Path.cwd()
    names_app = any(word.startswith(("-a", "--app")) for word in words)
    if not (app.cdk_app or names_app):
        _check_project(folder)
    cdk = find_cdk(folder, cdk_environ(profile=None, region=None, endpoint_url=out.endpoint_url))
    context = [word for value in app.context for word in ("--context", value)]
    command = ["--app", app.cdk_app] if app.cdk_app else []
    arguments = parse_cdk_arguments([*context, *command, *words], cdk.options, os.environ)
    settings = GivenSettings(tuple(arguments.texts("context")), arguments.text("app"))
    project = read_cdk_settings(folder, settings)
    check_arguments(arguments, cdk.options, project)
    profile = check_same("--profile", out.profile, arguments.text("profile"))
    region = check_same("--region", out.region, arguments.text("region"))
    arguments = arguments.with_option(cdk.options, "profile", profile)
    arguments = arguments.with_option(cdk.options, "region", region)
    out = replace(out, profile=profile or project.profile, region=region or project.region)
    environ = cdk_environ(profile=out.profile, region=out.region, endpoint_url=out.endpoint_url)
    allowed = {ALLOWED: ",".join(guarding.allow_loss)}
    output = folder / (arguments.text("output") or project.output)
    return (
        out,
        replace(
            cdk,
            environ={**environ, **allowed},
            app=project.command,
            output=output,
            shown=output_of(out),
        ),
        arguments,
    )


def _check_project(folder: Path) -> None:
    """Raise InputError, with what is wrong, for a folder whose cdk.json names no app."""
    if read_cdk_settings(folder).app is not None:
        return
    if (folder / PROJECT).is_file():
        raise nameless_app(folder)
    other = ", or run `dataware apply` for its dataware.toml" if (folder / TOML).is_file() else ""
    raise InputError(f"there is no {PROJECT} in {folder}: go to the CDK project{other}")
