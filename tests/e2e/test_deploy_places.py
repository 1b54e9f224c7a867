"""What a deployment to several accounts and regions does where one of them does not go well.

The CDK command line only writes down what it is asked; the embedded AWS is looked at with boto3.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from support.assemblies import opted_in, prepare_project
from support.cli import run
from support.killing import Strike, struck_run
from support.places import EU_HOME, OTHER, US_HOME, US_OTHER, Place, write_assembly
from support.servers import FaultProxy, Seen, answer, json_error
from support.worlds import KEYS, retained

ALL = ("--yes", "--", "--all")
PLACES = (US_HOME, EU_HOME, US_OTHER)
DECLARED = {**KEYS, "BillingMode": "PAY_PER_REQUEST"}


def table(name: str = "orders-prod", *fallbacks: str, **more: Any) -> dict[str, Any]:
    """A table that the app declares."""
    made = retained("AWS::DynamoDB::Table", TableName=name, **{**DECLARED, **more})
    return opted_in(made, *fallbacks or ("orders",))


@pytest.fixture
def calls(fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three stacks with data under older names; what its CDK was asked."""
    monkeypatch.chdir(tmp_path)
    profiles = tmp_path / "credentials"
    profiles.write_text(f"[other]\naws_access_key_id = {OTHER}\naws_secret_access_key = test\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    calls = prepare_project()
    write_assembly(Path("prepared"), {place: {"Orders": table()} for place in PLACES})
    for place in PLACES:
        place.make_table("orders", 9)
    return calls


def deployed(calls: Path) -> bool:
    """Whether CDK was told to deploy."""
    return "deploy --import-existing-resources" in calls.read_text()


def arrived() -> list[Place]:
    """Where all data is under the new name."""
    return [place for place in PLACES if place.items_of("orders-prod") == place.items_of("orders")]


def is_of(place: Place) -> Any:
    """Whether a request is signed with the keys of an account, which are its digits."""
    return lambda seen: f"Credential={place.account}/" in seen.headers.get("authorization", "")


def test_each_environment_gets_its_own_data(calls: Path) -> None:
    """Tables of one name are three tables, with one plan, one sum and one last line for all."""
    ran = run("deploy", "--notify", "tee told.json", *ALL)
    assert ran.code == 0, ran
    assert arrived() == list(PLACES)
    assert "Plan for 3 environments: 3 to copy" in ran.out
    for place in PLACES:
        assert f"orders-prod ({place.environment})" in ran.out
        assert f"in {place.environment} orders-prod" in ran.lines[-1]
        assert f"{place.environment}: Successfully migrated data to orders-prod" in ran.out
    told = json.loads(Path("told.json").read_text())
    assert sorted(one["target"] for one in told["migrations"]) == sorted(
        place.environment for place in PLACES
    )
    assert {one["state"] for one in told["migrations"]} == {"complete"}
    assert run("report", "--out", "report.html").code == 0
    page = Path("report.html").read_text()
    for place in PLACES:
        assert f"orders-prod ({place.environment})" in page
    locked = json.loads(Path("dataware.lock.json").read_text())["environments"]
    assert sorted(locked) == sorted(place.environment for place in PLACES)
    assert deployed(calls)


def test_a_stop_in_one_changes_nothing_in_any(calls: Path) -> None:
    """Nor is anything deployed."""
    US_OTHER.make_table("orders-prod", 0)
    stack = json.dumps({"Resources": {"T": table("theirs", "x")}})
    US_OTHER.client("cloudformation").create_stack(StackName="theirs", TemplateBody=stack)
    owned = {"Orders": table(), "Theirs": table("theirs", "orders")}
    write_assembly(
        Path("prepared"), {**{one: {"Orders": table()} for one in PLACES}, US_OTHER: owned}
    )
    ran = run("deploy", *ALL)
    assert ran.code == 3, ran
    assert "Stopped at theirs (rule 10)" in ran.out
    assert "nothing was changed, because of theirs" in ran.err
    assert not deployed(calls)
    assert [place.items_of("orders-prod") for place in PLACES] == [None, None, []]


def test_a_loss_in_another_account_is_a_stop(calls: Path) -> None:
    """The guard compares with what is deployed there; yes is said by the id of the stack."""
    US_OTHER.make_table("old-prod", 3)
    gone = json.dumps({"Resources": {"Gone": {**table("gone-prod"), "DeletionPolicy": "Delete"}}})
    US_OTHER.client("cloudformation").create_stack(StackName="shop", TemplateBody=gone)
    US_OTHER.client("dynamodb").put_item(TableName="gone-prod", Item={"pk": {"S": "a"}})
    ran = run("deploy", *ALL)
    assert ran.code == 3, ran
    assert "Stopped at gone-prod (rule 19)" in ran.out
    assert not deployed(calls)
    assert arrived() == []
    ran = run("deploy", "--allow-loss", "Other/Gone", *ALL)
    assert ran.code == 0, ran
    assert arrived() == list(PLACES)


def test_a_failure_in_one_holds_up_no_other_and_is_gone_on_with(
    calls: Path, fault_proxy: FaultProxy
) -> None:
    """CDK is not asked before all data is in place; what is complete is not touched again."""
    fault_proxy.add(
        json_error("AccessDeniedException", 400, "not authorized to perform: dynamodb:BatchWrite"),
        operation="BatchWriteItem",
        when=is_of(US_OTHER),
    )
    words = ("deploy", "--credentials", f"{OTHER}=other", *ALL)
    ran = run(*words)
    assert ran.code == 4, ran
    assert "nothing was copied to orders-prod" in ran.err
    assert arrived() == [US_HOME, EU_HOME]
    assert not deployed(calls)
    fault_proxy.clear()
    again = run(*words)
    assert again.code == 0, again
    assert arrived() == list(PLACES)
    writes = {"BatchWriteItem", "PutItem"}
    written = [seen for seen in fault_proxy.seen if seen.operation in writes]
    assert written
    assert all(map(is_of(US_OTHER), written))
    assert deployed(calls)


def test_who_may_deploy_but_not_read_is_refused_before_anything(
    calls: Path, fault_proxy: FaultProxy
) -> None:
    """The role that CDK deploys by has no permission on data unless it is given one."""

    def by_the_deploying_role(seen: Seen) -> bool:
        return seen.headers.get("x-amz-security-token") in tokens

    tokens: set[str] = set()

    def remember(seen: Seen, forward: Any) -> Any:
        reply = forward(seen)
        if b"deploy-role" in seen.body:
            text = reply.body.decode()
            tokens.add(text.split("<SessionToken>")[1].split("<")[0])
        return reply

    fault_proxy.add(remember, operation="AssumeRole")
    denied = json_error("AccessDeniedException", 400, "not authorized to perform: dynamodb:Scan")
    fault_proxy.add(denied, operation="Scan", when=by_the_deploying_role)
    ran = run("deploy", *ALL)
    assert ran.code == 3, ran
    assert f"--credentials {OTHER}=PROFILE" in ran.err
    assert tokens
    assert arrived() == []
    assert not deployed(calls)
    ran = run("deploy", "--credentials", f"{OTHER}=other", *ALL)
    assert ran.code == 0, ran
    assert arrived() == list(PLACES)


@pytest.mark.parametrize("words", [(), ("--credentials", "333333333333=other")])
def test_an_account_that_nothing_fits_is_refused(calls: Path, words: tuple[str, ...]) -> None:
    """Without roles of CDK, nobody's credentials are guessed at."""
    write_assembly(Path("prepared"), {one: {"Orders": table()} for one in PLACES}, roles=False)
    ran = run("deploy", *words, *ALL)
    assert ran.code == 3, ran
    assert f"stack shop goes to account {OTHER}" in ran.err
    assert f"--credentials {OTHER}=PROFILE" in ran.err
    assert arrived() == []
    assert not deployed(calls)


def test_a_stack_without_data_may_be_deployed_unseen(calls: Path) -> None:
    """Where a person says so; what holds data is looked at in any case."""
    bare = {"Note": {"Type": "AWS::SNS::Topic", "Properties": {}}}
    write_assembly(Path("prepared"), {US_HOME: {"Orders": table()}, US_OTHER: bare}, roles=False)
    assert run("deploy", *ALL).code == 3
    ran = run("deploy", "--allow-unseen", *ALL)
    assert ran.code == 0, ran
    assert "the guard cannot read stack shop" in ran.out
    assert arrived() == [US_HOME]


def test_a_role_that_cannot_be_assumed_is_named(calls: Path, fault_proxy: FaultProxy) -> None:
    """With what AWS says of it, and nothing is changed at home, either."""
    denied = (
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error>"
        b"</ErrorResponse>"
    )
    fault_proxy.add(answer(403, denied), operation="AssumeRole")
    ran = run("deploy", *ALL)
    assert ran.code == 3, ran
    assert "cannot assume role" in ran.err
    assert "lookup-role" in ran.err
    assert arrived() == []
    assert not deployed(calls)


def test_one_bucket_name_cannot_be_preferred_twice(calls: Path) -> None:
    """Names of buckets are shared by all accounts, which only the whole app shows."""
    bucket = opted_in(retained("AWS::S3::Bucket", BucketName="files-prod"), "files")
    write_assembly(Path("prepared"), {one: {"Files": bucket} for one in PLACES})
    ran = run("deploy", *ALL)
    assert ran.code == 1, ran
    assert "the same preferred name files-prod" in ran.err
    assert not deployed(calls)


def test_values_are_those_of_the_account_of_the_stack(calls: Path) -> None:
    """A name that rests on a parameter in Parameter Store is another one in each account."""
    for place, name in ((US_HOME, "orders-home"), (US_OTHER, "orders-other")):
        ssm = place.client("ssm")
        ssm.put_parameter(Name="/shop/orders", Value=name, Type="String")
    named = {"Orders": table({"Ref": "Name"})}  # type: ignore[arg-type]  # a function
    for part in named.values():
        part["Metadata"]["Dataware"]["Import"] = "reference"
    folder = write_assembly(Path("prepared"), {US_HOME: named, US_OTHER: named})
    stored = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shop/orders"}
    for place in (US_HOME, US_OTHER):
        path = folder / f"{place.stack}.json"
        document = {**json.loads(path.read_text()), "Parameters": {"Name": stored}}
        path.write_text(json.dumps(document))
    ran = run("apply", "prepared")
    assert ran.code == 0, ran
    assert US_HOME.tables() == ["orders", "orders-home"]
    assert US_OTHER.tables() == ["orders", "orders-other"]
    assert US_OTHER.items_of("orders-other") == US_OTHER.items_of("orders")


def test_ctrl_c_ends_all_that_go_on_side_by_side(calls: Path, fault_proxy: FaultProxy) -> None:
    """Exit 4 whichever was how far, nothing is deployed, and the same command goes on."""
    for number in range(100):
        item = {"pk": {"S": f"more {number}"}}
        US_HOME.client("dynamodb").put_item(TableName="orders", Item=item)
    strike = Strike(1, answered=True, number=signal.SIGINT)
    stopped = struck_run(
        fault_proxy,
        strike,
        *("deploy", "--max-rate", 60, *ALL),
        operation="BatchWriteItem",
        when=is_of(US_HOME),
    )
    assert stopped.code == 4, stopped
    assert "run the same command again" in stopped.err
    assert US_HOME not in arrived()
    assert not deployed(calls)
    again = run("deploy", *ALL)
    assert again.code == 0, again
    assert arrived() == list(PLACES)


def test_a_deployment_with_nothing_to_do_is_looked_at_by_the_lookup_role_alone(
    calls: Path, fault_proxy: FaultProxy
) -> None:
    """So a second deployment needs no more than what `cdk bootstrap` gives."""
    assert run("deploy", *ALL).code == 0
    stack = json.dumps({"Resources": {"Orders": table()}})
    for place in PLACES:
        place.client("dynamodb").delete_table(TableName="orders-prod")
        cloudformation = place.client("cloudformation")
        cloudformation.create_stack(StackName="shop", TemplateBody=stack)
        ssm = place.client("ssm")
        for one in ssm.get_parameters_by_path(Path="/dataware", Recursive=True)["Parameters"]:
            ssm.delete_parameter(Name=one["Name"])
        place.client("dynamodb").put_item(TableName="orders-prod", Item={"pk": {"S": "new"}})
    fault_proxy.clear()
    ran = run("deploy", *ALL)
    assert ran.code == 0, ran
    assumed = [seen.body for seen in fault_proxy.seen if seen.operation == "AssumeRole"]
    assert assumed
    assert all(b"lookup-role" in body for body in assumed)
