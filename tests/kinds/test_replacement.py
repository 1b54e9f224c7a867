"""What replaces a resource, against the database in the pinned CDK command line."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import pytest

from dataware.core.destructive_change import Loss
from dataware.core.guard import AppIndex, threats
from dataware.core.model import Deployed
from dataware.core.stack_template import DeclaredResource, StackTemplate
from dataware.kinds import CATALOGUE, guarded_kinds, load
from dataware.kinds.unknown import HOLDS_DATA
from support.cdk_cli import PROJECT, node_modules

CARDS = guarded_kinds()


@cache
def read_database() -> dict[str, Any]:
    """What the CDK command line knows of resource types."""
    path = node_modules(PROJECT) / "aws-cdk" / "db.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        schema: dict[str, Any] = json.load(file)["schema"]
    return schema


@cache
def read_entities(sort: str, key: str) -> dict[str, Any]:
    """The entities of a sort by one of their fields."""
    return {one[key]: one for one in read_database()[sort]["entities"]}


def database() -> dict[str, Any]:
    """The properties of the resource types that `cdk diff` knows."""
    entities = read_entities("resource", "cloudFormationType")
    return {name: one["properties"] for name, one in entities.items()}


def verdict(
    cfn_type: str, before: dict[str, Any], now: dict[str, Any], policy: Any = None
) -> list[Loss]:
    """What the guard says of one deployed resource whose template changes so."""
    held = {"One": Deployed(cfn_type, "physical-id")}
    templates = [
        {"One": DeclaredResource(cfn_type, each, "Retain", "Retain", update_policy=policy)}
        for each in (before, now)
    ]
    was, then = templates
    found = threats(AppIndex(CARDS), StackTemplate("App", then), was, held)
    return [one.loss for one in found]


def list_changes(cfn_type: str, *kinds_of_change: str) -> list[str]:
    """The properties of a type whose change replaces it so, as its schema says."""
    rows = database()[cfn_type].items()
    return [name for name, one in rows if one.get("causesReplacement", "no") in kinds_of_change]


@pytest.mark.parametrize("cfn_type", CATALOGUE)
def test_every_property_whose_change_replaces_is_on_the_card(cfn_type: str) -> None:
    """The guard stops a replacement only where the card knows of it, and what is on it exists."""
    template = load(cfn_type).template
    named = set() if template.renamed_in_place else {template.identifier}
    known = {*named, *template.replacing}
    assert set(list_changes(cfn_type, "yes")) <= known
    assert set(list_changes(cfn_type, "maybe")) <= known | set(template.updated_in_place)
    assert not known & set(template.updated_in_place)
    assert known | set(template.updated_in_place) <= database()[cfn_type].keys()


@pytest.mark.parametrize("cfn_type", HOLDS_DATA)
def test_every_property_that_replaces_a_type_without_a_card_is_listed(cfn_type: str) -> None:
    """Of such a type nothing more is known than what its schema says."""
    template = CARDS[cfn_type].template
    assert not {*template.replacing} & {*template.updated_in_place}
    listed = {*template.replacing, *template.updated_in_place}
    assert set(list_changes(cfn_type, "yes", "maybe")) == listed
    assert set(list_changes(cfn_type, "yes")) <= {*template.replacing}


@pytest.mark.parametrize(
    ("cfn_type", "name", "switch"),
    [
        ("AWS::OpenSearchService::Domain", "EngineVersion", "EnableVersionUpgrade"),
        ("AWS::Elasticsearch::Domain", "ElasticsearchVersion", "EnableVersionUpgrade"),
        ("AWS::ElastiCache::ReplicationGroup", "NumNodeGroups", "UseOnlineResharding"),
    ],
)
def test_what_is_updated_by_a_switch_of_its_update_policy_is_replaced_without_it(
    cfn_type: str, name: str, switch: str
) -> None:
    """CloudFormation's default is an empty one in its place."""
    for policy in (None, {}, {switch: False}, {switch: "false"}, {switch: REF}, REF, "x"):
        assert verdict(cfn_type, {name: "1"}, {name: "2"}, policy) == [Loss.REPLACED], policy
        assert verdict(cfn_type, {name: "1"}, {name: "1"}, policy) == []
    for on in (True, "true"):
        assert verdict(cfn_type, {name: "1"}, {name: "2"}, {switch: on}) == []


KEY_TYPES = ("AttributeDefinitions",)
"""What holds the types of keys, among others: no schema says which part may change."""

LOCAL_INDEXES = "LocalSecondaryIndexes"


def test_local_indexes_that_change_replace_a_table_of_either_type() -> None:
    """No table gets or loses one later, although one of the two schemas does not say so."""
    now = [{"IndexName": "byDay", "Projection": {"ProjectionType": one}} for one in ("ALL", "KEYS")]
    for cfn_type in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        for changed in ({}, {LOCAL_INDEXES: now[1:]}):
            assert verdict(cfn_type, {LOCAL_INDEXES: now[:1]}, changed) == [Loss.REPLACED]
            assert verdict(cfn_type, changed, {LOCAL_INDEXES: now[:1]}) == [Loss.REPLACED]


