"""What every kind must do, for each line of the catalogue.

A new kind joins by its line in `CATALOGUE` and its bench in `benches.py`; a kind without a
copier is not asked to copy.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from contract.benches import BENCHES, Bench
from dataware.aws import Account, SystemClock
from dataware.core.comparison import PropertyVerdict, compare_configuration
from dataware.core.copier import Copier, CopyOrder, CopyOutcome, CopyTools
from dataware.core.errors import ServiceError
from dataware.core.kind import Kind
from dataware.core.model import Content, Existence, Facts, Location, Size
from dataware.core.phases import DESCRIBE
from dataware.core.reader import KeyFingerprint
from dataware.kinds import CATALOGUE, load
from support.dynamo import account, total
from support.images import registry_actions
from support.readers import read_entries
from support.servers import FaultProxy, Seen

ACTION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+")
PHASES = {"probe", "read", "write", "verify", "create", "account", "describe", "import"}
PHASES |= {"acl", "versions", "versions-write", "follow", "enable-feed"}
PHASES |= {"carry", "restore-from", "restore-to", "undo"}
COPIED = [cfn_type for cfn_type in CATALOGUE if load(cfn_type).copying]
KEYED = [cfn_type for cfn_type in COPIED if BENCHES[cfn_type].has_keys]
LOOKED_INTO = [cfn_type for cfn_type in CATALOGUE if BENCHES[cfn_type].content_calls]
COUNT = 30


def place(aws: Account, name: str) -> Location:
    """A resource of the account itself."""
    return Location(name, aws.account, aws.region)


class Copy:
    """A copy from the bench's first name to its second, without the engine."""

    def __init__(self, kind: Kind, bench: Bench, aws: Account, *, exclusive: bool = False) -> None:
        self._kind = kind
        self._aws = aws
        source, target = (place(aws, name) for name in bench.names)
        self._order = CopyOrder(source, target, exclusive=exclusive)
        self.cursors: dict[str, str | None] = {}

    def run(self, *, pages: int | None = None) -> CopyOutcome:
        """Copy from the cursors on, at most so many pages."""
        return asyncio.run(self._run(pages))

    async def _run(self, pages: int | None) -> CopyOutcome:
        wire = self._aws.wire(lambda _reason: None)
        copier = self._kind.require_copying().copier(
            CopyTools(self._aws, wire, SystemClock()), self._order
        )
        try:
            if not self.cursors:
                self.cursors = dict.fromkeys(await copier.partitions(), "")
            return total([each async for each in self._pages(copier, pages)])
        finally:
            await wire.close()

    async def _pages(self, copier: Copier, pages: int | None) -> Any:
        done = 0
        for partition, after in list(self.cursors.items()):
            if after is None:
                continue
            async for page in copier.read(partition, after or None):
                if done == pages:
                    return
                yield CopyOutcome(same=page.same, skipped=page.skipped)
                for unit in page.units:
                    yield await copier.write(unit)
                self.cursors[partition] = page.cursor
                done += 1


def differences(kind: Kind, aws: Account, bench: Bench) -> Mapping[str, list[str]]:
    """What the readers of both sides tell apart, by label."""
    make = kind.require_copying().reader
    old, new = (make(aws, place(aws, name), all_versions=False, deep=False) for name in bench.names)
    sides = [{entry.key: entry for entry in read_entries(reader)} for reader in (old, new)]
    source, target = sides

    def differ(mine: KeyFingerprint, theirs: KeyFingerprint) -> bool:
        if mine.digest == theirs.digest:
            return False
        settled = mine.conclusive and theirs.conclusive
        return settled or old.same(mine, new, theirs) is None

    both = source.keys() & target.keys()
    return {
        "missing": sorted(source[key].label for key in source.keys() - target.keys()),
        "extra": sorted(target[key].label for key in target.keys() - source.keys()),
        "different": sorted(source[k].label for k in both if differ(source[k], target[k])),
    }


