"""A partial copy of a user pool: what it carries, what it leaves alone, and what nobody sees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, SkipReason
from dataware.core.errors import (
    ConflictError,
    LookupFailedError,
    NotFoundError,
    RefusedError,
    WriteDeniedError,
)
from dataware.core.model import Location, OnConflict
from dataware.kinds import load
from dataware.verify.run import ThreadRunner, compare
from dataware.verify.steps import Readers
from dataware.verify.verdict import Verdict
from support.dynamo import total
from support.memory_pools import MemoryPool, MemoryPools
from support.transports import ManualClock
from support.world import NoWire

KIND = load("AWS::Cognito::UserPool")
TEAM = {"Name": "custom:team", "AttributeDataType": "String", "Mutable": True, "Required": False}


def place(name: str) -> Location:
    """A pool of the account itself."""
    return Location(name, MemoryPools.account, MemoryPools.region)


class Copy:
    """A copy from "old" to "new", page by page, as often as is asked."""

    def __init__(self, aws: MemoryPools, on_conflict: OnConflict | None = None) -> None:
        self.aws = aws
        self.order = CopyOrder(place("old"), place("new"), on_conflict)
        self.clock = ManualClock()
        self.cursor: str | None = ""

    def run(self, pages: int | None = None) -> CopyOutcome:
        """Go on from the cursor, at most so many pages."""
        return asyncio.run(self._run(pages))

    async def _run(self, pages: int | None) -> CopyOutcome:
        tools = CopyTools(self.aws, NoWire(), self.clock)  # type: ignore[arg-type]
        copier = KIND.require_copying().copier(tools, self.order)
        assert await copier.partitions() == ("",)
        assert (await copier.rates()).write is None
        outcomes, done = [CopyOutcome()], 0
        async for page in copier.read("", self.cursor or None):
            if done == pages:
                break
            outcomes += [await copier.write(unit) for unit in page.units]
            self.cursor, done = page.cursor, done + 1
        return total(outcomes)


def verify(aws: MemoryPools) -> Verdict:
    """What an independent look at both pools tells apart."""
    make = KIND.require_copying().reader
    old, new = (make(aws, place(name), all_versions=False, deep=False) for name in ("old", "new"))  # type: ignore[arg-type]
    sides = Readers(old, new)
    return compare(old, new, ordered=False, stop=lambda: False, runner=ThreadRunner(sides))


def add_user(pool: MemoryPool, name: str, **changes: Any) -> None:
    """A user with an address, in some pool."""
    attributes = changes.pop("attributes", {"email": f"{name}@PLANTED.example"})
    values = {"sub": f"sub-{pool.name}-{name}", **attributes}
    rows = [{"Name": one, "Value": value} for one, value in values.items()]
    state = {"Enabled": True, "UserStatus": "CONFIRMED", **changes}
    pool.users[name] = {"Username": name, "Attributes": rows, **state}


def attributes_of(pool: MemoryPool, name: str) -> dict[str, str]:
    """The attributes of a user, but what the pool makes up."""
    rows = pool.users[name]["Attributes"]
    return {row["Name"]: row["Value"] for row in rows if row["Name"] != "sub"}


@pytest.fixture
def aws() -> MemoryPools:
    """A pool with all that there is, and an empty one; pages hold two rows."""
    there = MemoryPools(size=2)
    old = there.make("old", SchemaAttributes=[{"Name": "sub"}, TEAM])
    there.make("new")
    for name in ("ada", "bob", "cy", "di", "eve"):
        add_user(old, name)
    add_user(old, "gone", Enabled=False)
    verified = {"email": "x@PLANTED.example", "email_verified": "true", "custom:team": "PLANTED"}
    add_user(old, "full", attributes={**verified, "phone_number_verified": "false"})
    add_user(old, "Google_1", UserStatus="EXTERNAL_PROVIDER", attributes={"identities": "[]"})
    old.groups = {
        "admins": {
            "GroupName": "admins",
            "RoleArn": "arn:aws:iam::111122223333:role/a",
            "Precedence": 0,
        },
        "empty": {"GroupName": "empty", "Description": "of nobody"},
        f"{old.id}_Google": {"GroupName": f"{old.id}_Google"},
    }
    old.members = {"admins": ["ada", "bob", "Google_1", "cy"], f"{old.id}_Google": ["Google_1"]}
    for flows in (["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], []):
        there.create_user_pool_client(
            UserPoolId=old.id, ClientName="web", ExplicitAuthFlows=flows, GenerateSecret=True
        )
    there.calls.clear()
    return there


def pools(aws: MemoryPools) -> Iterator[MemoryPool]:
    """Source and target."""
    yield from aws.pools.values()


ENTRIES = 1 + 2 + 1 + 7 + 3
"""Attribute, groups, a name of two clients, users, members."""


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("admin_create_user", "UsernameExistsException"),
        ("create_group", "GroupExistsException"),
        ("add_custom_attributes", "InvalidParameterException"),
    ],
)
def test_what_was_made_by_a_request_whose_answer_was_lost_is_no_conflict(
    aws: MemoryPools, monkeypatch: pytest.MonkeyPatch, call: str, code: str
) -> None:
    """The SDK asks again, and is told that it exists."""
    create = getattr(aws, call)

    def create_and_lose(**given: Any) -> Any:
        create(**given)
        answer = {"Error": {"Code": code, "Message": "it exists"}}
        raise ClientError({**answer, "ResponseMetadata": {"HTTPStatusCode": 400}}, call)

    monkeypatch.setattr(aws, call, create_and_lose)
    done = Copy(aws, OnConflict.STOP).run()
    assert (done.copied, done.skipped) == (ENTRIES, ())
    assert verify(aws).differences == 0


def test_a_user_who_comes_between_a_look_and_a_creation_is_kept(
    aws: MemoryPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has signed up under the name is another person, whatever the attributes say."""
    _, new = pools(aws)
    create = aws.admin_create_user

    def sign_up_before(**given: Any) -> Any:
        if given["Username"] == "ada":
            add_user(new, "ada")
        return create(**given)

    monkeypatch.setattr(aws, "admin_create_user", sign_up_before)
    done = Copy(aws).run()
    assert {skip.key for skip in done.skipped} >= {"user ada"}
    assert new.users["ada"]["UserStatus"] == "CONFIRMED"


