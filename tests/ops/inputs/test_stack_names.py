"""A stack may be given by its ARN wherever its name may, and then says where it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataware.core.errors import InputError
from dataware.kinds import kinds
from dataware.ops.inputs.app import load_app
from support.assemblies import assembly, opted_in
from support.cli import BUCKET, toml_resource, write_toml
from support.worlds import retained

KINDS = {kind.cfn_type: kind for kind in kinds()}
ACCOUNT, REGION = "111122223333", "eu-west-1"
ARN = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Shop/0a1b2c3d-1111-2222-3333-444455556666"
BOX = opted_in(retained(BUCKET, BucketName="box-prod"), "box")


@pytest.mark.parametrize("stack", ["Shop", ARN])
def test_a_template_belongs_to_the_stack_that_is_named(tmp_path: Path, stack: str) -> None:
    """By either name the resource is the stack's own, and the guard looks at it."""
    path = tmp_path / "app.json"
    path.write_text(json.dumps({"Resources": {"Box": BOX}}))
    app = load_app(path, kinds=KINDS, stack=stack)
    assert [one.stack for one in app.wanted] == ["Shop"]
    assert [one.name for one in app.stacks] == ["Shop"]
    place = (ACCOUNT, REGION) if stack == ARN else (None, None)
    assert [(one.account, one.region) for one in (*app.stacks, *app.wanted)] == [place, place]
    app.check_environment(ACCOUNT, REGION)
    if stack == ARN:
        with pytest.raises(
            InputError, match=f"Stack Shop is meant for account {ACCOUNT}, {REGION}"
        ):
            app.check_environment(ACCOUNT, "us-east-1")


def test_a_stack_of_an_assembly_is_found(tmp_path: Path) -> None:
    """Where the assembly says an account and a region, those of the ARN have to fit."""
    folder = assembly(tmp_path / "cdk.out", Shop={"Box": BOX}, Other={})
    (one,) = load_app(folder, kinds=KINDS, stack=ARN).wanted
    assert one.stack == "Shop"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["Shop"]["environment"] = f"aws://{ACCOUNT}/us-east-1"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="the app has no stack"):
        load_app(folder, kinds=KINDS, stack=ARN)


def test_a_toml_file_names_it_either_way(tmp_path: Path) -> None:
    """The owner that AWS tells has the name alone."""
    resource = toml_resource(BUCKET, "box-prod", "box", stack=ARN, logical_id="Box")
    path = write_toml(tmp_path / "dataware.toml", resource)
    for chosen in (None, "Shop", ARN):
        (one,) = load_app(path, kinds=KINDS, stack=chosen).wanted
        assert (one.stack, one.account, one.region) == ("Shop", ACCOUNT, REGION)


def test_a_resource_knows_what_cdk_calls_its_stack(tmp_path: Path) -> None:
    """By its path in the app, which is other than the name that the stack has in the account."""
    manifest = assembly(tmp_path, App={"Box": BOX}) / "manifest.json"
    written = json.loads(manifest.read_text())
    written["artifacts"]["App"]["displayName"] = "Stage/App"
    written["artifacts"]["App"]["properties"]["stackName"] = "app-prod"
    manifest.write_text(json.dumps(written))
    (wanted,) = load_app(tmp_path, kinds=KINDS).wanted
    assert (wanted.stack, wanted.cdk_stack) == ("app-prod", "Stage/App")
