"""Change sets that do nothing but import: what is asked, what is refused, and how a run resumes.

CloudFormation answers from stubs that are checked against its own model; whole runs on the embedded
AWS are among the end-to-end tests.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.stub import ANY

from dataware.core.errors import IncompleteError, LookupFailedError, RefusedError, ServiceError
from dataware.core.model import (
    UNMANAGED,
    Action,
    Content,
    Creator,
    Decision,
    Deployed,
    Existence,
    Facts,
    ImportMode,
    Owner,
    Ownership,
    Problem,
    Wanted,
    absent,
)
from dataware.core.plan import Planned
from dataware.ops import import_by_id
from dataware.ops.import_by_id import NAME, PAUSES, adopt_by_id, refuse_without_secrets
from support.copying import Events
from support.stubbed import StubbedAws
from support.world import World

POOL, SECRET, BUCKET = "AWS::Cognito::UserPool", "AWS::SecretsManager::Secret", "AWS::S3::Bucket"
ID = "arn:aws:cloudformation:eu-central-1:111122223333:changeSet/dataware-import/1"
STACK_ID = "arn:aws:cloudformation:eu-central-1:111122223333:stack/App/1"
NOW = datetime(2026, 11, 29, tzinfo=UTC)
PLANTED = "value-that-nobody-may-see"


class StubbedStack(StubbedAws):
    """An account with stack App, which answers what a test says; the rest of the Aws port."""

    def __init__(self) -> None:
        super().__init__("cloudformation")
        self.owners: dict[str, Owner] = {}
        self.held: dict[str, Deployed] = {}
        self.template: Mapping[str, Any] | str = {"Resources": {}}
        self.events = Events()

    def owner_of(self, _types: Collection[str], physical_id: str) -> Owner:
        """The owner that the test has set."""
        return self.owners.get(physical_id, UNMANAGED)

    def stack_resources(self, _stack: str) -> Mapping[str, Deployed]:
        """What the stack holds after the import."""
        return self.held

    def stack_template(self, _stack: str) -> Mapping[str, Any] | str:
        """What the stack was deployed with."""
        return self.template

    def run(self, *resources: Planned) -> list[str]:
        """Adopt; what is told."""
        context = replace(World().context(), aws=cast("Any", self), emit=self.events)
        adopt_by_id(context, resources)
        return [one.text() for one in self.events]

    def has_status(self, *statuses: str) -> None:
        """Say what the stack is at each look; empty without a stack."""
        for status in statuses:
            if status:
                stack = {"StackName": "App", "CreationTime": NOW, "StackStatus": status}
                self.stubber.add_response("describe_stacks", {"Stacks": [stack]})
            else:
                message = "Stack with id App does not exist"
                self.stubber.add_client_error("describe_stacks", "ValidationError", message)

    def makes_change_set(self, resource: Mapping[str, Any] | None = None, **asked: Any) -> None:
        """Take the request for a change set, which is checked as far as the test says."""
        expected = {
            "StackName": "App",
            "ChangeSetName": NAME,
            "ChangeSetType": "IMPORT",
            "Capabilities": ANY,
            "ClientToken": ANY,
            "Description": ANY,
            "TemplateBody": ANY,
            "ResourcesToImport": ANY,
            "Parameters": [],
            **({"ResourcesToImport": [resource]} if resource else {}),
            **asked,
        }
        self.stubber.add_response("create_change_set", {"Id": ID}, expected)

    def shows(
        self, *changes: tuple[str, str], status: str = "CREATE_COMPLETE", **more: Any
    ) -> None:
        """What the change set would do."""
        shown = [
            {"Type": "Resource", "ResourceChange": {"Action": action, "LogicalResourceId": name}}
            for action, name in changes
        ]
        self.stubber.add_response(
            "describe_change_set", {"Status": status, "Changes": shown, **more}
        )

    def deletes(self) -> None:
        """Take the deletion of the change set."""
        self.stubber.add_response("delete_change_set", {}, {"ChangeSetName": ID})

    def executes(self) -> None:
        """Take the execution."""
        expected = {"ChangeSetName": ID, "ClientRequestToken": ANY}
        self.stubber.add_response("execute_change_set", {}, expected)

    def happened(self, *events: tuple[str, str, str]) -> None:
        """What the stack went through, the newest first: a type, a status and a reason."""
        rows = [
            {
                "StackId": STACK_ID,
                "EventId": str(number),
                "StackName": "App",
                "Timestamp": NOW,
                "ResourceType": cfn_type,
                "ResourceStatus": status,
                **({"ResourceStatusReason": reason} if reason else {}),
            }
            for number, (cfn_type, status, reason) in enumerate(events)
        ]
        self.stubber.add_response("describe_stack_events", {"StackEvents": rows})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubbedStack]:
    """An account whose pools and secrets stand; every answer that a test has given is asked for."""
    there = StubbedStack()
    facts = {
        "users": Facts("users", Existence.EXISTS, Content.DATA, physical_id="pool-1"),
        "app/database": Facts(
            "app/database", Existence.EXISTS, Content.DATA, physical_id="arn-of-secret"
        ),
        "pool-1": Facts("pool-1", Existence.EXISTS, Content.DATA, physical_id="pool-1"),
    }

    def probe(_aws: object, _kind: object, name: str) -> Facts:
        return facts.get(name, absent(name))

    monkeypatch.setattr(import_by_id, "probe_name", probe)
    yield there
    there.stubber.assert_no_pending_responses()


def adoption(
    name: str = "users", cfn_type: str = POOL, logical_id: str = "Users", **more: Any
) -> Planned:
    """A resource that a stack adopts by its id."""
    wanted = Wanted(f"App/{logical_id}", cfn_type, name, stack="App", logical_id=logical_id, **more)
    decision = Decision(Action.IMPORT, 1, "it has data", import_mode=ImportMode.ADOPT, by_id=True)
    return Planned(wanted, Facts(name, Existence.EXISTS, Content.DATA), (), decision)


def entry(cfn_type: str = POOL, logical_id: str = "Users", **named: str) -> Mapping[str, Any]:
    """How a change set names what it imports."""
    return {
        "ResourceType": cfn_type,
        "LogicalResourceId": logical_id,
        "ResourceIdentifier": named or {"UserPoolId": "pool-1"},
    }


def body_of(*resources: Planned, aws: StubbedStack) -> Mapping[str, Any]:
    """The template that is sent for an import of some resources; the call is refused after it."""
    sent: dict[str, Any] = {}

    def keep(params: Mapping[str, Any], **_: object) -> None:
        sent.update(params)

    aws.client("").meta.events.register("provide-client-params.cloudformation.*", keep)
    aws.stubber.add_client_error("create_change_set", "ValidationError", "no")
    with pytest.raises(LookupFailedError):
        aws.run(*resources)
    found: Mapping[str, Any] = json.loads(sent["TemplateBody"])
    return found


def test_what_no_stack_adopts_by_id_is_left_alone(aws: StubbedStack) -> None:
    """Nothing is asked of it, nor of what goes to no stack."""
    named = adoption()
    named = replace(named, decision=replace(named.decision, by_id=False))
    loose = adoption()
    loose = replace(loose, wanted=replace(loose.wanted, stack=None))
    assert aws.run(named, loose) == []


def test_changes_that_are_listed_in_a_circle_are_no_change_set(aws: StubbedStack) -> None:
    """The command ends, and adopts nothing."""
    aws.has_status("UPDATE_COMPLETE")
    aws.makes_change_set()
    for _ in range(2):
        aws.shows(("Import", "Users"), NextToken="again")
    with pytest.raises(LookupFailedError, match="never ends"):
        aws.run(adoption())


def test_a_new_stack_is_made_of_what_it_adopts(aws: StubbedStack) -> None:
    """All of one stack go into one change set, which is looked at until it is ready."""
    aws.has_status("")
    both = [entry(), entry(SECRET, "Database", Id="arn-of-secret")]
    aws.makes_change_set(ResourcesToImport=both)
    aws.shows(status="CREATE_IN_PROGRESS")
    aws.shows(("Import", "Users"), NextToken="more")
    aws.stubber.add_response(
        "describe_change_set",
        {
            "Changes": [
                {
                    "Type": "Resource",
                    "ResourceChange": {"Action": "Import", "LogicalResourceId": "Database"},
                },
                {"Type": "Resource"},
            ]
        },
        {"ChangeSetName": ID, "NextToken": "more"},
    )
    aws.executes()
    aws.has_status("IMPORT_IN_PROGRESS", "IMPORT_COMPLETE")
    aws.held = {
        "Users": Deployed(POOL, "pool-1"),
        "Database": Deployed(SECRET, "arn-of-secret"),
    }
    told = aws.run(adoption(), adoption("app/database", SECRET, "Database"))
    assert told[1:] == [
        "Stack App has adopted Cognito user pool: users",
        "Stack App has adopted secret: app/database",
    ]
    assert "users, app/database" in told[0]
    assert aws.pauses == [PAUSES[0], PAUSES[0]]


def test_what_the_stack_has_by_now_is_not_imported_again(aws: StubbedStack) -> None:
    """By its name or by the other name to which the stack answers."""
    for stack, alias in ("App", None), ("Real-App", "App"):
        aws.owners["pool-1"] = Owner(Ownership.OTHER_STACK, stack, "Users", alias=alias)
        aws.has_status("UPDATE_COMPLETE")
        assert aws.run(adoption()) == []


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (Owner(Ownership.OTHER_STACK, "Other", "Users"), "now belongs to stack Other"),
        (Owner(Ownership.OTHER_STACK, "App", "People"), "has users as People, not as Users"),
    ],
)
def test_what_changed_hands_since_the_plan_is_refused(
    aws: StubbedStack, owner: Owner, words: str
) -> None:
    """Its deployment would make a second, empty one."""
    aws.owners["pool-1"] = owner
    aws.has_status("UPDATE_COMPLETE")
    with pytest.raises(RefusedError, match=words):
        aws.run(adoption())


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (absent("users"), "it does not exist"),
        (
            Facts("users", Existence.UNKNOWN, problems=(Problem("DescribeUserPool", "Denied"),)),
            "DescribeUserPool",
        ),
        (Facts("users", Existence.EXISTS, Content.DATA, obstacle="is going"), "is going"),
    ],
)
def test_what_is_gone_or_cannot_be_seen_is_not_adopted(
    aws: StubbedStack, monkeypatch: pytest.MonkeyPatch, facts: Facts, words: str
) -> None:
    """And the reason is that of the look."""
    monkeypatch.setattr(import_by_id, "probe_name", lambda *_: facts)
    aws.has_status("UPDATE_COMPLETE")
    with pytest.raises(RefusedError, match=f"users is not adopted: .*{words}"):
        aws.run(adoption())


def test_a_stack_that_was_rolled_back_at_its_creation_has_to_go_first(aws: StubbedStack) -> None:
    """CloudFormation changes it no more."""
    aws.has_status("ROLLBACK_COMPLETE")
    with pytest.raises(RefusedError, match="delete-stack --stack-name App"):
        aws.run(adoption())


def test_a_stack_that_is_busy_is_waited_for_and_not_for_ever(aws: StubbedStack) -> None:
    """The same command goes on with it."""
    aws.has_status(*["UPDATE_IN_PROGRESS"] * len(PAUSES))
    with pytest.raises(IncompleteError, match="App is still UPDATE_IN_PROGRESS"):
        aws.run(adoption())
    assert aws.pauses == [*PAUSES]


def test_the_template_of_the_stack_stays_but_for_what_it_adopts(aws: StubbedStack) -> None:
    """Parameters keep their values, and functions are left to the deployment."""
    aws.has_status("UPDATE_COMPLETE")
    aws.template = "Parameters: {Title: {Type: String}}\nResources: {News: {Type: 'A::B::C'}}\n"
    properties = {"UserPoolName": "users", "Tags": {"Ref": "Title"}, "MfaConfiguration": "OFF"}
    found = body_of(adoption(properties=properties), aws=aws)
    assert found["Parameters"] == {"Title": {"Type": "String"}}
    assert found["Resources"] == {
        "News": {"Type": "A::B::C"},
        "Users": {
            "Type": POOL,
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"UserPoolName": "users", "MfaConfiguration": "OFF"},
        },
    }


def test_what_an_import_cannot_leave_to_the_deployment_goes_with_it(aws: StubbedStack) -> None:
    """As it is declared, even as a function, which CloudFormation resolves."""
    aws.has_status("UPDATE_COMPLETE")
    function = {"Fn::Sub": "${AWS::Region}"}
    properties = {"SecretString": function, "Description": function}
    found = body_of(adoption("app/database", SECRET, "Db", properties=properties), aws=aws)
    assert found["Resources"]["Db"]["Properties"] == {
        "SecretString": function,
        "Name": "app/database",
    }


def test_a_name_that_is_the_id_is_no_property(aws: StubbedStack) -> None:
    """The template has none, and CloudFormation generated the one that there is."""
    aws.has_status("UPDATE_COMPLETE")
    found = body_of(adoption("pool-1", names_id=True), aws=aws)
    assert found["Resources"]["Users"]["Properties"] == {}


@pytest.mark.parametrize("template", [{"Resources": {"Users": {}}}, "Resources: {Users: {}}"])
def test_what_the_template_has_under_that_id_stays(aws: StubbedStack, template: Any) -> None:
    """Nothing takes its place."""
    aws.has_status("UPDATE_COMPLETE")
    aws.template = template
    with pytest.raises(RefusedError, match="has another resource as Users, which users cannot"):
        aws.run(adoption())


def test_a_template_that_is_none_is_refused(aws: StubbedStack) -> None:
    """Before anything is asked for."""
    aws.has_status("UPDATE_COMPLETE")
    aws.template = "- a list"
    with pytest.raises(RefusedError, match="the template of stack App cannot be read"):
        aws.run(adoption())


def test_parameters_of_the_stack_keep_their_values(aws: StubbedStack) -> None:
    """An import gives none."""
    aws.has_status("UPDATE_COMPLETE")
    aws.template = {"Parameters": {"Title": {"Type": "String"}}}
    aws.makes_change_set(entry(), Parameters=[{"ParameterKey": "Title", "UsePreviousValue": True}])
    aws.shows(status="FAILED")
    aws.deletes()
    with pytest.raises(RefusedError, match="no reason given"):
        aws.run(adoption())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("Import", "Users"), ("Modify", "News")], "Import Users, Modify News"),
        ([("Remove", "Users")], "Remove Users"),
        ([], "nothing at all"),
    ],
)
@pytest.mark.parametrize("denied", [False, True])
def test_a_change_set_that_would_do_anything_else_is_not_executed(
    aws: StubbedStack, changes: list[tuple[str, str]], words: str, denied: bool
) -> None:
    """It is deleted, and what it would do is said also where that is denied."""
    aws.has_status("UPDATE_COMPLETE")
    aws.makes_change_set(entry())
    aws.shows(*changes)
    if denied:
        aws.stubber.add_client_error("delete_change_set", "AccessDenied", http_status_code=403)
    else:
        aws.deletes()
    with pytest.raises(RefusedError, match=f"would do something else \\({words}\\)"):
        aws.run(adoption())


@pytest.mark.parametrize("denied", [False, True])
def test_what_cloudformation_refuses_is_said_in_its_words(aws: StubbedStack, denied: bool) -> None:
    """In one line, without what may be secret, and also where nothing can be deleted."""
    aws.has_status("UPDATE_COMPLETE")
    aws.makes_change_set()
    aws.shows(status="FAILED", StatusReason=f"Value\n '{PLANTED}' is refused")
    if denied:
        aws.stubber.add_client_error("delete_change_set", "AccessDenied", http_status_code=403)
    else:
        aws.deletes()
    hidden = adoption(
        "app/database",
        SECRET,
        "Database",
        properties={"SecretString": PLANTED},
        hidden=("SecretString",),
    )
    with pytest.raises(RefusedError) as refused:
        aws.run(hidden)
    assert str(refused.value) == (
        "CloudFormation refuses the import into stack App: Value '***' is refused"
    )


def test_a_change_set_that_is_never_ready_is_no_refusal(aws: StubbedStack) -> None:
    """Nobody knows what it would do, and the same command goes on."""
    aws.has_status("UPDATE_COMPLETE")
    aws.makes_change_set()
    for _ in PAUSES:
        aws.shows(status="CREATE_IN_PROGRESS")
    with pytest.raises(IncompleteError, match="still prepares the import into stack App"):
        aws.run(adoption())


def test_one_that_a_killed_run_left_is_replaced(aws: StubbedStack) -> None:
    """By its name, because its id is known to nobody."""
    aws.has_status("REVIEW_IN_PROGRESS")
    aws.stubber.add_client_error("create_change_set", "AlreadyExistsException")
    names = {"StackName": "App", "ChangeSetName": NAME}
    aws.stubber.add_response("delete_change_set", {}, names)
    aws.makes_change_set(entry())
    aws.shows(("Import", "Users"))
    aws.executes()
    aws.has_status("IMPORT_COMPLETE")
    aws.held = {"Users": Deployed(POOL, "pool-1")}
    assert aws.run(adoption())[1:] == ["Stack App has adopted Cognito user pool: users"]


def test_a_request_that_is_denied_says_so(aws: StubbedStack) -> None:
    """With the permission, and nothing is deleted."""
    aws.has_status("UPDATE_COMPLETE")
    aws.stubber.add_client_error("create_change_set", "AccessDenied", http_status_code=403)
    with pytest.raises(LookupFailedError, match="cloudformation:CreateChangeSet"):
        aws.run(adoption())


@pytest.mark.parametrize("operation", ["execute_change_set", "describe_stacks"])
def test_where_the_answer_is_lost_nobody_knows_and_the_same_command_looks(
    aws: StubbedStack, operation: str
) -> None:
    """CloudFormation may have begun."""
    aws.has_status("UPDATE_COMPLETE")
    aws.makes_change_set()
    aws.shows(("Import", "Users"))
    if operation != "execute_change_set":
        aws.executes()
    aws.stubber.add_client_error(operation, "InternalFailure", http_status_code=400)
    with pytest.raises(IncompleteError, match="unknown whether stack App has adopted users"):
        aws.run(adoption())


def rolled_back(
    aws: StubbedStack, held: Mapping[str, Deployed], *events: tuple[str, str, str]
) -> str:
    """Execute an import that ends with a stack that holds this; what is said.

    Without events they may not be read.
    """
    aws.has_status("UPDATE_COMPLETE")
    aws.makes_change_set()
    aws.shows(("Import", "Users"), ("Import", "Database"))
    aws.executes()
    aws.has_status("IMPORT_ROLLBACK_COMPLETE")
    aws.held = dict(held)
    if events:
        aws.happened(*events)
    else:
        aws.stubber.add_client_error("describe_stack_events", "AccessDenied", http_status_code=403)
    hidden = {"properties": {"SecretString": PLANTED}, "hidden": ("SecretString",)}
    with pytest.raises(ServiceError) as failed:
        aws.run(adoption(), adoption("app/database", SECRET, "Database", **hidden))
    return str(failed.value)


STACK = "AWS::CloudFormation::Stack"


def test_an_import_that_was_rolled_back_gives_the_first_failure_of_its_own(
    aws: StubbedStack,
) -> None:
    """Not what was cancelled with it, nor what failed another day."""
    told = rolled_back(
        aws,
        {},
        (STACK, "IMPORT_ROLLBACK_IN_PROGRESS", "rolled back"),
        (POOL, "IMPORT_FAILED", "Resource import cancelled"),
        (SECRET, "IMPORT_FAILED", f"no such\nvalue {PLANTED}"),
        (SECRET, "IMPORT_FAILED", ""),
        (SECRET, "IMPORT_IN_PROGRESS", "Resource import started."),
        (STACK, "IMPORT_IN_PROGRESS", "User Initiated"),
        (POOL, "IMPORT_FAILED", "of another day"),
    )
    assert told == (
        "CloudFormation rolled back the import of users, app/database into stack App (no such "
        "value ***), and left them as before: correct that, and run again"
    )


@pytest.mark.parametrize(
    "events", [[], [(STACK, "IMPORT_IN_PROGRESS", ""), (POOL, "IMPORT_FAILED", "of another day")]]
)
def test_without_a_reason_the_status_of_the_stack_is_given(
    aws: StubbedStack, events: list[tuple[str, str, str]]
) -> None:
    """Also where its events may not be read; what is held under another id is not adopted."""
    held = {"Users": Deployed(POOL, "pool-1"), "Database": Deployed(SECRET, "another")}
    assert rolled_back(aws, held, *events) == (
        "CloudFormation rolled back the import of app/database into stack App "
        "(IMPORT_ROLLBACK_COMPLETE), and left it as before: correct that, and run again"
    )
    assert aws.events[-1].text() == "Stack App has adopted Cognito user pool: users"


class Upload:
    """Where a template goes; fails as the test says."""

    def __init__(self, put: Exception | None = None, removal: Exception | None = None) -> None:
        self.put_error, self.removal = put, removal
        self.bodies: list[str] = []
        self.is_there = False

    def put(self, body: str) -> str:
        """Take it."""
        if self.put_error:
            raise self.put_error
        self.bodies.append(body)
        self.is_there = True
        return "https://bucket/App.json"

    def remove(self) -> None:
        """Take it away."""
        if self.removal:
            raise self.removal
        self.is_there = False


def large(aws: StubbedStack, monkeypatch: pytest.MonkeyPatch, upload: Upload) -> None:
    """A stack whose template is just too large for a request."""
    monkeypatch.setattr(import_by_id, "TemplateUpload", lambda *_: upload)
    monkeypatch.setattr(import_by_id, "TEMPLATE_LIMIT", 200)
    aws.template = {"Resources": {}, "Description": "x" * 200}
    aws.has_status("UPDATE_COMPLETE")


def test_a_large_template_is_uploaded_for_as_long_as_it_is_needed(
    aws: StubbedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the change set is made; what cannot be removed then is told, and undoes nothing."""
    upload = Upload(removal=LookupFailedError("denied"))
    large(aws, monkeypatch, upload)
    expected = {
        "StackName": "App",
        "ChangeSetName": NAME,
        "ChangeSetType": "IMPORT",
        "Capabilities": ANY,
        "ClientToken": ANY,
        "Description": ANY,
        "TemplateURL": "https://bucket/App.json",
        "ResourcesToImport": [entry()],
        "Parameters": [],
    }
    aws.stubber.add_response("create_change_set", {"Id": ID}, expected)
    aws.shows(("Import", "Users"))
    aws.executes()
    aws.has_status("IMPORT_COMPLETE")
    aws.held = {"Users": Deployed(POOL, "pool-1")}
    told = aws.run(adoption())
    assert "template of stack App stays: denied; remove it by hand" in told[1]
    assert told[2] == "Stack App has adopted Cognito user pool: users"
    assert json.loads(upload.bodies[0])["Resources"]["Users"]["Type"] == POOL


