"""What is known of an installed CDK command line without a run of it, which takes most of a second.

Its version stands in its package, and what it answers to `cdk deploy --help` is kept in the cache
folder for as long as the package stays as it is.

Source: npm documentation, "package.json" (`bin`), and `npm install`, which links to it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dataware.core.errors import DatawareError
from dataware.embedded.environment import cache_folder

NAME = "aws-cdk"
LEVELS = 3
"""How far above the program the package may be."""


@dataclass(frozen=True, slots=True)
class CdkPackage:
    """The package of a CDK command line: its program, and the file that describes it."""

    program: Path
    description: Path
    version: str

    @property
    def answer(self) -> Path:
        """Where the answer of this very package to `cdk deploy --help` is kept.

        Raises OSError and DatawareError.
        """
        stamps = [(str(at), at.stat().st_mtime_ns) for at in (self.program, self.description)]
        named = hashlib.sha256(json.dumps([self.version, stamps]).encode()).hexdigest()
        return cache_folder() / "cdk" / f"deploy-help-{named[:16]}"


def find_package(command: Sequence[str]) -> CdkPackage | None:
    """The package to which a command leads; None for what is anything but a link into it."""
    if len(command) != 1:
        return None
    try:
        program = Path(command[0]).resolve(strict=True)
        for folder in program.parents[:LEVELS]:
            description = folder / "package.json"
            if description.is_file():
                return _read_package(program, description)
    except (OSError, ValueError):
        pass
    return None


def _read_package(program: Path, description: Path) -> CdkPackage | None:
    package = json.loads(description.read_text(encoding="utf-8"))
    if not isinstance(package, dict) or package.get("name") != NAME:
        return None
    bins, version = package.get("bin"), package.get("version")
    named = bins.get("cdk") if isinstance(bins, dict) else None
    if not isinstance(named, str) or not isinstance(version, str):
        return None
    is_it = (description.parent / named).resolve() == program
    return CdkPackage(program, description, version) if is_it else None


def read_answer(package: CdkPackage) -> str | None:
    """The answer that is kept; None if there is none, or it is not as it was written."""
    with suppress(OSError, ValueError, DatawareError):
        digest, _, text = package.answer.read_text(encoding="utf-8").partition("\n")
        if digest == _digest(text):
            return text
    return None


def keep_answer(package: CdkPackage, text: str) -> None:
    """Keep an answer, if it can be kept."""
    with suppress(OSError, DatawareError):
        at = package.answer
        at.parent.mkdir(parents=True, exist_ok=True)
        scratch = at.with_name(f".{at.name}.{secrets.token_hex(6)}")
        scratch.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
        scratch.replace(at)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
