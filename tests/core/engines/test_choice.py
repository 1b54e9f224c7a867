"""Which engine carries a migration, what each would take, and why the others do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from dataware.core.engines.card import EngineName, list_actions
from dataware.core.engines.choice import EngineLine, EngineState, EngineTable, find_obstacle
from dataware.core.engines.situation import EngineSituation
from dataware.core.errors import RefusedError
from dataware.core.model import Size
from dataware.kinds import load
from dataware.ops.inputs.prices import list_prices

TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
LOCAL, MAP, RESTORE = EngineName.LOCAL, EngineName.MAP, EngineName.RESTORE
TERABYTES_10 = Size(10 * 2**30, 10 * 2**40, exact=False)
OBJECTS_10_9 = Size(1_000_000_000, 100 * 2**40, exact=False)


def situation(kind: str, size: Size, **more: object) -> EngineSituation:
    """A migration into a name under which nothing stands, in one account and region."""
    copying = load(kind).require_copying()
    plain = EngineSituation(
        source="Orders",
        target="Orders-prod",
        size=size,
        is_new=True,
        is_own=True,
        recovery=True,
        has_role=True,
        charges=copying.charges(size),
        verify_charges=copying.verify_charges(size),
        speed=copying.speed,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def table_of(kind: str) -> EngineTable:
    """The engines of a kind."""
    return EngineTable(load(kind).require_copying().engines())


def obstacle(kind: str, name: EngineName, there: EngineSituation) -> str:
    """Why an engine of a kind does not fit."""
    card = table_of(kind).find(name)
    assert card is not None
    return find_obstacle(card, there)


def lines_of(kind: str, there: EngineSituation) -> dict[EngineName, EngineLine]:
    """Every engine's line, by its name."""
    table = table_of(kind)
    lines = table.list_lines(there, table.choose(there), list_prices())
    return {line.card.name: line for line in lines}


