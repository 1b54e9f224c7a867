"""The constructs: names, settings, lookups without a network, and what a reference ignores."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aws, NestedStack, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from cdk.apps import (
    ACCOUNT,
    BUCKET,
    KEY,
    REGION,
    TABLE,
    entry,
    errors,
    infos,
    make_stack,
    resources,
    warnings,
    write_lock,
)
from dataware.cdk import DataAware, DataAwareBucket, DataAwareTable, DataAwareTableV2, PendingCopy
from dataware.cdk.request import ask
from dataware.core.model import Action, ImportMode, OnError

REFERENCED = entry("import", 10, exists="yes", stack="Demo", **{"import": "reference"})


def bucket(stack: Construct, id: str = "Uploads", **settings: Any) -> DataAwareBucket:
    """A bucket with some name."""
    return DataAwareBucket(stack, id, **{"preferred_name": "uploads-prod", **settings})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"preferred_name": Aws.STACK_NAME}, "preferred_name is a token"),
        ({"fallback_names": [f"a-{Aws.REGION}"]}, "fallback_names is a token"),
        (
            {"preferred_name": "Capital"},
            "preferred_name 'Capital' is not a valid S3 bucket name: a bucket",
        ),
        ({"fallback_names": ["no"]}, "fallback_names 'no' is not a valid S3 bucket name: a bucket"),
        ({"fallback_names": "uploads-prod"}, "uploads-prod is both preferred_name and one of"),
        ({"fallback_names": ["old-one", "old-one"]}, "old-one is listed twice in fallback_names"),
        (
            {"bucket_name": "other"},
            "bucket_name is not supported here: give preferred_name instead",
        ),
        (
            {"on_error": "ignore"},
            "on_error cannot be 'ignore': choose 'safe' or 'no-data' or 'stop'",
        ),
        ({"import_mode": "copy"}, "import_mode cannot be 'copy': choose 'adopt' or 'reference'"),
    ],
)
def test_what_cannot_be_is_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    """A mistake in the arguments names the construct, the argument and what to do."""
    with pytest.raises(ValueError, match=f"^Demo/Uploads: {sentence}"):
        bucket(make_stack(lookup="collect"), **settings)


def test_a_name_that_is_no_string_is_a_type_error() -> None:
    """None for a name is told of by the construct's path."""
    with pytest.raises(TypeError, match=r"^Demo/Uploads: preferred_name must be a string"):
        bucket(make_stack(lookup="collect"), preferred_name=None)


def test_two_constructs_cannot_prefer_one_name() -> None:
    """The second one is refused, in whichever stack it is; a table of another region is not."""
    app = App(context={"dataware:lookup": "collect"})
    bucket(Stack(app, "One", env={"region": "eu-west-1"}))
    with pytest.raises(ValueError, match=r"Two/Uploads: One/Uploads has the same preferred_name"):
        bucket(Stack(app, "Two", env={"region": "us-east-1"}))
    for region in ("eu-west-1", "us-east-1"):
        stack = Stack(app, f"Table-{region}", env={"region": region})
        DataAwareTable(stack, "Table", preferred_name="Same", partition_key=KEY)
    bucket(make_stack(lookup="collect"))  # another app


@pytest.mark.parametrize("order", [("new-name", "old-name"), ("old-name", "new-name")])
def test_a_fallback_that_another_construct_prefers_is_warned_of(order: tuple[str, str]) -> None:
    """Both orders of declaration are seen."""
    stack = make_stack(lookup="collect")
    fallbacks = {"new-name": ["old-name"], "old-name": []}
    for name in order:
        bucket(stack, name, preferred_name=name, fallback_names=fallbacks[name])
    (text,) = [text for text in warnings(stack) if "falls back to" in text]
    assert "Demo/new-name falls back to old-name, which Demo/old-name prefers" in text


def test_a_nested_stack_is_refused() -> None:
    """Its name is unknown at synth, so nobody can tell what it owns."""
    nested = NestedStack(make_stack(lookup="collect"), "Nested")
    with pytest.raises(ValueError, match="the name of a nested stack is not known"):
        bucket(nested)