def test_everything_that_can_be_copied_is(aws: MemoryPools) -> None:
    """Users with attributes and state, groups with members, added attributes, client settings."""
    done = Copy(aws).run()
    old, new = pools(aws)
    assert (done.copied, done.same, done.skipped) == (ENTRIES, 0, ())
    assert new.users.keys() == old.users.keys() - {"Google_1"}
    assert attributes_of(new, "full").keys() == {"email", "email_verified", "custom:team"}
    assert not new.users["gone"]["Enabled"]
    assert new.users["ada"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert new.members == {"admins": ["ada", "bob", "cy"]}
    assert new.groups.keys() == {"admins", "empty"}
    (added,) = new.settings["SchemaAttributes"]
    assert added == {name: value for name, value in TEAM.items() if name != "Required"}
    assert sorted(one.get("ExplicitAuthFlows", []) for one in new.clients.values()) == [
        [],
        ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
    ]
    verdict = verify(aws)
    assert (verdict.compared, verdict.differs) == (ENTRIES, False)


@pytest.mark.parametrize("name", ["custom:org:team", "dev:custom:org:team"])
def test_an_attribute_with_colons_in_its_name_keeps_all_of_it(aws: MemoryPools, name: str) -> None:
    """No pool gives an attribute up again, so one of another name would be there for good."""
    old, new = pools(aws)
    is_dev = name.startswith("dev:")
    old.settings["SchemaAttributes"] = [{**TEAM, "Name": name, "DeveloperOnlyAttribute": is_dev}]
    Copy(aws).run()
    assert [row["Name"] for row in new.settings["SchemaAttributes"]] == [name]


def test_a_second_copy_writes_nothing_and_the_source_is_only_read(aws: MemoryPools) -> None:
    """What is there is the same, however often it is looked at."""
    old, _ = pools(aws)
    before = repr(old)
    Copy(aws).run()
    aws.calls.clear()
    again = Copy(aws).run()
    assert (again.copied, again.same, again.skipped) == (0, ENTRIES, ())
    assert not [
        call
        for call in aws.calls
        if call.startswith(("Create", "Add", "AdminC", "AdminD", "AdminA"))
    ]
    assert repr(old) == before


@pytest.mark.parametrize("pages", range(1, 9))
def test_a_copy_goes_on_where_it_was_cut_off(aws: MemoryPools, pages: int) -> None:
    """At any page, with the token of the service or at the next group."""
    copy = Copy(aws)
    before = copy.run(pages)
    after = copy.run()
    assert before.copied + after.copied == ENTRIES
    assert (after.same, after.skipped, copy.cursor) == (0, (), None)
    assert not verify(aws).differs


def test_a_token_that_is_no_longer_taken_begins_the_listing_anew(aws: MemoryPools) -> None:
    """A run that goes on after hours looks at those users again and copies none twice."""
    copy = Copy(aws)
    copy.run(4)
    codes = ["InvalidParameterException"]
    aws.refusals["ListUsers"] = lambda _given: codes.pop() if codes else None
    after = copy.run()
    assert after.same == 2
    assert not verify(aws).differs


def test_a_token_that_was_never_taken_is_an_error(aws: MemoryPools) -> None:
    """To begin anew with each of them would never end."""
    aws.refusals["ListUsers"] = lambda given: (
        "InvalidParameterException" if given.get("PaginationToken") else None
    )
    with pytest.raises(LookupFailedError, match="ListUsers returned InvalidParameterException"):
        Copy(aws).run()


def test_a_user_who_was_created_and_not_yet_disabled_is_brought_to_the_end(
    aws: MemoryPools,
) -> None:
    """A kill between two calls leaves a user whom the next run disables."""
    aws.refusals["AdminDisableUser"] = lambda _given: "InternalErrorException"
    copy = Copy(aws)
    with pytest.raises(LookupFailedError):
        copy.run()
    aws.refusals.clear()
    assert copy.run().skipped == ()
    assert not verify(aws).differs


@pytest.mark.parametrize("policy", [None, OnConflict.TARGET, OnConflict.STOP])
def test_what_the_target_has_of_its_own_stays(aws: MemoryPools, policy: OnConflict | None) -> None:
    """Of each sort; and nobody gets into a group by the name of another user, or of a group."""
    old, new = pools(aws)
    add_user(new, "ada", attributes={"email": "other@PLANTED.example"})
    new.groups["empty"] = {"GroupName": "empty", "Description": "other"}
    new.settings["SchemaAttributes"] = [{**TEAM, "AttributeDataType": "Number"}]
    aws.create_user_pool_client(UserPoolId=new.id, ClientName="web", AuthSessionValidity=9)
    old.members["empty"] = ["bob"]
    before = repr((new.users["ada"], new.groups["empty"], new.clients))
    copy = Copy(aws, policy)
    if policy is OnConflict.STOP:
        with pytest.raises(ConflictError, match="attribute custom:team"):
            copy.run()
        return
    done = copy.run()
    assert {one.key for one in done.skipped if one.reason is SkipReason.CONFLICT} == {
        "attribute custom:team",
        "group empty",
        "client web",
        "user ada",
        "user ada in group admins",
        "user bob in group empty",
    }
    assert repr((new.users["ada"], new.groups["empty"], new.clients)) == before
    assert "ada" not in new.members["admins"]
    assert "empty" not in new.members
    labels = {one.label for one in verify(aws).listed}
    assert {"user ada", "group empty", "client web", "attribute custom:team"} <= labels


VERIFIED = {"email": "ada@PLANTED.example", "email_verified": "true"}
UNVERIFIED = {"email": "ada@PLANTED.example", "email_verified": "false"}
PHONE = {"phone_number": "+4915100000", "phone_number_verified": "true"}


@pytest.mark.parametrize("status", ["CONFIRMED", "UNCONFIRMED", "RESET_REQUIRED"])
@pytest.mark.parametrize("attributes", [{}, UNVERIFIED, {**PHONE, "phone_number": ""}])
def test_a_stranger_of_the_same_name_and_attributes_gets_into_no_group(
    aws: MemoryPools, attributes: dict[str, str], status: str
) -> None:
    """Anybody may sign up under a name, and give any address: a group may give rights."""
    old, new = pools(aws)
    add_user(old, "ada", attributes=attributes)
    add_user(new, "ada", attributes=attributes, UserStatus=status)
    done = Copy(aws).run()
    found = {one.key: one for one in done.skipped}
    assert found.keys() == {"user ada", "user ada in group admins"}
    assert {one.reason for one in done.skipped} == {SkipReason.CONFLICT}
    assert "who has signed in there" in found["user ada"].detail
    assert "PLANTED" not in repr(done.skipped)
    assert new.members["admins"] == ["bob", "cy"]
    assert [one.label for one in verify(aws).listed] == ["member ada in group admins"]
    with pytest.raises(ConflictError, match="has its own user ada"):
        Copy(aws, OnConflict.STOP).run()


@pytest.mark.parametrize("attributes", [VERIFIED, PHONE])
def test_an_address_that_both_pools_have_verified_is_the_same_person(
    aws: MemoryPools, attributes: dict[str, str]
) -> None:
    """Both had to show that they read what is sent there."""
    old, new = pools(aws)
    add_user(old, "ada", attributes=attributes)
    add_user(new, "ada", attributes=attributes)
    assert Copy(aws).run().skipped == ()
    assert new.members["admins"] == ["ada", "bob", "cy"]
    assert not verify(aws).differs


def test_who_was_copied_and_signs_in_meanwhile_still_gets_into_the_group(aws: MemoryPools) -> None:
    """The same run has made the user, so there is no doubt about the person."""
    _, new = pools(aws)
    copy = Copy(aws)

    def sign_in(_given: dict[str, Any]) -> None:
        for row in new.users.values():
            row["UserStatus"] = "CONFIRMED"

    aws.refusals["AdminAddUserToGroup"] = sign_in
    assert copy.run().skipped == ()
    assert new.members == {"admins": ["ada", "bob", "cy"]}


def test_nothing_is_replaced_because_people_might_be_written_to(aws: MemoryPools) -> None:
    """A change of an address sends a message, so the policy is refused before anything."""
    with pytest.raises(RefusedError, match="leave --on-conflict source out"):
        Copy(aws, OnConflict.SOURCE).run()
    assert not [call for call in aws.calls if "Create" in call]


def make_email_pools() -> MemoryPools:
    """Two pools whose people sign in with their addresses; names of users are made up."""
    there = MemoryPools()
    old, _ = (there.make(name, UsernameAttributes=["email"]) for name in ("old", "new"))
    for number in range(3):
        add_user(old, f"uuid-{number}", attributes={"email": f"{number}@PLANTED.example"})
    old.groups = {"staff": {"GroupName": "staff"}}
    old.members = {"staff": ["uuid-1"]}
    return there


def test_people_who_sign_in_with_an_address_are_known_by_it() -> None:
    """Their user names are new, and so is nothing else."""
    there = make_email_pools()
    assert Copy(there).run().copied == 5
    assert Copy(there).run().same == 5
    old, new = there.pools.values()
    assert not new.users.keys() & old.users.keys()
    assert not verify(there).differs
    gone = new.members["staff"].pop()
    assert [one.label for one in verify(there).listed] == ["member uuid-1 in group staff"]
    new.members["staff"].append(gone)
    add_user(new, "uuid-9", attributes={"email": "9@PLANTED.example"})
    assert [one.label for one in verify(there).listed] == ["user uuid-9"]


def test_who_has_nothing_to_sign_in_with_is_listed() -> None:
    """Cognito takes no such user, so it is not asked."""
    there = make_email_pools()
    next(iter(there.pools.values())).users["uuid-0"]["Attributes"] = []
    (skipped,) = Copy(there).run().skipped
    assert (skipped.key, skipped.reason) == ("user uuid-0", SkipReason.FAILED)


def test_pools_with_other_ways_to_sign_in_are_refused(aws: MemoryPools) -> None:
    """No pool changes its own, and names of users would be made up."""
    _, new = pools(aws)
    new.settings["UsernameAttributes"] = ["email", "phone_number"]
    with pytest.raises(
        RefusedError, match="with a user name and to new with email or phone_number"
    ):
        Copy(aws).run()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("InvalidParameterException", SkipReason.FAILED),
        ("UserLambdaValidationException", SkipReason.FAILED),
        ("AliasExistsException", SkipReason.CONFLICT),
    ],
)
def test_a_user_whom_the_pool_refuses_is_listed_and_the_others_go_on(
    aws: MemoryPools, code: str, reason: SkipReason
) -> None:
    """With the code alone: the service repeats what it was sent. So for the member, too."""
    aws.refusals["AdminCreateUser"] = lambda given: code if given["Username"] == "ada" else None
    done = Copy(aws).run()
    assert done.copied == ENTRIES - 2
    assert [(one.key, one.reason) for one in done.skipped] == [
        ("user ada", reason),
        ("user ada in group admins", SkipReason.FAILED),
    ]
    assert "PLANTED" not in repr(done)


