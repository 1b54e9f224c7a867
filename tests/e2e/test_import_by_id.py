"""Resources that CloudFormation knows by an id nobody chooses: adopted before the deployment.

The stack is looked at by boto3, and so is what the resource holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.cli import Ran, run, saved
from support.recipes import deploy, stopped
from support.servers import FaultProxy, Forward, Reply, Seen, answer, xml_error
from support.worlds import client

POOL, SECRET = "AWS::Cognito::UserPool", "AWS::SecretsManager::Secret"
PLANTED = "value-that-nobody-may-see"
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}}


@pytest.fixture(autouse=True)
def an_empty_place(aws_server: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty AWS, and a folder of its own."""
    monkeypatch.chdir(tmp_path)


def retained(cfn_type: str, dataware: dict[str, Any] | None = None, **properties: Any) -> Any:
    """A resource of a template that opts in and outlives its stack."""
    return {
        "Type": cfn_type,
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"Dataware": dataware or {"Fallback": []}},
        "Properties": properties,
    }


def app(**resources: Any) -> Path:
    """A template of some resources."""
    path = Path("app.json")
    path.write_text(json.dumps({"Resources": resources}))
    return path


def held(stack: str) -> dict[str, str]:
    """What a stack has, by logical id."""
    rows = client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in rows}


def make_pool(name: str) -> str:
    """A pool with a user."""
    idp = client("cognito-idp")
    pool: str = idp.create_user_pool(PoolName=name)["UserPool"]["Id"]
    idp.admin_create_user(UserPoolId=pool, Username="ada")
    return pool


def make_secret(name: str) -> str:
    """A secret with a value."""
    arn: str = client("secretsmanager").create_secret(Name=name, SecretString=PLANTED)["ARN"]
    return arn


@pytest.mark.parametrize("exists", [False, True], ids=["new stack", "stack with a topic"])
def test_a_stack_adopts_by_id_and_the_next_deployment_keeps_it(exists: bool) -> None:
    """Both in one import; ids, users and values stay as they are, three deployments long."""
    pool, arn = make_pool("users-prod"), make_secret("app/database")
    resources = {
        "Users": retained(POOL, UserPoolName="users-prod"),
        "Database": retained(SECRET, Name="app/database", GenerateSecretString={}),
    }
    if exists:
        deploy("App", News=TOPIC)
    path = app(News=TOPIC, **resources)
    planned = run("plan", path, "--stack", "App", "--out", "plan.json")
    assert planned.code == 0, planned
    assert {one["by_id"] for one in saved(Path("plan.json"))["resources"]} == {True}
    ran = run("apply", path, "--stack", "App", "--yes")
    assert ran.code == 0, ran
    assert PLANTED not in ran.out + planned.out + Path("plan.json").read_text()
    assert "Stack App has adopted Cognito user pool: users-prod" in ran.out
    assert "2 adopted" in ran.out
    ours = {"Users": pool, "Database": arn}
    assert held("App").items() >= ours.items()
    for _ in range(3):
        again = run("apply", path, "--stack", "App", "--yes")
        assert (again.code, "Keeping the stack's own" in again.out) == (0, True)
        deploy(
            "App",
            News={**TOPIC, "Properties": {**TOPIC["Properties"], "DisplayName": str(_)}},
            **resources,
        )
        assert held("App").items() >= ours.items()
    assert len(client("cognito-idp").list_users(UserPoolId=pool)["Users"]) == 1
    manager = client("secretsmanager")
    assert manager.get_secret_value(SecretId=arn)["SecretString"] == PLANTED
    assert len(manager.list_secret_version_ids(SecretId=arn)["Versions"]) == 1
    assert len(client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]) == 1


def users(name: str = "users-prod", **more: Any) -> Any:
    """A declared pool."""
    return retained(POOL, **more, UserPoolName=name)


def apply(path: Path, *options: str) -> Ran:
    """Carry an app out for stack App."""
    return run("apply", path, "--stack", "App", "--yes", *options)


