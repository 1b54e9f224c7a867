"""Finds out what an APP argument is, and reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from dataware.core.errors import BadInput
from dataware.ops.inputs.assembly import MANIFEST, read_assembly
from dataware.ops.inputs.cdk_app import read_cdk_app
from dataware.ops.inputs.template import OPT_IN, read_template
from dataware.ops.inputs.toml_file import read_toml
from dataware.ops.inputs.wanted import App, Environment, Kinds, Overrides

APPS = "a cloud assembly folder (cdk.out), a CloudFormation template, or a dataware.toml"


def load_app(
    path: Path | None,
    *,
    kinds: Kinds,
    overrides: Overrides | None = None,
    stack: str | None = None,
    environment: Callable[[], Environment] = Environment,
    folder: Path | None = None,
    guarding: bool = False,
    seconds: float | None = None,
) -> App:
    """The wanted resources of an app.

    Without a path it is what `folder` (the current one) holds: the CDK app that `cdk.json` names,
    or else a `dataware.toml`. `environment` is asked for CDK's default account and region, and
    only when an app is run. `guarding` says that stacks are of use also if no resource opts in.
    `seconds` bounds how long an app may run.
    """
    overrides = overrides or Overrides()
    if path is None:
        app = _default(folder or Path(), kinds, overrides, stack, environment, seconds=seconds)
    else:
        app = _named(path, kinds, overrides, stack)
    if not app.wanted and not (guarding and app.stacks):
        raise BadInput(f"{path or 'The app of cdk.json'}: no resource opts in: {OPT_IN}")
    return app


def _named(path: Path, kinds: Kinds, overrides: Overrides, stack: str | None) -> App:
    if address := _address_in(path):
        raise BadInput(f"{address} is an address, and no file: download it, and name the file")
    if path.is_dir():
        if (path / MANIFEST).is_file():
            return read_assembly(path, kinds, overrides, stack)
        raise BadInput(f"{path} is not a cloud assembly: it has no {MANIFEST}; {_hint(path)}")
    if path.suffix == ".toml":
        return read_toml(path, kinds, overrides, stack)
    return read_template(path, kinds, overrides, stack)


def _address_in(path: Path) -> str | None:
    """The address that was typed in place of a file; a path keeps only one slash of it."""
    found = re.fullmatch(r"([a-z][a-z0-9+-]+):/+(.+)", str(path))
    return f"{found[1]}://{found[2]}" if found and not path.exists() else None


def _default(
    folder: Path,
    kinds: Kinds,
    overrides: Overrides,
    stack: str | None,
    environment: Callable[[], Environment],
    *,
    seconds: float | None,
) -> App:
    if (folder / "cdk.json").is_file():
        return read_cdk_app(folder, kinds, overrides, stack, environment, seconds=seconds)
    if (folder / "dataware.toml").is_file():
        return read_toml(folder / "dataware.toml", kinds, overrides, stack)
    here = folder.resolve()
    raise BadInput(f"there is no cdk.json and no dataware.toml in {here}: name an app, {APPS}")


def _hint(path: Path) -> str:
    if (path / "cdk.json").is_file():
        return f"run dataware inside {path}, or name its cdk.out"
    if (path / "dataware.toml").is_file():
        return f"did you mean {path / 'dataware.toml'}?"
    return f"name {APPS}"