def test_every_engine_of_a_table_of_ten_terabytes() -> None:
    """10 TiB in items of 1 KiB: each line by its formula and the list prices of us-east-1."""
    lines = lines_of(TABLE, situation(TABLE, TERABYTES_10))
    items, quads, gigabytes = 10_737_418_240, 2_684_354_560, 10_240
    assert (items, quads) == (10 * 2**40 // 1024, 10 * 2**40 // 4096)
    verified = 671.08864  # 2 sides x 2,684,354,560 units x $0.125 a million
    local = lines[LOCAL].cost
    assert local is not None
    # 10,737,418,240 write units at 4,000 a second: 31 days. $0.625 a million, and three reads.
    assert (local.seconds, local.usd) == (2_684_355, 6710.8864 + 1006.63296)
    carried = lines[MAP].cost
    assert carried is not None
    # 100 workers: DynamoDB's own limit stays, and the verification is within. $0.0000166667 for
    # each GB-second of 100 x 4,026,532 s x 1769/1024 GB = 695,599,283 GB-seconds.
    assert carried.seconds == 4_026_532
    assert carried.usd == pytest.approx(7717.51936 + 11_593.34, abs=0.01)
    # Of that the verification is a third of the time, and its own reads.
    assert carried.verification is not None
    assert carried.verification.seconds == 4_026_532 - 2_684_355
    assert carried.verification.usd == pytest.approx(verified + 11_593.34 / 3, abs=0.01)
    restored = lines[RESTORE].cost
    assert restored is not None
    # 20 min, and 10,240 GB at 500 GB an hour: 20.8 h. $0.15 for each GB.
    assert (restored.seconds, restored.usd) == (1200 + 73_728, 1536 + verified)
    imported = lines[EngineName.EXPORT_IMPORT].cost
    assert imported is not None
    # $0.10 and $0.15 for each GB; nobody promises a time.
    assert (imported.seconds, imported.usd) == (None, gigabytes * 0.25 + verified)
    assert imported.at_least
    bulk = lines[EngineName.BULK].cost
    assert bulk is not None
    # $0.10 for each GB, and the price of bulk put bytes, which is not known.
    assert (bulk.seconds, bulk.usd, bulk.at_least) == (None, 1695.08864, True)
    for name, why in (
        (EngineName.BULK, "the price of bulk put bytes is not known"),
        (EngineName.EXPORT_IMPORT, "within one region a restore costs less"),
        (MAP, "it makes roles and functions in the account"),
    ):
        assert (lines[name].state, lines[name].why) == (EngineState.FITS, why)
    assert (lines[LOCAL].state, lines[LOCAL].why) == (EngineState.FITS, "")
    assert EngineName.BATCH not in lines


def test_no_service_replaces_what_stands_in_a_table_of_somebody_else() -> None:
    """Into a table that this migration did not make, only what keeps what it finds copies."""
    there = situation(TABLE, TERABYTES_10, is_new=False, is_own=False)
    lines = lines_of(TABLE, there)
    assert lines[EngineName.BULK].state is EngineState.UNFIT
    assert lines[EngineName.BULK].why == (
        "this run did not make Orders-prod, and this engine replaces what it finds"
    )
    for new in (RESTORE, EngineName.EXPORT_IMPORT):
        assert "always makes a new one" in lines[new].why
    assert table_of(TABLE).choose(there) is LOCAL


def test_every_engine_of_a_bucket_of_a_thousand_million_objects() -> None:
    """10^9 objects: each line by its formula and the list prices of us-east-1."""
    lines = lines_of(BUCKET, situation(BUCKET, OBJECTS_10_9))
    assert list(lines) == [LOCAL, EngineName.BATCH, MAP]
    local, batch, carried = (lines[name].cost for name in lines)
    assert local is not None and carried is not None and batch is not None
    # 10^9 copies at 1,000 a second; 10^9 copies and 4 x 10^6 pages at $5 a million.
    assert (local.seconds, local.usd) == (1_000_000, 5020.0)
    # 100 workers are five machines, verified within: 200,000 s x 1.5.
    assert carried.seconds == 300_000
    assert carried.usd == pytest.approx(5020 + 863.77, abs=0.01)
    # A third of the time, and two listings of 10^6 pages at $5 a million.
    assert carried.verification == (100_000, pytest.approx(10 + 863.77 / 3, abs=0.01))
    # A job at $0.25, $1 a million objects, 10^9 copies and 5 x 10^6 pages at $5 a million.
    assert (batch.seconds, batch.usd) == (None, 0.25 + 1000 + 5025)


@pytest.mark.parametrize("kind", [TABLE, BUCKET])
def test_an_engine_that_is_not_built_is_never_picked(kind: str) -> None:
    """Whatever is seen, the choice is one that dataware drives, and that fits."""
    sizes = (None, Size(1, 1), TERABYTES_10, OBJECTS_10_9)
    flags = product((True, False), repeat=5)
    for size, (new, own, near, versions, recovery) in product(sizes, flags):
        there = situation(kind, size or Size(0, 0))
        there = replace(
            there, size=size, is_new=new, is_own=own, same_region=near, all_versions=versions,
            recovery=recovery,
        )  # fmt: skip
        table = table_of(kind)
        picked = table.choose(there)
        card = table.find(picked)
        assert card is not None and card.is_built and not find_obstacle(card, there)
        lines = table.list_lines(there, picked, list_prices())
        assert [line.card.name for line in lines if line.state is EngineState.PICKED] == [picked]
        for line in lines:
            assert line.state is not EngineState.FITS or line.card.is_built
            assert line.why or line.state not in (EngineState.NOT_BUILT, EngineState.UNFIT)
            assert not line.why or line.state is not EngineState.PICKED


@pytest.mark.parametrize(
    ("name", "more", "why"),
    [
        (RESTORE, {"recovery": False}, "point in time recovery of Orders is off"),
        (RESTORE, {"recovery": None}, "whether point in time recovery of Orders is on was not"),
        (RESTORE, {"same_account": False}, "Orders is in another account"),
        (RESTORE, {"exported": True}, "--export-to reads exports"),
        (RESTORE, {"is_new": False}, "Orders-prod exists, and this engine always makes a new one"),
        (RESTORE, {"problems": {RESTORE: "its local indexes differ"}}, "its local indexes differ"),
        (EngineName.BULK, {"is_new": False, "is_own": False}, "this run did not make Orders-prod"),
        (EngineName.BULK, {"recovery": False}, "point in time recovery of Orders is off"),
        (EngineName.EXPORT_IMPORT, {"is_new": False}, "Orders-prod exists, and this engine always"),
        (EngineName.EXPORT_IMPORT, {"same_account": False}, "Orders is in another account"),
        (EngineName.EXPORT_IMPORT, {"exported": True}, "--export-to reads exports"),
        (EngineName.BULK, {"same_account": False}, "Orders is in another account, and an export"),
        (EngineName.BULK, {"followed": True}, "--follow copies from this machine"),
        (RESTORE, {"begun": LOCAL}, "the migration was begun with local, which goes on"),
        (LOCAL, {"begun": RESTORE}, "the migration was begun with restore, which goes on"),
    ],
)
def test_an_engine_that_does_not_fit_is_refused_with_its_reason(
    name: EngineName, more: dict[str, object], why: str
) -> None:
    """The sentence says what stands against it, and that nothing was changed."""
    there = situation(TABLE, TERABYTES_10, **more)
    assert obstacle(TABLE, name, there).startswith(why)
    with pytest.raises(RefusedError, match=r"nothing was changed, because the engine .* does not"):
        table_of(TABLE).choose(there, name)


def test_a_job_of_s3_only_writes_into_a_bucket_of_this_run() -> None:
    """It replaces what it finds, and keeps no order of versions."""
    there = situation(BUCKET, OBJECTS_10_9)
    assert not obstacle(BUCKET, EngineName.BATCH, there)
    assert "did not make" in obstacle(BUCKET, EngineName.BATCH, replace(there, is_own=False))
    assert "--batch-role" in obstacle(BUCKET, EngineName.BATCH, replace(there, has_role=False))
    assert "--sse" in obstacle(BUCKET, EngineName.BATCH, replace(there, has_headers=True))
    assert "--follow" in obstacle(BUCKET, EngineName.BATCH, replace(there, followed=True))
    assert table_of(BUCKET).choose(there) is EngineName.BATCH
    assert table_of(BUCKET).choose(replace(there, has_role=False)) is LOCAL
    assert "all versions" in obstacle(BUCKET, EngineName.BATCH, replace(there, all_versions=True))


def test_an_engine_that_is_not_built_is_refused_with_what_to_do() -> None:
    """Nobody is told that it ran."""
    there = situation(TABLE, Size(10, 10, exact=False))
    card = table_of(TABLE).find(EngineName.BULK)
    assert card is not None
    table = EngineTable((replace(card, instead="export the table"),))
    with pytest.raises(RefusedError, match="does not drive the engine bulk: export the table"):
        table.choose(there, EngineName.BULK)
    line = {one.card.name: one for one in table.list_lines(there, LOCAL, list_prices())}["bulk"]
    assert (line.state, line.why) == (EngineState.NOT_BUILT, "export the table")


@pytest.mark.parametrize("kind", [TABLE, BUCKET])
def test_workers_carry_what_is_asked_for_and_nothing_by_themselves(kind: str) -> None:
    """Into any target; not from another account, with a follow, or with headers of objects."""
    there = situation(kind, TERABYTES_10)
    assert table_of(kind).choose(there, MAP) is MAP
    assert table_of(kind).choose(there) is not MAP
    assert table_of(kind).choose(replace(there, is_new=False, is_own=False), MAP) is MAP
    assert table_of(kind).choose(replace(there, begun=MAP)) is MAP
    assert "another account" in obstacle(kind, MAP, replace(there, same_account=False))
    assert "--follow" in obstacle(kind, MAP, replace(there, followed=True))
    assert "--sse" in obstacle(kind, MAP, replace(there, has_headers=True))


def test_workers_carry_tables_and_buckets_only() -> None:
    """A type whose copier is not in their code has no such engine."""
    for kind in ("AWS::SecretsManager::Secret", "AWS::SSM::Parameter", "AWS::ECR::Repository"):
        assert table_of(kind).find(MAP) is None


def test_a_large_table_of_another_region_is_exported_and_imported() -> None:
    """Where an import does not fit, it is restored; a small one is copied by this machine."""
    there = situation(TABLE, TERABYTES_10, same_region=False)
    assert table_of(TABLE).choose(there) is EngineName.EXPORT_IMPORT
    assert lines_of(TABLE, there)[RESTORE].state is EngineState.FITS
    index = {EngineName.EXPORT_IMPORT.value: "it declares a local index, and an import makes none"}
    assert table_of(TABLE).choose(replace(there, problems=index)) is RESTORE
    assert table_of(TABLE).choose(replace(there, is_new=False, is_own=False)) is LOCAL
    assert table_of(TABLE).choose(replace(there, recovery=False)) is LOCAL
    small = situation(TABLE, Size(100, 10_000), same_region=False)
    assert table_of(TABLE).choose(small) is LOCAL
    for name in (EngineName.BULK, RESTORE, EngineName.EXPORT_IMPORT):
        assert table_of(TABLE).choose(there, name) is name


def test_a_source_that_a_profile_reads_is_exported_only_when_it_is_asked_for() -> None:
    """The profile would have to do more than read, so this machine copies unless a person asks."""
    exported = EngineName.EXPORT_IMPORT
    there = situation(TABLE, TERABYTES_10, same_account=False, relayed=True)
    for same_region in (True, False):
        one = replace(there, same_region=same_region)
        assert table_of(TABLE).choose(one) is LOCAL
        assert table_of(TABLE).choose(one, exported) is exported
        assert table_of(TABLE).choose(replace(one, begun=exported)) is exported
        line = lines_of(TABLE, one)[exported]
        assert (line.state, line.why) == (
            EngineState.FITS,
            "the profile has to ask for an export and write it, not only to read",
        )
        for other in (RESTORE, MAP, EngineName.BULK):
            assert obstacle(TABLE, other, one) == "--source-profile copies through this machine"
    own = replace(there, same_account=True)
    assert (table_of(TABLE).choose(own), obstacle(TABLE, exported, own)) == (LOCAL, "")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"followed": True}, "--follow reads the source's stream, and takes no --source-profile"),
        ({"same_partition": False}, "Orders is in another partition, out of which nothing is"),
        ({"recovery": False}, "point in time recovery of Orders is off"),
        ({"relayed": False}, "Orders is in another account, whose credentials have to ask for"),
    ],
)
def test_what_stands_against_an_export_of_another_account(
    more: dict[str, object], why: str
) -> None:
    """Each in its own words; without a profile nobody can ask for it."""
    there = situation(TABLE, TERABYTES_10, same_account=False, relayed=True)
    there = replace(there, **more)  # type: ignore[arg-type]
    assert obstacle(TABLE, EngineName.EXPORT_IMPORT, there).startswith(why)
    with pytest.raises(RefusedError, match="does not fit Orders-prod"):
        table_of(TABLE).choose(there, EngineName.EXPORT_IMPORT)