@pytest.fixture(params=CATALOGUE)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each card, unless a test names the types that it is for."""
    return load(request.param)


@pytest.fixture
def bench(kind: Kind) -> Bench:
    """The bench of the card; a kind without one is not tested, so it fails."""
    return BENCHES[kind.cfn_type]


@pytest.fixture
def filled(kind: Kind, bench: Bench, fault_proxy: FaultProxy) -> Iterator[Account]:
    """A source with data and an empty target, behind a proxy."""
    aws = account()
    for name in bench.names:
        bench.make(aws, name)
    bench.fill(aws, bench.names[0], COUNT)
    assert aws.account  # asked once and remembered, so that faults do not hit the question
    fault_proxy.clear()
    yield aws
    fault_proxy.clear()


def test_a_card_is_well_formed(kind: Kind) -> None:
    """Phases are known, and actions look like IAM's."""
    assert kind.access.phases.keys() <= PHASES
    assert {"probe", "create"} <= kind.access.phases.keys()
    for actions in kind.access.phases.values():
        assert actions
        assert all(ACTION.fullmatch(action) for action in actions)
        assert len(set(actions)) == len(actions)


def test_what_is_copied_declares_what_each_phase_needs(kind: Kind) -> None:
    """The part about copying and the phases of a copy come together."""
    assert ({"read", "write", "verify"} <= kind.access.phases.keys()) is (kind.copying is not None)


@pytest.mark.parametrize("kind", COPIED, indirect=True)
def test_a_copy_is_bounded_and_has_a_price(kind: Kind) -> None:
    """Everything is done in batches and at once by some, and whatever is charged has an amount."""
    copying = kind.require_copying()
    assert min(copying.batch, copying.readers, copying.writers) >= 1
    assert re.fullmatch("[a-z][a-z0-9]*", copying.scheme)
    assert all(units > 0 for units in copying.charges(Size(10, 1000)).values())
    assert copying.speed.items > 0


def test_words_of_a_type_fit_into_sentences_and_file_names(kind: Kind) -> None:
    """A slug is safe in names of files and parameters, and the nouns stand without an article."""
    names = kind.names
    assert re.fullmatch("[a-z][a-z0-9]*(-[a-z]+)+", names.slug)
    for noun in (names.noun, names.short, names.unit):
        assert noun.strip() == noun
        assert not noun.startswith(("a ", "an ", "the "))
        assert not noun.endswith("s")


def test_protection_is_read_out_of_the_protective_properties(kind: Kind) -> None:
    """Where none of them is literal, nothing is known of how well the data is protected."""
    unseen = {name: {"Fn::GetAtt": ["Default", name]} for name in kind.template.protective}
    assert kind.template.declared_settings(unseen) == {}
    assert bool(kind.template.protective) is bool(kind.template.declared_settings({}))


def test_nothing_is_wrong_with_a_template_that_says_nothing(kind: Kind) -> None:
    """No property is required by a card, and what CloudFormation looks at has no default."""
    template = kind.template
    assert template.check_properties({}) is None
    assert not template.properties_like(Facts("name"))
    assert not template.declared_schema({})


def test_ownership_is_shown_by_actions_of_the_probe(kind: Kind) -> None:
    """Who is told to allow them has them in the printed policy, too."""
    granted = {*kind.access.phases["probe"], *kind.access.phases.get("account", ())}
    assert {*kind.access.ownership, *kind.access.informing} <= granted


def test_names_are_checked(kind: Kind, bench: Bench) -> None:
    """Good names pass, and an empty one is told what is wrong."""
    assert [kind.names.check(name) for name in bench.names] == [None, None]
    assert kind.names.check("")


def test_arns_belong_to_the_partition(kind: Kind, bench: Bench) -> None:
    """Permissions can be scoped to ARNs of the right partition that end in the name."""
    arns = kind.access.arns(bench.names[0], "123456789012", "cn-north-1", "aws-cn")
    assert arns
    for arn in arns:
        assert arn.startswith("arn:aws-cn:")
        assert (bench.names[0].lstrip("/") in arn) is bench.name_in_arn


def test_absent_is_seen(kind: Kind, bench: Bench, aws_server: object) -> None:
    """Nothing under the name: absent, without a problem."""
    facts = kind.probe(account(), bench.names[0])
    assert (facts.existence, facts.problems) == (Existence.ABSENT, ())


