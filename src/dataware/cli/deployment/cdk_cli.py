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

from dataware.cli.deployment.bundling_app import describe_bundling
from dataware.cli.deployment.cdk_options import CdkArguments, OptionTable, read_option_table
from dataware.cli.deployment.cdk_output import CdkOutput, run_folded
from dataware.cli.deployment.cdk_package import find_package, keep_answer, read_answer
from dataware.cli.deployment.checked_app import describe_check
from dataware.core.errors import DatawareError, InputError
from dataware.core.plan import DEPLOYING, LOOKING, LOOKUP_VARIABLE, RUN
from dataware.ops.inputs.assembly import MANIFEST, Stack
from dataware.ops.inputs.cdk_settings import OUTPUT

IMPORTING = "--import-existing-resources"
OWN = ("all", "exclusively", "import-existing-resources")
"""The options that dataware sets itself when it deploys."""

SYNTHESIS = (
    *("app", "build", "context", "plugin", "lookups", "staging", "asset-metadata"),
    *("version-reporting", "unstable", "verbose", "trace", "debug", "debug-app", "debug-cli"),
    *("profile", "region", "proxy", "ca-bundle-path", "ec2creds", "notices", "no-color", "color"),
)
"""The options of every command of CDK that reach the app, or the way to it."""

WHOLE_SYNTHESIS = (*(name for name in SYNTHESIS if name != "app"), "path-metadata")
"""The same for an assembly that is deployed as it is; the app is named by a variable."""

ADVICE = "install it in the project with `npm install --save-dev aws-cdk@2`"
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
VERSION_SECONDS = 60.0
STANDARD_ERROR = 2


class CdkDeployError(DatawareError):
    """CDK ended without having deployed every stack."""


@dataclass(frozen=True, slots=True)
class Cdk:
    """A CDK command line; `command` is how it is called, `folder` the project's, `app` its app.

    `output` is the folder into which `cdk deploy` lets the app write, and `shown` what people see
    of what it prints.
    """

    command: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str]
    options: OptionTable
    app: str = ""
    output: Path = Path(OUTPUT)
    shown: CdkOutput = CdkOutput.WHOLE

    def synth(self, output: Path, arguments: CdkArguments) -> None:
        """Write the cloud assembly as it is before any decision. Raises InputError if it fails.

        `cdk list` does it as `cdk synth` does, but bundles no assets, which takes minutes.
        """
        options = ["--output", str(output), "--context", "dataware:lookup=collect"]
        words = arguments.words(only=SYNTHESIS)
        done = self._run(["list", *options, *words], LOOKING, stdout=subprocess.DEVNULL)
        if done:
            raise InputError(f"`cdk list` ended with exit code {done}; see its message above")

    def synth_as_locked(
        self, output: Path, arguments: CdkArguments, bundled: Sequence[str]
    ) -> bool:
        """Write the cloud assembly that `cdk deploy` would, with the decisions of the lock file.

        `bundled` are patterns of the stacks whose assets are bundled. False if the app fails.
        """
        options = ["--output", str(output), *arguments.words(only=WHOLE_SYNTHESIS)]
        environ = {
            **self.environ,
            **describe_bundling(self.app, bundled),
            # What the file does not say is an error, and no question is asked.
            LOOKUP_VARIABLE: "never",
        }
        if arguments.value("validation") is False:
            environ["CDK_VALIDATION"] = "false"
        running = replace(self, environ=environ)
        return not running._run(["list", *options], DEPLOYING, stdout=subprocess.DEVNULL)

    def deploy(self, stacks: Sequence[str], arguments: CdkArguments, guarded: Path) -> None:
        """Deploy exactly these stacks, as `guarded` has them, and let them adopt what exists.

        Raises DatawareError if it fails.
        """
        words = arguments.words(but=(*OWN, "app"))
        checking = replace(
            self, environ={**self.environ, **describe_check(self.app, guarded, stacks)}
        )
        checking._deploy(stacks, words)

    def deploy_assembly(
        self, stacks: Sequence[str], arguments: CdkArguments, assembly: Path
    ) -> None:
        """Deploy exactly these stacks of an assembly, without a run of the app.

        Raises DatawareError if it fails.
        """
        words = arguments.words(but=(*OWN, "app", "build", "output"))
        # CDK would build the app although it does not run it.
        self._deploy(stacks, ["--app", str(assembly), "--build=", *words])

    def _deploy(self, stacks: Sequence[str], words: Sequence[str]) -> None:
        chosen = ["--exclusively=true", *map(escape_pattern, stacks)]
        arguments = ["deploy", IMPORTING, *chosen, *words]
        if self.shown is CdkOutput.FOLDED:
            environ = {**self._environ(), RUN: DEPLOYING}
            done = run_folded([*self.command, *arguments], self.folder, environ)
        else:
            stdout = STANDARD_ERROR if self.shown is CdkOutput.BESIDE else None
            done = self._run(arguments, DEPLOYING, stdout=stdout)
        if done:
            raise CdkDeployError(f"`cdk deploy` ended with exit code {done}")

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
            reason = " ".join(answer.stderr.split())
            raise InputError(
                f"`cdk list` cannot resolve which stacks {' '.join(patterns)} means: {reason}"
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
        version = _version_in_package(command, environ) or version_of(command, folder, environ)
        if version is not None:
            options = _known_options(command, folder, environ, version)
            return Cdk(command, folder, environ, options)
    raise InputError(f"the CDK command line was not found: {ADVICE}")


def candidates(folder: Path, environ: Mapping[str, str]) -> list[tuple[str, ...]]:
    """How the command line may be called, the project's own first."""
    path = environ.get("PATH")
    local = [at / "node_modules/.bin/cdk" for at in (folder, *folder.resolve().parents)]
    commands: list[tuple[str, ...]] = []
    commands += [(str(cdk.absolute()),) for cdk in local if cdk.is_file()][:1]
    if installed := shutil.which("cdk", path=path):
        commands.append((installed,))
    if npx := shutil.which("npx", path=path):
        commands.append((npx, "--no-install", "cdk"))
    return commands


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
    return None if answer.returncode else _parse_version(answer.stdout.strip())


def _version_in_package(
    command: Sequence[str], environ: Mapping[str, str]
) -> tuple[int, int, int] | None:
    """The version that stands in the package of a command, if Node.js is there to run it."""
    package = find_package(command)
    runs = package is not None and shutil.which("node", path=environ.get("PATH"))
    return _parse_version(package.version) if package and runs else None


def _parse_version(text: str) -> tuple[int, int, int] | None:
    match = VERSION.match(text)
    if match is None:
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
    options = _option_table(command, folder, environ)
    if IMPORTING[2:] not in options:
        raise InputError(
            f"the CDK command line has version {name}, which cannot adopt existing resources "
            f"({IMPORTING} is missing): {ADVICE}"
        )
    return options


def _option_table(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> OptionTable:
    """The options that the help tells, as this package told them before or tells them now."""
    package = find_package(command)
    table = read_answer(package) if package else None
    if table is not None:
        return read_option_table(table)
    answer = subprocess.run(
        [*command, "deploy", "--help"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=VERSION_SECONDS,
    )
    text = answer.stdout or answer.stderr
    options = read_option_table(text)
    if package and not answer.returncode and IMPORTING[2:] in options:
        keep_answer(package, text)
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
