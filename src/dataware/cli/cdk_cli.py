"""The user's own CDK command line: found, checked, run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataware.core.errors import BadInput, DatawareError
from dataware.core.plan import DEPLOYING, LOOKING, RUN

IMPORTING = "--import-existing-resources"
ADVICE = "install it in the project with `npm install --save-dev aws-cdk@2`"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
VERSION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cdk:
    """A CDK command line; `command` is how it is called, `folder` the project's."""

    command: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]

    def synth(self, output: Path, arguments: Sequence[str]) -> None:
        """Write the cloud assembly as it is before any decision. Raises BadInput if it fails."""
        collect = ("--context", "dataware:lookup=collect")
        synth = ["synth", "--quiet", "--output", str(output), *collect, *arguments]
        done = self._run(synth, LOOKING)
        if done:
            raise BadInput(f"`cdk synth` ended with exit code {done}; its own message stands above")

    def deploy(self, arguments: Sequence[str]) -> None:
        """Deploy, and let the stack adopt what exists. Raises DatawareError if it fails."""
        done = self._run(["deploy", IMPORTING, *arguments], DEPLOYING)
        if done:
            raise DatawareError(
                f"`cdk deploy` ended with exit code {done}; its own message stands above, and all "
                "data is in place: cure the cause and run `dataware deploy` again"
            )

    def _run(self, arguments: Sequence[str], what_for: str) -> int:
        ended = subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder,
            env={**self.environ, RUN: what_for},
            check=False,
        )
        return ended.returncode


def find_cdk(folder: Path, environ: Mapping[str, str]) -> Cdk:
    """The project's own CDK, else the one on the path, else that of npx.

    Raises BadInput when there is none, or one that cannot adopt resources.
    """
    for command in candidates(folder, environ):
        version = version_of(command, folder, environ)
        if version is not None:
            cdk = Cdk(command, folder, environ)
            _check(cdk, version)
            return cdk
    raise BadInput(f"the CDK command line was not found: {ADVICE}")


def check_arguments(arguments: Sequence[str], folder: Path) -> None:
    """Refuse what would keep CDK from adopting, or the app from being run. Raises BadInput."""
    joined = " ".join(arguments)
    for app in re.findall(r"(?:^|\s)(?:--app|-a)[= ](\S+)", joined):
        if (folder / app).is_dir():
            raise BadInput(
                f"--app {app} is a cloud assembly, synthesized before its data was looked at, and "
                "dataware deploy runs the app itself: leave the option out, or name a command"
            )
    if re.search(r"(^|\s)(--method|-m)[= ]direct(\s|$)", joined):
        raise BadInput(
            "--method=direct deploys without a change set, and only a change set can adopt "
            "existing resources; leave the option out"
        )


def candidates(folder: Path, environ: Mapping[str, str]) -> list[tuple[str, ...]]:
    """How the command line may be called, the project's own first."""
    path = environ.get("PATH")
    local = [at / "node_modules/.bin/cdk" for at in (folder, *folder.resolve().parents)]
    found: list[tuple[str, ...]] = []
    found += [(str(cdk),) for cdk in local if cdk.is_file()][:1]
    if installed := shutil.which("cdk", path=path):
        found.append((installed,))
    if npx := shutil.which("npx", path=path):
        found.append((npx, "--no-install", "cdk"))
    return found


def version_of(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    seconds: float = VERSION_SECONDS,
) -> tuple[int, int, int] | None:
    """The version that a command line tells; None if it does not run or is not CDK."""
    try:
        answer = subprocess.run(
            [*command, "--version"],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = VERSION.match(answer.stdout.strip())
    if answer.returncode or match is None:
        return None
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def _check(cdk: Cdk, version: tuple[int, int, int]) -> None:
    name = ".".join(str(part) for part in version)
    if version[0] != 2:
        raise BadInput(
            f"the CDK command line {cdk.command[-1]} has version {name}, and dataware works with "
            f"version 2: {ADVICE}"
        )
    answer = subprocess.run(
        [*cdk.command, "deploy", "--help"],
        cwd=cdk.folder,
        env=cdk.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=VERSION_SECONDS,
    )
    if IMPORTING not in answer.stdout + answer.stderr:
        raise BadInput(
            f"the CDK command line has version {name}, which cannot adopt existing resources "
            f"({IMPORTING} is missing): {ADVICE}"
        )


def cdk_environ(
    *, profile: str | None, region: str | None, endpoint_url: str | None
) -> dict[str, str]:
    """The variables by which CDK talks to the same AWS as dataware."""
    chosen = {
        "AWS_PROFILE": profile,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint_url,
    }
    return {**os.environ, **{name: value for name, value in chosen.items() if value}}


def names_app(folder: Path) -> bool:
    """Whether a folder is a CDK project: it has a cdk.json that names an app."""
    try:
        settings = json.loads((folder / "cdk.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and bool(settings.get("app"))
