"""`dataware plan` and `apply` on an app whose stacks go to two accounts and two regions.

What is left behind is looked at with boto3 alone.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import opted_in
from support.cli import ended, launch, run
from support.places import EU_HOME, OTHER, US_HOME, US_OTHER, Place, write_assembly
from support.processes import PATIENCE
from support.servers import FaultProxy, Gate, answer
from support.worlds import KEYS, retained

EU_OTHER = Place("OtherEu", OTHER, "eu-west-1")
PLACES = (US_HOME, EU_HOME, US_OTHER, EU_OTHER)
ITEMS = dict(zip(PLACES, (3, 0, 5, 7), strict=True))
NAMES = [place.environment for place in PLACES]


def table(name: str = "orders-prod", *fallbacks: str) -> dict[str, Any]:
    """A table that the app declares."""
    made = retained("AWS::DynamoDB::Table", TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    return opted_in(made, *fallbacks or ("orders",))


@pytest.fixture
def app(fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app of four stacks of one name beside data under older names, and a profile."""
    del fault_proxy
    monkeypatch.chdir(tmp_path)
    profiles = tmp_path / "credentials"
    profiles.write_text(f"[other]\naws_access_key_id = {OTHER}\naws_secret_access_key = test\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    for place, items in ITEMS.items():
        place.make_table("orders", items)
    return write_assembly(Path("cdk.out"), {place: {"Orders": table()} for place in PLACES})


def in_place() -> dict[str, list[Any] | None]:
    """What is under the new name, by environment."""
    return {place.environment: place.items_of("orders-prod") for place in PLACES}


def saved_actions(path: str) -> Mapping[str, list[str]]:
    """The decisions of each environment in a saved plan."""
    targets = json.loads(Path(path).read_text())["targets"]
    return {
        one["target"]["name"]: [each["action"] for each in one["plan"]["resources"]]
        for one in targets
    }


def test_all_environments_are_one_plan_that_is_applied_and_applied_again(
    app: Path, fault_proxy: FaultProxy
) -> None:
    """Each gets its own data by its own credentials, and nothing is done twice."""
    ran = run("plan", app, "--out", "plan.json", "--lock")
    assert ran.code == 0, ran
    assert "Plan for 4 environments: 3 to copy, 1 to create" in ran.out
    headings = [line.strip() for line in ran.lines if line.strip() in NAMES]
    assert headings == sorted(NAMES), "one group for each environment"
    assert ran.lines[-1].endswith("Next: dataware apply plan.json")
    assert in_place() == dict.fromkeys(NAMES)
    locked = json.loads(Path("dataware.lock.json").read_text())["environments"]
    assert sorted(locked) == sorted(NAMES)
    copied = {name: ["create" if name == EU_HOME.environment else "migrate"] for name in NAMES}
    assert saved_actions("plan.json") == copied
    shown = run("show", "plan.json")
    assert shown.code == 0, shown
    assert [line.strip() for line in shown.lines if line.strip() in NAMES] == headings
    ran = run("apply", "plan.json", "--format", "json")
    assert ran.code == 0, ran
    told = {one["data"]["target"] for one in ran.events if one["code"] == "migrated"}
    assert told == set(NAMES) - {EU_HOME.environment}
    wholes = {place.environment: place.items_of("orders") for place in PLACES}
    # Without data the stack's own deployment makes the table.
    assert in_place() == {**wholes, EU_HOME.environment: None}
    for place in PLACES:
        stored = place.client("ssm").get_parameters_by_path(Path="/dataware", Recursive=True)
        assert len(stored["Parameters"]) == (place is not EU_HOME), "its record lies at home"
    fault_proxy.clear()
    again = run("apply", "plan.json")
    assert again.code == 0, again
    assert fault_proxy.count("BatchWriteItem") == fault_proxy.count("PutItem") == 0
    assert in_place() == {**wholes, EU_HOME.environment: None}


def test_an_app_is_applied_without_a_saved_plan(app: Path) -> None:
    """By the profile that is named for the other account, in both of its regions."""
    ran = run("apply", app, "--credentials", f"{OTHER}=other")
    assert ran.code == 0, ran
    for place in (US_HOME, US_OTHER, EU_OTHER):
        assert place.items_of("orders-prod") == place.items_of("orders")
        assert f"{place.environment}: Successfully migrated data to orders-prod" in ran.out


@pytest.mark.parametrize("document", ["markdown", "html"])
def test_a_document_has_a_part_for_each_environment(app: Path, document: str) -> None:
    """Whoever approves it sees where each resource is."""
    ran = run("plan", app, "--format", document)
    assert ran.code == 0, ran
    heading = "### Environment `{}`" if document == "markdown" else "Decisions in {}"
    for place in PLACES:
        assert heading.format(place.environment) in ran.out
    assert "4 environments" in ran.out


def test_an_environment_that_cannot_be_looked_into_is_named_and_stops_the_apply(
    app: Path, fault_proxy: FaultProxy
) -> None:
    """The others are planned; it is never taken for empty, and one reason is told once."""
    error = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    fault_proxy.add(answer(403, error + b"</ErrorResponse>"), operation="AssumeRole")
    ran = run("plan", app, "--out", "plan.json", "--format", "json")
    assert ran.code == 1, ran
    (unknown,) = [one for one in ran.events if one["code"] == "environments-unknown"]
    assert unknown["data"]["targets"] == [US_OTHER.environment, EU_OTHER.environment]
    (plan,) = [one["data"] for one in ran.events if one["code"] == "plan"]
    assert plan["text"].startswith("Plan for 4 environments, 2 of them unknown: 1 to copy")
    assert sorted(plan["plan"]["unknown_environments"]) == sorted(
        one.environment for one in (US_OTHER, EU_OTHER)
    )
    page = run("plan", app, "--format", "markdown").out
    assert f"environment {US_OTHER.environment} is unknown" in page
    assert not page.startswith("## ✅")
    refused = run("apply", "plan.json")
    assert (refused.code, "could not be looked into" in refused.err) == (3, True), refused
    failed = run("apply", app)
    assert failed.code == 1, failed
    assert in_place() == dict.fromkeys(NAMES)


def test_a_fact_that_changed_in_one_environment_changes_nothing_in_any(app: Path) -> None:
    """All are looked at again before the first is touched."""
    assert run("plan", app, "--out", "plan.json").code == 0
    EU_OTHER.make_table("orders-prod", 1)
    ran = run("apply", "plan.json")
    assert ran.code == 3, ran
    assert "nothing was changed, because the plan is out of date: " in ran.err
    assert f"--credentials {OTHER}=PROFILE" in ran.err, "the role may see less"
    assert [one.items_of("orders-prod") for one in (US_HOME, EU_HOME, US_OTHER)] == [None] * 3


def test_a_stop_in_one_environment_changes_nothing_in_any(app: Path) -> None:
    """Whether the plan was saved or not, and the plan says so by its exit code."""
    US_OTHER.client("dynamodb").create_table(
        TableName="orders-prod",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "other", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "other", "AttributeType": "S"}],
    )
    assert run("plan", app, "--out", "plan.json").code == 3
    for words in ((app,), ("plan.json",)):
        ran = run("apply", *words)
        assert ran.code == 3, ran
        assert "nothing was changed" in ran.err
    assert [one.tables() for one in (US_HOME, EU_HOME, EU_OTHER)] == [["orders"]] * 3


