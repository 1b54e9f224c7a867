"""The three scenarios of the specification, line by line, and what surrounds them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from support.cli import (
    BUCKET,
    KEYED_BY_PK,
    TABLE,
    bucket_app,
    run,
    saved,
    table_app,
    toml_resource,
    write_toml,
)
from support.servers import FaultProxy
from support.worlds import client, items_of, make_bucket, make_table, objects_of, stacks

STAGING = "spaceport-ml-processing-staging"
LOOKING = "🔍 Looking at {} in account 000000000000, us-east-1"
MIGRATION = [
    "🔄 Fallback table has data, creating preferred and migrating: "
    "Spaceport-Waitlist → Spaceport-Waitlist-prod",
    "📊 Found 78 items to migrate",
    "✅ Migrated batch 1/4",
    "✅ Migrated batch 2/4",
    "✅ Migrated batch 3/4",
    "✅ Migrated batch 4/4",
    "✅ Successfully migrated data to Spaceport-Waitlist-prod",
    "✅ Verified 78 items: all by content",
]
WAITLISTS = ("dynamodb://Spaceport-Waitlist", "dynamodb://Spaceport-Waitlist-prod")


@pytest.fixture(autouse=True)
def an_empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own for what commands write where they are called."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def waitlist(aws_server: EmbeddedAws) -> Path:
    """78 items under the older name, and the app that prefers another one."""
    make_table("Spaceport-Waitlist", ({"pk": {"S": f"pilot{n}@example.com"}} for n in range(78)))
    return table_app(Path("dataware.toml"), "Spaceport-Waitlist-prod", "Spaceport-Waitlist")


@pytest.mark.usefixtures("aws_server")
def test_data_under_the_preferred_name_is_imported() -> None:
    """Scenario 1: one line for each resource, and nothing to do."""
    make_bucket("spaceport-uploads-staging", [{"Key": "plan", "Body": b"orbit"}])
    make_table("Spaceport-Waitlist-staging", [{"pk": {"S": "a"}}])
    app = write_toml(
        Path("dataware.toml"),
        toml_resource(BUCKET, "spaceport-uploads-staging", "spaceport-uploads"),
        toml_resource(
            TABLE, "Spaceport-Waitlist-staging", "Spaceport-Waitlist", properties=KEYED_BY_PK
        ),
    )
    ran = run("apply", app)
    assert ran.code == 0
    assert ran.lines == [
        LOOKING.format("2 resources"),
        "✅ Importing existing S3 bucket with data: spaceport-uploads-staging",
        "✅ Importing existing DynamoDB table with data: Spaceport-Waitlist-staging",
        "✅ Nothing to copy: 2 resources already hold their data",
    ]


def test_data_under_the_fallback_is_migrated_once(waitlist: Path) -> None:
    """Scenario 2: 78 items are four batches; the second run has nothing to do."""
    ran = run("apply", waitlist)
    *lines, done, left = ran.lines
    assert (ran.code, lines) == (0, [LOOKING.format("1 resource"), *MIGRATION])
    assert re.fullmatch(
        r"✅ Done in \d+ s: 1 copied and verified \(78 items, 2\.8 kB\)\. Sources untouched\.", done
    )
    assert left == (
        "ℹ️  Left to do: Spaceport-Waitlist-prod belongs to no stack yet; "
        "`dataware deploy` lets a CDK app adopt it, and a change set with "
        "--import-existing-resources any other stack"
    )
    assert items_of("Spaceport-Waitlist-prod") == items_of("Spaceport-Waitlist")
    assert stacks() == []
    again = run("apply", waitlist)
    assert again.code == 0
    assert again.lines[1:] == [
        "✅ Importing existing DynamoDB table with data: Spaceport-Waitlist-prod",
        "✅ Nothing to copy: 1 resource already holds its data",
    ]


@pytest.mark.usefixtures("aws_server")
def test_empty_names_are_told_and_a_new_one_is_announced() -> None:
    """Scenario 3: both names exist and are empty."""
    for name in (STAGING, "spaceport-ml-processing"):
        make_bucket(name)
    app = bucket_app(Path("dataware.toml"), STAGING, "spaceport-ml-processing")
    assert run("apply", app).lines[1:] == [
        f"ℹ️  Preferred bucket exists but is empty: {STAGING}",
        "ℹ️  Fallback bucket exists but is empty: spaceport-ml-processing",
        f"🆕 Creating new S3 bucket: {STAGING}",
        f"✅ Using the existing S3 bucket as it is: {STAGING}",
        "✅ Nothing to copy: 1 resource exists and is empty",
    ]


@pytest.mark.usefixtures("aws_server")
def test_an_empty_resource_that_exists_is_not_called_new() -> None:
    """Rule 12: it is used as it is; nothing is created, and no line says so."""
    make_bucket(STAGING)
    app = bucket_app(Path("dataware.toml"), STAGING, "spaceport-ml-processing")
    assert run("apply", app).lines[1:] == [
        f"ℹ️  Preferred bucket exists but is empty: {STAGING}",
        f"✅ Using the existing S3 bucket as it is: {STAGING}",
        "✅ Nothing to copy: 1 resource exists and is empty",
    ]


@pytest.mark.usefixtures("aws_server")
def test_what_exists_nowhere_is_created_once() -> None:
    """Rule 5: the bucket is there afterwards, not in any stack, and the next run leaves it."""
    app = bucket_app(Path("dataware.toml"), STAGING)
    first = run("apply", app)
    assert (first.code, first.lines[1:3]) == (
        0,
        [f"🆕 Creating new S3 bucket: {STAGING}", f"✅ Created S3 bucket: {STAGING}"],
    )
    assert first.lines[3].endswith(" s: 1 created.")
    client("s3").head_bucket(Bucket=STAGING)
    assert stacks() == []
    assert run("apply", app).lines[-1].startswith("✅ Nothing to copy")


READING = ("Get", "List", "Describe", "Head", "Scan")


def test_plan_changes_nothing(waitlist: Path, fault_proxy: FaultProxy) -> None:
    """A plan makes reading calls only, and says what it would cost."""
    before = items_of("Spaceport-Waitlist")
    fault_proxy.clear()
    ran = run("plan", waitlist)
    asked = {seen.operation for seen in fault_proxy.seen}
    assert ran.code == 0
    assert all(operation.startswith(READING) for operation in asked), asked
    assert ran.lines[1] == MIGRATION[0]
    assert ran.lines[2].endswith("us-east-1 · nothing has been changed")
    row = "  >  Spaceport-Waitlist-prod  copy from Spaceport-Waitlist  rule 3"
    assert ran.lines[4] == row
    assert ran.lines[5].strip().startswith("about 78 items, ")
    assert ran.lines[5].endswith(" ~1 s, less than $0.01")
    assert ran.lines[-2].startswith("ℹ️  Plan: 1 to copy.  ~")
    assert ran.lines[-1] == f"ℹ️  Next: dataware apply {waitlist}"
    assert client("dynamodb").list_tables()["TableNames"] == ["Spaceport-Waitlist"]
    assert items_of("Spaceport-Waitlist") == before


def test_status_tells_of_what_is_complete(waitlist: Path) -> None:
    """Before, nothing is on record; afterwards, the verified migration is."""
    assert run("status").lines == [
        "✅ Nothing to do: no migration is recorded in account 000000000000, us-east-1"
    ]
    run("apply", waitlist)
    status = run("status")
    assert status.code == 0
    (line,) = status.lines
    assert line.startswith(
        "📊 Spaceport-Waitlist → Spaceport-Waitlist-prod: complete: 78 items verified; "
    )


def test_verify_ends_with_2_once_a_side_has_changed(waitlist: Path) -> None:
    """Exit 0 while both sides agree; missing, extra and different items are named."""
    run("apply", waitlist)
    assert run("verify", *WAITLISTS).code == 0
    table = client("dynamodb")
    for item in ({"pk": {"S": "pilot1@example.com"}, "new": {"S": "1"}}, {"pk": {"S": "extra"}}):
        table.put_item(TableName="Spaceport-Waitlist-prod", Item=item)
    key = {"pk": {"S": "pilot2@example.com"}}
    table.delete_item(TableName="Spaceport-Waitlist-prod", Key=key)
    ran = run("verify", *WAITLISTS)
    assert ran.code == 2
    assert ran.lines[-1].endswith("differ: 1 missing, 1 extra, 1 different")
    for side, name in (("missing", "pilot2"), ("extra", "extra"), ("different", "pilot1")):
        assert any(line.startswith(f"❌ {side}") and name in line for line in ran.lines)


def test_a_saved_plan_is_applied(waitlist: Path) -> None:
    """`plan --out` and `apply FILE` do what `apply` does, and the file has the promised fields."""
    assert run("plan", waitlist, "--out", "plan.json").code == 0
    plan = saved(Path("plan.json"))
    (resource,) = plan["resources"]
    assert (plan["version"], plan["account"], plan["region"]) == (1, "000000000000", "us-east-1")
    assert (resource["action"], resource["rule"], resource["import"]) == ("migrate", 3, "adopt")
    assert resource["source"] == "Spaceport-Waitlist"
    assert resource["estimate"]["items"] == 78
    states = [
        {word: facts[word] for word in ("exists", "content", "owner", "marker")}
        for facts in (resource["preferred"], *resource["fallbacks"])
    ]
    assert states == [
        {"exists": "no", "content": "unknown", "owner": "no stack", "marker": "none"},
        {"exists": "yes", "content": "data", "owner": "no stack", "marker": "none"},
    ]
    ran = run("apply", "plan.json")
    assert (ran.code, ran.lines[-3]) == (0, MIGRATION[-1])


def test_a_saved_plan_is_refused_once_a_fact_has_changed(waitlist: Path) -> None:
    """Exit 3, the fact is named, and nothing is touched."""
    run("plan", waitlist, "--out", "plan.json")
    make_table("Spaceport-Waitlist-prod", [{"pk": {"S": "mine"}}])
    ran = run("apply", "plan.json")
    assert ran.code == 3
    assert "Spaceport-Waitlist-prod exists was no and is yes" in ran.err
    assert list(items_of("Spaceport-Waitlist-prod")) == ['{"S": "mine"}']
    assert run("status").lines == [
        "✅ Nothing to do: no migration is recorded in account 000000000000, us-east-1"
    ]


def test_a_plan_of_another_account_is_refused(
    waitlist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan is only applied where it was made."""
    run("plan", waitlist, "--out", "plan.json")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    ran = run("apply", "plan.json")
    assert ran.code == 3
    assert "000000000000" in ran.err
    assert "111122223333" in ran.err