def test_properties_reach_the_resource() -> None:
    """Any property of CDK's construct is taken, and a removal policy wins over the default."""
    stack = make_stack(lookup="collect")
    bucket(stack, versioned=True, removal_policy=RemovalPolicy.RETAIN)
    ((_, found),) = resources(stack).items()
    assert found["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert found["DeletionPolicy"] == "Retain"


def test_settings_stand_in_the_metadata() -> None:
    """Other tools read from the template what the construct was told."""
    stack = make_stack(lookup="collect")
    bucket(
        stack,
        fallback_names=["old-name"],
        on_error="stop",
        on_fallback_data="import",
        import_mode="adopt",
    )
    ((_, found),) = resources(stack).items()
    assert found["Metadata"]["Dataware"] == {
        "Fallback": ["old-name"],
        "OnError": "stop",
        "OnFallbackData": "import",
        "Import": "adopt",
    }


@pytest.mark.parametrize("word", [None, *OnError])
def test_what_is_uncertain_is_safe_unless_the_app_says_another_word(word: OnError | None) -> None:
    """For a construct, and for all that a helper of the older signature makes."""
    stack = make_stack(lookup="collect")
    bucket(stack, on_error=word)
    helper = DataAware(stack, **({"on_error": word} if word else {}))
    helper.get_or_create_s3_bucket("Older", "older-prod", "older")
    said = [one["Metadata"]["Dataware"].get("OnError") for one in resources(stack).values()]
    assert said == [word, word]
    path, names = "Demo/Uploads", {"preferred_name": "uploads-prod", "fallback_names": ()}
    asked = ask(path, BUCKET, **names, on_error=word, on_fallback_data=None, import_mode=None)
    wanted = asked.to_wanted("Demo", "Uploads", ImportMode.ADOPT)
    assert wanted.on_error is (word or OnError.SAFE)


def test_never_makes_a_missing_entry_an_error() -> None:
    """The resource stays declared, and the sentence says what to do."""
    stack = make_stack(lookup="never")
    made = bucket(stack)
    assert made.decision.action is Action.STOP
    (text,) = errors(stack)
    assert text == (
        "dataware.lock.json has no entry for the S3 bucket uploads-prod in "
        "111122223333/eu-central-1; run `dataware plan --lock` and commit dataware.lock.json"
    )
    assert [one["Type"] for one in resources(stack).values()] == [BUCKET]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"fallbacks": ["other-name"]}, "was made for other fallback names"),
        ({"stack": "Demo", "logical_id": "Old"}, "was made for Old of stack Demo, and the app now"),
        ({"stack": "Other", "logical_id": "X"}, "was made for X of stack Other, and the app now"),
        (
            {"stack": "Other", "import": "reference", "action": "import", "logical_id": "X"},
            "was made for X of stack Other",
        ),
    ],
)
def test_an_entry_for_something_else_is_none(fields: dict[str, Any], why: str) -> None:
    """A construct that was moved, or has other fallbacks, is not decided by an old entry."""
    write_lock({f"{BUCKET} uploads-prod": entry(**fields)})
    stack = make_stack(lookup="never")
    bucket(stack)
    (text,) = errors(stack)
    assert why in text


def test_an_unknown_lookup_is_refused() -> None:
    """A slip in the context does not pass as the default."""
    with pytest.raises(ValueError, match="dataware:lookup cannot be 'allways': choose from auto"):
        bucket(make_stack(lookup="allways"))


def test_the_variable_wins_over_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that was run to collect never looks anything up, whatever its context says."""
    monkeypatch.setenv("DATAWARE_LOOKUP", "collect")
    stack = make_stack(lookup="never")
    bucket(stack)
    assert [text for text in errors(stack) if "has no entry" in text] == []


def test_an_open_environment_is_that_of_cdk_or_of_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack without env takes CDK's defaults, else the only environment of the lock file."""
    write_lock({f"{BUCKET} uploads-prod": entry()}, "999988887777/eu-north-1")
    context = {"dataware:lookup": "never"}
    alone = Stack(App(context=context), "Demo")
    bucket(alone)
    assert errors(alone) == []
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "111122223333")
    other = Stack(App(context=context), "Demo")
    bucket(other)
    assert (
        "has no entry for the S3 bucket uploads-prod in 111122223333/eu-north-1" in errors(other)[0]
    )


