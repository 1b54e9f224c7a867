"""The guard as a use case: where it looks, what it tells, and what it does when it cannot look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dataware.core.errors import InputError, LookupFailedError, NotFoundError, RefusedError
from dataware.core.model import Deployed, Setting, Wanted
from dataware.core.parameters import GivenParameters
from dataware.core.refused_update import find_unsettled
from dataware.core.stack_template import DeclaredResource, StackTemplate
from dataware.ops.guard import guard, losses
from dataware.ops.inputs.wanted import App
from support.shapes import deep
from support.world import World, WorldAws, install

BOX = "Memory::Box"


@dataclass(frozen=True)
class StackedAws(WorldAws):
    """A world with deployed stacks; an error in place of an answer is raised."""

    held: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Callable[[str], Any] | None = None

    def for_region(self, region: str) -> Any:
        """What the test has elsewhere, else this."""
        return self.elsewhere(region) if self.elsewhere else self

    def stack_resources(self, stack: str) -> Mapping[str, Deployed]:
        """What the test has deployed."""
        return self._answer(self.held.get(stack, {}))

    def stack_template(self, stack: str) -> Any:
        """The template the test has deployed."""
        return self._answer(self.templates.get(stack, NotFoundError(f"no stack {stack}")))

    def _answer(self, answer: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer


def box(name: str, policy: str | None = None) -> DeclaredResource:
    """A box of a template."""
    return DeclaredResource(BOX, {"Name": name}, policy, policy)


def document(name: str) -> dict[str, Any]:
    """The deployed template of one box."""
    return {"Resources": {"Box": {"Type": BOX, "Properties": {"Name": name}}}}


HELD = {"App": {"Box": Deployed(BOX, "full")}}
TEMPLATES = {"App": document("full")}
EMPTIED = App([], stacks=(StackTemplate("App", {}),))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a full and an empty box."""
    world = World(boxes={"full": {"a": "b"}, "bare": {}}, identities={"full": 1, "bare": 2})
    install(monkeypatch, world)
    return world


def context_of(world: World, aws: StackedAws, *, strict: bool = False) -> Any:
    """A context whose account, in any region, is `aws`."""
    return replace(world.context(), aws=aws, strict=strict)


def test_it_tells_what_would_be_lost(there: World) -> None:
    """One event for each, with the fields that scripts need."""
    aws = StackedAws(there, held=HELD, templates=TEMPLATES)
    (threat,) = guard(context_of(there, aws), EMPTIED).threats
    (told,) = [one for one in there.events if one.code == "stopped-by-guard"]
    assert told.data == threat.to_json()
    assert told.text().startswith("Stopped at full (rule 19): memory box Box of stack App holds")


def test_a_stack_that_is_not_deployed_is_told_of(there: World) -> None:
    """A name that was mistyped would let the guard see nothing; what an assembly names is known."""
    told = "stack App is not deployed here, so the guard has nothing to compare it with"
    wanted = [Wanted("Box", BOX, "full", stack="App")]
    report = guard(context_of(there, StackedAws(there)), replace(EMPTIED, wanted=wanted))
    assert (there.events.texts("note"), report.warnings) == ([told], ())
    named = App([], stacks=(replace(EMPTIED.stacks[0], id="App"),))
    assert guard(context_of(there, StackedAws(there)), named).warnings == ()
    assert len(there.events.texts("note")) == 1


def test_where_neither_the_stack_nor_a_resource_is_there_it_is_a_warning(there: World) -> None:
    """Nothing at all was looked into then, so that the plan needs attention."""
    report = guard(context_of(there, StackedAws(there)), EMPTIED)
    assert report.warnings == (
        "stack App is not deployed here, so the guard has nothing to compare it with",
    )
    assert there.events.texts("note") == []