def test_detailed_exitcode_tells_changes_from_none(waitlist: Path) -> None:
    """As in Terraform: 2 while there is something to do, 0 afterwards."""
    assert run("plan", waitlist, "--detailed-exitcode").code == 2
    assert run("plan", waitlist).code == 0
    run("apply", waitlist)
    assert run("plan", waitlist, "--detailed-exitcode").code == 0


def test_lock_keeps_the_decisions_of_other_accounts(
    waitlist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file is keyed by account and region; a run replaces what is its own only."""
    run("plan", waitlist, "--lock")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    run("plan", waitlist, "--lock")
    text = Path("dataware.lock.json").read_text()
    mine, other = text.index("000000000000"), text.index("111122223333")
    assert '"action": "migrate"' in text[mine:other]
    assert '"action": "create"' in text[other:]


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "dataware.toml"),
        ("apply", "dataware.toml"),
        ("status",),
        ("verify", *WAITLISTS),
        ("migrate", *WAITLISTS),
        ("iam-policy", "dataware.toml"),
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.usefixtures("waitlist")
def test_json_is_one_object_per_event_and_nothing_else(arguments: tuple[str, ...]) -> None:
    """Every command speaks JSON lines on standard output, with code, level, text and data."""
    if arguments[0] in {"verify", "migrate"}:
        make_table("Spaceport-Waitlist-prod")
    ran = run(*arguments, "--format", "json")
    assert ran.events
    assert all({"time", "code", "level", "text", "data"} <= event.keys() for event in ran.events)
    assert ran.err == ""


def test_plain_has_no_sign(waitlist: Path) -> None:
    """`--plain` keeps the words and drops every sign."""
    ran = run("apply", waitlist, "--plain")
    assert "Successfully migrated data to Spaceport-Waitlist-prod" in ran.out
    assert ran.out.replace("→", "->").isascii()


@pytest.fixture
def nothing_left(aws_server: EmbeddedAws) -> Iterator[None]:
    """Whatever a test makes, it leaves no stack behind."""
    yield
    assert stacks() == []


@pytest.mark.usefixtures("nothing_left")
def test_a_bucket_is_migrated_like_a_table() -> None:
    """The bucket's lines have the bucket's words, and its objects arrive as they were."""
    make_bucket("spaceport-uploads", [{"Key": f"k{n}", "Body": b"x"} for n in range(30)])
    app = bucket_app(Path("dataware.toml"), "spaceport-uploads-prod", "spaceport-uploads")
    assert run("apply", app).lines[1:-2] == [
        "🔄 Fallback bucket has data, creating preferred and migrating: "
        "spaceport-uploads → spaceport-uploads-prod",
        "📊 Found 30 objects to migrate",
        "✅ Migrated batch 1/2",
        "✅ Migrated batch 2/2",
        "✅ Successfully migrated data to spaceport-uploads-prod",
        "✅ Verified 30 objects: all by content",
    ]
    assert objects_of("spaceport-uploads-prod") == objects_of("spaceport-uploads")
