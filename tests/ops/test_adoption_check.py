"""By which way a stack adopts what a plan lets it adopt, and where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataware.core.comparison import HIDDEN
from dataware.core.kind import Kind
from dataware.core.model import (
    Action,
    Content,
    Creator,
    Decision,
    Existence,
    Facts,
    ImportMode,
    Problem,
    Wanted,
    absent,
)
from dataware.core.values import NO_VALUE
from dataware.kinds import load
from dataware.ops.adoption_check import (
    check_adoption,
    list_fixed,
    note_of_import,
    stands,
    stop_at_obstacle,
)

BUCKET, TABLE = load("AWS::S3::Bucket"), load("AWS::DynamoDB::Table")
POOL, KEY = load("AWS::Cognito::UserPool"), load("AWS::KMS::Key")
SECRET, PARAMETER = load("AWS::SecretsManager::Secret"), load("AWS::SSM::Parameter")
QUEUE = load("AWS::SQS::Queue")
THERE = Facts("name", Existence.EXISTS, Content.DATA, physical_id="id-1")
GONE = absent("name")
UNSEEN = Facts("name", problems=(Problem("Describe", "AccessDenied", "s:Describe"),))
ADOPT, REFERENCE = ImportMode.ADOPT, ImportMode.REFERENCE


def check(
    kind: Kind,
    facts: Facts = THERE,
    action: Action = Action.IMPORT,
    mode: ImportMode | None = ADOPT,
    source: str | None = None,
    region: str = "eu-west-1",
    **wanted: Any,
) -> Decision:
    """The decision on a resource of stack App, unless the test says otherwise."""
    given = {"stack": "App", "logical_id": "It", "creator": Creator.DEPLOYMENT, **wanted}
    decision = Decision(action, 1, "it has data", source, mode)
    wanted_one = Wanted("App/It", kind.cfn_type, "name", **given)
    return check_adoption(kind, wanted_one, decision, facts, region)


def test_what_has_a_name_is_adopted_by_it() -> None:
    """The deployment itself does so."""
    for kind in (BUCKET, TABLE):
        found = check(kind)
        assert (found.action, found.import_mode, found.by_id) == (Action.IMPORT, ADOPT, False)


def test_what_has_a_read_only_id_is_adopted_by_it_before_the_deployment() -> None:
    """Also what the app names by its id, though its type has a name."""
    assert check(POOL).by_id
    assert check(BUCKET, names_id=True).by_id
    assert not check(POOL, mode=REFERENCE).by_id
    assert not check(POOL, action=Action.KEEP, mode=None).by_id


def test_only_what_stands_before_the_deployment_is_adopted_by_its_id() -> None:
    """What is made by `apply`, or filled by it; the deployment makes the rest itself."""
    made = {"action": Action.CREATE, "facts": GONE}
    assert check(QUEUE, **made, creator=Creator.APPLY).by_id
    assert not check(QUEUE, **made).by_id
    assert check(SECRET, GONE, Action.MIGRATE, source="old").by_id
    later = check(SECRET, GONE, Action.MIGRATE, source="old", unresolved=("KmsKeyId",))
    assert not later.by_id


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        (None, "exists and belongs to no stack, and a stack adopts a Cognito user pool only by"),
        ("App/Inner", "in a nested stack and would create a second, empty one: declare It in"),
    ],
)
def test_what_needs_an_import_of_its_own_needs_a_stack_that_can(
    stack: str | None, words: str
) -> None:
    """Its deployment would create a second one."""
    found = check(POOL, stack=stack)
    assert (found.action, found.rule) == (Action.STOP, 20)
    assert words in found.reason
    assert (found.import_mode, found.source) == (None, None)
    would = check(SECRET, GONE, Action.MIGRATE, source="old", stack=stack)
    assert would.rule == 20
    assert "name would belong to no stack" in would.reason


def test_what_no_stack_adopts_at_all_is_referred_to_or_stops() -> None:
    """Without a declaration nothing creates a second one."""
    unadoptable = replace(POOL, template=replace(POOL.template, import_identifier=""))
    assert not unadoptable.template.is_adoptable
    found = check(unadoptable)
    assert found.rule == 20
    assert "would create a second, empty one: remove It from the template and refer to id-1" in (
        found.reason
    )
    loose = check(unadoptable, logical_id=None)
    assert (loose.action, loose.import_mode) == (Action.IMPORT, REFERENCE)
    absent_one = check(unadoptable, GONE, Action.CREATE)
    assert absent_one.import_mode is REFERENCE


def test_an_id_that_stands_for_nothing_stops_and_one_that_is_not_seen_is_not_called_absent() -> (
    None
):
    """Both before anything is created under another name."""
    gone = check(KEY, GONE, Action.CREATE, names_id=True)
    assert gone.rule == 25
    assert gone.reason.startswith("no KMS key has the id name that the app gives It")
    unseen = check(KEY, UNSEEN, Action.CREATE, names_id=True)
    assert unseen.rule == 25
    assert unseen.reason.startswith(
        "whether a KMS key has the id name that the app gives It is not"
    )
    assert "s:Describe" in unseen.reason
    assert check(KEY, GONE, Action.CREATE, names_id=True, logical_id=None).reason.startswith(
        "no KMS key has the id name that the app gives App/It"
    )


def test_what_is_in_another_region_than_its_stack_is_not_adopted() -> None:
    """A bucket is found wherever it is, and CloudFormation makes and manages only its own."""
    there = replace(THERE, region="us-east-1")
    for action in (Action.IMPORT, Action.MIGRATE, Action.CREATE):
        found = check(BUCKET, there, action, retained=True)
        assert (found.action, found.rule) == (Action.STOP, 25)
        assert found.reason == (
            "name is in us-east-1, and a stack of eu-west-1 has no bucket elsewhere: choose another"
            " name, or import by reference"
        )
    assert check(BUCKET, there, retained=True, region="us-east-1").action is Action.IMPORT
    assert check(BUCKET, there, mode=REFERENCE).action is Action.IMPORT
    assert check(BUCKET, there, logical_id=None, stack=None).action is Action.IMPORT


def test_what_has_no_name_is_created_by_a_deployment_alone() -> None:
    """Nothing else could find it again."""
    found = check(KEY, GONE, Action.CREATE, creator=Creator.APPLY)
    assert found.rule == 25
    assert "no KMS key is called name, and only a stack's deployment" in found.reason
    unseen = check(KEY, UNSEEN, Action.CREATE, creator=Creator.APPLY)
    assert unseen.reason.startswith("whether a KMS key is called name is not seen")
    assert check(KEY, GONE, Action.CREATE).action is Action.CREATE
    assert check(QUEUE, GONE, Action.CREATE, creator=Creator.APPLY).action is Action.CREATE
    assert check(KEY, creator=Creator.APPLY).action is Action.IMPORT


def test_what_a_template_declares_is_not_referred_to_beside_an_empty_twin() -> None:
    """By choice, or as a fallback; a unique name fails instead, and data is safe."""
    twin = check(POOL, mode=REFERENCE, is_written=True)
    assert twin.rule == 20
    assert (
        "deployment would create empty beside name: remove It from the template and refer to id-1"
        in (twin.reason)
    )
    unnamed = check(POOL, replace(THERE, physical_id=None), mode=REFERENCE, is_written=True)
    assert unnamed.reason.endswith("refer to name")
    other = check(POOL, GONE, mode=REFERENCE, source="old", is_written=True)
    assert "which the deployment would create empty beside old:" in other.reason
    assert other.reason.endswith("refer to old")
    assert check(POOL, mode=REFERENCE).action is Action.IMPORT
    assert check(BUCKET, mode=REFERENCE, is_written=True).action is Action.IMPORT
    assert check(BUCKET, mode=REFERENCE, is_written=True, names_id=True).rule == 20
    assert check(POOL, UNSEEN, mode=REFERENCE, is_written=True).action is Action.IMPORT


@pytest.mark.parametrize(
    ("wanted", "rule"), [({"retained": False}, 21), ({"computed_by": "Fn::Sub"}, 22)]
)
def test_what_cloudformation_would_not_adopt_stops_before_a_copy_into_it(
    wanted: dict[str, Any], rule: int
) -> None:
    """Without a stack it is a warning; what does not stand yet is made by the deployment."""
    assert check(BUCKET, **wanted).rule == rule
    assert check(BUCKET, GONE, Action.MIGRATE, source="old", **wanted).rule == rule
    (warning,) = check(BUCKET, stack=None, **wanted).warnings
    assert warning.startswith("name ")
    for found in (
        check(BUCKET, GONE, Action.CREATE, **wanted),
        check(BUCKET, mode=REFERENCE, **wanted),
        check(BUCKET, action=Action.KEEP, mode=None, **wanted),
    ):
        assert (found.rule, found.warnings) == (1, ())


def test_a_stop_at_an_adoption_offers_a_reference_only_where_one_is_followed() -> None:
    """A construct follows one; what a template declares is declared all the same."""
    for why in ({"retained": False}, {"computed_by": "Fn::Sub"}):
        assert check(BUCKET, **why).reason.endswith(", or import by reference")
        assert check(BUCKET, is_written=True, **why).reason.endswith(
            ", or remove It from the template and refer to name"
        )
    function = {"SecretString": {"Fn::Sub": "x"}}
    assert check(SECRET, properties=function).reason.endswith(", or import by reference")
    written = check(SECRET, properties=function, is_written=True)
    assert written.reason.endswith("or remove It from the template and refer to name")


def test_a_computed_name_is_no_matter_where_the_id_counts() -> None:
    """A pool is imported by its id."""
    assert check(POOL, computed_by="Fn::Sub").by_id


@pytest.mark.parametrize("value", [None, NO_VALUE, HIDDEN, "plain", {"plain": "mapping"}])
def test_what_an_import_takes_as_it_is_declared_may_be_literal_or_missing(value: Any) -> None:
    """A function that only the deployment resolves would change it afterwards."""
    assert check(SECRET, properties={"SecretString": value}).by_id
    stopped = check(SECRET, properties={"SecretString": {"Fn::Sub": "x"}})
    assert stopped.rule == 25
    assert "resolves its SecretString (Fn::Sub)" in stopped.reason
    assert check(SECRET, properties={"Description": {"Fn::Sub": "x"}}).by_id
    named = check(PARAMETER, properties={"Type": {"Ref": "Type"}})
    assert named.action is Action.IMPORT


def test_the_name_itself_is_not_among_what_an_import_takes_as_declared() -> None:
    """It is what the resource is imported by."""
    assert "Name" not in list_fixed(SECRET)
    assert {"GenerateSecretString", "SecretString"} <= {*list_fixed(SECRET)}


def test_a_note_tells_what_an_import_by_id_does_beside() -> None:
    """Only where there is one."""
    by_id = Decision(Action.IMPORT, 1, "it has data", by_id=True)
    assert note_of_import(SECRET, by_id) == (
        "CloudFormation may read its value when it imports it",
    )
    assert note_of_import(SECRET, replace(by_id, by_id=False)) == ()
    assert note_of_import(QUEUE, by_id) == ()


GOING = replace(THERE, obstacle="is being deleted")
OLD_GOING = replace(GOING, name="old")


@pytest.mark.parametrize(
    ("action", "source", "preferred", "fallback", "reason"),
    [
        (Action.IMPORT, None, GOING, GONE, "name is being deleted"),
        (Action.KEEP, None, GOING, GONE, "name is being deleted"),
        (Action.IMPORT, "old", GONE, OLD_GOING, "old is being deleted"),
        (Action.IMPORT, None, THERE, OLD_GOING, ""),
        (Action.CREATE, None, GONE, OLD_GOING, "old is being deleted"),
        (Action.MIGRATE, "other", GONE, OLD_GOING, "old is being deleted"),
        (Action.RESUME, "other", GONE, OLD_GOING, "old is being deleted"),
        (Action.STOP, None, GOING, OLD_GOING, ""),
        (Action.IMPORT, None, replace(GOING, existence=Existence.ABSENT), GONE, ""),
    ],
)
def test_what_goes_away_under_the_app_stops(
    action: Action, source: str | None, preferred: Facts, fallback: Facts, reason: str
) -> None:
    """A fallback counts where it would be used, or where something is made beside it."""
    decision = Decision(action, 1, "because", source)
    found = stop_at_obstacle(decision, preferred, [fallback])
    assert found == (decision.stop(25, reason) if reason else decision)


def test_what_is_copied_into_stands_before_the_deployment() -> None:
    """Unless it refers to what only the deployment makes."""
    wanted = Wanted("id", POOL.cfn_type, "name")
    copying, importing = (Decision(one, 1, "x") for one in (Action.MIGRATE, Action.IMPORT))
    assert stands(wanted, importing, THERE)
    assert stands(wanted, copying, GONE)
    assert not stands(wanted, importing, GONE)
    assert not stands(replace(wanted, unresolved=("Key",)), copying, GONE)