def test_only_threatened_resources_are_looked_at(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that changes nothing costs one listing for each stack, and no probe."""

    def probe(_aws: object, name: str) -> Any:
        raise AssertionError(name)

    install(monkeypatch, there, probe=probe)
    aws = StackedAws(there, held=HELD, templates=TEMPLATES)
    app = App([], stacks=(StackTemplate("App", {"Box": box("full")}),))
    assert guard(context_of(there, aws), app).threats == ()


def test_a_yaml_template_is_understood(there: World) -> None:
    """The text that was deployed is read as CloudFormation reads it."""
    text = (
        f"Resources: {{Box: {{Type: {BOX}, DeletionPolicy: Retain, Properties: {{Name: full}}}}}}"
    )
    (threat,) = losses(StackedAws(there, held=HELD, templates={"App": text}), EMPTIED).threats
    assert "unmanaged" in threat.outcome


@pytest.mark.parametrize(
    ("held", "templates", "says", "threats"),
    [
        (
            {"App": LookupFailedError("denied")},
            {},
            "cannot list the resources of stack App: denied",
            0,
        ),
        (HELD, {"App": LookupFailedError("denied")}, "compares names only", 1),
        (HELD, {"App": "{"}, "compares names only", 1),
        (HELD, {"App": "Resources: {{ x }}"}, "line 1: a key must be text", 1),
        (HELD, {"App": "? [a, b]\n: c"}, "line 1: a key must be text", 1),
        (HELD, {"App": "a: " + "[" * 300 + "]" * 300}, "levels deep", 1),
        (HELD, {"App": deep(300)}, "not a readable template", 1),
        (HELD, {"App": "just a text"}, "not a readable template", 1),
        (HELD, {"App": RecursionError()}, "nested too deep", 1),
    ],
)
def test_what_cannot_be_seen_is_a_warning(
    there: World, held: Any, templates: Any, says: str, threats: int
) -> None:
    """A plan goes on with the rest; under --strict, and before a deployment, the run ends."""
    aws = StackedAws(there, held=held, templates=templates)
    report = guard(context_of(there, aws), EMPTIED)
    assert len(report.threats) == threats
    (text,) = report.warnings
    assert says in text
    with pytest.raises(RefusedError, match="on_error is stop"):
        guard(context_of(there, aws, strict=True), EMPTIED)
    with pytest.raises(RefusedError, match=f"nothing was changed.*{says}.*--allow-unseen"):
        guard(context_of(there, aws), EMPTIED, deploys=True)


def test_stacks_elsewhere(there: World) -> None:
    """Another region is looked at there; another account is told of."""
    far = StackedAws(there, region="far", held=HELD, templates=TEMPLATES)
    here = StackedAws(there, elsewhere=lambda _region: far)
    stack = replace(EMPTIED.stacks[0], region="far")
    assert len(losses(here, App([], stacks=(stack,))).threats) == 1
    foreign = replace(stack, account="999999999999")
    found = losses(here, App([], stacks=(foreign,)))
    assert "meant for account 999999999999" in found.unseen[0]
    assert not found.threats


def test_a_nested_stack_of_which_no_file_is_at_hand_is_told_of(there: World) -> None:
    """Its deployed resources cannot be compared with anything."""
    nested = "AWS::CloudFormation::Stack"
    held = {"App": {"Inner": Deployed(nested, "arn:inner")}}
    app = App([], stacks=(StackTemplate("App", {"Inner": DeclaredResource(nested)}),))
    (text,) = losses(StackedAws(there, held=held), app).unseen
    assert "nested stack App/Inner" in text


NESTED = "AWS::CloudFormation::Stack"


@pytest.mark.parametrize(
    ("now", "lost"),
    [
        (DeclaredResource(NESTED), False),
        (DeclaredResource(NESTED, condition="IsProd"), True),
        (DeclaredResource("", {}), True),
        (None, True),
    ],
)
def test_a_nested_stack_that_may_go_takes_all_with_it(
    there: World, now: DeclaredResource | None, lost: bool
) -> None:
    """A condition that is new, or a type that is a function, is no reason to look away."""
    held = {"App": {"Inner": Deployed(NESTED, "arn:inner")}, "arn:inner": HELD["App"]}
    before = {"App": {"Resources": {"Inner": {"Type": NESTED}}}, "arn:inner": document("full")}
    aws = StackedAws(there, held=held, templates=before)
    inner = StackTemplate("App/Inner", {"Box": box("full")})
    outer = StackTemplate("App", {"Inner": now} if now else {}, {"Inner": inner})
    found = losses(aws, App([], stacks=(outer,)))
    assert [one.logical_id for one in found.threats] == (["Box"] if lost else [])


def test_a_fallback_that_is_retained_is_not_lost(there: World) -> None:
    """dataware carries its data over, which is the recipe for a rename."""
    retained = {"App": {"Resources": {"Box": {"Type": BOX, "DeletionPolicy": "Retain"}}}}
    aws = StackedAws(there, held=HELD, templates=retained)
    app = replace(EMPTIED, wanted=[Wanted("New", BOX, "new", ("full",))])
    assert guard(context_of(there, aws), app).threats == ()
    assert len(guard(context_of(there, aws), EMPTIED).threats) == 1


def test_an_ambiguous_yes_is_refused(there: World) -> None:
    """Two stacks of one construct have the same logical ids."""
    held = dict.fromkeys(("App", "Test"), HELD["App"])
    aws = StackedAws(there, held=held, templates={name: document("full") for name in held})
    app = App([], stacks=(StackTemplate("App", {}), StackTemplate("Test", {})))
    with pytest.raises(InputError, match="App/Box, Test/Box"):
        guard(context_of(there, aws), app, ["Box"])
    marked = guard(context_of(there, aws), app, ["App/Box"]).threats
    assert [one.allowed for one in marked] == [True, False]


@pytest.mark.parametrize("inner", ["App/Inner", "App/Inner/Deeper"])
def test_an_id_of_a_stack_and_of_one_inside_of_it_is_ambiguous(there: World, inner: str) -> None:
    """One yes never means two resources; each goes by the path of its stack."""
    path = inner.split("/")
    held: dict[str, Any] = {"App": dict(HELD["App"])}
    before: dict[str, Any] = {"App": document("full")}
    now = StackTemplate(inner, {})
    for outer, name in zip(reversed(["App", *path[1:-1]]), reversed(path[1:]), strict=True):
        held.setdefault(outer, {})[name] = Deployed(NESTED, name)
        resources = before.setdefault(outer, {"Resources": {}})["Resources"]
        resources[name] = {"Type": NESTED}
        above = "/".join(path[: path.index(name)])
        now = StackTemplate(above, {name: DeclaredResource(NESTED)}, {name: now})
    held[path[-1]], before[path[-1]] = HELD["App"], document("full")
    aws = StackedAws(there, held=held, templates=before)
    app = App([], stacks=(now,))
    with pytest.raises(
        InputError, match=f"Box is in several stacks: name one of App/Box, {inner}/Box"
    ):
        guard(context_of(there, aws), app, ["Box"])
    for address, stack in (("App/Box", "App"), (f"{inner}/Box", inner)):
        marked = guard(context_of(there, aws), app, [address]).threats
        assert {one.stack for one in marked if one.allowed} == {stack}
        assert {one.stack for one in marked} == {"App", inner}


def test_a_loss_in_one_stack_and_an_adoption_in_another_need_a_yes_each(there: World) -> None:
    """The bare id would allow both, and a person has seen one of them."""
    aws = StackedAws(there, held=HELD, templates=TEMPLATES)
    adopted = Wanted("Other", BOX, "other", stack="Test", logical_id="Box")
    with pytest.raises(InputError, match="App/Box, Test/Box"):
        guard(context_of(there, aws), EMPTIED, ["Box"], used=[adopted])
    for name, allowed in (("App/Box", True), ("Test/Box", False)):
        report = guard(context_of(there, aws), EMPTIED, [name], used=[adopted])
        assert [one.allowed for one in report.threats] == [allowed]
        assert report.warnings == ()
    same = replace(adopted, stack="App")
    assert guard(context_of(there, aws), EMPTIED, ["Box"], used=[same]).threats[0].allowed


def test_weaker_protection_is_a_warning_and_under_strict_a_refusal(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that the new template drops is told, although the resource stays."""

    def settings(properties: Mapping[str, Any]) -> Mapping[str, Setting]:
        on = "Versions" in properties
        return {"versioning": Setting(int(on), "on" if on else "off")}

    install(monkeypatch, there, declared_settings=settings)
    deployed = document("full")
    deployed["Resources"]["Box"]["Properties"]["Versions"] = "on"
    aws = StackedAws(there, held=HELD, templates={"App": deployed})
    app = App([], stacks=(StackTemplate("App", {"Box": box("full")}),))
    report = guard(context_of(there, aws), app)
    assert report.threats == ()
    (text,) = report.warnings
    assert "Box of stack App would be protected less than it is deployed" in text
    assert "versioning: off instead of on" in text
    with pytest.raises(RefusedError, match="versioning: off instead of on"):
        guard(context_of(there, aws, strict=True), app)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Bux", "did you mean Box?"),
        ("App/Bux", "did you mean App/Box?"),
        ("Nothing", "allows nothing"),
    ],
)
def test_a_yes_to_nothing_is_told(there: World, name: str, says: str) -> None:
    """A misspelt logical id allows no loss, and is not taken in silence."""
    aws = StackedAws(there, held=HELD, templates=TEMPLATES)
    report = guard(context_of(there, aws), EMPTIED, [name])
    (warning,) = report.warnings
    assert f"--allow-loss {name}" in warning
    assert says in warning
    assert not report.threats[0].allowed
    assert guard(context_of(there, aws), EMPTIED, ["Box"]).warnings == ()
    assert "allows nothing" in guard(context_of(there, aws), App([]), ["Box"]).warnings[0]