def test_a_change_set_that_a_killed_run_left_is_replaced() -> None:
    """Killed between the change set and its execution, in a stack that it was to make."""
    pool = make_pool("users-prod")
    left = users()
    client("cloudformation").create_change_set(
        StackName="App",
        ChangeSetName="dataware-import",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps({"Resources": {"Users": left}}),
        ResourcesToImport=[
            {
                "ResourceType": POOL,
                "LogicalResourceId": "Users",
                "ResourceIdentifier": {"UserPoolId": pool},
            }
        ],
    )
    assert (
        client("cloudformation").describe_stacks(StackName="App")["Stacks"][0]["StackStatus"]
        == "REVIEW_IN_PROGRESS"
    )
    ran = apply(app(Users=left))
    assert ran.code == 0, ran
    assert held("App") == {"Users": pool}


@pytest.mark.parametrize("operation", ["CreateChangeSet", "ExecuteChangeSet"])
def test_a_lost_answer_is_made_good_by_the_same_command(
    fault_proxy: FaultProxy, operation: str
) -> None:
    """What CloudFormation did, and nobody heard of, is found by the next run."""
    pool = make_pool("users-prod")

    def lose(seen: Seen, forward: Forward) -> Reply:
        forward(seen)
        return xml_error("InternalFailure", 400)(seen, forward)

    fault_proxy.add(lose, operation=operation, times=1)
    path = app(Users=users())
    first = apply(path)
    assert first.code in {1, 4}, first
    again = apply(path)
    assert again.code == 0, again
    assert held("App") == {"Users": pool}
    assert len(client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]) == 1


def test_an_import_that_is_rolled_back_is_explained(fault_proxy: FaultProxy) -> None:
    """What vanished in the meantime is named, and what else is in the stack stays as it is."""
    deploy("App", News=TOPIC)
    pool = make_pool("users-prod")

    def vanish(seen: Seen, forward: Forward) -> Reply:
        client("cognito-idp").delete_user_pool(UserPoolId=pool)
        return forward(seen)

    fault_proxy.add(vanish, operation="ExecuteChangeSet")
    ran = apply(app(News=TOPIC, Users=users()))
    assert ran.code == 1, ran
    assert "rolled back the import of users-prod into stack App" in ran.err
    assert f"User pool {pool} does not exist" in ran.err
    assert set(held("App")) == {"News"}


def test_a_reason_that_repeats_a_value_is_shown_without_it(fault_proxy: FaultProxy) -> None:
    """CloudFormation hands on what a service says of the value that it refuses."""
    make_secret("app/database")

    told = (
        '<DescribeChangeSetResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<DescribeChangeSetResult><Status>FAILED</Status><StatusReason>Value '{PLANTED}' is "
        "refused</StatusReason></DescribeChangeSetResult></DescribeChangeSetResponse>"
    )
    fault_proxy.add(answer(200, told.encode()), operation="DescribeChangeSet")
    declared = retained(SECRET, Name="app/database", SecretString=PLANTED)
    ran = apply(app(Database=declared), "--allow-loss", "Database", "--debug")
    assert ran.code == 3, ran
    assert "Value '***' is refused" in ran.err
    assert PLANTED not in ran.out + ran.err


def test_what_the_template_of_a_stack_has_is_not_changed_by_an_import() -> None:
    """Only the deployment brings a topic that is new; parameters keep their values."""
    template = {
        "Parameters": {"Title": {"Type": "String", "Default": "a"}},
        "Resources": {
            "News": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"TopicName": "news", "DisplayName": {"Ref": "Title"}},
            }
        },
    }
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="App",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "Title", "ParameterValue": "given"}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="App")
    pool = make_pool("users-prod")
    more = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "more"}}
    Path("app.json").write_text(
        json.dumps(
            {**template, "Resources": {**template["Resources"], "More": more, "Users": users()}}
        )
    )
    ran = apply(Path("app.json"))
    assert ran.code == 0, ran
    assert set(held("App")) == {"News", "Users"}
    assert held("App")["Users"] == pool
    (stack,) = cloudformation.describe_stacks(StackName="App")["Stacks"]
    assert {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]} == {
        "Title": "given"
    }


