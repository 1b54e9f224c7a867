"""Finds the resources that an assembly lists and no template declares.

A construct of `dataware.cdk` that refers to a resource instead of declaring it leaves the
declaration in the metadata of its node, so that it can still be planned. One that declares it says
there that it may come to refer to it, as no metadata of a template can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dataware.core.errors import InputError
from dataware.ops.inputs.reading import read_json

WANTED = "dataware:wanted"
CONSTRUCTED = "dataware:constructed"
ERROR = "aws:cdk:error"


def referred_resources(folder: Path, artifact: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources, in the form of a template, by the logical id that each would have."""
    resources = {}
    for entry in _entries(folder, artifact, WANTED):
        data = entry if isinstance(entry, dict) else {}
        named, resource = data.get("LogicalId"), data.get("Resource")
        if not isinstance(named, str) or not isinstance(resource, dict) or not _opts_in(resource):
            raise InputError(
                f"{folder} holds an entry {WANTED} that this version does not know: use one "
                "version of dataware everywhere, and run `cdk synth` again"
            )
        resources[named] = resource
    return resources


def constructed_resources(folder: Path, artifact: Mapping[str, Any]) -> frozenset[str]:
    """The logical ids of what the app declares only as long as its decisions say so."""
    entries = _entries(folder, artifact, CONSTRUCTED)
    ids = (entry.get("LogicalId") for entry in entries if isinstance(entry, dict))
    return frozenset(one for one in ids if isinstance(one, str))


def _opts_in(resource: Mapping[str, Any]) -> bool:
    metadata = resource.get("Metadata")
    return isinstance(metadata, dict) and "Dataware" in metadata


def errors_of(folder: Path, artifact: Mapping[str, Any]) -> Iterator[str]:
    """The errors that the app has found in a stack, for which CDK deploys nothing."""
    for data in _entries(folder, artifact, ERROR):
        yield str(data)


def _entries(folder: Path, artifact: Mapping[str, Any], type_: str) -> Iterator[Any]:
    """The data of every fitting entry, whether the manifest holds the metadata or names a file."""
    metadata = dict(artifact.get("metadata") or {})
    beside = artifact.get("additionalMetadataFile")
    if isinstance(beside, str):
        metadata.update(_read(folder / beside))
    for entries in metadata.values():
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and entry.get("type") == type_:
                yield entry.get("data")


def _read(path: Path) -> dict[str, Any]:
    try:
        data = read_json(path)
    except InputError as error:
        why = str(error).removeprefix(str(path)).strip()
        raise InputError(f"{path} cannot be read: it {why}; run `cdk synth` again") from error
    return data if isinstance(data, dict) else {}