def test_denied_is_never_absent(kind: Kind, bench: Bench, fault_proxy: FaultProxy) -> None:
    """Where every call is denied, nothing is known, and a permission is named."""
    aws = account()
    bench.make(aws, bench.names[0])
    fault_proxy.add(bench.deny)
    facts = kind.probe(aws, bench.names[0])
    assert facts.existence is not Existence.ABSENT
    assert facts.content is Content.UNKNOWN
    named = {problem.permission for problem in facts.problems if problem.permission}
    assert named
    assert named <= {*kind.access.phases["probe"], *kind.access.phases.get("account", ())}


def test_what_only_informs_is_told_from_what_decides(
    kind: Kind, bench: Bench, fault_proxy: FaultProxy
) -> None:
    """Where an action of the card that only informs is denied, the facts are as they were.

    Each unanswered question says what is not known for lack of an answer, or it is a deciding one.
    """
    aws = account()
    bench.make(aws, bench.names[0])
    fault_proxy.clear()
    whole = kind.probe(aws, bench.names[0])
    asked = sorted({seen.operation for seen in fault_proxy.seen})
    found = set()
    for call in asked:
        fault_proxy.clear()
        fault_proxy.add(bench.deny, operation=call, times=None)
        facts = kind.probe(aws, bench.names[0])
        for problem in facts.problems:
            assert problem.decides == (problem.permission not in kind.access.informing), problem
            assert problem.decides or problem.consequence
            if not problem.decides:
                found.add(problem.permission)
                assert (facts.existence, facts.content) == (whole.existence, whole.content)
    assert found == set(kind.access.informing)


@pytest.mark.parametrize("kind", LOOKED_INTO, indirect=True)
@pytest.mark.parametrize("full", [False, True])
def test_content_is_seen(kind: Kind, bench: Bench, aws_server: object, full: bool) -> None:
    """Empty is told from full."""
    aws = account()
    bench.make(aws, bench.names[0])
    if full:
        bench.fill(aws, bench.names[0], 2)
    facts = kind.probe(aws, bench.names[0])
    assert (facts.existence, facts.problems) == (Existence.EXISTS, ())
    assert facts.content is (Content.DATA if full else Content.EMPTY)


@pytest.mark.parametrize("kind", LOOKED_INTO, indirect=True)
def test_content_that_is_denied_is_unknown(
    kind: Kind, bench: Bench, filled: Account, fault_proxy: FaultProxy
) -> None:
    """Without the right to look inside, content is unknown and the permission is named."""
    for call in bench.content_calls:
        fault_proxy.add(bench.deny, operation=call)
    facts = kind.probe(filled, bench.names[0])
    assert (facts.existence, facts.content) == (Existence.EXISTS, Content.UNKNOWN)
    named = {problem.permission for problem in facts.problems}
    assert named & set(kind.access.phases["probe"])


@pytest.mark.parametrize("kind", COPIED, indirect=True)
@pytest.mark.parametrize("exclusive", [False, True])
def test_copying_twice_is_copying_once(
    kind: Kind, bench: Bench, filled: Account, exclusive: bool
) -> None:
    """The first copy brings everything; the second one changes nothing and leaves nothing."""
    first = Copy(kind, bench, filled, exclusive=exclusive).run()
    assert (first.copied, first.same, first.skipped) == (COUNT, 0, ())
    once = bench.content(filled, bench.names[1])
    assert once == bench.content(filled, bench.names[0])
    second = Copy(kind, bench, filled).run()
    assert (second.copied, second.same, second.skipped) == (0, COUNT, ())
    assert bench.content(filled, bench.names[1]) == once


@pytest.mark.parametrize("kind", COPIED, indirect=True)
@pytest.mark.parametrize("pages", [1, 2, 4])
def test_an_interrupted_copy_goes_on_from_its_cursors(
    kind: Kind, bench: Bench, filled: Account, fault_proxy: FaultProxy, pages: int
) -> None:
    """What a copy brought before it was cut off is not read again, and nothing is missing."""
    bench.shrink_pages(fault_proxy)
    copy = Copy(kind, bench, filled)
    before = copy.run(pages=pages)
    assert any(cursor is not None for cursor in copy.cursors.values())
    after = copy.run()
    assert before.copied + after.copied == COUNT
    assert 0 < before.copied < COUNT
    assert (after.same, after.skipped) == (0, ())
    assert set(copy.cursors.values()) == {None}
    fault_proxy.clear()
    assert bench.content(filled, bench.names[1]) == bench.content(filled, bench.names[0])


