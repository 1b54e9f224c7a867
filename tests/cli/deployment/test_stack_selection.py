"""What `dataware deploy` plans and guards is the set of stacks that the real CDK deploys."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataware.cli.deployment.cdk_cli import (
    SYNTHESIS,
    escape_pattern,
    read_listed,
    write_bare_assembly,
)
from dataware.cli.deployment.cdk_options import parse_cdk_arguments, read_option_table
from dataware.core.errors import InputError
from dataware.ops.inputs.assembly import Stack, read_stacks
from dataware.ops.inputs.selection import StackSelection, select_stacks
from support.assemblies import HELP
from support.cdk_cli import install
from support.peers import UnavailableError
from support.stack_oracle import DeclaredStack, StackOracle, write_assembly

pytestmark = pytest.mark.xdist_group("cdk")

NAMES = ("Data", "Api", "Api2", "Web", "true", "My Stack (EU)", "a.b", "no[1]")
TABLE = read_option_table(HELP.read_text())
VALUED = (
    ("--require-approval", "never"),
    ("--requireApproval", "any-change"),
    ("--change-set-name", "Data"),
    ("--outputs-file", "Web"),
    ("-O", "Api"),
    ("-r", "Api"),
    ("--progress", "events"),
    ("--concurrency", "2"),
)
ARRAYS = ("-c", "--context", "-t", "--parameters", "--build-exclude", "-E", "--notification-arns")
SWITCHES = ("-f", "--ci", "-v", "--no-rollback", "-R", "--no-color", "--verbose", "--no-notices")
REGISTRY = "aws-cdk/lib/cli/cli-type-registry.json"
WITHOUT_EFFECT_ON_THE_APP = {
    *("strict", "ignore-errors", "path-metadata", "role-arn", "output", "ci", "yes"),
    "telemetry-file",
}


@pytest.fixture(scope="module")
def oracle() -> Iterator[StackOracle]:
    """The code of the real command line."""
    try:
        with StackOracle() as asked:
            asked.ask(["--version"])
            yield asked
    except UnavailableError as reason:
        pytest.skip(str(reason))


@st.composite
def graphs(draw: st.DrawFn) -> Mapping[str, Sequence[DeclaredStack]]:
    """Stacks in an app and its stages, each depending on some that stand before it there."""
    stages: dict[str, list[DeclaredStack]] = {}
    for stage in ("", *draw(st.lists(st.sampled_from(["Prod", "Dev"]), unique=True))):
        names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
        stacks: list[DeclaredStack] = []
        for name in names:
            ids = [stack.id for stack in stacks]
            needs = draw(st.lists(st.sampled_from(ids), unique=True, max_size=2)) if ids else []
            path = f"{stage}/{name}" if stage else name
            stacks.append(DeclaredStack(f"{stage}X{len(stacks)}", path, tuple(needs)))
        stages[stage] = draw(st.permutations(stacks))
    return stages


def words_for(paths: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """Arguments of `cdk deploy`: stacks and patterns among options that take values."""
    patterns = ("*", "**", "Prod/*", "Dev/**", "A*", "!Data", "{Data,Web}", "[AD]*", "?pi", "Nope")
    stack = st.sampled_from((*paths, *patterns)).map(lambda one: [one])
    valued = st.sampled_from(VALUED).flatmap(
        lambda pair: st.sampled_from([[pair[0], pair[1]], [f"{pair[0]}={pair[1]}"]])
    )
    arrays = st.tuples(st.sampled_from(ARRAYS), st.just("k=Data")).map(list)
    exclusively = st.sampled_from(
        [["-e"], ["--exclusively"], ["-e", "false"], ["--exclusively=true"], ["--no-exclusively"]]
    )
    switches = st.sampled_from(SWITCHES).map(lambda one: [one])
    everything = st.just(["--all"])
    some = st.lists(
        st.one_of(stack, stack, exclusively, everything, valued, arrays, switches), max_size=5
    )
    return some.map(lambda groups: [word for group in groups for word in group])


def chosen(
    oracle: StackOracle, stacks: Sequence[Stack], words: Sequence[str], environ: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """What dataware guards, and the words with which it hands that to CDK."""

    def match(among: Sequence[Stack], patterns: Sequence[str]) -> list[Stack]:
        with tempfile.TemporaryDirectory() as folder:
            bare = write_bare_assembly(Path(folder), among)
            return read_listed(oracle.ask(["list", "--app", bare, *patterns]), among)

    arguments = parse_cdk_arguments(words, TABLE, environ)
    if not stacks:
        raise InputError("the app has no stack")
    selection = StackSelection(
        arguments.stacks,
        all=arguments.is_set("all"),
        exclusively=arguments.is_set("exclusively"),
    )
    ids = [stack.id for stack in select_stacks(stacks, selection, match)]
    own = ("all", "exclusively")
    handed = ["--exclusively=true", *map(escape_pattern, ids), *arguments.words(but=own)]
    return ids, handed


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_guarded_stacks_are_those_that_cdk_deploys(
    oracle: StackOracle, data: st.DataObject
) -> None:
    """For any graph and any arguments; what is handed to CDK then means exactly the same stacks."""
    stages = data.draw(graphs())
    paths = [stack.path for stacks in stages.values() for stack in stacks]
    words = data.draw(words_for(paths))
    environ = data.draw(st.sampled_from([{}, {}, {"CDK_EXCLUSIVELY": "true"}, {"CDK_ALL": "true"}]))
    with tempfile.TemporaryDirectory() as scratch:
        erring = write_assembly(Path(scratch, "erring"), stages, erring=True)
        meant = oracle.deployed(erring, words, environ)
        stacks = read_stacks(write_assembly(Path(scratch, "plain"), stages, erring=False))
        try:
            ids, handed = chosen(oracle, stacks, words, environ)
        except InputError:
            assert meant == set(), "refused by dataware, and deployed by CDK"
            return
        assert set(ids) == meant
        assert oracle.deployed(erring, handed) == meant


def test_the_help_tells_every_option_of_the_command_line(oracle: StackOracle) -> None:
    """The table that is read from its help is that of the command line itself, type by type."""
    oracle.close()  # what was asked before changes how the help is laid out
    answer = oracle.ask(["deploy", "--help"])
    assert read_option_table(answer) == TABLE, "tests/support/cdk_deploy_help.txt is of another CDK"
    registry = json.loads((install().parent.parent / REGISTRY).read_text())
    known = {**registry["globalOptions"], **registry["commands"]["deploy"]["options"]}
    for name, option in known.items():
        aliases = option.get("alias") or []
        for spelling in (name, *([aliases] if isinstance(aliases, str) else aliases)):
            read = TABLE.spellings[spelling]
            counted = {"count": "boolean"}.get(read.type, read.type)
            assert (read.name, counted) == (name, option["type"]), spelling
    assert "R" in TABLE
    assert set(registry["globalOptions"]) - set(SYNTHESIS) == WITHOUT_EFFECT_ON_THE_APP
    assert set(SYNTHESIS) <= set(registry["globalOptions"])
