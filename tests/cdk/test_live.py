"""Decisions without a lock file: what the embedded AWS holds, and the same template every time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from cdk.apps import (
    BUCKET,
    KEY,
    TABLE,
    entry,
    errors,
    make_stack,
    make_table,
    resources,
    write_lock,
)
from dataware.cdk import DataAwareBucket, DataAwareTable
from dataware.cli import main
from dataware.core.lock_file import FILE
from dataware.core.model import Action
from dataware.embedded import EmbeddedAws

PREFERRED, FALLBACK = "Spaceport-Waitlist-prod", "Spaceport-Waitlist"


@pytest.fixture(autouse=True)
def server(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The embedded AWS as the default environment of every stack."""
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", boto3.client("sts").get_caller_identity()["Account"])
    monkeypatch.setenv("CDK_DEFAULT_REGION", boto3.client("s3").meta.region_name)
    return aws_server


def synthesized(id: str = "Waitlist", name: str = "Demo", **settings: Any) -> Stack:
    """A stack with a table and a bucket, decided now."""
    app = App(context={"aws:cdk:enable-path-metadata": True})
    # No bootstrap stack is there whose version a template could ask for.
    synthesizer = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    stack = Stack(app, name, synthesizer=synthesizer)
    DataAwareTable(
        stack,
        id,
        preferred_name=PREFERRED,
        fallback_names=[FALLBACK],
        partition_key=KEY,
        **settings,
    )
    DataAwareBucket(stack, "Uploads", preferred_name="spaceport-uploads-prod", **settings)
    return stack


def decision(stack: Stack, id: str = "Waitlist") -> Any:
    """What was decided for the table."""
    return stack.node.find_child(id).decision


def deploy(stack: Stack) -> None:
    """Create or update the stack, as `cdk deploy` does."""
    cloudformation = boto3.client("cloudformation")
    body = json.dumps(Template.from_stack(stack).to_json())
    names = [one["StackName"] for one in cloudformation.describe_stacks()["Stacks"]]
    if stack.stack_name not in names:
        cloudformation.create_stack(StackName=stack.stack_name, TemplateBody=body)
        return
    try:
        cloudformation.update_stack(StackName=stack.stack_name, TemplateBody=body)
    except cloudformation.exceptions.ClientError as error:
        assert "No updates are to be performed" in str(error)


def settled(name: str) -> str:
    """The status of a stack once nothing is in progress."""
    for _ in range(300):
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        status: str = stack["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(0.1)
    raise AssertionError(f"{name} stays {status}")


def test_every_deployment_has_the_same_template() -> None:
    """What the first deployment creates, the second and third find, and keep declared."""
    found = []
    for _ in range(3):
        stack = synthesized()
        found.append(resources(stack))
        assert errors(stack) == []
        deploy(stack)
    assert found[0] == found[1] == found[2]
    assert decision(stack).action is Action.KEEP
    assert len(found[0]) == 2


def test_a_first_deployment_that_failed_is_repeated() -> None:
    """What was rolled back is in nobody's way: the next one creates both resources and has them."""
    cloudformation = boto3.client("cloudformation")
    first = synthesized()
    wrong = iam.CfnPolicy(first, "Wrong", policy_name="p", policy_document={}, roles=["nobody"])
    wrong.node.add_dependency(first.node.find_child("Waitlist"), first.node.find_child("Uploads"))
    deploy(first)
    assert settled("Demo") == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName="Demo")["StackEvents"]
    created = [one for one in events if one["ResourceStatus"] == "CREATE_COMPLETE"]
    assert {one["ResourceType"] for one in created} == {BUCKET, TABLE}
    # As the CDK command line does with a stack that was never complete.
    cloudformation.delete_stack(StackName="Demo")
    for _ in range(2):
        stack = synthesized()
        assert errors(stack) == []
        assert {one["Type"] for one in resources(stack).values()} == {BUCKET, TABLE}
        deploy(stack)
        assert settled("Demo") == "CREATE_COMPLETE"


def test_a_lock_file_and_its_loss_change_nothing(project: Path) -> None:
    """With the lock file, without it, and with the next one, the template is the same."""
    deploy(synthesized())
    found = [resources(synthesized())]
    assembly = synthesized().node.root.synth().directory
    assert main(["plan", assembly, "--lock"]) == 0
    written = (project / FILE).read_bytes()
    found.append(resources(synthesized()))
    (project / FILE).unlink()
    found.append(resources(synthesized()))
    assert main(["plan", assembly, "--lock"]) == 0
    assert (project / FILE).read_bytes() == written
    assert found[0] == found[1] == found[2]


