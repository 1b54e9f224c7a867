"""Whether data would be protected less than it is: in a copy, an adoption, a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dataware.core.destructive_change import Loss
from dataware.core.guard import AppIndex, threats
from dataware.core.model import (
    Action,
    Decision,
    Deployed,
    Existence,
    Facts,
    ImportMode,
    OnError,
    Wanted,
)
from dataware.core.protection import (
    compare_protection,
    find_deletions,
    find_weakened,
    warn_of_expiry,
)
from dataware.core.refused_update import find_refused_updates
from dataware.core.stack_template import DeclaredResource, StackTemplate
from dataware.kinds import kinds, load

BUCKET, TABLE = "AWS::S3::Bucket", "AWS::DynamoDB::Table"
SECRET, LONG = "AWS::SecretsManager::Secret", {"PasswordLength": 40}
CARDS = {kind.cfn_type: kind for kind in kinds()}
CLOSED = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
PROTECTED = {
    "PublicAccessBlockConfiguration": CLOSED,
    "VersioningConfiguration": {"Status": "Enabled"},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        ]
    },
}


def weakened(of_type: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The clauses on one resource of a stack."""
    template = StackTemplate("App", {"One": DeclaredResource(of_type, now)})
    found = find_weakened(CARDS, template, {"One": DeclaredResource(of_type, before)})
    return [clause for one in found for clause in one.settings]


def test_settings_that_a_template_no_longer_declares_are_weaker() -> None:
    """CloudFormation removes what a template drops, although a new bucket would have it."""
    assert weakened(BUCKET, PROTECTED, {}) == [
        "encryption: SSE-S3 instead of SSE-KMS",
        "public access block: off instead of on",
        "versioning: off instead of on",
    ]


@pytest.mark.parametrize(
    ("before", "after", "clauses"),
    [
        ("Retain", "Delete", ["deletion policy: Delete instead of Retain"]),
        ("RetainExceptOnCreate", None, ["deletion policy: none instead of RetainExceptOnCreate"]),
        ("Retain", "RetainExceptOnCreate", []),
        ("Retain", "Snapshot", []),
        ("Retain", {"Ref": "Policy"}, []),
        (None, "Delete", []),
    ],
)
@pytest.mark.parametrize("of_type", [TABLE, SECRET])
def test_what_is_no_longer_retained_is_protected_less(
    of_type: str, before: Any, after: Any, clauses: list[str]
) -> None:
    """It would be deleted with its stack, by a later deployment that looks harmless."""
    template = StackTemplate("App", {"One": DeclaredResource(of_type, deletion_policy=after)})
    was = DeclaredResource(of_type, deletion_policy=before)
    found = find_weakened(CARDS, template, {"One": was})
    assert [clause for one in found for clause in one.settings] == clauses


def test_the_same_or_more_protection_is_no_warning() -> None:
    """Nothing is told of a template that protects as much as before."""
    assert weakened(BUCKET, PROTECTED, PROTECTED) == []
    assert weakened(BUCKET, {}, PROTECTED) == []
    assert weakened(BUCKET, {}, {}) == []


@pytest.mark.parametrize(
    ("before", "now", "clause"),
    [
        (
            {"DeletionProtectionEnabled": True},
            {},
            "deletion protection: off instead of on",
        ),
        (
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
            {},
            "point in time recovery: off instead of on",
        ),
        (
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
            {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}},
            "point in time recovery: off instead of on",
        ),
    ],
)
def test_tables_are_compared_too(before: dict[str, Any], now: dict[str, Any], clause: str) -> None:
    """Backups and deletion protection are settings that a change of code drops in silence."""
    assert weakened(TABLE, before, now) == [clause]


LOGS = "AWS::Logs::LogGroup"
EXPIRING = {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 30}]}


