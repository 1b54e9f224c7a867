"""What every decision makes of the template. One app is synthesized for all of these tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Stack, cx_api
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3

from cdk.apps import BUCKET, KEY, TABLE, entry, make_stack, write_lock
from dataware.cdk import DataAwareBucket, DataAwareTable
from dataware.core.model import Creator, Wanted
from dataware.kinds import kinds
from dataware.ops.inputs.app import load_app

# The one app takes seconds: one process synthesizes it.
pytestmark = pytest.mark.xdist_group("templates")

ADOPT, REFERENCE = "adopt", "reference"
EXISTS = {"exists": "yes"}

CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "keep-6": (entry("keep", 6, **EXISTS), None),
    "import-1-adopt": (entry("import", 1, **EXISTS, **{"import": ADOPT}), None),
    "import-1-reference": (entry("import", 1, **EXISTS, **{"import": REFERENCE}), "preferred"),
    "import-8-warned": (
        entry(
            "import", 8, **EXISTS, **{"import": REFERENCE, "warnings": ["two resources hold data"]}
        ),
        "preferred",
    ),
    "import-10": (entry("import", 10, **EXISTS, **{"import": REFERENCE}), "preferred"),
    "import-14-adopt": (entry("import", 14, **EXISTS, **{"import": ADOPT}), None),
    "import-15": (entry("import", 15, source="old-name", **{"import": REFERENCE}), "old-name"),
    "create-4": (entry("create", 4, **{"import": ADOPT}), None),
    "create-5-reference": (entry("create", 5, **{"import": REFERENCE}), None),
    "create-12-adopt": (entry("create", 12, **EXISTS, **{"import": ADOPT}), None),
    "create-12-reference": (entry("create", 12, **EXISTS, **{"import": REFERENCE}), "preferred"),
    "create-14-adopt": (entry("create", 14, exists="unknown", **{"import": ADOPT}), None),
    "migrate-3": (entry("migrate", 3, source="old-name", **{"import": ADOPT}), None),
    "migrate-3-absent": (entry("migrate", 3, source="old-name", **{"import": REFERENCE}), None),
    "migrate-3-reference": (
        entry("migrate", 3, source="old-name", **EXISTS, **{"import": REFERENCE}),
        "preferred",
    ),
    "migrate-6": (entry("migrate", 6, source="old-name", **EXISTS), None),
    "resume-7": (entry("resume", 7, source="old-name", **EXISTS, **{"import": ADOPT}), None),
    **{f"stop-{rule}": (entry("stop", rule), None) for rule in (7, 9, 10, 11, 13, 14, 16, 17, 18)},
}


@dataclass
class World:
    """The app of all cases: a stack for each, and how CDK's own constructs would do it."""

    made: dict[str, tuple[DataAwareBucket, DataAwareTable]]
    folder: Path
    synthesized: dict[str, cx_api.CloudFormationStackArtifact]
    resources: dict[str, dict[str, Any]]

    def annotations(self, case: str, level: cx_api.SynthesisMessageLevel) -> list[str]:
        """The texts of a stack's annotations, which are read from the one synth of the app."""
        messages = self.synthesized[case].messages
        return [str(one.entry.data) for one in messages if one.level == level]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every case in a stack of its own, with constructs of the same ids."""
    folder = tmp_path_factory.mktemp("world")
    context = {"dataware:lookup": "never", "aws:cdk:enable-path-metadata": True}
    app = App(outdir=str(folder / "out"), context=context)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_lock(_entries())
        stacks = {case: make_stack(f"Case-{case}", app) for case in CASES}
        made = {case: _constructs(stack, case) for case, stack in stacks.items()}
    plain = make_stack("Plain", app)
    s3.Bucket(plain, "Uploads")
    dynamodb.Table(plain, "Waitlist", partition_key=KEY)
    assembly = app.synth()
    synthesized = {
        case: assembly.get_stack_artifact(stack.artifact_id)
        for case, stack in {**stacks, "plain": plain}.items()
    }
    found = {
        case: json.loads(Path(one.template_full_path).read_text()).get("Resources", {})
        for case, one in synthesized.items()
    }
    return World(made, folder, synthesized, found)


def _entries() -> dict[str, Any]:
    names = {case: one for case, (one, _) in CASES.items()}
    fallbacks = {"fallbacks": ["old-name"]}
    return {
        **{f"{BUCKET} uploads-{case}": {**one, **fallbacks} for case, one in names.items()},
        **{f"{TABLE} Waitlist-{case}": {**one, **fallbacks} for case, one in names.items()},
    } | _places()


def _places() -> dict[str, Any]:
    """References are told of under the logical id that the lock file knows."""
    return {
        f"{cfn_type} {name}-{case}": {
            **one,
            "fallbacks": ["old-name"],
            "stack": f"Case-{case}",
            "logical_id": logical_id,
        }
        for case, (one, referenced) in CASES.items()
        if referenced
        for cfn_type, name, logical_id in (
            (BUCKET, "uploads", "UploadsReferenced"),
            (TABLE, "Waitlist", "WaitlistReferenced"),
        )
    }


def _constructs(stack: Stack, case: str) -> tuple[DataAwareBucket, DataAwareTable]:
    bucket = DataAwareBucket(
        stack, "Uploads", preferred_name=f"uploads-{case}", fallback_names=["old-name"]
    )
    table = DataAwareTable(
        stack,
        "Waitlist",
        preferred_name=f"Waitlist-{case}",
        fallback_names=["old-name"],
        partition_key=KEY,
    )
    CfnOutput(stack, "BucketName", value=bucket.bucket.bucket_name)
    CfnOutput(stack, "TableName", value=table.table.table_name)
    return bucket, table


def of_type(found: dict[str, Any], cfn_type: str) -> dict[str, Any]:
    """The resources of one type, by logical id."""
    return {one: resource for one, resource in found.items() if resource["Type"] == cfn_type}


@pytest.mark.parametrize("case", CASES)
def test_a_decision_declares_or_refers(world: World, case: str) -> None:
    """What is not imported by reference is declared, whatever else was decided."""
    _, referenced = CASES[case]
    bucket, table = world.made[case]
    declared = world.resources[case]
    assert len(of_type(declared, BUCKET)) == len(of_type(declared, TABLE)) == (referenced is None)
    if referenced:
        names = (bucket.bucket.bucket_name, table.table.table_name)
        preferred = (f"uploads-{case}", f"Waitlist-{case}")
        assert names == (preferred if referenced == "preferred" else (referenced, referenced))


@pytest.mark.parametrize("case", [case for case, (_, name) in CASES.items() if name is None])
def test_a_declared_resource_outlives_its_stack(world: World, case: str) -> None:
    """It has a literal name, its settings as metadata, and is retained; its id is CDK's own."""
    for cfn_type, name, preferred in (
        (BUCKET, "BucketName", f"uploads-{case}"),
        (TABLE, "TableName", f"Waitlist-{case}"),
    ):
        ((logical_id, resource),) = of_type(world.resources[case], cfn_type).items()
        assert [logical_id] == list(of_type(world.resources["plain"], cfn_type))
        assert resource["Properties"][name] == preferred
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"
        assert resource["Metadata"]["Dataware"] == {"Fallback": ["old-name"]}