@pytest.mark.parametrize("kind", COPIED, indirect=True)
def test_the_source_is_only_read(kind: Kind, bench: Bench, filled: Account) -> None:
    """A copy leaves the source as it was."""
    before = bench.content(filled, bench.names[0])
    Copy(kind, bench, filled).run()
    assert bench.content(filled, bench.names[0]) == before


@pytest.mark.parametrize("kind", COPIED, indirect=True)
def test_verification_finds_nothing_after_a_copy(kind: Kind, bench: Bench, filled: Account) -> None:
    """Both sides of a whole copy are the same."""
    Copy(kind, bench, filled).run()
    assert differences(kind, filled, bench) == {"missing": [], "extra": [], "different": []}


@pytest.mark.parametrize("kind", KEYED, indirect=True)
def test_verification_finds_each_kind_of_difference(
    kind: Kind, bench: Bench, filled: Account
) -> None:
    """A changed, a missing and an extra unit in the target are each found and named."""
    Copy(kind, bench, filled).run()
    target = bench.names[1]
    made = {
        "missing": bench.remove(filled, target),
        "extra": bench.add(filled, target),
        "different": bench.change(filled, target),
    }
    found = differences(kind, filled, bench)
    for side, label in made.items():
        (named,) = found[side]
        assert label in named


@pytest.mark.parametrize("kind", COPIED, indirect=True)
def test_an_unreadable_side_is_an_error(
    kind: Kind, bench: Bench, filled: Account, fault_proxy: FaultProxy
) -> None:
    """A reader and a copier that are denied raise; they never look like the end of the data."""
    fault_proxy.add(bench.deny)
    with pytest.raises(ServiceError):
        differences(kind, filled, bench)
    with pytest.raises(ServiceError):
        Copy(kind, bench, filled).run()


def actions_of(bench: Bench, seen: Seen) -> tuple[str, ...]:
    """The IAM actions that a request needs; what every caller may do needs none."""
    if seen.path.startswith("/v2/"):
        return registry_actions(seen)
    service = seen.headers["authorization"].split("/")[3]
    if service == "sts":
        return ()
    return bench.actions.get(seen.operation, (f"{service}:{seen.operation}",))


def undeclared(kind: Kind, bench: Bench, proxy: FaultProxy, *phases: str) -> set[str]:
    """Actions that were needed for the requests so far, and that no phase declares."""
    declared = {
        action for phase in (*phases, "account") for action in kind.access.phases.get(phase, ())
    }
    needed = {action for seen in proxy.seen for action in actions_of(bench, seen)}
    assert needed
    proxy.clear()
    return needed - declared


def test_a_probe_makes_declared_calls_only(
    kind: Kind, bench: Bench, filled: Account, fault_proxy: FaultProxy
) -> None:
    """Every call of a probe is covered by the card's permissions for probing."""
    kind.probe(filled, bench.names[0])
    assert undeclared(kind, bench, fault_proxy, "probe") == set()


def test_a_comparison_with_a_template_makes_declared_calls_only(
    kind: Kind, bench: Bench, filled: Account, fault_proxy: FaultProxy
) -> None:
    """Every call before an adoption is declared, and a resource is the same as it is."""
    if kind.comparison is None:
        assert not kind.template.is_adoptable or not kind.template.stateful
        return
    fault_proxy.clear()
    live = kind.comparison.read(filled, bench.names[0])
    assert undeclared(kind, bench, fault_proxy, DESCRIBE) == set()
    assert not live.unread
    found = compare_configuration(kind.comparison, live, live.properties)
    assert {one.verdict for one in found} == {PropertyVerdict.SAME}


@pytest.mark.parametrize("kind", COPIED, indirect=True)
def test_copy_and_verification_make_declared_calls_only(
    kind: Kind, bench: Bench, filled: Account, fault_proxy: FaultProxy
) -> None:
    """Every call of a copy and of its verification is covered by the card's permissions."""
    Copy(kind, bench, filled).run()
    Copy(kind, bench, filled, exclusive=True).run()
    assert undeclared(kind, bench, fault_proxy, "read", "write") == set()
    bench.change(filled, bench.names[1])
    fault_proxy.clear()
    differences(kind, filled, bench)
    assert undeclared(kind, bench, fault_proxy, "verify") == set()