@pytest.mark.parametrize("cfn_type", CATALOGUE)
def test_no_property_that_is_updated_in_place_is_a_replacement(cfn_type: str) -> None:
    """A false stop teaches people to allow a loss; each property of each schema is tried."""
    template = load(cfn_type).template
    in_place = {*list_changes(cfn_type, "no"), *template.updated_in_place} - set(template.replacing)
    for name in in_place - {template.identifier, *KEY_TYPES}:
        for before, now in (({}, {name: "2"}), ({name: "2"}, {name: "3"}), ({name: "2"}, {})):
            assert Loss.REPLACED not in verdict(cfn_type, before, now), name


@pytest.mark.parametrize("cfn_type", CATALOGUE)
def test_every_property_whose_change_replaces_for_certain_is_a_stop(cfn_type: str) -> None:
    """Whether it is set, changed or taken away."""
    template = load(cfn_type).template
    if not template.stateful:
        return
    for name in set(list_changes(cfn_type, "yes")) - {template.identifier}:
        assert verdict(cfn_type, {name: "2"}, {name: "3"}) == [Loss.REPLACED], name


INSTANCE, CLUSTER = "AWS::RDS::DBInstance", "AWS::RDS::DBCluster"
REF = {"Ref": "Chosen"}


@pytest.mark.parametrize(
    ("cfn_type", "before", "now", "replaced"),
    [
        (INSTANCE, {"Engine": "oracle-se1"}, {"Engine": "oracle-se2"}, False),
        (INSTANCE, {"Engine": "oracle-se2"}, {"Engine": "oracle-se1"}, True),
        (INSTANCE, {"Engine": "mysql"}, {"Engine": "postgres"}, True),
        (INSTANCE, {"Engine": "aurora"}, {"Engine": REF}, True),
        (INSTANCE, {"AvailabilityZone": "a"}, {"AvailabilityZone": "b"}, True),
        (INSTANCE, {"AvailabilityZone": "a"}, {}, True),
        (INSTANCE, {"AvailabilityZone": "a"}, {"MultiAZ": True}, False),
        (INSTANCE, {"AvailabilityZone": "a"}, {"MultiAZ": REF}, True),
        (INSTANCE, {"AvailabilityZone": "a"}, {"MultiAZ": "true", "AvailabilityZone": "b"}, True),
        (INSTANCE, {}, {"PerformanceInsightsKMSKeyId": "k"}, False),
        (INSTANCE, {"PerformanceInsightsKMSKeyId": "k"}, {}, True),
        (INSTANCE, {"DBSnapshotIdentifier": "s"}, {}, True),
        (INSTANCE, {"SourceDBInstanceIdentifier": "s"}, {}, True),
        (INSTANCE, {"BackupRetentionPeriod": 7}, {"BackupRetentionPeriod": 14}, False),
        (INSTANCE, {"MultiAZ": False}, {"MultiAZ": REF}, False),
        (CLUSTER, {"Engine": "aurora"}, {"Engine": "aurora-mysql"}, False),
        (CLUSTER, {"Engine": "oracle-se"}, {"Engine": "oracle-se2"}, True),
        (CLUSTER, {"GlobalClusterIdentifier": "g"}, {}, False),
        (CLUSTER, {}, {"GlobalClusterIdentifier": "g"}, True),
        (CLUSTER, {"MasterUsername": "a"}, {"MasterUsername": "b"}, True),
    ],
)
def test_a_conditional_replacement_goes_by_its_condition(
    cfn_type: str, before: dict[str, Any], now: dict[str, Any], replaced: bool
) -> None:
    """What is not known is taken for a replacement."""
    assert (Loss.REPLACED in verdict(cfn_type, before, now)) is replaced


def test_a_shorter_retention_of_backups_is_a_deletion_and_no_replacement() -> None:
    """The instance stays, and older backups go (rule 24)."""
    days = [{"BackupRetentionPeriod": number} for number in (14, 7)]
    assert verdict(INSTANCE, *days) == [Loss.DELETES]


def test_what_two_types_declare_has_one_owner() -> None:
    """A stack that has it under the other type owns it all the same."""
    for types in (
        ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"),
        ("AWS::OpenSearchService::Domain", "AWS::Elasticsearch::Domain"),
    ):
        assert load(types[0]).all_types == types


@pytest.mark.parametrize(
    "cfn_type",
    [
        "AWS::APS::Workspace",
        "AWS::DirectoryService::MicrosoftAD",
        "AWS::Events::Archive",
        "AWS::Timestream::InfluxDBCluster",
        "AWS::WorkSpaces::Workspace",
    ],
)
def test_a_type_in_which_people_or_systems_keep_data_is_guarded(cfn_type: str) -> None:
    """It goes with its resource, and no other list says so."""
    held = {"One": Deployed(cfn_type, "one")}
    declared = {"One": DeclaredResource(cfn_type, {})}
    (threat,) = threats(AppIndex(CARDS), StackTemplate("App", {}), declared, held)
    assert threat.loss is Loss.LEAVES