def test_an_upload_is_removed_where_the_change_set_is_refused(
    aws: StubbedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stays of it."""
    upload = Upload()
    large(aws, monkeypatch, upload)
    aws.stubber.add_client_error("create_change_set", "AccessDenied", http_status_code=403)
    with pytest.raises(LookupFailedError):
        aws.run(adoption())
    assert upload.bodies
    assert not upload.is_there


def test_where_nothing_can_be_uploaded_cdk_can(
    aws: StubbedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command that is printed, with the ids."""
    large(aws, monkeypatch, Upload(put=LookupFailedError("denied")))
    with pytest.raises(RefusedError) as refused:
        aws.run(adoption())
    assert "cannot be uploaded (denied)" in str(refused.value)
    assert (
        """`cdk import App --resource-mapping-inline '{"Users": {"UserPoolId": "pool-1"}}'`"""
        in str(refused.value)
    )


def test_the_printed_import_calls_the_stack_as_cdk_does(
    aws: StubbedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CDK finds no stack of an app by the name that it has in the account."""
    large(aws, monkeypatch, Upload(put=LookupFailedError("denied")))
    with pytest.raises(RefusedError, match="`cdk import Stage/Path --resource-mapping-inline"):
        aws.run(adoption(cdk_stack="Stage/Path"))


def test_a_saved_plan_without_its_secrets_makes_and_imports_nothing() -> None:
    """What is only looked at, or has all that may be secret, is let through."""
    hidden = adoption("app/database", SECRET, "Database", hidden=("SecretString",))
    with pytest.raises(RefusedError, match="leaves out SecretString of app/database"):
        refuse_without_secrets(hidden)
    made = replace(hidden.decision, action=Action.CREATE, by_id=False)
    with pytest.raises(RefusedError, match="leaves out"):
        refuse_without_secrets(Planned(hidden.wanted, absent("app/database"), (), made))
    by_deployment = replace(hidden.wanted, creator=Creator.DEPLOYMENT)
    refuse_without_secrets(Planned(by_deployment, absent("app/database"), (), made))
    whole = replace(hidden.wanted, properties={"SecretString": "x"})
    refuse_without_secrets(replace(hidden, wanted=whole))