def test_what_exists_with_data_is_referenced_or_adopted() -> None:
    """By default a synth refers to it, which a plain `cdk deploy` can do; adoption is asked for."""
    make_table(PREFERRED)
    assert [one["Type"] for one in resources(synthesized()).values()] == [BUCKET]
    assert len(resources(synthesized(import_mode="adopt"))) == 2


def test_the_context_sets_how_an_app_imports() -> None:
    """`-c dataware:import=adopt` is for all constructs that do not say."""
    make_table(PREFERRED)
    stack = make_stack("Demo", App(context={"dataware:import": "adopt"}))
    other = Stack(stack.node.root, "Other")
    made = DataAwareTable(other, "Waitlist", preferred_name=PREFERRED, partition_key=KEY)
    assert made.decision.import_mode == "adopt"
    assert len(resources(other)) == 1


def test_data_of_the_fallback_moves_with_the_deployment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The preferred table is declared, what copies stands beside it, and one line tells of it."""
    make_table(FALLBACK)
    stack = synthesized()
    assert (decision(stack).action, decision(stack).source) == (Action.MIGRATE, FALLBACK)
    assert errors(stack) == []
    types = [one["Type"] for one in resources(stack).values()]
    assert (types.count("Custom::DataMigration"), types.count(TABLE)) == (1, 1)
    line = f"creating preferred and migrating: {FALLBACK} → {PREFERRED}"
    assert line in capsys.readouterr().err


def test_what_nobody_copies_is_not_said_to_be_migrated(capsys: pytest.CaptureFixture[str]) -> None:
    """An error stands on the construct, and no line promises what does not happen."""
    make_table(FALLBACK)
    stack = synthesized(migration=None)
    (text,) = errors(stack)
    assert "migration=None keeps this deployment from it: run `dataware deploy`" in text
    assert "migrating" not in capsys.readouterr().err


def test_an_empty_table_that_the_stack_owns_is_no_twin_by_a_setting() -> None:
    """With on_fallback_data="import" nothing is copied into it; that is an error, with ways out."""
    deploy(synthesized())
    make_table(FALLBACK)
    stack = synthesized(on_fallback_data="import")
    assert decision(stack).action is Action.KEEP
    (text,) = errors(stack)
    assert f"{PREFERRED} is empty, {FALLBACK} holds data" in text
    assert f"`dataware migrate dynamodb://{FALLBACK} dynamodb://{PREFERRED}`" in text
    boto3.client("dynamodb").put_item(TableName=PREFERRED, Item={"email": {"S": "a"}})
    assert errors(synthesized(on_fallback_data="import")) == []


@pytest.mark.parametrize(
    ("stale", "copies"),
    [
        (entry("create", 5, fallbacks=[FALLBACK]), True),
        (entry("create", 12, exists="yes", fallbacks=[FALLBACK], **{"import": "adopt"}), True),
        (entry("keep", 6, exists="yes", fallbacks=[FALLBACK], content="empty"), True),
        (entry("keep", 6, exists="yes", fallbacks=[FALLBACK], content="data"), False),
        (entry("keep", 6, exists="yes", fallbacks=[FALLBACK]), False),
    ],
    ids=["absent", "empty", "kept-empty", "kept-with-data", "kept-by-an-older-file"],
)
def test_a_lock_file_cannot_strand_what_was_written_since(
    stale: dict[str, Any], copies: bool
) -> None:
    """A decision that rests on there being no data is made anew; one on data is taken as it is."""
    make_table(FALLBACK)
    environment = f"{os.environ['CDK_DEFAULT_ACCOUNT']}/{os.environ['CDK_DEFAULT_REGION']}"
    write_lock({f"{TABLE} {PREFERRED}": stale}, environment)
    stack = synthesized()
    types = [one["Type"] for one in resources(stack).values()]
    assert ("Custom::DataMigration" in types) == copies


def test_a_lock_file_that_says_migrate_does_not_say_so_for_ever() -> None:
    """Once the data has arrived, the machinery leaves the template, committed lock or not."""
    make_table(PREFERRED)
    lock = entry("migrate", 3, source=FALLBACK, fallbacks=[FALLBACK])
    environment = f"{os.environ['CDK_DEFAULT_ACCOUNT']}/{os.environ['CDK_DEFAULT_REGION']}"
    write_lock({f"{TABLE} {PREFERRED}": lock}, environment)
    stack = synthesized()
    assert decision(stack).action is Action.IMPORT
    assert "Custom::DataMigration" not in [one["Type"] for one in resources(stack).values()]


def test_another_schema_stops_at_synth() -> None:
    """A fallback of another key schema would give a table that cannot take its items."""
    make_table(FALLBACK, key="phone")
    assert "rule 13" in errors(synthesized())[0]


def test_a_moved_construct_stops_with_the_recipe() -> None:
    """A new id would drop the stack's own table: the error names both ids and `cdk refactor`."""
    deploy(synthesized())
    (text,) = errors(synthesized("List"))
    assert "rule 16" in text
    assert " as Waitlist" in text
    assert "`cdk refactor`" in text


