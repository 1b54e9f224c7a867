"""The CDK project in which a command is typed, as the CDK command line reads it."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from dataware.cli.settings import AppOptions, AwsOptions
from dataware.cli.wait_indicator import show_waiting
from dataware.core.errors import InputError
from dataware.ops.inputs.cdk_settings import (
    PROJECT,
    CdkSettings,
    GivenSettings,
    read_cdk_settings,
)
from dataware.report import Format


def given_settings(app: AppOptions) -> GivenSettings:
    """What the command line says to the app of a project."""
    return GivenSettings(app.context, app.cdk_app)


def _project_settings(app: AppOptions) -> CdkSettings | None:
    """The settings of the project whose app is meant; None where something else is.

    Raises InputError for files that CDK does not take, either.
    """
    folder = Path()
    is_meant = (folder / PROJECT).is_file() or app.cdk_app is not None
    return read_cdk_settings(folder, given_settings(app)) if is_meant and app.app is None else None


def runs_project(app: AppOptions) -> bool:
    """Whether the app that is meant is that of the CDK project of this folder."""
    return _project_settings(app) is not None


def in_project(out: AwsOptions, app: AppOptions) -> AwsOptions:
    """The options, with the profile and the region that the project names for CDK."""
    settings = _project_settings(app)
    if settings is None:
        return out
    return replace(
        out, profile=out.profile or settings.profile, region=out.region or settings.region
    )


def is_project(folder: Path) -> bool:
    """Whether a folder is a CDK project: a file that CDK reads names an app."""
    try:
        return read_cdk_settings(folder).app is not None
    except InputError:
        return False


def report_running(out: AwsOptions, command: str) -> AbstractContextManager[object]:
    """Say which command runs, and for how long, to whoever waits for it."""
    if out.format is Format.TEXT:
        print(f"Running the app: {command}", file=sys.stderr, flush=True)
    return show_waiting(out, "Running the CDK app")
