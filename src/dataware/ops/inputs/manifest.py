"""What of a cloud assembly's manifest is read has to be as CDK writes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dataware.core.errors import InputError
from dataware.ops.inputs.reading import parse_json, read_text

FILES = {"aws:cloudformation:stack": "templateFile", "cdk:cloud-assembly": "directoryName"}
"""The property that names the file of an artifact, by the type of the artifact."""


def read_manifest(path: Path) -> Mapping[str, Any]:
    """The manifest in a file. Raises InputError, with the field, for one that CDK did not write."""
    manifest = parse_json(read_text(path, holds="at least one stack"), path)
    check_manifest(manifest, path)
    return cast("Mapping[str, Any]", manifest)


def check_manifest(manifest: Any, path: Path) -> None:
    """Raise InputError, with the field, for a manifest that CDK did not write like this."""
    artifacts = manifest.get("artifacts") if isinstance(manifest, dict) else None
    if not isinstance(artifacts, dict):
        raise InputError(f"{path} is not a manifest of a cloud assembly: run `cdk synth`")
    for artifact_id, artifact in artifacts.items():
        if (field := _wrong_field(artifact)) is not None:
            where = f"artifact {artifact_id}{', ' if field else ''}{field}"
            raise InputError(f"{path} is damaged ({where}): run `cdk synth` again")


def _wrong_field(artifact: Any) -> str | None:
    """The first field that is not as it should be; empty for the artifact itself."""
    if not isinstance(artifact, dict):
        return ""
    named = artifact.get("type")
    file = FILES.get(named) if isinstance(named, str) else None
    if file is None:
        return None
    properties = artifact.get("properties")
    if not isinstance(properties, dict):
        return "properties"
    if not isinstance(properties.get(file), str):
        return f"properties.{file}"
    if not isinstance(properties.get("stackName", ""), str):
        return "properties.stackName"
    types = {"displayName": str, "environment": str, "metadata": dict, "dependencies": list}
    wrong = (
        name for name, kind in types.items() if not isinstance(artifact.get(name, kind()), kind)
    )
    return next(wrong, None)