def test_a_loss_stands_with_its_environment(app: Path) -> None:
    """Also where nothing of the app opts in."""
    gone = {"Gone": {**table("gone-prod"), "DeletionPolicy": "Delete"}}
    EU_OTHER.client("cloudformation").create_stack(
        StackName="shop", TemplateBody=json.dumps({"Resources": gone})
    )
    EU_OTHER.client("dynamodb").put_item(TableName="gone-prod", Item={"pk": {"S": "a"}})
    plain = {"Topic": {"Type": "AWS::SNS::Topic"}}
    write_assembly(app, {US_HOME: {"Orders": table()}, EU_OTHER: plain})
    ran = run("plan", app, "--out", "plan.json", "--format", "json")
    assert ran.code == 3, ran
    (plan,) = [one["data"]["plan"] for one in ran.events if one["code"] == "plan"]
    assert [one["environment"] for one in plan["guard"]] == [EU_OTHER.environment]
    assert run("apply", "plan.json").code == 3
    assert US_HOME.tables() == ["orders"]


def test_what_one_environment_is_about_to_fill_is_no_source_of_another(app: Path) -> None:
    """A copy from another region would begin before its source is whole."""
    arn = f"arn:aws:dynamodb:us-east-1:{US_HOME.account}:table/orders-prod"
    other = {"Copy": table("copy-prod", arn)}
    write_assembly(app, {US_HOME: {"Orders": table()}, EU_HOME: other})
    ran = run("plan", app, "--out", "plan.json")
    assert ran.code == 3, ran
    assert f"{US_HOME.environment} is about to fill" in ran.out
    for words in ((app,), ("plan.json",)):
        refused = run("apply", *words)
        assert (refused.code, "in each other's way" in refused.err) == (3, True), refused
    assert US_HOME.tables() == EU_HOME.tables() == ["orders"]


def test_killed_in_the_middle_of_all_the_same_command_finishes(
    app: Path, fault_proxy: FaultProxy
) -> None:
    """Every environment ends with its own data, whichever was how far."""
    assert run("plan", app, "--out", "plan.json").code == 0
    fault_proxy.add(gate := Gate(), operation="BatchWriteItem")
    process = launch("apply", "plan.json")
    assert gate.reached.wait(PATIENCE), process.printed()
    process.kill()
    assert ended(process).code == -signal.SIGKILL
    fault_proxy.clear()
    gate.open()
    again = run("apply", "plan.json")
    assert again.code == 0, again
    for place in (US_HOME, US_OTHER, EU_OTHER):
        assert place.items_of("orders-prod") == place.items_of("orders")