def test_an_unknown_environment_is_an_error() -> None:
    """Without any sign of an account, the developer learns how to name it."""
    stack = Stack(App(), "Demo")
    bucket(stack)
    (text,) = errors(stack)
    assert "the account and region of stack Demo are not known: give it an env" in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not valid JSON"),
        ('{"version": 7}', "is not a lock file of version 1"),
        ('{"version": 1}', "is damaged: environments is not a table"),
    ],
)
def test_a_damaged_lock_file_is_an_error(text: str, sentence: str) -> None:
    """A lock file that cannot be read is not taken for an empty one."""
    write_lock({}).write_text(text)
    stack = make_stack()
    bucket(stack)
    assert sentence in errors(stack)[0]


def test_a_damaged_entry_is_an_error() -> None:
    """An entry without its fields is not taken for a missing one."""
    write_lock({f"{BUCKET} uploads-prod": {"action": "create"}})
    stack = make_stack()
    bucket(stack)
    assert "the entry of uploads-prod is damaged" in errors(stack)[0]


def test_the_lock_file_is_read_again_when_it_changes() -> None:
    """A process that synthesizes twice sees what was written in between."""
    write_lock({f"{BUCKET} uploads-prod": entry("create", 4)})
    assert bucket(make_stack()).decision.rule == 4
    write_lock({f"{BUCKET} uploads-prod": entry("import", 14, **{"import": "adopt"})})
    assert bucket(make_stack()).decision.rule == 14


def use_policy(made: DataAwareBucket) -> None:
    """Add a statement to the bucket's policy."""
    everyone = iam.PolicyStatement(
        actions=["s3:GetObject"], resources=["*"], principals=[iam.AnyPrincipal()]
    )
    made.bucket.add_to_resource_policy(everyone)


def use_events(made: DataAwareBucket) -> None:
    """Turn events on."""
    made.bucket.enable_event_bridge_notification()


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (use_policy, "uploads-prod is referenced, not declared, so add_to_resource_policy does"),
        (use_events, "enable_event_bridge_notification changes the configuration of a bucket"),
    ],
)
def test_calls_that_a_reference_ignores_are_warned_of(
    use: Callable[[DataAwareBucket], None], sentence: str
) -> None:
    """The warning stands on the construct, only where the call is made, and only on references."""
    for lock, expected in ((REFERENCED, 1), (entry("keep", 6), 0)):
        write_lock({f"{BUCKET} uploads-prod": lock})
        stack = make_stack(lookup="never")
        made = bucket(stack)
        assert [text for text in warnings(stack) if "referenced" in text] == []
        fresh = make_stack(lookup="never")
        made = bucket(fresh)
        use(made)
        assert len([text for text in warnings(fresh) if sentence in text]) == expected


def test_a_reference_knows_its_key_and_tells_what_it_leaves_out() -> None:
    """Grants reach the key that the app names; other properties are listed as without effect."""
    write_lock({f"{BUCKET} uploads-prod": REFERENCED})
    stack = make_stack(lookup="never")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-central-1:111122223333:key/one")
    made = bucket(stack, encryption_key=key, versioned=True)
    assert made.bucket.encryption_key is not None
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    made.bucket.grant_read(role)
    assert "kms:Decrypt" in str(resources(stack))
    assert any("have no effect: versioned" in text for text in infos(stack))


def test_grants_on_a_referenced_table_reach_its_indexes() -> None:
    """A table that was declared with indexes is granted with them, declared or not."""
    write_lock({f"{TABLE} Waitlist": REFERENCED})
    stack = make_stack(lookup="never")
    made = DataAwareTable(stack, "Waitlist", preferred_name="Waitlist", partition_key=KEY)
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    made.table.grant_read_data(role)
    assert "/index/*" in str(resources(stack))