def test_a_template_that_is_too_large_for_a_request_is_uploaded_for_the_import(
    fault_proxy: FaultProxy,
) -> None:
    """Nothing stays of the upload; where that is denied, the line has the command of CDK."""
    topics = {
        f"Topic{n}": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"TopicName": f"t{n}", "DisplayName": "x" * 90},
        }
        for n in range(280)
    }
    body = json.dumps({"Resources": topics}, separators=(",", ":"))
    assert len(body) < 51_200
    client("cloudformation").create_stack(StackName="App", TemplateBody=body)
    client("cloudformation").get_waiter("stack_create_complete").wait(StackName="App")
    pool = make_pool("users-prod")
    path = app(Users=users(EmailVerificationMessage="{####}" + "x" * 9_000), **topics)
    fault_proxy.add(xml_error("AccessDenied", 403), operation="CreateBucket")
    refused = apply(path)
    fault_proxy.clear()
    assert refused.code == 3, refused
    assert "cdk import App --resource-mapping-inline" in refused.err
    assert "s3:CreateBucket" in refused.err
    assert pool in refused.err
    assert "Users" not in held("App")
    ran = apply(path)
    assert ran.code == 0, ran
    where = {"StackName": "App", "LogicalResourceId": "Users"}
    adopted = client("cloudformation").describe_stack_resource(**where)["StackResourceDetail"]
    assert adopted["PhysicalResourceId"] == pool
    assert client("s3").list_buckets()["Buckets"] == []


def test_a_resource_without_a_name_is_adopted_by_the_id_that_the_app_gives() -> None:
    """A bucket whose name CloudFormation generated for a stack that is gone."""
    client("s3").create_bucket(Bucket="gone-uploads-1a2b3c")
    client("s3").put_object(Bucket="gone-uploads-1a2b3c", Key="a", Body=b"x")
    declared = retained("AWS::S3::Bucket", {"Id": "gone-uploads-1a2b3c"})
    ran = apply(app(Uploads=declared))
    assert ran.code == 0, ran
    deploy("App", News=TOPIC, Uploads=declared)
    assert held("App")["Uploads"] == "gone-uploads-1a2b3c"
    again = apply(app(News=TOPIC, Uploads=declared))
    assert "Keeping the stack's own S3 bucket" in again.out


def test_an_id_that_stands_for_nothing_stops() -> None:
    """Nothing is created under another name in silence."""
    ran = apply(app(Uploads=retained("AWS::S3::Bucket", {"Id": "nobody-has-this"})))
    assert "nobody-has-this that the app gives Uploads" in stopped(ran, 25)


def test_an_id_beside_another_name_is_a_mistake() -> None:
    """Two words for one bucket could mean two buckets."""
    ran = apply(app(Uploads=retained("AWS::S3::Bucket", {"Id": "one"}, BucketName="other")))
    assert ran.code == 1
    assert "remove Id, because the name alone says which bucket is meant" in ran.err


def test_a_secret_that_is_about_to_be_deleted_stops() -> None:
    """As the preferred one and as a fallback, with how to restore it."""
    make_secret("app/database")
    client("secretsmanager").delete_secret(SecretId="app/database", RecoveryWindowInDays=7)
    for declared in (
        retained(SECRET, Name="app/database"),
        retained(SECRET, {"Fallback": ["app/database"]}, Name="app/new"),
    ):
        text = stopped(apply(app(Database=declared)), 25)
        assert "restore-secret --secret-id app/database" in text


