"""The user's own CDK command line: found, checked, run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from dataware.cli.cdk_options import CdkArguments, OptionTable, read_option_table
from dataware.cli.checked_app import describe_check
from dataware.core.errors import DatawareError, InputError
from dataware.core.plan import DEPLOYING, LOOKING, RUN
from dataware.ops.inputs.assembly import MANIFEST, Stack

IMPORTING = "--import-existing-resources"
OWN = ("all", "exclusively", "import-existing-resources")
"""The options that dataware sets itself when it deploys."""

SYNTHESIS = (
    *("app", "build", "context", "plugin", "lookups", "staging", "asset-metadata"),
    *("version-reporting", "unstable", "verbose", "trace", "debug", "debug-app", "debug-cli"),
    *("profile", "region", "proxy", "ca-bundle-path", "ec2creds", "notices", "no-color", "color"),
)
"""The options of every command of CDK that reach the app, or the way to it."""

ADVICE = "install it in the project with `npm install --save-dev aws-cdk@2`"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
VERSION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cdk:
    """A CDK command line; `command` is how it is called, `folder` the project's, `app` its app."""

    command: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    options: OptionTable
    app: str = ""

    def synth(self, output: Path, arguments: CdkArguments) -> None:
        """Write the cloud assembly as it is before any decision. Raises InputError if it fails.

        `cdk list` does it as `cdk synth` does, but bundles no assets, which takes minutes.
        """
        told = ["--output", str(output), "--context", "dataware:lookup=collect"]
        words = arguments.words(only=SYNTHESIS)
        done = self._run(["list", *told, *words], LOOKING, stdout=subprocess.DEVNULL)
        if done:
            raise InputError(
                f"`cdk list` ended with exit code {done}; its own message stands above"
            )

    def deploy(self, stacks: Sequence[str], arguments: CdkArguments, guarded: Path) -> None:
        """Deploy exactly these stacks, as `guarded` has them, and let them adopt what exists.

        Raises DatawareError if it fails.
        """
        chosen = ["--exclusively=true", *map(escape_pattern, stacks)]
        words = arguments.words(but=(*OWN, "app"))
        checking = replace(
            self, environ={**self.environ, **describe_check(self.app, guarded, stacks)}
        )
        done = checking._run(["deploy", IMPORTING, *chosen, *words], DEPLOYING)
        if done:
            raise DatawareError(
                f"`cdk deploy` ended with exit code {done}; its own message stands above, and all "
                "data is in place: cure the cause and run `dataware deploy` again"
            )

    def match(self, stacks: Sequence[Stack], patterns: Sequence[str]) -> list[Stack]:
        """The stacks that fit the patterns in the eyes of this CDK. Raises InputError.

        It is asked about stacks without content and without dependencies, which it would add.
        """
        with TemporaryDirectory(prefix="dataware-stacks-") as folder:
            question = ["list", "--app", write_bare_assembly(Path(folder), stacks), *patterns]
            answer = subprocess.run(
                [*self.command, *question],
                cwd=folder,
                env=self._environ(),
                capture_output=True,
                text=True,
                check=False,
            )
        if answer.returncode:
            said = " ".join(answer.stderr.split())
            raise InputError(
                f"`cdk list` cannot tell which stacks {' '.join(patterns)} means: {said}"
            )
        return read_listed(answer.stdout, stacks)

    def _run(self, arguments: Sequence[str], what_for: str, *, stdout: int | None = None) -> int:
        ended = subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder,
            env={**self._environ(), RUN: what_for},
            stdout=stdout,
            check=False,
        )
        return ended.returncode

    def _environ(self) -> dict[str, str]:
        """The variables, without those that stand for the options that dataware sets."""
        own = {f"CDK_{name.upper().replace('-', '_')}" for name in OWN}
        return {name: value for name, value in self.environ.items() if name not in own}


def write_bare_assembly(folder: Path, stacks: Sequence[Stack]) -> str:
    """An assembly of empty stacks at the same paths, without dependencies."""
    artifacts = {
        f"S{number}": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": "empty.json", "stackName": f"S{number}"},
            "displayName": stack.id,
        }
        for number, stack in enumerate(stacks)
    }
    (folder / "empty.json").write_text('{"Resources": {}}', encoding="utf-8")
    manifest = {"version": "36.0.0", "artifacts": artifacts}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return str(folder)


def read_listed(answer: str, stacks: Sequence[Stack]) -> list[Stack]:
    """The stacks that `cdk list` names, with their names behind the paths in some versions."""
    lines = {line.strip() for line in answer.splitlines()}
    return [
        stack
        for number, stack in enumerate(stacks)
        if not lines.isdisjoint({stack.id, f"{stack.id} (S{number})"})
    ]


def escape_pattern(stack_id: str) -> str:
    """The pattern that fits the path of one stack and nothing else."""
    escaped = re.sub(r"[^\w./: -]", lambda match: f"\\{match[0]}", stack_id)
    # yargs would make a number of a word of digits, and an option of a leading dash.
    return re.sub(r"^(-|\d+$)", lambda match: f"[{match[0][0]}]{match[0][1:]}", escaped)


def find_cdk(folder: Path, environ: Mapping[str, str]) -> Cdk:
    """The project's own CDK, else the one on the path, else that of npx.

    Raises InputError when there is none, or one that cannot adopt resources.
    """
    for command in candidates(folder, environ):
        version = version_of(command, folder, environ)
        if version is not None:
            options = _known_options(command, folder, environ, version)
            return Cdk(command, folder, environ, options)
    raise InputError(f"the CDK command line was not found: {ADVICE}")


def candidates(folder: Path, environ: Mapping[str, str]) -> list[tuple[str, ...]]:
    """How the command line may be called, the project's own first."""
    path = environ.get("PATH")
    local = [at / "node_modules/.bin/cdk" for at in (folder, *folder.resolve().parents)]
    found: list[tuple[str, ...]] = []
    found += [(str(cdk.absolute()),) for cdk in local if cdk.is_file()][:1]
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


def _known_options(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], version: tuple[int, int, int]
) -> OptionTable:
    """The options of `cdk deploy`. Raises InputError for a version that cannot do."""
    name = ".".join(str(part) for part in version)
    if version[0] != 2:
        raise InputError(
            f"the CDK command line {command[-1]} has version {name}, and dataware works with "
            f"version 2: {ADVICE}"
        )
    answer = subprocess.run(
        [*command, "deploy", "--help"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=VERSION_SECONDS,
    )
    options = read_option_table(answer.stdout or answer.stderr)
    if IMPORTING[2:] not in options:
        raise InputError(
            f"the CDK command line has version {name}, which cannot adopt existing resources "
            f"({IMPORTING} is missing): {ADVICE}"
        )
    return options


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