@pytest.mark.parametrize(
    ("of_type", "before", "now", "clauses"),
    [
        (LOGS, {"RetentionInDays": 365}, {"RetentionInDays": 30}, ["are deleted after 30 days"]),
        (LOGS, {}, {"RetentionInDays": 30}, ["are deleted after 30 days"]),
        (LOGS, {"RetentionInDays": {"Ref": "Days"}}, {"RetentionInDays": 30}, ["after 30 days"]),
        (LOGS, {"RetentionInDays": 30}, {"RetentionInDays": {"Ref": "Days"}}, ["may delete"]),
        (LOGS, {"RetentionInDays": 30}, {"RetentionInDays": "30"}, []),
        (LOGS, {"RetentionInDays": 30}, {"RetentionInDays": 365}, []),
        (LOGS, {"RetentionInDays": 30}, {}, []),
        (LOGS, {"RetentionInDays": 30}, {"RetentionInDays": {"Ref": "AWS::NoValue"}}, []),
        (LOGS, *([{"RetentionInDays": {"Ref": "Days"}}] * 2), []),
        (BUCKET, {}, {"LifecycleConfiguration": EXPIRING}, ["30 days"]),
        (BUCKET, *([{"LifecycleConfiguration": EXPIRING}] * 2), []),
        (
            TABLE,
            {},
            {"TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}},
            ["items expire by until"],
        ),
        *(
            (of_type, {name: longer}, now, clauses)
            for of_type, name, longer, shorter, words in (
                ("AWS::SQS::Queue", "MessageRetentionPeriod", 1_209_600, 60, "messages are del"),
                ("AWS::Kinesis::Stream", "RetentionPeriodHours", 168, 24, "records are deleted"),
                ("AWS::RDS::DBCluster", "BackupRetentionPeriod", 7, 1, "automated backups are"),
            )
            for now, clauses in (({name: shorter}, [words]), ({}, [words]), ({name: longer}, []))
        ),
        ("AWS::Kinesis::Stream", {"RetentionPeriodHours": 24}, {}, []),
        (SECRET, {"GenerateSecretString": {}}, {"GenerateSecretString": LONG}, ["newly generated"]),
        (SECRET, {"SecretString": "a"}, {"GenerateSecretString": {}}, ["newly generated"]),
        (SECRET, *([{"GenerateSecretString": LONG}] * 2), []),
    ],
)
def test_a_value_that_deletes_data_in_place_is_told(
    of_type: str, before: dict[str, Any], now: dict[str, Any], clauses: list[str]
) -> None:
    """The resource stays and keeps its name, and its older data goes all the same (rule 24)."""
    was, declared = DeclaredResource(of_type, before), DeclaredResource(of_type, now)
    found = [*find_deletions(load(of_type), was, declared)]
    assert len(found) == len(clauses)
    assert all(clause in one for clause, one in zip(clauses, found, strict=True))
    template = StackTemplate("App", {"One": declared})
    held = {"One": Deployed(of_type, "one")}
    lost = [*threats(AppIndex(CARDS), template, {"One": was}, held)]
    assert [(one.loss, one.rule) for one in lost] == [(Loss.DELETES, 24)] * len(clauses)
    assert all("--allow-loss One" in one.recipe for one in lost)


def test_a_property_that_cloudformation_refuses_to_change_is_told() -> None:
    """What the service takes by itself is no change, and neither is another logical id."""
    rare, usual = {"LogGroupClass": "INFREQUENT_ACCESS"}, {"LogGroupClass": "STANDARD"}

    def refused(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
        template = StackTemplate("App", {"One": DeclaredResource(LOGS, now)})
        was = {"One": DeclaredResource(LOGS, before), "Gone": DeclaredResource(LOGS, before)}
        return [str(one) for one in find_refused_updates(CARDS, template, was)]

    (text,) = refused(usual, rare)
    assert "would fail, because CloudFormation cannot change LogGroupClass" in text
    assert len(refused({}, rare)) == 1
    assert refused(usual, {}) == refused({}, usual) == refused(rare, rare) == []


def test_what_is_not_literal_is_not_compared() -> None:
    """A function may come to the same setting, so it is no weakness."""
    now = {name: {"Fn::If": ["Prod", value, {}]} for name, value in PROTECTED.items()}
    assert weakened(BUCKET, PROTECTED, now) == []


def test_a_resource_that_leaves_or_changes_its_type_is_the_guards_business() -> None:
    """Losing a resource is told as a loss, not as weaker protection."""
    before = {"One": DeclaredResource(BUCKET, PROTECTED)}
    assert [*find_weakened(CARDS, StackTemplate("App", {}), before)] == []
    other = StackTemplate("App", {"One": DeclaredResource(TABLE, {})})
    assert [*find_weakened(CARDS, other, before)] == []


def adopted(on_error: OnError, logical_id: str | None = "Uploads") -> Decision:
    """What becomes of adopting a versioned bucket by a template that does not say so."""
    kind = load(BUCKET)
    wanted = Wanted("id", BUCKET, "uploads", logical_id=logical_id, on_error=on_error)
    facts = Facts("uploads", Existence.EXISTS, settings=kind.template.declared_settings(PROTECTED))
    decision = Decision(Action.IMPORT, 1, "it has data", import_mode=ImportMode.ADOPT)
    return compare_protection(kind, wanted, decision, facts, None)


def test_adopting_with_less_protection_is_a_warning_and_under_strict_a_stop() -> None:
    """What a stack takes in is compared with what the template says of it."""
    (text,) = adopted(OnError.SAFE).warnings
    assert "uploads is declared with less protection than it has" in text
    assert "versioning: off instead of on" in text
    stop = adopted(OnError.STOP)
    assert (stop.action, stop.rule) == (Action.STOP, 17)


def test_outside_of_templates_nothing_is_compared_on_import() -> None:
    """The properties of a dataware.toml are used for creation alone."""
    assert adopted(OnError.SAFE, logical_id=None).warnings == ()


EXPIRING: dict[str, Any] = {
    "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 1}]}
}
LIVING = {"TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True}}


@pytest.mark.parametrize(
    ("of_type", "properties", "action", "existence", "notes", "says"),
    [
        (BUCKET, EXPIRING, Action.MIGRATE, Existence.ABSENT, (), "objects expire after 1 day"),
        (TABLE, LIVING, Action.MIGRATE, Existence.ABSENT, (), "items expire by until"),
        (BUCKET, EXPIRING, Action.MIGRATE, Existence.ABSENT, ("has owner", "x"), "expire after"),
        (
            BUCKET,
            EXPIRING,
            Action.MIGRATE,
            Existence.ABSENT,
            ("its lifecycle expires objects after 30 days, also copied ones",),
            "",
        ),
        (TABLE, LIVING, Action.MIGRATE, Existence.ABSENT, ("items expire by until",), ""),
        (BUCKET, EXPIRING, Action.MIGRATE, Existence.EXISTS, (), ""),
        (BUCKET, EXPIRING, Action.CREATE, Existence.ABSENT, (), ""),
        (BUCKET, {}, Action.MIGRATE, Existence.ABSENT, (), ""),
        ("AWS::KMS::Key", EXPIRING, Action.MIGRATE, Existence.ABSENT, (), ""),
    ],
)
def test_a_target_that_deletes_what_is_copied_into_it_is_told_of(
    of_type: str,
    properties: dict[str, Any],
    action: Action,
    existence: Existence,
    notes: tuple[str, ...],
    says: str,
) -> None:
    """Unless its source does so, too; one that exists says it in its own notes."""
    wanted = Wanted("one", of_type, "new", ("old",), properties=properties)
    decision = Decision(action, 3, "because", source="old")
    source = Facts("old", Existence.EXISTS, notes=notes)
    told = warn_of_expiry(CARDS[of_type], wanted, decision, Facts("new", existence), source)
    assert bool(told.warnings) is bool(says)
    assert says in " ".join(told.warnings)
    assert told.action is action
    assert warn_of_expiry(CARDS[of_type], wanted, decision, Facts("new"), None) == decision