def test_rule_25_another_name_is_chosen_or_the_secret_is_restored_and_adopted() -> None:
    """Under another name it stays as it is; the printed command brings it back for the stack."""
    secrets, declared = client("secretsmanager"), retained(SECRET, Name="app/database")
    arn = make_secret("app/database")
    secrets.delete_secret(SecretId="app/database", RecoveryWindowInDays=7)
    other = run("plan", app(Database=retained(SECRET, Name="app/other")), "--stack", "App")
    assert other.code == 0, other
    assert "DeletedDate" in secrets.describe_secret(SecretId=arn)
    stopped(apply(app(Database=declared)), 25)
    secrets.restore_secret(SecretId="app/database")
    ran = apply(app(Database=declared))
    assert ran.code == 0, ran
    (mine,) = client("cloudformation").list_stack_resources(StackName="App")[
        "StackResourceSummaries"
    ]
    assert mine["PhysicalResourceId"] == arn


def test_one_pool_under_its_name_and_its_id_is_not_adopted_twice() -> None:
    """Two resources of a stack cannot be one and the same."""
    pool = make_pool("users-prod")
    ran = apply(app(Users=users(), Again=retained(POOL, {"Id": pool})))
    assert ran.code == 1, ran
    assert f"Users and Again mean the same Cognito user pool ({pool})" in ran.err
    assert client("cloudformation").list_stacks()["StackSummaries"] == []


def test_what_a_template_declares_is_not_referred_to_beside_an_empty_twin() -> None:
    """By choice, because another stack has it, or as the fallback: its deployment makes another."""
    make_pool("users-prod")
    chosen = retained(POOL, {"Fallback": [], "Import": "reference"}, UserPoolName="users-prod")
    fallback = {"Fallback": ["users-prod"], "OnFallbackData": "import"}
    other = retained(POOL, fallback, UserPoolName="users-new")
    for declared in chosen, other:
        text = stopped(run("plan", app(Users=declared), "--stack", "App"), 20)
        assert "remove Users from the template" in text
    assert apply(app(Users=users())).code == 0
    stopped(run("plan", app(Users=users()), "--stack", "Second"), 20)


def test_a_queue_that_only_counts_as_empty_is_not_left_behind() -> None:
    """Its counters lag, so an empty queue beside it is created only where that is accepted."""
    client("sqs").create_queue(QueueName="jobs-old")
    path = app(Jobs=retained("AWS::SQS::Queue", {"Fallback": ["jobs-old"]}, QueueName="jobs"))
    text = stopped(run("plan", path, "--stack", "App"), 14)
    assert "jobs-old exists, and may hold messages" in text
    assert run("plan", path, "--stack", "App", "--on-error", "no-data").code == 0


def test_the_template_of_a_generated_secret_is_in_no_plan() -> None:
    """It may hold values that are not generated, so a saved plan cannot import or make it."""
    make_secret("app/database")
    generator = {"SecretStringTemplate": json.dumps({"api": PLANTED}), "GenerateStringKey": "key"}
    path = app(Database=retained(SECRET, Name="app/database", GenerateSecretString=generator))
    ran = run("plan", path, "--stack", "App", "--out", "plan.json", "--format", "json")
    assert ran.code == 0, ran
    assert PLANTED not in ran.out + Path("plan.json").read_text()
    assert "leaves out GenerateSecretString" in run("apply", "plan.json", "--yes").err
    assert apply(path).code == 0


ROTATION = {
    "Type": "AWS::SecretsManager::RotationSchedule",
    "Properties": {
        "SecretId": {"Ref": "Database"},
        "RotationRules": {"AutomaticallyAfterDays": 30},
    },
}


def test_a_rotation_that_begins_at_once_stops_until_it_is_allowed() -> None:
    """The value that everybody uses would be another one as soon as the stack is deployed."""
    arn = make_secret("app/database")
    path = app(Database=retained(SECRET, Name="app/database"), Rotation=ROTATION)
    text = stopped(apply(path), 24)
    assert "Rotation rotates its value at once" in text
    later = {
        **ROTATION,
        "Properties": {**ROTATION["Properties"], "RotateImmediatelyOnUpdate": False},
    }
    database = retained(SECRET, Name="app/database")
    assert run("plan", app(Database=database, Rotation=later), "--stack", "App").code == 0
    path = app(Database=database, Rotation=ROTATION)
    assert apply(path, "--allow-loss", "Database").code == 0
    assert held("App") == {"Database": arn}


