"""Headers of objects across runs: on record before the first change, and gone on with."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.errors import InputError
from dataware.core.model import Location, MarkerState, Wanted
from dataware.core.object_headers import NO_HEADERS, ObjectHeaders
from dataware.kinds import load
from dataware.ops.apply import apply_plan
from dataware.ops.context import ComparisonSpec, CopySettings
from dataware.ops.migrate_by_hand import migrate
from dataware.ops.object_headers import check_object_headers
from dataware.ops.plan import make_plan
from dataware.ops.policy import object_permissions
from dataware.state.marker_value import LIMIT, MarkerValue, decode, encode
from support.copying import Killed
from support.world import BoxCopier, World, WorldAws, install

BOX = "Memory::Box"
OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
HEADERS = ObjectHeaders("aws:kms", KEY, "bucket-owner-full-control")
ASKED = CopySettings(object_headers=HEADERS, requester_pays=True)


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[CopyOrder]:
    """The orders that copiers of boxes are given."""
    given: list[CopyOrder] = []
    begin = BoxCopier.__init__

    def note(self: BoxCopier, world: World, order: CopyOrder) -> None:
        given.append(order)
        begin(self, world, order)

    monkeypatch.setattr(BoxCopier, "__init__", note)
    monkeypatch.setattr(WorldAws, "as_requester", lambda aws: aws, raising=False)
    return given


def world_of(monkeypatch: pytest.MonkeyPatch, **card: Any) -> World:
    """Two boxes, one of them full."""
    world = World(boxes={"old": {"k": "v"}, "new": {}}, identities={"old": 1, "new": 2})
    install(monkeypatch, world, **card)
    return world


def test_a_killed_migration_goes_on_with_what_it_began_with(
    monkeypatch: pytest.MonkeyPatch, orders: list[CopyOrder]
) -> None:
    """Killed at any moment and repeated without the options, each copy has the same headers."""
    moment = 0
    while True:
        world = world_of(monkeypatch, object_headers=True)
        world.kill_at = moment
        try:
            migrate(world.context(), BOX, OLD, NEW, ASKED)
        except Killed:
            began = "new" in world.markers and world.markers["new"].state is MarkerState.RUNNING
        else:
            break
        orders.clear()
        world.kill_at = None
        migrate(world.context(), BOX, OLD, NEW, CopySettings())
        expected = (HEADERS, True) if began else (NO_HEADERS, False)
        assert orders
        assert {(one.headers, one.source.requester_pays) for one in orders} == {expected}
        assert {one.target.requester_pays for one in orders} == {expected[1]}
        moment += 1
    assert moment > 3


def test_what_is_given_again_wins(monkeypatch: pytest.MonkeyPatch, orders: list[CopyOrder]) -> None:
    """A bucket that refuses the first ACL is given another one by the next run."""
    world = world_of(monkeypatch, object_headers=True)
    world.kill_at = 2
    with pytest.raises(Killed):
        migrate(world.context(), BOX, OLD, NEW, ASKED)
    assert world.markers["new"].state is MarkerState.RUNNING
    world.kill_at = None
    orders.clear()
    other = CopySettings(object_headers=ObjectHeaders(acl="private"))
    migrate(world.context(), BOX, OLD, NEW, other)
    assert {one.headers for one in orders} == {ObjectHeaders("aws:kms", KEY, "private")}


def test_the_record_of_a_finished_migration_binds_nobody(
    monkeypatch: pytest.MonkeyPatch, orders: list[CopyOrder]
) -> None:
    """What is copied later is copied as it is asked for then."""
    world = world_of(monkeypatch, object_headers=True)
    migrate(world.context(), BOX, OLD, NEW, ASKED)
    orders.clear()
    migrate(world.context(), BOX, OLD, NEW, CopySettings())
    assert {one.headers for one in orders} == {NO_HEADERS}


@pytest.mark.parametrize(
    "settings",
    [CopySettings(object_headers=ObjectHeaders("AES256")), CopySettings(requester_pays=True)],
)
def test_headers_are_for_objects_alone(
    monkeypatch: pytest.MonkeyPatch, settings: CopySettings
) -> None:
    """By hand and by plan, a copy without a bucket refuses them before anything is changed."""
    world = world_of(monkeypatch)
    with pytest.raises(InputError, match="for objects, not for a box"):
        migrate(world.context(), BOX, OLD, NEW, settings)
    plan = make_plan(world.context(), [Wanted("B", BOX, "new", ("old",))], report=False)
    with pytest.raises(InputError, match="for objects, not for a box"):
        apply_plan(world.context(), plan, settings)
    assert world.log == []


def test_tables_beside_buckets_are_copied_as_ever() -> None:
    """In an app of both, the headers go with the objects."""
    kinds = [load("AWS::S3::Bucket"), load("AWS::DynamoDB::Table")]
    check_object_headers(ASKED, kinds)
    with pytest.raises(InputError, match="not for a table"):
        check_object_headers(ASKED, kinds[1:])


def test_a_wrong_key_is_refused_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls, from wherever."""
    world = world_of(monkeypatch, object_headers=True)
    wrong = CopySettings(object_headers=ObjectHeaders("aws:kms", "my-key"))
    with pytest.raises(InputError, match="my-key is not a KMS key"):
        migrate(world.context(), BOX, OLD, NEW, wrong)
    assert world.log == []