def test_the_second_table_construct_is_declared_and_referenced() -> None:
    """TableV2 has its own type, the same metadata, and the logical id that CDK gives it."""
    cfn_type = "AWS::DynamoDB::GlobalTable"
    plain = make_stack("Plain")
    dynamodb.TableV2(plain, "Waitlist", partition_key=KEY)
    stack = make_stack(lookup="collect")
    settings = {"preferred_name": "Waitlist", "fallback_names": ["Older"], "partition_key": KEY}
    DataAwareTableV2(stack, "Waitlist", **settings)
    ((logical_id, found),) = resources(stack).items()
    assert [logical_id] == list(resources(plain))
    assert found["Type"] == cfn_type
    assert found["Properties"]["TableName"] == "Waitlist"
    assert found["Metadata"]["Dataware"] == {"Fallback": ["Older"]}
    write_lock({f"{cfn_type} Waitlist": {**REFERENCED, "fallbacks": ["Older"]}})
    other = make_stack(lookup="never")
    assert DataAwareTableV2(other, "Waitlist", **settings).table.table_name == "Waitlist"
    assert resources(other) == {}


def test_a_migration_is_made_only_where_data_is_copied() -> None:
    """Its maker learns source and target; without one there is an empty construct to depend on."""
    seen: list[PendingCopy] = []

    def make(scope: Construct, id: str, copy: PendingCopy) -> IConstruct:
        seen.append(copy)
        return Construct(scope, id)

    lock = {
        f"{BUCKET} uploads-prod": entry("migrate", 3, source="old-name", fallbacks=["old-name"]),
        f"{BUCKET} quiet-prod": entry("create", 5),
    }
    write_lock(lock)
    stack = make_stack(lookup="never")
    made = bucket(stack, fallback_names=["old-name"], migration=make)
    quiet = bucket(stack, "Quiet", preferred_name="quiet-prod", migration=make)
    assert seen == [PendingCopy(BUCKET, "old-name", "uploads-prod", False)]
    reader = s3.Bucket(stack, "Reader")
    for one in (made, quiet):
        reader.node.add_dependency(one.migration)
    assert made.migration.node.path == "Demo/Uploads/Migration"
    assert errors(stack) == []


def test_data_that_nobody_copies_is_an_error() -> None:
    """With `migration=None` CDK deploys no empty bucket beside the data; the commands are named."""
    lock = entry("migrate", 3, source="old-name", fallbacks=["old-name"])
    write_lock({f"{BUCKET} uploads-prod": lock})
    stack = make_stack(lookup="never")
    bucket(stack, fallback_names=["old-name"], migration=None)
    (text,) = errors(stack)
    assert text == (
        "the data of old-name has to be copied to uploads-prod, and migration=None keeps this "
        "deployment from it: run `dataware deploy`, which copies before it deploys, or `dataware "
        "migrate s3://old-name s3://uploads-prod` once both exist"
    )
    assert [one["Type"] for one in resources(stack).values()] == [BUCKET]


def test_what_no_synth_can_look_at_the_deployment_looks_at() -> None:
    """A lock file may be older than the data; with `never` only the deployment can tell."""
    lock = entry("create", 5, fallbacks=["old-name", "older-name"])
    write_lock({f"{BUCKET} uploads-prod": lock})
    names = {"fallback_names": ["old-name", "older-name"]}
    stack = make_stack(lookup="never")
    bucket(stack, **names)
    assert errors(stack) == []
    assert "the deployment checks old-name, older-name" in infos(stack)[0]
    found = resources(stack)
    custom = {
        one["Properties"]["Source"]: (id, one)
        for id, one in found.items()
        if one["Type"] == "Custom::DataMigration"
    }
    assert {one["Properties"]["IfNeeded"] for _, one in custom.values()} == {"true"}
    assert custom["old-name"][0] in custom["older-name"][1]["DependsOn"], "one after the other"
    stack = make_stack(lookup="never")
    bucket(stack, migration=None, **names)
    assert "old-name may hold data by now" in errors(stack)[0]
    stack = make_stack(lookup="never")
    bucket(stack, on_error="no-data", **names)
    assert [one["Type"] for one in resources(stack).values()] == [BUCKET]


def test_a_lock_file_is_enough_where_aws_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A synth without credentials goes on with what the file says, and the deployment looks."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    lock = entry("create", 5, fallbacks=["old-name"])
    write_lock({f"{BUCKET} uploads-prod": lock})
    stack = make_stack()
    bucket(stack, fallback_names=["old-name"])
    assert errors(stack) == []
    assert "Custom::DataMigration" in {one["Type"] for one in resources(stack).values()}