def test_a_secret_whose_generator_only_the_deployment_knows_is_not_imported() -> None:
    """Its declaration would change after the import, and a change makes a new value."""
    make_secret("app/database")
    generator = {"SecretStringTemplate": {"Fn::Sub": '{"at": "${News}"}'}, "GenerateStringKey": "k"}
    declared = retained(SECRET, Name="app/database", GenerateSecretString=generator)
    text = stopped(apply(app(News=TOPIC, Database=declared)), 25)
    assert "resolves its GenerateSecretString (Fn::Sub)" in text


def test_a_kept_secret_is_no_loss_and_one_that_leaves_is() -> None:
    """The guard knows the name in the ARN by which the stack has it."""
    make_secret("app/database")
    declared = retained(SECRET, Name="app/database")
    assert apply(app(Database=declared)).code == 0
    deploy("App", News=TOPIC, Database=declared)
    kept = run("plan", app(News=TOPIC, Database=declared), "--stack", "App")
    assert kept.code == 0, kept
    gone = run("plan", app(News=TOPIC), "--stack", "App")
    assert "would leave the stack" in stopped(gone, 19)
    renamed = run(
        "plan", app(News=TOPIC, Database=retained(SECRET, Name="other")), "--stack", "App"
    )
    assert "be renamed to other" in stopped(renamed, 19)


def test_the_policy_allows_the_import() -> None:
    """Also the read of the value, with which CloudFormation imports a secret."""
    path = app(Database=retained(SECRET, Name="app/database"))
    text = run("iam-policy", path, "--stack", "App", "--for", "apply").out
    needed = ("cloudformation:ExecuteChangeSet", "secretsmanager:GetSecretValue")
    for word in (*needed, "s3:PutObject", "s3:::dataware-import-"):
        assert word in text
    plan = run("iam-policy", path, "--stack", "App", "--for", "plan").out
    assert "GetSecretValue" not in plan


def make_queue() -> str:
    """A queue with a message; answers with its URL."""
    sqs = client("sqs")
    url: str = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="one")
    return url


def make_file_system() -> str:
    """A file system; answers with its id."""
    tags = [{"Key": "Name", "Value": "shared"}]
    made = client("efs").create_file_system(CreationToken="a", Tags=tags)
    return str(made["FileSystemId"])


def make_key() -> str:
    """A key with an alias; answers with its id."""
    key: str = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/app", TargetKeyId=key)
    return key


QUEUE, FILES, KEY = "AWS::SQS::Queue", "AWS::EFS::FileSystem", "AWS::KMS::Key"


@pytest.mark.parametrize(
    ("make", "declared"),
    [
        (make_queue, retained(QUEUE, QueueName="orders")),
        (
            make_file_system,
            retained(FILES, FileSystemTags=[{"Key": "Name", "Value": "shared"}]),
        ),
        (make_key, retained(KEY, {"Id": "alias/app"})),
    ],
    ids=["queue", "file system", "key"],
)
def test_every_type_with_a_read_only_id_is_adopted_by_it(
    make: Callable[[], str], declared: Any
) -> None:
    """Under the id that it had, and the next deployments keep it."""
    made = make()
    ran = apply(app(One=declared))
    assert ran.code == 0, ran
    assert held("App") == {"One": made}
    deploy("App", News=TOPIC, One=declared)
    again = apply(app(News=TOPIC, One=declared))
    assert "Keeping the stack's own" in again.out
    assert held("App")["One"] == made


def make_stream() -> None:
    """A stream with a record."""
    client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
    client("kinesis").put_record(StreamName="clicks", Data=b"x", PartitionKey="a")


def make_instance() -> None:
    """A database."""
    client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        MasterUsername="ada",
        MasterUserPassword="not-a-secret",
        AllocatedStorage=20,
    )


def make_cluster() -> None:
    """A cluster of databases."""
    client("rds").create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        MasterUsername="ada",
        MasterUserPassword="not-a-secret",
    )


