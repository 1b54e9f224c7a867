"""The validation plug-in: a synth that would lose data fails, and says how to keep it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import (
    App,
    CfnResource,
    Environment,
    PolicyValidationPluginReportBeta1,
    Stack,
    Stage,
)
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.aws_ec2 import Vpc

from dataware.cdk import DataGuard
from support.worlds import KEYS, client

PROPERTIES = {"BillingMode": "PAY_PER_REQUEST", **KEYS, "TableName": "orders"}


@pytest.fixture
def deployed(aws_server: object) -> None:
    """A stack Shop with a table that holds an item."""
    resource = {"Type": "AWS::DynamoDB::Table", "Properties": PROPERTIES}
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="Shop", TemplateBody=json.dumps({"Resources": {"Orders": resource}})
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="Shop", WaiterConfig={"Delay": 1})
    client("dynamodb").put_item(TableName="orders", Item={"pk": {"S": "a"}})


def declare(stack: Stack, logical_id: str = "Orders", name: str = "orders") -> None:
    """The table as the deployed stack has it, with parts of it replaced."""
    resource = CfnResource(
        stack,
        f"Resource{logical_id}",
        type="AWS::DynamoDB::Table",
        properties={**PROPERTIES, "TableName": name},
    )
    resource.override_logical_id(logical_id)


def checked(app: App, guard: DataGuard) -> PolicyValidationPluginReportBeta1:
    """What the plug-in says of a synthesised app."""
    assembly = app.synth()
    paths = [str(path) for path in Path(assembly.directory).rglob("*.template.json")]
    context: Any = SimpleNamespace(template_paths=paths, app_construct=app)
    return guard.validate(context)


def test_a_synth_that_would_lose_data_fails(deployed: None) -> None:
    """CDK itself asks the plug-in, ends the synth and reports what to do."""
    app = App(policy_validation_beta1=[DataGuard()])
    Stack(app, "Shop")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def test_the_same_app_passes(deployed: None) -> None:
    """What stays declared under its logical id and name is no violation, also inside CDK."""
    app = App(policy_validation_beta1=[DataGuard(strict=True)])
    declare(Stack(app, "Shop"))
    app.synth()


def test_a_violation_names_the_resource_and_the_recipe(deployed: None) -> None:
    """The description says what would happen, the fix how to keep the data."""
    app = App()
    declare(Stack(app, "Shop"), logical_id="Moved")
    report = checked(app, DataGuard())
    (violation,) = report.violations
    assert not report.success
    assert violation.rule_name == "dataware-19"
    assert "Orders of stack Shop holds data" in violation.description
    assert "cdk refactor" in str(violation.fix)
    (resource,) = violation.violating_resources
    assert resource.resource_logical_id == "Orders"
    assert resource.template_path.endswith("Shop.template.json")


def test_a_stack_of_a_stage_is_guarded(deployed: None) -> None:
    """Stages are assemblies inside the assembly."""
    app = App()
    Stack(Stage(app, "Prod"), "Shop", stack_name="Shop")
    Stack(app, "Other")
    assert [one.rule_name for one in checked(app, DataGuard()).violations] == ["dataware-19"]


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_an_allowed_loss_passes(deployed: None, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """A person said yes, in the app or to `dataware deploy`."""
    app = App()
    Stack(app, "Shop")
    if by == "variable":
        monkeypatch.setenv("DATAWARE_ALLOW_LOSS", "Shop/Orders,Other")
    guard = DataGuard(allow_loss=["Orders"] if by == "argument" else [])
    assert checked(app, guard).success


def test_datawares_own_synth_is_left_to_dataware(deployed: None) -> None:
    """`dataware plan` and `dataware deploy` run the app first, and guard it themselves."""
    app = App(context={"dataware:lookup": "collect"})
    Stack(app, "Shop")
    assert checked(app, DataGuard()).success


def test_an_app_that_lacks_context_passes_for_now(deployed: None) -> None:
    """CDK writes such an assembly first, looks the context up, and runs the app again."""
    app = App()
    stack = Stack(app, "Shop", env=Environment(account="111122223333", region="eu-central-1"))
    Vpc.from_lookup(stack, "Vpc", is_default=True)
    assert checked(app, DataGuard(strict=True)).success


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody to ask as."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    return


@pytest.mark.usefixtures("no_credentials")
def test_without_credentials_a_synth_passes_with_a_warning() -> None:
    """A build machine that may not look is told so, and can still build."""
    app = App()
    Stack(app, "Shop")
    with pytest.warns(UserWarning, match="could not read any stack: no usable AWS credentials"):
        report = checked(app, DataGuard())
    assert report.success
    assert "credentials" in (report.metadata or {})["warning"]


@pytest.mark.usefixtures("no_credentials")
def test_strict_fails_without_credentials() -> None:
    """Any doubt is a stop."""
    app = App()
    Stack(app, "Shop")
    with pytest.warns(UserWarning, match="credentials"):
        report = checked(app, DataGuard(strict=True))
    assert [one.rule_name for one in report.violations] == ["dataware-unseen"]


def test_a_construct_of_cdk_is_guarded_too(deployed: None) -> None:
    """A rename of a plain table is seen, whatever made the template."""
    app = App()
    table = dynamodb.Table(
        Stack(app, "Shop"),
        "Table",
        table_name="orders-prod",
        partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
    )
    default: Any = table.node.default_child
    default.override_logical_id("Orders")
    (violation,) = checked(app, DataGuard()).violations
    assert "renamed to orders-prod" in violation.description