def test_an_outdated_lock_file_does_not_hide_a_move() -> None:
    """An entry for the old id is not taken at its word: AWS is asked, and the move is stopped."""
    stack = synthesized()
    deploy(stack)
    assert main(["plan", stack.node.root.synth().directory, "--lock"]) == 0
    assert errors(synthesized()) == []
    (text,) = errors(synthesized("List"))
    assert "rule 16" in text


def test_an_outdated_lock_file_does_not_hide_another_owner(project: Path) -> None:
    """What was this stack's and is now another's becomes a reference, and leaves nothing behind."""
    deploy(synthesized(name="Owner"))
    account, region = os.environ["CDK_DEFAULT_ACCOUNT"], os.environ["CDK_DEFAULT_REGION"]
    old = entry("keep", 6, stack="Demo", logical_id="Older", fallbacks=[FALLBACK])
    write_lock({f"{TABLE} {PREFERRED}": old}, f"{account}/{region}")
    stack = synthesized()
    assert decision(stack).rule == 10
    assert resources(stack) == {}
    assert (project / FILE).exists()


def test_another_stacks_table_is_referenced() -> None:
    """It is never adopted, whatever the construct asks for."""
    deploy(synthesized(name="Owner"))
    stack = synthesized(import_mode="adopt")
    assert decision(stack).rule == 10
    assert resources(stack) == {}


def test_a_deleted_stacks_table_is_taken_in() -> None:
    """What a deleted stack has left belongs to nobody."""
    deploy(synthesized(name="Owner"))
    boto3.client("cloudformation").delete_stack(StackName="Owner")
    stack = synthesized(import_mode="adopt")
    assert decision(stack).rule == 12
    assert len(resources(stack)) == 2


def wrong_account(patch: pytest.MonkeyPatch) -> None:
    """A stack that goes elsewhere than the credentials."""
    patch.setenv("CDK_DEFAULT_ACCOUNT", "999988887777")


def nobody_there(patch: pytest.MonkeyPatch) -> None:
    """An endpoint that nobody listens on."""
    patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


def no_credentials(patch: pytest.MonkeyPatch) -> None:
    """No credentials anywhere."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (wrong_account, "the stack goes to account 999988887777, but the credentials are of"),
        (nobody_there, "127.0.0.1:9"),
        (no_credentials, "credentials"),
    ],
)
def test_what_cannot_be_looked_up_stays_declared(
    break_it: Callable[[pytest.MonkeyPatch], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing drops out of a stack because AWS did not answer; the synth is an error."""
    break_it(monkeypatch)
    stack = synthesized()
    told = errors(stack)
    assert len(told) == 2
    assert all(words in text for text in told)
    assert len(resources(stack)) == 2


def test_a_name_changed_in_place_is_an_error_without_a_plug_in() -> None:
    """A plain `cdk deploy` would replace the table with data by an empty one, so synth stops."""
    deploy(synthesized())
    assert settled("Demo") == "CREATE_COMPLETE"
    boto3.client("dynamodb").put_item(TableName=PREFERRED, Item={"email": {"S": "ada@example.org"}})
    stack = Stack(App(), "Demo")
    DataAwareTable(
        stack,
        "Waitlist",
        preferred_name="Spaceport-Waitlist-live",
        fallback_names=[PREFERRED],
        partition_key=KEY,
    )
    (text,) = errors(stack)
    assert "(rule 19)" in text
    assert f"would replace {PREFERRED} (" in text
    renamed = Stack(App(), "Demo")
    DataAwareTable(
        renamed,
        "Waitlist2",
        preferred_name="Spaceport-Waitlist-live",
        fallback_names=[PREFERRED],
        partition_key=KEY,
    )
    assert "rule 19" not in " ".join(errors(renamed))