def test_a_full_record_keeps_the_headers() -> None:
    """Progress is given up before what decides how the next objects are written."""
    detail = {"object_headers": {"encryption": "aws:kms"}, "checkpoint": "c" * LIMIT, "done": 1}
    value = MarkerValue(MarkerState.RUNNING, "new", "old", "r", None, False, "now", "me")
    for some in (detail, {**detail, "phase": "p" * LIMIT}):
        full = MarkerValue(**{**{n: getattr(value, n) for n in value.__slots__}, "detail": some})
        assert decode(encode(full)).detail["object_headers"] == {"encryption": "aws:kms"}


def test_a_copy_that_hides_the_digests_is_verified_by_bytes() -> None:
    """Only an encryption by KMS makes ETags settle nothing."""
    kind = load("AWS::S3::Bucket")
    for encryption, reads in (("aws:kms", True), ("AES256", False), ("", False)):
        order = CopyOrder(OLD, NEW, headers=ObjectHeaders(encryption))
        assert ComparisonSpec.of(kind, order).reads_unsettled is reads


@pytest.mark.parametrize(
    ("key", "arn"),
    [
        (KEY, f"arn:aws:kms:eu-west-1:111122223333:key/{KEY}"),
        ("alias/mine", "arn:aws:kms:eu-west-1:111122223333:key/*"),
        (f"arn:aws:kms:us-east-1:4:key/{KEY}", f"arn:aws:kms:us-east-1:4:key/{KEY}"),
        ("arn:aws:kms:us-east-1:4:alias/x", "arn:aws:kms:us-east-1:4:key/*"),
    ],
)
def test_the_policy_knows_the_key_and_the_acl(key: str, arn: str) -> None:
    """The key by the ARN that a policy takes, the ACL on the objects that are written."""
    wanted = [
        Wanted("B", "AWS::S3::Bucket", "new-bucket", ("old-bucket",)),
        Wanted("T", "AWS::DynamoDB::Table", "new", ("old",)),
    ]
    headers = ObjectHeaders("aws:kms", key, "private")
    where = ("111122223333", "eu-west-1", "aws")
    assert list(object_permissions(wanted, headers, *where)) == [
        ("arn:aws:s3:::new-bucket/*", ("s3:PutObjectAcl",)),
        (arn, ("kms:Decrypt", "kms:GenerateDataKey")),
    ]
    assert list(object_permissions(wanted[1:], headers, *where)) == []
    assert list(object_permissions(wanted, NO_HEADERS, *where)) == []