@pytest.mark.parametrize(
    ("make", "declared", "name"),
    [
        (make_stream, retained("AWS::Kinesis::Stream", Name="clicks", ShardCount=1), "clicks"),
        (
            make_instance,
            retained(
                "AWS::RDS::DBInstance",
                DBInstanceIdentifier="orders",
                Engine="postgres",
                DBInstanceClass="db.t3.micro",
            ),
            "orders",
        ),
        (
            make_cluster,
            retained(
                "AWS::RDS::DBCluster", DBClusterIdentifier="orders", Engine="aurora-postgresql"
            ),
            "orders",
        ),
        (
            lambda: client("opensearch").create_domain(DomainName="logs"),
            retained("AWS::OpenSearchService::Domain", DomainName="logs"),
            "logs",
        ),
    ],
    ids=["stream", "instance", "cluster", "domain"],
)
def test_every_type_with_a_name_of_its_own_is_adopted_by_it(
    make: Callable[[], object], declared: Any, name: str
) -> None:
    """The deployment itself takes it in, and nothing is imported before."""
    make()
    planned = run("plan", app(One=declared), "--stack", "App", "--out", "plan.json")
    assert planned.code == 0, planned
    (one,) = saved(Path("plan.json"))["resources"]
    assert (one["action"], one["import"]) == ("import", "adopt")
    assert "by_id" not in one
    deploy("App", One=declared)
    assert held("App") == {"One": name}
    again = run("plan", app(One=declared), "--stack", "App")
    assert "Keeping the stack's own" in again.out


def test_a_saved_plan_that_was_carried_out_can_be_carried_out_again() -> None:
    """What the plan itself has done since is no changed fact."""
    pool = make_pool("users-prod")
    assert run("plan", app(Users=users()), "--stack", "App", "--out", "plan.json").code == 0
    for _ in range(2):
        ran = run("apply", "plan.json")
        assert ran.code == 0, ran
    assert held("App") == {"Users": pool}


def test_a_pool_whose_names_tell_no_capitals_apart_cannot_become_another() -> None:
    """What a pool has from its creation is compared before it is adopted."""
    make_pool("users-prod")
    declared = users(UsernameConfiguration={"CaseSensitive": False})
    assert "UsernameConfiguration" in stopped(apply(app(Users=declared)), 23)


def test_a_secret_that_is_copied_under_its_new_name_is_adopted_there() -> None:
    """Versions come over first; then the stack takes the new one in, and later keeps it."""
    make_secret("app/database-old")
    declared = retained(SECRET, {"Fallback": ["app/database-old"]}, Name="app/database")
    path = app(Database=declared)
    ran = apply(path)
    assert ran.code == 0, ran
    assert PLANTED not in ran.out + ran.err
    manager = client("secretsmanager")
    arn = manager.describe_secret(SecretId="app/database")["ARN"]
    assert held("App") == {"Database": arn}
    deploy("App", News=TOPIC, Database=declared)
    assert manager.get_secret_value(SecretId=arn)["SecretString"] == PLANTED
    assert "Keeping the stack's own" in apply(app(News=TOPIC, Database=declared)).out


def test_a_saved_plan_holds_no_secret_of_the_template() -> None:
    """What needs it is applied from the app itself, and no output shows it."""
    make_secret("app/database")
    path = app(Database=retained(SECRET, Name="app/database", SecretString=PLANTED))
    text = stopped(apply(path), 24)
    assert PLANTED not in text
    allowed = ("--stack", "App", "--allow-loss", "Database")
    planned = run("plan", path, *allowed, "--out", "plan.json")
    assert planned.code == 0, planned
    assert PLANTED not in planned.out + planned.err + Path("plan.json").read_text()
    refused = run("apply", "plan.json")
    assert refused.code == 3, refused
    assert "leaves out SecretString of app/database" in refused.err
    assert run("apply", path, *allowed, "--yes").code == 0
    value = client("secretsmanager").get_secret_value(SecretId="app/database")
    assert value["SecretString"] == PLANTED