@pytest.mark.parametrize(
    ("operation", "code", "error"),
    [
        ("AdminCreateUser", "AccessDeniedException", WriteDeniedError),
        ("AdminCreateUser", "TooManyRequestsException", LookupFailedError),
        ("ListUsers", "AccessDeniedException", LookupFailedError),
        ("AdminGetUser", "InternalErrorException", LookupFailedError),
    ],
)
def test_what_would_fail_for_all_ends_the_run_without_a_value(
    aws: MemoryPools, operation: str, code: str, error: type[Exception]
) -> None:
    """A denial, throttling and faults of the service are nobody's own."""
    aws.refusals[operation] = lambda _given: code
    with pytest.raises(error) as raised:
        Copy(aws).run()
    assert operation in str(raised.value)
    assert "PLANTED" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_an_answer_that_got_lost_does_no_harm(aws: MemoryPools) -> None:
    """A user who is created in between, by this very copy, is the same when looked at again."""
    seen = []

    def lose(given: dict[str, Any]) -> str | None:
        seen.append(given["Username"])
        return "InternalErrorException" if len(seen) == 3 else None

    aws.refusals["AdminCreateUser"] = lose
    copy = Copy(aws)
    with pytest.raises(LookupFailedError):
        copy.run()
    assert copy.run().skipped == ()
    assert not verify(aws).differs


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_name_of_several_pools_or_of_none_is_refused(aws: MemoryPools, side: str) -> None:
    """By the copy and by the verification: nobody knows which one is meant."""
    aws.make(side)
    with pytest.raises(RefusedError, match=f"2 user pools are named {side}"):
        Copy(aws).run()
    with pytest.raises(RefusedError, match=f"2 user pools are named {side}"):
        verify(aws)
    for pool in list(aws.pools.values()):
        if pool.name == side:
            del aws.pools[pool.id]
    for look in (lambda: Copy(aws).run(), lambda: verify(aws)):
        with pytest.raises(NotFoundError, match=f"user pool {side} does not exist"):
            look()