def test_a_type_that_nobody_can_look_into_is_told_of_without_a_look(there: World) -> None:
    """It may hold data, so its going is a stop that a person has to allow."""
    kind = "AWS::DocDB::DBCluster"
    aws = StackedAws(
        there,
        held={"App": {"Docs": Deployed(kind, "docs")}},
        templates={"App": {"Resources": {"Docs": {"Type": kind}}}},
    )
    (threat,) = guard(context_of(there, aws), EMPTIED).threats
    says = f"{kind} Docs of stack App may hold data (not readable) and would leave the stack"
    assert threat.reason.startswith(says)
    (allowed,) = guard(context_of(there, aws), EMPTIED, ["Docs"]).threats
    assert allowed.allowed


def test_what_rests_on_stored_parameters_is_told_where_no_change_set_is_asked_for(
    there: World,
) -> None:
    """A plan that cannot know whether a resource stays does not leave that unsaid."""
    named = {"Type": BOX, "Properties": {"Name": "{{resolve:ssm:/box}}"}}
    aws = StackedAws(there, held=HELD, templates={"App": {"Resources": {"Box": named}}})
    stack = StackTemplate("App", {"Box": DeclaredResource(BOX, named["Properties"])})
    assert guard(context_of(there, aws), App([], stacks=(stack,))).threats == ()
    (text,) = there.events.texts("note")
    assert text.startswith("the guard does not read the stored parameters on which Box of stack")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("DELETE_FAILED", "is in DELETE_FAILED and CloudFormation no longer updates it"),
        ("ROLLBACK_FAILED", "is in ROLLBACK_FAILED and CDK would delete it before it deploys"),
        ("UPDATE_COMPLETE", ""),
        (None, ""),
        (LookupFailedError("denied"), ""),
    ],
)
def test_a_stack_that_is_half_deleted_is_not_deployed(
    status: Any, says: str, there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be deleted would be deleted next; nothing else asks for the status."""
    held = {"App": {"Box": Deployed(BOX, "full", is_half_deleted=True)}}
    aws = StackedAws(there, held=held, templates=TEMPLATES)
    monkeypatch.setattr(
        StackedAws, "stack_status", lambda self, _stack: self._answer(status), raising=False
    )
    app = App([], stacks=(StackTemplate("App", {"Box": box("full")}),))
    warnings = guard(context_of(there, aws), app).warnings
    if not says:
        assert warnings == ()
        return
    (warning,) = warnings
    assert says in warning
    assert "--stack-name App --retain-resources Box" in warning
    with pytest.raises(RefusedError, match=says):
        guard(context_of(there, aws), app, deploys=True)


@pytest.mark.parametrize(
    ("status", "rolls_back", "says"),
    [
        (
            "CREATE_FAILED",
            True,
            "cdk rollback Demo/App` if that may go, or deploy it with --no-rollback",
        ),
        ("UPDATE_FAILED", True, "delete what its failed deployment has created"),
        ("UPDATE_FAILED", False, ""),
        ("UPDATE_ROLLBACK_FAILED", False, "run `cdk rollback Demo/App` if that may go"),
        ("UPDATE_IN_PROGRESS", False, "stack App is being changed (UPDATE_IN_PROGRESS)"),
        ("UPDATE_COMPLETE", True, ""),
    ],
)
def test_a_stack_that_cdk_would_roll_back_first_is_not_deployed(
    status: str, rolls_back: bool, says: str, there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That deletes what the failed deployment has created, whatever has been put there since."""
    held = {"App": {"Box": Deployed(BOX, "full", is_unsettled=True)}}
    aws = StackedAws(there, held=held, templates=TEMPLATES)
    monkeypatch.setattr(StackedAws, "stack_status", lambda _self, _stack: status, raising=False)
    app = App([], stacks=(StackTemplate("App", {"Box": box("full")}, id="Demo/App"),))
    given = GivenParameters(rolls_back=rolls_back)
    warnings = guard(context_of(there, aws), app, parameters=given).warnings
    assert [says in one for one in warnings] == ([True] if says else [])
    if says:
        with pytest.raises(RefusedError, match="nothing was changed"):
            guard(context_of(there, aws), app, deploys=True, parameters=given)
        held["App"]["Box"] = Deployed("AWS::SNS::Topic", "topic", is_unsettled=True)
        assert guard(context_of(there, aws), app, parameters=given).warnings == ()


@pytest.mark.parametrize(
    ("status", "command"),
    [
        (
            "UPDATE_FAILED",
            "rollback-stack --stack-name App` if that may go, or deploy it with --dis",
        ),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name App` if that may go"),
    ],
)
def test_whoever_has_no_cdk_is_told_a_command_of_aws(status: str, command: str) -> None:
    """A template by itself is deployed by other means."""
    refused = find_unsettled(StackTemplate("App", {}), status, rolls_back=True)
    assert f"run `aws cloudformation {command}" in str(refused)


def test_two_stacks_that_are_one_in_cloudformation_are_not_deployed(there: World) -> None:
    """The first deployment of the second one would let go of what the first one has adopted."""
    aws = StackedAws(there)
    one, other = (
        StackTemplate("Data", {"Box": box(name)}, id=f"{name}/Data") for name in ("full", "bare")
    )
    (warning,) = guard(context_of(there, aws), App([], stacks=(one, other))).warnings
    assert "full/Data and bare/Data are all called Data in one account and region" in warning
    with pytest.raises(RefusedError, match="give each a stack name of its own"):
        guard(context_of(there, aws), App([], stacks=(one, other)), deploys=True)
    elsewhere = replace(other, region="eu-west-3")
    assert guard(context_of(there, aws), App([], stacks=(one, elsewhere))).warnings == ()
