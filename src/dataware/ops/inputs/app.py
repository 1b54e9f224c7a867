"""Finds out what an APP argument is, and reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dataware.core.errors import InputError
from dataware.ops.inputs.assembly import MANIFEST, Select, read_assembly
from dataware.ops.inputs.cdk_app import Running, quietly, read_cdk_app
from dataware.ops.inputs.cdk_settings import PROJECT, GivenSettings, read_cdk_settings
from dataware.ops.inputs.fleet_plan_file import refuse_plan
from dataware.ops.inputs.opted_in import OPT_IN
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.selection import stacks_named
from dataware.ops.inputs.stack_resources import read_template
from dataware.ops.inputs.toml_file import read_toml
from dataware.ops.inputs.wanted import App, Kinds, Overrides, StackEnvironment

APPS = "a cloud assembly folder (cdk.out), a CloudFormation template, or a dataware.toml"


@dataclass(frozen=True, slots=True)
class AppRun:
    """How the app of a CDK project is run, if one has to be.

    `given` is what the command line says to CDK; `environment` answers with CDK's default account
    and region; the app may take `seconds`, and `running` is told its command and lasts as long.
    """

    given: GivenSettings = field(default_factory=GivenSettings)
    environment: Callable[[], StackEnvironment] = StackEnvironment
    seconds: float | None = None
    running: Running = quietly


@dataclass(frozen=True, slots=True)
class _Reading:
    """What every form of an app is read with."""

    kinds: Kinds
    options: ReadOptions
    stack: str | None
    select: Select | None


def load_app(  # noqa: PLR0913 - each is an option of a command
    path: Path | None,
    *,
    kinds: Kinds,
    overrides: Overrides | None = None,
    options: ReadOptions | None = None,
    stack: str | None = None,
    exclusively: bool = False,
    select: Select | None = None,
    run: AppRun | None = None,
    folder: Path | None = None,
    guarding: bool = False,
) -> App:
    """The wanted resources of an app.

    Without a path it is what `folder` (the current one) holds: the CDK app that `cdk.json` names,
    or else a `dataware.toml`. `stack` names a stack; of an app that means also what it depends on,
    as for `cdk deploy`, unless `exclusively` is said. `select` chooses stacks of an assembly in
    another way. `guarding` says that stacks are of use also if no resource opts in.
    """
    if stack is not None and select is None:
        select = partial(stacks_named, name=stack, exclusively=exclusively)
    options = options or ReadOptions(overrides or Overrides())
    reading = _Reading(kinds, options, stack, select)
    run = run or AppRun()
    app = (
        _default(folder or Path(), reading, run) if path is None else _read_path(path, reading, run)
    )
    listed = (options.every or options.is_one_of_many) and app.unplanned
    if not (app.wanted or listed or app.unnamed) and not (guarding and app.stacks):
        raise InputError(f"{path or 'The app of cdk.json'}: {_describe_nothing(app)}")
    return app


def _describe_nothing(app: App) -> str:
    """Why there is nothing to plan: nothing opts in, nothing of it is created, or it is unseen."""
    if app.notes:
        return f"nothing is to be planned: {'; '.join(app.notes)}"
    if app.unplanned:
        first, more = app.unplanned[0], len(app.unplanned) - 1
        others = f", and {more} more" if more else ""
        return (
            f"no resource is planned: {first.id}{others}, because {first.reason}; `dataware plan "
            "--all-stateful` lists them all"
        )
    return "; ".join([f"no resource opts in: {OPT_IN}", *app.unseen])


def _read_path(path: Path, reading: _Reading, run: AppRun) -> App:
    if address := _address_in(path):
        raise InputError(f"{address} is an address, not a file: download it, and name the file")
    if run.given != GivenSettings():
        raise InputError(
            f"{path} is not run, so it takes no --context and no --app: leave them out, or leave "
            f"out {path} to run the app here"
        )
    if path.is_dir():
        if (path / MANIFEST).is_file():
            return read_assembly(path, reading.kinds, reading.options, reading.select)
        raise InputError(f"{path} is not a cloud assembly: it has no {MANIFEST}; {_hint(path)}")
    refuse_plan(path)
    if path.suffix == ".toml":
        return read_toml(path, reading.kinds, reading.options, reading.stack)
    return read_template(path, reading.kinds, reading.options, reading.stack)


def _address_in(path: Path) -> str | None:
    """The address that was typed in place of a file; a path keeps only one slash of it."""
    match = re.fullmatch(r"([a-z][a-z0-9+-]+):/+(.+)", str(path))
    return f"{match[1]}://{match[2]}" if match and not path.exists() else None


def _default(folder: Path, reading: _Reading, run: AppRun) -> App:
    toml = folder / "dataware.toml"
    if (folder / PROJECT).is_file() or (run.given.app and not toml.is_file()):
        return read_cdk_app(
            read_cdk_settings(folder, run.given),
            reading.kinds,
            reading.options,
            reading.select,
            run.environment,
            seconds=run.seconds,
            running=run.running,
        )
    if toml.is_file():
        return _read_path(toml, reading, run)
    here = folder.resolve()
    raise InputError(f"there is no cdk.json and no dataware.toml in {here}: name an app, {APPS}")


def _hint(path: Path) -> str:
    if (path / PROJECT).is_file():
        return f"run dataware inside {path}, or name its cdk.out"
    if (path / "dataware.toml").is_file():
        return f"did you mean {path / 'dataware.toml'}?"
    return f"name {APPS}"