def test_an_export_that_a_profile_began_goes_on_with_one() -> None:
    """Without it nobody may look at the export; other engines never had a profile."""
    there = situation(TABLE, TERABYTES_10, same_account=False, begun=EngineName.EXPORT_IMPORT)
    with pytest.raises(RefusedError, match="export-import and --source-profile: run the same"):
        table_of(TABLE).choose(there)
    begun = replace(there, begun=RESTORE, relayed=True)
    with pytest.raises(RefusedError, match="restore, which reads no source with --source-profile"):
        table_of(TABLE).choose(begun)


def test_within_one_region_a_large_table_is_restored() -> None:
    """Into a name under which nothing stands; what was made before is filled by this machine."""
    there = situation(TABLE, TERABYTES_10)
    assert table_of(TABLE).choose(there) is RESTORE
    assert table_of(TABLE).choose(replace(there, followed=True)) is RESTORE
    assert table_of(TABLE).choose(replace(there, is_new=False, is_own=True)) is LOCAL


@pytest.mark.parametrize("kind", [TABLE, BUCKET])
def test_what_leaves_a_region_makes_every_price_a_lower_bound(kind: str) -> None:
    """AWS charges for it by the regions of both sides, which the price table does not know."""
    near = situation(kind, TERABYTES_10)
    for name, line in lines_of(kind, replace(near, same_region=False)).items():
        assert line.cost is None or line.cost.at_least, name
    assert not any(
        line.cost.at_least
        for name, line in lines_of(kind, near).items()
        if line.cost and name not in (EngineName.BULK, EngineName.EXPORT_IMPORT)
    )


def test_what_was_begun_goes_on() -> None:
    """An interrupted migration keeps its engine, whatever the table says."""
    there = situation(TABLE, TERABYTES_10, begun=LOCAL)
    assert table_of(TABLE).choose(there) is LOCAL


def test_a_small_table_is_copied_by_this_machine() -> None:
    """No service is quicker than a short copy."""
    assert table_of(TABLE).choose(situation(TABLE, Size(100, 10_000))) is LOCAL


def test_every_card_says_what_it_is() -> None:
    """Each engine is one of some kind, and no kind has two of one name."""
    cards = [card for kind in (TABLE, BUCKET) for card in table_of(kind).cards]
    assert {card.name for card in cards} == set(EngineName)
    for kind in (TABLE, BUCKET):
        names = [card.name for card in table_of(kind).in_order]
        assert len(names) == len(set(names))
        assert names[-1] is LOCAL
    for card in cards:
        assert all((card.proven, card.time, card.money, card.limits, card.when))
        assert not card.scopes or list_actions(card.scopes) == card.permissions
