"""Finds the resources that an assembly tells of and no template declares.

A construct of `dataware.cdk` that refers to a resource instead of declaring it leaves the
declaration in the metadata of its node, so that it can still be planned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dataware.core.errors import BadInput
from dataware.ops.inputs.reading import read_json

WANTED = "dataware:wanted"


def referred_resources(folder: Path, artifact: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources, in the form of a template, by the logical id that each would have."""
    return {
        data["LogicalId"]: data["Resource"]
        for data in _entries(folder, artifact)
        if isinstance(data, dict) and data.get("LogicalId") and data.get("Resource")
    }


def _entries(folder: Path, artifact: Mapping[str, Any]) -> Iterator[Any]:
    """The data of every fitting entry, whether the manifest holds the metadata or names a file."""
    found = dict(artifact.get("metadata") or {})
    beside = artifact.get("additionalMetadataFile")
    if isinstance(beside, str):
        found.update(_read(folder / beside))
    for entries in found.values():
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and entry.get("type") == WANTED:
                yield entry.get("data")


def _read(path: Path) -> dict[str, Any]:
    try:
        data = read_json(path)
    except BadInput as error:
        why = str(error).removeprefix(str(path)).strip()
        raise BadInput(f"{path} cannot be read: it {why}; run `cdk synth` again") from error
    return data if isinstance(data, dict) else {}
