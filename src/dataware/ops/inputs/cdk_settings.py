"""What the CDK command line knows of a project: settings and context, by its own precedence.

A setting comes from the command line, else a variable `CDK_…`, else `cdk.json`, else
`~/.cdk.json`. A context value comes from the command line, else `cdk.json`, else
`cdk.context.json`, else `~/.cdk.json`; what are mappings in several of them is merged.

Source: AWS CDK documentation, "Context values and the AWS CDK" and "Configuring the AWS CDK CLI".
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.ops.inputs.reading import read_json

PROJECT, LOOKED_UP, USER = "cdk.json", "cdk.context.json", ".cdk.json"
OUTPUT = "cdk.out"
SAFE = re.compile(r"[A-Za-z0-9_+=:,.@/-]+")


@dataclass(frozen=True, slots=True)
class GivenSettings:
    """What the command line says; None and an empty tuple leave it to the files."""

    context: tuple[str, ...] = ()
    app: str | None = None
    build: str | None = None


@dataclass(frozen=True, slots=True)
class CdkSettings:
    """How a project's app is run, and with which AWS configuration; None where nothing is said."""

    folder: Path
    app: str | None = None
    build: str | None = None
    output: str = OUTPUT
    profile: str | None = None
    region: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def assembly(self) -> Path | None:
        """The finished cloud assembly, where the app is one instead of a command."""
        at = self.folder / self.app if self.app else None
        return at if at is not None and at.is_dir() else None

    @property
    def command(self) -> str:
        """The app as CDK hands it to a shell: a file is called by its name or its interpreter."""
        return executable_of(self.app or "", self.folder)


def read_cdk_settings(folder: Path, own: GivenSettings | None = None) -> CdkSettings:
    """The settings of the project in `folder`. Raises InputError for files CDK does not take."""
    own = own or GivenSettings()
    user = _read(Path.home() / USER)
    project = _read(folder / PROJECT)
    if user.get("build"):
        raise InputError(f"{Path.home() / USER}: `build` belongs in the cdk.json of a project")
    settings = {**user, **{name: one for name, one in project.items() if one is not None}}

    def text(name: str, argument: str | None = None) -> str | None:
        value = argument or os.environ.get(f"CDK_{name.upper()}") or settings.get(name)
        if isinstance(value, list) and name == "app":
            value = " ".join(map(str, value))
        if value is None or value == "" or isinstance(value, str):
            return value or None
        raise InputError(f'{folder / PROJECT}: "{name}" must be a text')

    return CdkSettings(
        folder,
        text("app", own.app),
        text("build", own.build),
        text("output") or OUTPUT,
        text("profile"),
        text("region"),
        _context(folder, own, user=user, project=project),
    )


def _context(
    folder: Path, settings: GivenSettings, *, user: Mapping[str, Any], project: Mapping[str, Any]
) -> dict[str, Any]:
    variable = os.environ.get("CDK_CONTEXT")
    words = settings.context or ((variable,) if variable else ())
    looked_up = _read(folder / LOOKED_UP)
    merged: dict[str, Any] = {}
    for bag in (user.get("context"), looked_up, project.get("context"), context_of(words)):
        _merge(merged, bag if isinstance(bag, Mapping) else {})
    return merged


def context_of(words: Sequence[str]) -> dict[str, str]:
    """The context values in words such as ``stage=prod``. Raises InputError for any other."""
    context = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise InputError(
                f"{word} is not a context value: write it as KEY=VALUE, as in -c stage=prod"
            )
        if key.startswith("aws:"):
            raise InputError(
                f"context keys that begin with aws: belong to CDK; {key} is one of them"
            )
        context[key] = value
    return context


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, Mapping):
            inner = into.get(key)
            into[key] = dict(inner) if isinstance(inner, Mapping) else {}
            _merge(into[key], value)
        else:
            into[key] = value


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    settings = read_json(path)
    if not isinstance(settings, dict):
        raise InputError(f'{path} is not a JSON object: write one, such as {{"app": "COMMAND"}}')
    return settings


def executable_of(app: str, folder: Path) -> str:
    """The command line for an app that may be the name of a file, with words behind it.

    A `.js` file without the right to be executed is run by Node.js; any other file is called.
    """
    if (folder / app).is_file():
        return _with_interpreter(app, folder)
    app = app.strip()
    if app.startswith('"') and '"' in app[1:]:
        first, _, rest = app[1:].partition('"')
    else:
        first, _, rest = app.partition(" ")
    if first and (folder / first).is_file():
        return f"{_with_interpreter(first, folder)} {rest.strip()}".strip()
    return app


def _with_interpreter(name: str, folder: Path) -> str:
    quoted = name if SAFE.fullmatch(name) else shlex.quote(name)
    if name.endswith(".js") and not os.access(folder / name, os.X_OK):
        return f"{shlex.quote(shutil.which('node') or 'node')} {quoted}"
    return quoted