def test_a_migration_that_is_no_word_is_refused() -> None:
    """A slip does not pass as the default, nor does it fail only where data is copied."""
    with pytest.raises(ValueError, match="Demo/Uploads: migration cannot be 'none': leave it out"):
        bucket(make_stack(lookup="collect"), migration="none")


def test_a_deployment_by_dataware_makes_no_machinery(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has copied the data before, and fills what only the stack can create afterwards."""
    lock = entry("migrate", 3, source="old-name", fallbacks=["old-name"])
    write_lock({f"{BUCKET} uploads-prod": lock})
    monkeypatch.setenv("DATAWARE_RUN", "deploy")
    for migration in ("auto", None):
        stack = make_stack()
        bucket(stack, fallback_names=["old-name"], migration=migration)
        assert errors(stack) == []
        assert [one["Type"] for one in resources(stack).values()] == [BUCKET]


def test_a_run_that_collects_cannot_be_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a person asks for it, nothing was looked at, so every construct is an error."""
    stack = make_stack(lookup="collect")
    bucket(stack)
    (text,) = errors(stack)
    assert text.startswith("dataware:lookup=collect reads no data, so nothing can be deployed")
    monkeypatch.setenv("DATAWARE_RUN", "look")
    stack = make_stack(lookup="collect")
    bucket(stack)
    assert errors(stack) == []


def test_the_older_methods_give_what_they_gave() -> None:
    """One changed line: same types, same logical ids as `Bucket` and `Table` under that id."""
    plain, stack = make_stack("Plain"), make_stack(lookup="collect")
    s3.Bucket(plain, "Uploads")
    sort = dynamodb.Attribute(name="at", type=dynamodb.AttributeType.NUMBER)
    dynamodb.Table(plain, "Waitlist", partition_key=KEY, sort_key=sort)
    helper = DataAware(stack)
    uploads: s3.IBucket = helper.get_or_create_s3_bucket("Uploads", "uploads-prod", "uploads")
    string, number = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
    waitlist: dynamodb.ITable = helper.get_or_create_dynamodb_table(
        "Waitlist", "Waitlist-prod", "Waitlist", "email", string, "at", number
    )
    assert uploads.bucket_arn
    assert waitlist.table_arn
    assert list(resources(stack)) == list(resources(plain))
    table = next(one for one in resources(stack).values() if one["Type"] == TABLE)
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in table["Properties"]["KeySchema"]] == ["email", "at"]


