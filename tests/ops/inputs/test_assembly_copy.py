"""The copy of an assembly is what it was, whatever becomes of the original."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataware.ops.inputs.assembly import read_stacks
from dataware.ops.inputs.assembly_copy import copy_assembly, has_executable_assets
from support.assemblies import assembly

TOPIC = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}}}


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """An assembly with a stage, assets, and the lock of a command line that reads it."""
    folder = assembly(tmp_path / "cdk.out", App=TOPIC)
    assembly(folder / "assembly-Prod", Prod=TOPIC)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["assembly-Prod"] = {
        "type": "cdk:cloud-assembly",
        "properties": {"directoryName": "assembly-Prod"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "asset.1a2b").mkdir()
    (folder / "asset.1a2b/index.py").write_text("pass")
    (folder / "asset.3c4d.zip").write_text("zip")
    (folder / "asset.5e6f.json").write_text("{}")
    (folder / "read.17.1.lock").write_text("")
    (folder / "App.assets.json").write_text('{"files": {"1": {"source": {"path": "asset.1a2b"}}}}')
    return folder


def test_a_copy_outlives_its_original(tmp_path: Path, original: Path) -> None:
    """Stacks of stages, too; only what a hash names is shared."""
    copy = tmp_path / "copy"
    copy_assembly(original, copy)
    before = [(one.id, one.name, one.template.read_text()) for one in read_stacks(original)]
    assembly(original, Else={})
    assembly(original / "assembly-Prod", Else={})
    for template in original.rglob("*.json"):
        template.write_text("{}")
    after = [(one.id, one.name, one.template.read_text()) for one in read_stacks(copy)]
    assert after == before
    assert [one[0] for one in after] == ["App", "Prod"]
    assert (copy / "asset.1a2b/index.py").read_text() == "pass"
    assert (copy / "assembly-Prod/../asset.3c4d.zip").read_text() == "zip"
    linked = sorted(each.name for each in copy.iterdir() if each.is_symlink())
    assert linked == ["asset.1a2b", "asset.3c4d.zip"], "a nested template may be an asset"
    assert not list(copy.glob("*.lock"))


def test_a_program_that_makes_an_asset_is_seen(original: Path) -> None:
    """It may look for files beside the original, in a stage as well."""
    assert not has_executable_assets(original)
    made = '{"files": {"1": {"source": {"executable": ["../make.sh"]}}}}'
    (original / "assembly-Prod/Prod.assets.json").write_text(made)
    assert has_executable_assets(original)