def test_each_sort_of_difference_is_found_and_no_value_is_told(aws: MemoryPools) -> None:
    """By a look that lists both sides and asks for what one listing lacks."""
    Copy(aws).run()
    _, new = pools(aws)
    new.users["bob"]["Enabled"] = False
    del new.users["cy"]
    new.members["admins"].remove("cy")
    new.groups["empty"]["Description"] = "other"
    new.clients.popitem()
    new.settings["SchemaAttributes"] = []
    verdict = verify(aws)
    assert {(one.kind.value, one.label) for one in verdict.listed} == {
        ("different", "user bob"),
        ("missing", "user cy"),
        ("missing", "member cy in group admins"),
        ("different", "group empty"),
        ("different", "client web"),
        ("missing", "attribute custom:team"),
    }
    assert "PLANTED" not in repr(verdict)


def test_no_record_of_a_verification_shows_an_attribute(aws: MemoryPools) -> None:
    """Not even to somebody who prints it."""
    make = KIND.require_copying().reader
    reader = make(aws, place("old"), all_versions=False, deep=False)  # type: ignore[arg-type]
    pages = list(reader.pages(""))
    records = [record for page in pages for record in page.records]
    assert "PLANTED" not in repr(records)
    entry = reader.entry(records[0])
    assert reader.same(entry, reader, entry) is not None
    rest = [record for page in reader.pages("", pages[1].cursor) for record in page.records]
    assert rest == [record for page in pages[2:] for record in page.records]


def test_a_copy_takes_half_of_what_an_account_may(aws: MemoryPools) -> None:
    """Users are created at 25 a second and everything else written at 12, after a first second."""
    old, _ = pools(aws)
    for number in range(200):
        add_user(old, f"many-{number}")
    copy = Copy(aws)
    began = copy.clock.monotonic()
    copy.run()
    assert copy.clock.monotonic() - began == pytest.approx(207 / 25 - 1, abs=0.5)


def test_the_size_is_the_estimate_of_the_service(aws: MemoryPools) -> None:
    """Cognito counts its users now and then."""
    tools = CopyTools(aws, NoWire(), ManualClock())  # type: ignore[arg-type]
    order = CopyOrder(place("old"), place("new"))
    size = asyncio.run(KIND.require_copying().copier(tools, order).size())
    assert (size.items, size.exact) == (8, False)