def test_properties_that_an_older_helper_set_inside_are_defaults_of_the_type() -> None:
    """Switching loses no protection, and a call's own properties win."""
    stack = make_stack(lookup="collect")
    helper = DataAware(
        stack,
        bucket={"versioned": True, "block_public_access": s3.BlockPublicAccess.BLOCK_ALL},
        table={"deletion_protection": True},
    )
    helper.get_or_create_s3_bucket("Uploads", "uploads-prod", "uploads")
    helper.get_or_create_s3_bucket("Scratch", "scratch-prod", "scratch", versioned=False)
    string = dynamodb.AttributeType.STRING
    helper.get_or_create_dynamodb_table("Waitlist", "Waitlist-prod", None, "email", string)
    by_name = {
        one["Properties"].get("BucketName") or one["Properties"]["TableName"]: one["Properties"]
        for one in resources(stack).values()
    }
    assert by_name["uploads-prod"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert by_name["uploads-prod"]["PublicAccessBlockConfiguration"]["BlockPublicAcls"] is True
    assert "VersioningConfiguration" not in by_name["scratch-prod"]
    assert by_name["Waitlist-prod"]["DeletionProtectionEnabled"] is True
    assert by_name["Waitlist-prod"]["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize(
    ("fallback", "names"),
    [
        (None, []),
        ("uploads", ["uploads"]),
        (["uploads-staging", "uploads-prod", "uploads"], ["uploads-staging", "uploads"]),
        ((), []),
    ],
)
def test_the_older_methods_take_no_fallback_or_several(fallback: Any, names: list[str]) -> None:
    """A preview stage says that no data comes from anywhere else, or lists where it may be."""
    stack = make_stack(lookup="collect")
    DataAware(stack).get_or_create_s3_bucket("Uploads", "uploads-prod", fallback)
    (bucket,) = resources(stack).values()
    assert bucket["Metadata"]["Dataware"]["Fallback"] == names


def test_the_construct_and_its_migration_are_in_reach_of_the_caller() -> None:
    """What needs the data depends on the migration of the resource that it is given."""
    stack = make_stack(lookup="collect")
    helper = DataAware(stack)
    helper.get_or_create_s3_bucket("Uploads", "uploads-prod", "uploads")
    assert helper["Uploads"].node.path == "Demo/Uploads"
    assert helper["Uploads"].migration is not None
    with pytest.raises(KeyError):
        helper["Other"]


def test_the_older_methods_take_an_environment_without_a_suffix() -> None:
    """Where preferred and fallback are the same name, there is no fallback."""
    stack = make_stack(lookup="collect")
    DataAware(stack).get_or_create_s3_bucket("Uploads", "uploads", "uploads")
    ((_, found),) = resources(stack).items()
    assert found["Metadata"]["Dataware"] == {"Fallback": []}


def test_half_a_sort_key_is_refused() -> None:
    """A sort key has a name and a type."""
    string = dynamodb.AttributeType.STRING
    helper = DataAware(make_stack(lookup="collect"))
    with pytest.raises(ValueError, match="sort_key_name and sort_key_type belong together"):
        helper.get_or_create_dynamodb_table("T", "Table-1", "Table", "email", string, "at")


def test_the_typed_properties_are_those_of_cdk() -> None:
    """With the version of CDK that wrote them, the module is what its script writes now."""
    root = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location(
        "generate_cdk_properties", root / "scripts/generate_cdk_properties.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = script.PAGE.read_text(encoding="utf-8")
    if f"aws-cdk-lib {version('aws-cdk-lib')}." not in written:
        pytest.skip("another version of CDK wrote the properties")
    assert written == script.page()
    assert script.BESIDE.read_text(encoding="utf-8") == script.page(script.DATABASES)


ELSEWHERE = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"


def test_a_fallback_by_arn_is_taken_and_compared_with_the_lock_file() -> None:
    """An ARN of the stack's own environment is the name; one of elsewhere says where it is."""
    own = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Carts"
    locked = entry("migrate", 3, source=ELSEWHERE, fallbacks=[ELSEWHERE, "Carts"])
    write_lock({f"{TABLE} Orders-prod": locked})
    stack = make_stack(lookup="never")
    made = DataAwareTable(
        stack, "Orders", preferred_name="Orders-prod", partition_key=KEY,
        fallback_names=[ELSEWHERE, own],
    )  # fmt: skip
    assert (made.decision.action, made.decision.source) == (Action.MIGRATE, ELSEWHERE)
    assert errors(stack) == []


def test_a_table_is_found_in_the_lock_file_under_either_type() -> None:
    """Table and TableV2 declare one and the same thing."""
    write_lock({f"{TABLE} Orders-prod": entry("create", 5)})
    stack = make_stack(lookup="never")
    made = DataAwareTableV2(stack, "Orders", preferred_name="Orders-prod", partition_key=KEY)
    assert made.decision.action is Action.CREATE
    assert errors(stack) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"preferred_name": ELSEWHERE},
            "is an ARN, which CloudFormation does not accept as a name",
        ),
        ({"fallback_names": [f"{ELSEWHERE}/stream/1"]}, "names a stream of the table Orders"),
        ({"fallback_names": [ELSEWHERE.lower().upper()]}, "lower case"),
        ({"fallback_names": ["arn:aws:s3:::orders"]}, "an ARN of s3, not of dynamodb"),
        ({"fallback_names": [ELSEWHERE.replace("aws:", "aws-cn:", 1)]}, "in partition aws"),
    ],
)
def test_an_arn_that_cannot_be_is_one_sentence(settings: dict[str, Any], sentence: str) -> None:
    """It is refused where it is written, with the construct and the argument."""
    stack = make_stack(lookup="collect")
    with pytest.raises(ValueError, match=f"^Demo/Orders: .*{sentence}"):
        DataAwareTable(
            stack, "Orders", partition_key=KEY,
            **{"preferred_name": "Orders-prod", **settings},
        )  # fmt: skip
