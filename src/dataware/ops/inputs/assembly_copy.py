"""Copies a cloud assembly, so that what is guarded is deployed, whoever writes the original.

Templates, manifests and metadata are copied; staged assets, which bear a hash of their content as
their name and may be large, are linked to.

Source: AWS CDK documentation, "Assets and the AWS CDK"; aws-cdk-lib, `core/lib/asset-staging.ts`
(the names of assets).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from dataware.ops.inputs.assembly import MANIFEST

ASSET = "asset."
"""How the names of staged assets begin."""

TEMPLATES = frozenset({".json", ".yaml", ".yml", ".template"})
"""How the names of files end that may be the template of a nested stack."""

LOCKS = "*.lock"
"""The files by which CDK command lines keep each other from a folder that one of them writes."""


def copy_assembly(folder: Path, into: Path) -> None:
    """Copy an assembly, and the assemblies (stages) inside it. Raises OSError."""
    into.mkdir(exist_ok=True)
    for entry in folder.iterdir():
        copy = into / entry.name
        if entry.match(LOCKS):
            continue
        if entry.is_dir() and _is_assembly(entry):
            copy_assembly(entry, copy)
        elif entry.is_dir() or _is_large(entry):
            copy.symlink_to(entry.resolve())
        else:
            shutil.copyfile(entry, copy)


def _is_large(file: Path) -> bool:
    return file.name.startswith(ASSET) and file.suffix not in TEMPLATES


def has_executable_assets(folder: Path) -> bool:
    """Whether an asset is made by a program, which may look for files beside the original."""
    return any('"executable"' in each.read_text(encoding="utf-8") for each in _manifests(folder))


def _manifests(folder: Path) -> Iterator[Path]:
    """The lists of assets of an assembly, and of the assemblies inside it."""
    yield from folder.glob("*.assets.json")
    for entry in folder.iterdir():
        if entry.is_dir() and _is_assembly(entry):
            yield from _manifests(entry)


def _is_assembly(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()
