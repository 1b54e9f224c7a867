"""The calls by which CloudFormation is asked, and what is left behind: nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY

from dataware.core.change_set import ChangeSetUse, PlannedChange
from dataware.core.errors import LookupFailedError
from dataware.core.expand import expand
from dataware.core.guard import AppIndex
from dataware.core.model import Deployed, Upload
from dataware.core.parameters import GivenParameters
from dataware.core.stack_template import StackTemplate, read_declared
from dataware.kinds import kinds
from dataware.ops.change_set import (
    CAPABILITIES,
    NAME,
    PAUSES,
    TEMPLATE_LIMIT,
    ChangeSetCheck,
    plan_changes,
)
from dataware.ops.stack_review import StackReview
from support.stubbed import StubbedAws

TABLE = "AWS::DynamoDB::Table"
ARN = "arn:aws:cloudformation:eu-central-1:111122223333:changeSet/dataware-guard/1"
DOCUMENT = {"Resources": {"Orders": {"Type": TABLE, "Properties": {"TableName": "orders"}}}}
HELD = {"Orders": Deployed(TABLE, "orders")}
URL = "https://s3.eu-central-1.amazonaws.com/cdk-assets/0123abcd.json"
UPLOADED = "s3://cdk-assets/0123abcd.json"
MODIFIED = {"Action": "Modify", "Replacement": "False"}
NESTED = "AWS::CloudFormation::Stack"
INNER_ARN = ARN.replace("/1", "-Inner/1")
MADE = {"StackName": "App", "ChangeSetName": ARN}
INDEX = AppIndex({kind.cfn_type: kind for kind in kinds()})


class AskedAws(StubbedAws):
    """An account with one stack, whose change sets and uploads are stubbed."""

    def __init__(self, **parameters: str) -> None:
        super().__init__("cloudformation")
        self.parameters = parameters
        self.size: int | None = None

    def find_upload(self, address: str) -> Upload:
        """What CDK has uploaded there."""
        return Upload(f"at {address}", URL, self.size)

    def stack_parameters(self, _stack: str) -> dict[str, str]:
        """The values that the stack has."""
        return self.parameters

    def creates(self, **more: Any) -> None:
        """Expect the creation."""
        expected = {
            "StackName": "App",
            "ChangeSetName": NAME,
            "ClientToken": ANY,
            "ChangeSetType": "UPDATE",
            "TemplateBody": "{}",
            "Parameters": [],
            "Capabilities": CAPABILITIES,
            "ImportExistingResources": True,
            "Description": ANY,
            **more,
        }
        expected = {name: one for name, one in expected.items() if one is not None}
        self.stubber.add_response("create_change_set", {"Id": ARN}, expected)

    def describes(self, status: str, *logical_ids: str, **more: Any) -> None:
        """Expect a look; `inner` names the change set of a nested stack, `of` is that one."""
        asked = {"NextToken": given} if (given := more.pop("asked", None)) else {}
        names = {"ChangeSetName": of} if (of := more.pop("of", None)) else MADE
        inner = more.pop("inner", None)
        changes = [
            {
                "Type": "Resource",
                "ResourceChange": {
                    "Action": "Remove",
                    "LogicalResourceId": one,
                    "PolicyAction": "Delete",
                },
            }
            for one in logical_ids
        ]
        if inner:
            named = {"LogicalResourceId": "Inner", "ChangeSetId": inner}
            changes.append({"Type": "Resource", "ResourceChange": {**MODIFIED, **named}})
        answer = {"Status": status, "Changes": changes, **more}
        self.stubber.add_response("describe_change_set", answer, {**names, **asked})

    def deletes(self, name: str = ARN) -> None:
        """Expect the deletion."""
        expected = {"StackName": "App", "ChangeSetName": name}
        self.stubber.add_response("delete_change_set", {}, expected)

    def done(self) -> None:
        """Nothing more was asked, and nothing less."""
        self.stubber.assert_no_pending_responses()


def stack(text: str = "{}", **sections: Any) -> StackTemplate:
    """The stack as the app declares it."""
    template = read_declared("App", expand({**DOCUMENT, **sections}, INDEX.kinds))
    return replace(template, text=text)


def review(declared: StackTemplate | None = None, **nested: StackReview) -> StackReview:
    """The deployed stack, and those nested in it."""
    return StackReview(declared or stack(), HELD, nested=dict(nested))


def ask(aws: AskedAws, declared: StackTemplate | None = None) -> tuple[list[str], list[str]]:
    """The logical ids that would be lost, and what is said."""
    check = ChangeSetCheck(ChangeSetUse.ALWAYS)
    lost, remarks = check.find_threats(aws, INDEX, review(declared))  # type: ignore[arg-type]
    aws.done()
    return [one.logical_id for one in lost], remarks


def test_every_page_is_read_once_it_is_complete() -> None:
    """What stands on the second page is lost as well."""
    aws = AskedAws()
    aws.creates()
    aws.describes("CREATE_PENDING")
    aws.describes("CREATE_IN_PROGRESS")
    aws.describes("CREATE_COMPLETE", "Jobs", NextToken="2")
    aws.describes("CREATE_COMPLETE", "Orders", asked="2")
    aws.deletes()
    assert ask(aws) == (["Orders"], [])
    assert aws.pauses == [*PAUSES[:2]]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information",
        "No updates are to be performed.",
    ],
)
def test_no_changes_are_an_answer(reason: str) -> None:
    """CloudFormation calls a change set without changes failed."""
    aws = AskedAws()
    aws.creates()
    aws.describes("FAILED", StatusReason=reason)
    aws.deletes()
    assert ask(aws) == ([], [])


def test_a_failed_change_set_says_why_and_is_deleted() -> None:
    """Such as for an export that is missing; the guard then stands alone."""
    aws = AskedAws()
    aws.creates()
    aws.describes("FAILED", StatusReason="No export named\n net found")
    aws.deletes()
    lost, (remark,) = ask(aws)
    assert lost == []
    assert remark == (
        "cannot make a change set of stack App, so the guard compares templates only: No export "
        "named net found"
    )


def test_a_change_set_that_never_completes_is_given_up_and_deleted() -> None:
    """A deployment does not wait for ever."""
    aws = AskedAws()
    aws.creates()
    for _ in PAUSES:
        aws.describes("CREATE_IN_PROGRESS")
    aws.deletes()
    assert "is not complete after" in ask(aws)[1][0]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDenied", "it needs cloudformation:CreateChangeSet"),
        ("ValidationError", "Stack is in UPDATE_IN_PROGRESS state"),
    ],
)
def test_who_may_not_ask_or_asks_at_a_bad_time_is_told_once(code: str, says: str) -> None:
    """Nothing was made, so nothing is deleted."""
    aws = AskedAws()
    aws.stubber.add_client_error("create_change_set", code, "Stack is in UPDATE_IN_PROGRESS state")
    lost, (remark,) = ask(aws)
    assert lost == []
    assert says in remark


LARGE = "x" * (TEMPLATE_LIMIT + 1)


def test_a_template_that_is_too_large_for_a_request_is_not_sent() -> None:
    """CDK uploads such a one; where the app does not say where, templates alone are compared."""
    _, (remark,) = ask(AskedAws(), stack(LARGE))
    assert "larger than the 51,200 bytes" in remark
    assert "does not say where it is uploaded" in remark


def test_a_large_template_that_cdk_has_uploaded_is_named_by_its_address() -> None:
    """Its key is a hash of what it holds, so it is the template that is to be deployed."""
    aws = AskedAws()
    aws.size = len(LARGE)
    aws.creates(TemplateURL=URL, TemplateBody=None)
    aws.describes("CREATE_COMPLETE", "Orders")
    aws.deletes()
    assert ask(aws, replace(stack(LARGE), uploaded_to=UPLOADED)) == (["Orders"], [])


@pytest.mark.parametrize("size", [None, 3])
def test_a_large_template_that_is_not_uploaded_is_told_with_the_command(size: int | None) -> None:
    """Nothing is uploaded without a word from a person; another file is not the template."""
    aws = AskedAws()
    aws.size = size
    _, (remark,) = ask(aws, replace(stack(LARGE), uploaded_to=UPLOADED, id="Prod/App"))
    assert f"it is not in at {UPLOADED} yet: run `cdk publish-assets Prod/App`" in remark


def nested_review() -> StackReview:
    """A stack with a nested one, each with a table."""
    inner = replace(stack(), name="App/Inner")
    return review(None, Inner=StackReview(inner, HELD, inner))


def ask_nested(aws: AskedAws, given: StackReview) -> tuple[list[tuple[str, str]], list[str]]:
    """The stack and logical id of what would be lost, and what is said."""
    check = ChangeSetCheck(ChangeSetUse.ALWAYS)
    lost, remarks = check.find_threats(aws, INDEX, given)  # type: ignore[arg-type]
    aws.done()
    return [(one.stack, one.logical_id) for one in lost], remarks


def test_change_sets_of_nested_stacks_are_walked_under_their_own_stack() -> None:
    """Of every page; DeleteChangeSet of the outermost deletes those of nested stacks, too."""
    aws = AskedAws()
    aws.creates(IncludeNestedStacks=True)
    aws.describes("CREATE_COMPLETE", inner=INNER_ARN)
    aws.describes("CREATE_IN_PROGRESS", of=INNER_ARN)
    aws.describes("CREATE_COMPLETE", "Jobs", of=INNER_ARN, NextToken="2")
    aws.describes("CREATE_COMPLETE", "Orders", of=INNER_ARN, asked="2")
    aws.deletes()
    assert ask_nested(aws, nested_review()) == ([("App/Inner", "Orders")], [])


def test_a_nested_stack_without_changes_has_nothing_to_lose() -> None:
    """Its change set has failed for want of changes."""
    aws = AskedAws()
    aws.creates(IncludeNestedStacks=True)
    aws.describes("CREATE_COMPLETE", "Orders", inner=INNER_ARN)
    aws.describes("FAILED", of=INNER_ARN, StatusReason="No updates are to be performed.")
    aws.deletes()
    assert ask_nested(aws, nested_review()) == ([("App", "Orders")], [])


def test_a_nested_stack_that_is_removed_loses_all_that_it_has() -> None:
    """A change set says nothing of what is inside of it."""
    aws = AskedAws()
    aws.creates(IncludeNestedStacks=True)
    aws.describes("CREATE_COMPLETE", "Inner")
    aws.deletes()
    assert ask_nested(aws, nested_review()) == ([("App/Inner", "Orders")], [])


def test_without_the_templates_of_nested_stacks_the_outer_one_is_asked_about() -> None:
    """CDK has not uploaded them yet: the sentence says so, and the outer verdict still holds."""
    aws = AskedAws()
    aws.creates(IncludeNestedStacks=True)
    aws.describes("FAILED", StatusReason="S3 error: The specified key does not exist.")
    aws.deletes()
    aws.creates()
    aws.describes("CREATE_COMPLETE", "Orders", inner=None)
    aws.deletes()
    lost, (remark,) = ask_nested(aws, nested_review())
    assert lost == [("App", "Orders")]
    assert "cannot make a change set of the stacks nested in App" in remark
    assert "The specified key does not exist" in remark
    assert "run `cdk publish-assets App`" in remark


def test_cloudformation_is_asked_where_only_a_nested_stack_has_data() -> None:
    """The outer one has none, or rests on what is looked up and hands it down."""
    empty = replace(nested_review(), deployed={})
    inner = empty.nested["Inner"]
    same = replace(inner, before=inner.stack)
    changed = replace(inner, before=stack(Resources={}))
    check = ChangeSetCheck(ChangeSetUse.WHERE_CHANGED)
    for one, asks in ((same, False), (changed, True)):
        aws = AskedAws()
        if asks:
            aws.creates(IncludeNestedStacks=True)
            aws.describes("CREATE_COMPLETE")
            aws.deletes()
        found = check.find_threats(aws, INDEX, replace(empty, nested={"Inner": one}))  # type: ignore[arg-type]
        assert found == ([], [])
        aws.done()
    handed = {"Type": NESTED, "Properties": {"Parameters": {"N": {"Fn::ImportValue": "x"}}}}
    outer = stack(Resources={"Inner": handed})
    aws = AskedAws()
    aws.creates(IncludeNestedStacks=True)
    aws.describes("CREATE_COMPLETE")
    aws.deletes()
    given = replace(empty, stack=outer, nested={"Inner": same})
    assert check.find_threats(aws, INDEX, given) == ([], [])  # type: ignore[arg-type]
    aws.done()


def test_a_template_that_is_no_file_is_not_sent() -> None:
    """What a shell pipes in was read already."""
    _, (remark,) = ask(AskedAws(), stack(""))
    assert "its template is not a file" in remark


def test_what_a_killed_run_left_is_replaced() -> None:
    """The one name is found again; an old change set belongs to nobody who still runs."""
    aws = AskedAws()
    left = {"CreationTime": datetime.now(UTC) - timedelta(hours=1)}
    aws.stubber.add_client_error("create_change_set", "AlreadyExistsException", "exists")
    named = {"StackName": "App", "ChangeSetName": NAME}
    aws.stubber.add_response("describe_change_set", left, named)
    aws.deletes(NAME)
    aws.creates()
    aws.describes("CREATE_COMPLETE", "Orders")
    aws.deletes()
    assert ask(aws) == (["Orders"], [])


def test_what_another_run_looks_at_is_left_to_it() -> None:
    """Deleting it would take the answer away from the other one."""
    aws = AskedAws()
    now = {"CreationTime": datetime.now(UTC)}
    aws.stubber.add_client_error("create_change_set", "AlreadyExistsException", "exists")
    aws.stubber.add_response("describe_change_set", now)
    assert "is in use by another run" in ask(aws)[1][0]


def test_what_cannot_be_deleted_is_named_and_still_heeded() -> None:
    """The verdict is known; a person deletes what is left."""
    aws = AskedAws()
    aws.creates()
    aws.describes("CREATE_COMPLETE", "Orders")
    aws.stubber.add_client_error("delete_change_set", "AccessDenied", "no")
    lost, (remark,) = ask(aws)
    assert lost == ["Orders"]
    assert "delete change set dataware-guard of stack App by hand" in remark


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [("Stage", None)]),
        ({"Stage": "prod"}, [("Stage", "prod")]),
        ({"New": "x", "Stranger": "y"}, [("Stage", None), ("New", "x")]),
    ],
)
def test_parameters_are_those_that_cdk_hands_on(
    given: dict[str, str], expected: list[tuple[str, str | None]]
) -> None:
    """What is not given keeps the value that the stack has; a new one has its default."""
    aws = AskedAws(Stage="dev", Gone="z")
    parameters = {"Stage": {"Type": "String"}, "New": {"Type": "String", "Default": "a"}}
    sent = [
        {"ParameterKey": name, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": name, "ParameterValue": value}
        for name, value in expected
    ]
    aws.creates(Parameters=sent)
    aws.describes("CREATE_COMPLETE", "Orders")
    aws.deletes()
    values = GivenParameters({"App": given})
    remarks: list[str] = []
    found = plan_changes(aws, stack(Parameters=parameters), values, remarks)  # type: ignore[arg-type]
    assert found == [PlannedChange("Orders", "Remove", policy="Delete")]
    aws.done()


def test_no_previous_values_are_defaults() -> None:
    """As `cdk deploy --no-previous-parameters` hands nothing on."""
    aws = AskedAws(Stage="dev")
    aws.creates()
    aws.stubber.add_client_error("describe_change_set", "AccessDenied", "no")
    aws.deletes()
    declared = stack(Parameters={"Stage": {"Type": "String", "Default": "a"}})
    given = GivenParameters(keeps_others=False)
    with pytest.raises(LookupFailedError, match="cloudformation:DescribeChangeSet"):
        plan_changes(aws, declared, given, [])  # type: ignore[arg-type]
    aws.done()


def test_the_properties_that_may_replace_a_resource_are_read() -> None:
    """Of each detail that says so; what is no property, such as a tag, has no name there."""
    aws = AskedAws()
    aws.creates()
    targets = [
        {"Attribute": "Properties", "Name": "MultiAZ", "RequiresRecreation": "Conditionally"},
        {"Attribute": "Properties", "Name": "Iops", "RequiresRecreation": "Never"},
        {"Attribute": "Tags", "RequiresRecreation": "Always"},
    ]
    change = {
        "LogicalResourceId": "Orders",
        "Action": "Modify",
        "Replacement": "Conditional",
        "Details": [{"Target": one} for one in targets],
    }
    answer = {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": change}]}
    aws.stubber.add_response("describe_change_set", answer)
    aws.deletes()
    found = plan_changes(aws, stack(), GivenParameters(), [])  # type: ignore[arg-type]
    assert found == [PlannedChange("Orders", "Modify", "Conditional", recreating=("MultiAZ", ""))]
    aws.done()
