"""Checks of this machine: Python, packages, the transport, the folder of the journals."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dataware import __version__
from dataware.cli.doctor.finding import Finding, failure, fine, warning
from dataware.cli.doctor.subject import DoctorSubject
from dataware.cli.transport import VARIABLE, carrier
from dataware.core.errors import InputError
from dataware.state import state_folder

PYTHON = (3, 11)
LITTLE = 100 * 1024**2
"""Bytes below which journals may soon fill the disk."""

REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9.]+)")


def python(_subject: DoctorSubject) -> Iterator[Finding]:
    """The interpreter."""
    return python_found(sys.version_info[:3], sys.executable)


def python_found(version: tuple[int, ...], at: str) -> Iterator[Finding]:
    """What there is to say about an interpreter."""
    text = f"{format_version(version)} at {at}"
    if version[:2] >= PYTHON:
        yield fine(text)
    else:
        yield failure(text, f"dataware needs Python {format_version(PYTHON)} or newer")


def packages(_subject: DoctorSubject) -> Iterator[Finding]:
    """dataware and what it is built on."""
    needed = dict(least(importlib.metadata.requires("dataware") or ()))
    return packages_found(needed, {name: installed_version(name) for name in needed})


def packages_found(needed: Mapping[str, str], local: Mapping[str, str | None]) -> Iterator[Finding]:
    """One line for all that fits, and one for each package that does not."""
    missing = [name for name in needed if local[name] is None]
    old = [
        name
        for name, version in needed.items()
        if (there := local[name]) is not None and numbers(there) < numbers(version)
    ]
    good = [f"{name} {local[name]}" for name in needed if name not in (*missing, *old)]
    yield fine(", ".join([f"dataware {__version__}", *good]))
    for name in missing:
        yield failure(f"{name} is not installed", f"pip install '{name}>={needed[name]}'")
    for name in old:
        yield warning(
            f"{name} {local[name]} is older than dataware wants",
            f"pip install '{name}>={needed[name]}'",
        )


def least(requirements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The packages that everybody needs, with their least versions; not those of extras."""
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        match = REQUIREMENT.match(wanted.strip())
        elsewhere = "win32" in marker and sys.platform == "win32"
        if match and "extra" not in marker and not elsewhere:
            yield match[1], match[2]


def transport(subject: DoctorSubject) -> Iterator[Finding]:
    """What carries the copy."""
    try:
        name = carrier(subject.environ)
    except InputError as error:
        yield failure(*halves(error))
        return
    yield from transport_found(name, _libcurl(), bool(subject.environ.get(VARIABLE)))


def transport_found(name: str, libcurl: str | None, chosen: bool) -> Iterator[Finding]:
    """What there is to say about a transport; `chosen` says that a variable names it."""
    if name == "curl":
        yield fine(f"curl ({libcurl or 'version unknown'})")
    elif chosen:
        yield fine(f"botocore, as set by {VARIABLE}; curl is several times as fast")
    else:
        yield warning(
            "botocore, because pycurl is not installed; a copy takes several times as long",
            "pip install pycurl",
        )


def _libcurl() -> str | None:
    """libcurl with its TLS library, such as ``libcurl/8.14.1 OpenSSL/3.5.4``."""
    try:
        import pycurl  # noqa: PLC0415 - it may not be there
    except ImportError:
        return None
    return " ".join(pycurl.version.split()[1:3])


def state(subject: DoctorSubject) -> Iterator[Finding]:
    """Where journals are kept."""
    folder = state_folder(subject.environ)
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    usable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    journals = sum(1 for _ in folder.rglob("*.journal")) if folder.is_dir() else 0
    return state_found(folder, usable, shutil.disk_usage(there).free, journals)


def state_found(folder: Path, usable: bool, free: int, journals: int) -> Iterator[Finding]:
    """What there is to say about the folder; `free` is in bytes."""
    space = f"{free / 1024**3:,.1f} GiB" if free >= 1024**3 else f"{free / 1024**2:,.0f} MiB"
    text = f"{folder} with {journals} journal{'' if journals == 1 else 's'}, {space} free"
    elsewhere = "set DATAWARE_STATE to another folder"
    if not usable:
        yield failure(f"{folder} cannot be written to", f"make it writable, or {elsewhere}")
    elif free < LITTLE:
        yield warning(text, f"free some space, or {elsewhere}")
    else:
        yield fine(text)


def installed_version(name: str) -> str | None:
    """The version of an installed package, without importing it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, up to the first part that is none."""
    digits = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, digits[0].split("."))) if digits else ()


def format_version(version: Iterable[int]) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def halves(error: Exception) -> tuple[str, str]:
    """The sentence of an error as what was found and what to do, as far as it says both."""
    problem, _, do = str(error).partition(": ")
    return (problem, do) if do else (problem, "see `dataware --help`")
