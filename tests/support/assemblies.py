"""Cloud assemblies by hand, and a CDK command line that only writes down what it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HELP = Path(__file__).with_name("cdk_deploy_help.txt")
"""What the pinned CDK command line answers to `cdk deploy --help`."""

CDK = """#!/bin/sh
echo "$@" >> calls
case "$*" in
  --version) echo "2.1148.1 (build 1)" ;;
  "deploy --help") cat "HELP" ;;
  list*) cp -r prepared/. "$3" ;;
  deploy*) while test -e hanging; do sleep 0.05; done; test ! -e failing ;;
esac
"""


def opted_in(resource: dict[str, Any], *fallbacks: str) -> dict[str, Any]:
    """The resource, with fallbacks."""
    return {**resource, "Metadata": {"Dataware": {"Fallback": list(fallbacks)}}}


def assembly(folder: Path = Path("cdk.out"), **apps: Mapping[str, Any]) -> Path:
    """A cloud assembly of stacks by name."""
    folder.mkdir(exist_ok=True)
    artifacts = {}
    for name, resources in apps.items():
        (folder / f"{name}.json").write_text(json.dumps({"Resources": resources}))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": f"{name}.json", "stackName": name},
        }
    manifest = {"version": "48.0.0", "artifacts": artifacts}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def made_by_constructs(folder: Path, stack: str, *logical_ids: str) -> Path:
    """The assembly, which tells that constructs declare these resources as decisions say."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"][stack]["metadata"] = {
        f"/{stack}/{one}": [{"type": "dataware:constructed", "data": {"LogicalId": one}}]
        for one in logical_ids
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def prepare_project() -> Path:
    """Make the current folder a CDK project; the file in which its CDK writes what it is asked.

    Its app is the assembly in the folder ``prepared``; a file ``failing`` lets deployments fail,
    and one ``hanging`` holds them up while it is there.
    """
    Path("cdk.json").write_text(json.dumps({"app": "true"}))
    cdk = Path("node_modules/.bin/cdk")
    cdk.parent.mkdir(parents=True)
    cdk.write_text(CDK.replace("HELP", str(HELP)))
    cdk.chmod(0o755)
    return Path("calls")