@pytest.mark.parametrize("case", CASES)
def test_only_a_stop_is_an_error(world: World, case: str) -> None:
    """A stop keeps the CDK from deploying and says its rule and reason; nothing else does."""
    rule = CASES[case][0]["rule"]
    told = world.annotations(case, cx_api.SynthesisMessageLevel.ERROR)
    if case.startswith("stop-"):
        assert f"Stopped at uploads-{case} (rule {rule}): because of rule {rule}" in told
        assert len(told) == 2
    else:
        assert told == []


def test_warnings_of_a_decision_reach_the_developer(world: World) -> None:
    """What was warned of when it was decided is warned of at every synth."""
    told = world.annotations("import-8-warned", cx_api.SynthesisMessageLevel.WARNING)
    assert [text for text in told if "two resources hold data" in text]


@pytest.mark.parametrize("case", CASES)
def test_data_that_has_to_move_is_moved_by_the_deployment(world: World, case: str) -> None:
    """What is to be copied brings what copies it, without being asked, and nothing else does.

    Where nothing was to be copied when the file was written, the deployment looks again.
    """
    moved = [
        one["Properties"]
        for one in of_type(world.resources[case], "Custom::DataMigration").values()
    ]
    copies = case.startswith(("migrate", "resume", "create"))
    targets = {f"uploads-{case}", f"Waitlist-{case}"} if copies else set()
    assert {one["Target"] for one in moved} == targets
    assert all((one.get("IfNeeded") == "true") == case.startswith("create") for one in moved)


def test_an_assembly_tells_of_declared_and_of_referenced_resources(world: World) -> None:
    """`dataware plan cdk.out` knows all, by id, names and keys; a reference is never created."""
    app = load_app(world.folder / "out", kinds={kind.cfn_type: kind for kind in kinds()})
    wanted = {(one.stack, one.id.rpartition("/")[2]): one for one in app.wanted}
    assert {one.id for one in app.wanted} == {
        f"Case-{case}/{name}" for case in CASES for name in ("Uploads", "Waitlist")
    }
    for case, (_, referenced) in CASES.items():
        _check(wanted[f"Case-{case}", "Waitlist"], case, referenced is not None)


def _check(table: Wanted, case: str, referenced: bool) -> None:
    assert table.preferred == f"Waitlist-{case}"
    assert table.fallbacks == ("old-name",)
    assert table.properties["KeySchema"] == [{"AttributeName": "email", "KeyType": "HASH"}]
    assert table.creator is Creator.DEPLOYMENT
    assert (table.unresolved == ("Properties",)) == referenced
    assert (table.logical_id == "WaitlistReferenced") == referenced
