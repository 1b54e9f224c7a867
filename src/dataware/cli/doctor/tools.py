"""Checks of what CDK needs: node, the CDK command line, the library of the app's Python."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dataware.cli.deployment.cdk_cli import ADVICE, candidates, version_of
from dataware.cli.doctor.finding import Finding, failure, fine, note, warning
from dataware.cli.doctor.machine import format_version, installed_version, numbers
from dataware.cli.doctor.subject import DoctorSubject

SECONDS = 10.0
NODE = 20
"""The oldest node that aws-cdk-lib takes (field "engines" of its package.json)."""

LIBRARY = (2, 200)
"""The oldest aws-cdk-lib that the constructs of dataware take."""

OFFLINE = {"npm_config_offline": "true", "npm_config_update_notifier": "false"}
"""Keeps npx from asking the registry about what is not installed."""

NO_PROJECT = "only CDK apps need it, and there is no cdk.json here"
ASK = """
import importlib.metadata as installed
for name in ("aws-cdk-lib", "dataware"):
    try:
        print(installed.version(name))
    except installed.PackageNotFoundError:
        print("-")
"""
"""Asks another Python for versions; it prints a line for each package, - for one that is not there.
"""


def node(subject: DoctorSubject) -> Iterator[Finding]:
    """The runtime of CDK."""
    path = shutil.which("node", path=subject.environ.get("PATH"))
    version = output([path, "--version"], subject.folder, subject.environ) if path else None
    return node_found(path, version, needed=subject.in_project)


def node_found(path: str | None, answer: str | None, *, needed: bool) -> Iterator[Finding]:
    """What there is to say about node; `answer` is what it says of its version."""
    advice = f"install Node.js {NODE} or newer"
    version = numbers((answer or "").strip().removeprefix("v"))
    if version and version[0] >= NODE:
        yield fine(f"{format_version(version)} at {path}")
        return
    text = f"{format_version(version)} is too old for CDK" if version else "it does not run"
    if path is None:
        text = "it was not found"
    yield failure(text, advice) if needed else note(f"{text}; {NO_PROJECT}")


def cdk(subject: DoctorSubject) -> Iterator[Finding]:
    """The CDK command line that `dataware deploy` runs."""
    answer, environ = None, {**subject.environ, **OFFLINE}
    for command in candidates(subject.folder, environ):
        version = version_of(command, subject.folder, environ, SECONDS)
        if version is not None:
            answer = command, version
            break
    return cdk_found(answer, needed=subject.in_project)


def cdk_found(
    cdk: tuple[Sequence[str], tuple[int, int, int]] | None, *, needed: bool
) -> Iterator[Finding]:
    """What there is to say about the command line; `cdk` is how it is called and its version."""
    if cdk is None:
        yield failure("it was not found", ADVICE) if needed else note(f"not found; {NO_PROJECT}")
        return
    command, version = cdk
    text = f"{format_version(version)}, called as {shlex.join(command)}"
    if version[0] == 2:
        yield fine(text)
    else:
        yield failure(f"{text}; dataware works with version 2", ADVICE)


def library(subject: DoctorSubject) -> Iterator[Finding]:
    """aws-cdk-lib, where the app of this folder looks for it."""
    if not subject.in_project:
        there = installed_version("aws-cdk-lib")
        yield note(f"{there}; {NO_PROJECT}" if there else f"not installed; {NO_PROJECT}")
        return
    interpreter = python_of(subject.command)
    if interpreter is None:
        yield note("not checked, because the app of cdk.json is not called with Python")
        return
    answer = output([interpreter, "-c", ASK], subject.folder, subject.environ)
    yield from library_found(interpreter, answer)


def library_found(interpreter: str, answer: str | None) -> Iterator[Finding]:
    """What there is to say about the app's Python; `answer` is what it says to `ASK`."""
    advice = f"{interpreter} -m pip install 'dataware[cdk]'"
    if answer is None or len(answer.split()) != 2:
        yield failure(f"{interpreter}, which cdk.json names, does not run", "correct cdk.json")
        return
    lib, constructs = answer.split()
    if lib == "-":
        yield failure(f"{interpreter} has no aws-cdk-lib", advice)
    elif numbers(lib) < LIBRARY:
        yield warning(
            f"{lib} is older than {format_version(LIBRARY)}, which dataware.cdk takes", advice
        )
    else:
        yield fine(f"{lib} for {interpreter}")
    if lib != "-" and constructs == "-":
        yield note(
            f"{interpreter} has no dataware, so an app of metadata alone works, but not its "
            "constructs"
        )


def python_of(app: str) -> str | None:
    """The interpreter that an app is called with; None if it is no Python."""
    try:
        words = shlex.split(app)
    except ValueError:
        return None
    named = [word for word in words if "=" not in word]
    return named[0] if named and re.fullmatch(r"(.*[/\\])?python[\d.]*(\.exe)?", named[0]) else None


def output(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> str | None:
    """What a command writes; None if it fails or does not end in time."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
