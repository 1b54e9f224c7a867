"""Resources that an assembly tells of and no template declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import InputError
from dataware.core.model import Wanted
from dataware.kinds import kinds
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.assembly import read_declarations, read_logical_ids
from dataware.ops.inputs.wanted import Overrides

KINDS = {kind.cfn_type: kind for kind in kinds()}
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {"TableName": "Waitlist-prod"},
    "Metadata": {"Dataware": {"Fallback": ["Waitlist"]}, "aws:cdk:path": "Demo/Waitlist"},
}
ENTRY = {"type": "dataware:wanted", "data": {"LogicalId": "Waitlist1", "Resource": TABLE}}
NOISE = {"type": "aws:cdk:logicalId", "data": "Else"}


def assembly(folder: Path, template: dict[str, Any], **artifact: Any) -> Path:
    """An assembly of one stack."""
    manifest = {
        "version": "1",
        "artifacts": {
            "Demo": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "properties": {"templateFile": "Demo.json"},
                **artifact,
            }
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "Demo.json").write_text(json.dumps(template))
    return folder


def wanted(folder: Path) -> list[Wanted]:
    """What the assembly wants."""
    return load_app(folder, kinds=KINDS).wanted


def test_metadata_in_the_manifest_counts(tmp_path: Path) -> None:
    """A resource that the stack only refers to is wanted, and is never created from its stub."""
    metadata = {"/Demo": [NOISE], "/Demo/Waitlist": [ENTRY]}
    (one,) = wanted(assembly(tmp_path, {}, metadata=metadata))
    assert (one.id, one.preferred, one.fallbacks) == (
        "Demo/Waitlist",
        "Waitlist-prod",
        ("Waitlist",),
    )
    assert (one.stack, one.logical_id, one.unresolved) == ("Demo", "Waitlist1", ("Properties",))


def test_metadata_in_a_file_beside_counts(tmp_path: Path) -> None:
    """Newer versions of CDK write the metadata into a file of its own."""
    (tmp_path / "more.json").write_text(json.dumps({"/Demo/Waitlist": [ENTRY]}))
    (one,) = wanted(assembly(tmp_path, {}, additionalMetadataFile="more.json"))
    assert one.preferred == "Waitlist-prod"


def test_a_missing_file_of_metadata_is_told_of(tmp_path: Path) -> None:
    """It is not taken for an app that refers to nothing."""
    with pytest.raises(InputError, match=r"more\.json cannot be read"):
        wanted(assembly(tmp_path, {}, additionalMetadataFile="more.json"))


def test_a_declaration_wins(tmp_path: Path) -> None:
    """What the template declares under that logical id is what is wanted."""
    template = {"Resources": {"Waitlist1": TABLE}}
    (one,) = wanted(assembly(tmp_path, template, metadata={"/Demo/Waitlist": [ENTRY]}))
    assert one.unresolved == ()


def test_an_assembly_that_lacks_context_can_be_read_on_demand(tmp_path: Path) -> None:
    """The first synth of an app with lookups says what it wants already."""
    folder = assembly(tmp_path, {"Resources": {"Waitlist1": TABLE}})
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "missing": [{"key": "vpc"}]}))
    with pytest.raises(InputError, match="lacks context"):
        wanted(folder)
    ((environment, (one,)),) = read_declarations(folder, KINDS, Overrides(), incomplete=True)
    assert (environment.account, one.preferred) == (None, "Waitlist-prod")


def test_what_a_construct_declares_may_come_to_be_referred_to(tmp_path: Path) -> None:
    """Whatever else a template declares is declared in any case."""
    theirs = {**TABLE, "Properties": {"TableName": "other"}, "Metadata": {"Dataware": {}}}
    template = {"Resources": {"Mine": TABLE, "Theirs": theirs}}
    entry = {"type": "dataware:constructed", "data": {"LogicalId": "Mine"}}
    odd = [
        {"type": "dataware:constructed", "data": one}
        for one in (None, "Theirs", {}, {"LogicalId": 1})
    ]
    for entries in ([entry, *odd], odd):
        found = wanted(assembly(tmp_path, template, metadata={"/Demo/Mine": entries}))
        assert {one.logical_id: one.is_written for one in found} == {
            "Mine": entry not in entries,
            "Theirs": True,
        }


def test_the_logical_ids_of_a_stack_are_those_that_its_template_shows(tmp_path: Path) -> None:
    """What a transform makes is not seen, so nothing is concluded from such a template."""
    template = {"Resources": {"Mine": TABLE, "Theirs": TABLE}}
    ((_, _, ids),) = read_logical_ids(assembly(tmp_path, template))
    assert ids == {"Mine", "Theirs"}
    folder = assembly(tmp_path, {**template, "Transform": "AWS::LanguageExtensions"})
    assert read_logical_ids(folder) == []
