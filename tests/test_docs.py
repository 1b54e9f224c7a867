"""What the documents show is true: links lead somewhere, commands parse, examples load."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import botocore.session
import click
import pytest
import yaml
from botocore import xform_name

from dataware.aws.organization import OrganizationAccount
from dataware.cli.commands import dataware
from dataware.core.estimate import Estimate
from dataware.core.events import MESSAGES
from dataware.core.lock_file import lock_entries
from dataware.core.model import Action, Decision, Facts, Size, Wanted
from dataware.core.plan import Plan, Planned
from dataware.kinds import kinds
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.fleet_file import read_fleet
from dataware.ops.inputs.opted_in import WORDS as TEMPLATE_WORDS
from dataware.ops.inputs.toml_file import FIELDS
from dataware.ops.inputs.wanted import Overrides
from support.cli import ALL_COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
KINDS = {kind.cfn_type: kind for kind in kinds()}

CHECKED = {
    "bash",
    "dockerfile",
    "ini",
    "json",
    "python",
    "sh",
    "text",
    "toml",
    "ts",
    "yaml",
    "{eval-rst}",
}
"""Python is also synthesized, see tests/cdk/test_documents.py; the site builds `{eval-rst}`."""

SHELLS = {"sh", "bash"}
"""A reader types both; in a how-to, `sh` is also what tests/docs types, see support/followed.py."""

FENCE = re.compile(r"^ *```([\w{}-]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its language, its text."""

    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        """The place of the block, as a name for its test."""
        return f"{name_of(self.page)}: {self.text.strip().splitlines()[0][:40]}"


def name_of(page: Path) -> str:
    """A page, from the root of the project."""
    return str(page.relative_to(ROOT))


def text_of(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


BLOCKS = [
    Block(page, language, dedent(text))
    for page in PAGES
    for language, text in FENCE.findall(page.read_text(encoding="utf-8"))
]


def blocks(*languages: str) -> list[Block]:
    """The blocks in one of some languages."""
    return [block for block in BLOCKS if block.language in languages]


def commands() -> Iterator[tuple[str, str]]:
    """Every command line of dataware that a page or a help text shows, with where it stands."""
    for block in BLOCKS:
        prompt = "" if block.language in SHELLS else "$ "
        for line in block.text.splitlines():
            if line.startswith(f"{prompt}dataware "):
                yield name_of(block.page), line.removeprefix(prompt)
    for block in blocks("dockerfile", "ini"):
        for line in block.text.splitlines():
            if line.startswith("CMD "):
                yield name_of(block.page), shlex.join(["dataware", *json.loads(line[4:])])
            elif line.startswith("ExecStart="):
                yield name_of(block.page), line[line.index("dataware ") :]
    for name, command in ALL_COMMANDS.items():
        for line in map(str.strip, (command.help or "").splitlines()):
            if line.startswith("dataware "):
                yield f"{name} --help", line


COMMANDS = sorted(set(commands()))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_resolve(page: Path) -> None:
    """A link leads to a file of the project, and its fragment to a heading there."""
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith("https://"):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


@pytest.mark.parametrize(("where", "line"), COMMANDS)
def test_every_command_line_parses(where: str, line: str) -> None:
    """A command that is shown is one that can be typed."""
    words = shlex.split(line, comments=True)[1:]
    ends = [at for at, word in enumerate(words) if word in {">", ">>", "|", "||", "&", "&&", ";"}]
    arguments = words[: ends[0]] if ends else words
    with click.Context(dataware, info_name="dataware") as context:
        if arguments == ["--version"]:
            return
        name, command, rest = dataware.resolve_command(context, arguments)
        assert command is not None
        command.make_context(name, rest, parent=context)


def test_there_are_command_lines_to_check() -> None:
    """The pages and the help texts show a good number of commands."""
    assert len(COMMANDS) > 20
    assert {where for where, _ in COMMANDS} >= {"README.md", "docs/cli.md", "plan --help"}


def test_the_readme_is_short() -> None:
    """Whoever finds the project reads one screen, and the pages have the rest."""
    assert len(text_of("README.md").splitlines()) <= 130


def test_every_block_says_its_language() -> None:
    """A block is of a language that a test looks at, so that none is only believed."""
    assert [
        f"{block}: {block.language!r}" for block in BLOCKS if block.language not in CHECKED
    ] == []


@pytest.mark.parametrize("block", blocks(*SHELLS), ids=str)
def test_every_shell_block_parses(block: Block) -> None:
    """What is to be typed into a shell is understood by one."""
    done = subprocess.run(
        ["bash", "-n"], input=block.text, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


AWS_LINES = [
    " ".join(words)
    for block in blocks(*SHELLS)
    for line in block.text.replace("\\\n", " ").splitlines()
    if (words := line.split())[:1] == ["aws"]
]


@pytest.mark.parametrize("line", AWS_LINES)
def test_every_call_of_the_aws_command_line_exists(line: str) -> None:
    """A call by way of the AWS command line is one of the service, with options that it has."""
    _, service, command, *rest = line.split()
    session = botocore.session.Session()
    if command == "wait":
        waiters = session.get_waiter_model(service).waiter_names
        assert rest[0] in {xform_name(name, "-") for name in waiters}
        return
    model = session.get_service_model(service)
    calls = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(calls[command]).input_shape
    assert shape is not None
    known = {name.lower() for name in shape.members}
    options = [word for word in rest if word.startswith("--")]
    assert options
    assert [name for name in options if name.replace("-", "") not in known] == []


def test_there_is_a_call_of_the_aws_command_line() -> None:
    """The test above has something to look at."""
    assert AWS_LINES


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_every_block_of_python_compiles(block: Block) -> None:
    """Python that is shown can be copied as it is."""
    compile(block.text, name_of(block.page), "exec")


@pytest.mark.parametrize("block", blocks("ts"), ids=str)
def test_every_block_of_typescript_is_part_of_the_example(block: Block) -> None:
    """TypeScript that is shown stands in the example, which tests/e2e compiles and deploys."""
    example = text_of("examples/typescript/bin/app.ts")
    assert unindented(block.text) in unindented(example)


def unindented(text: str) -> str:
    """A text without the indentation of its lines."""
    return "\n".join(line.strip() for line in text.splitlines())


@pytest.mark.parametrize("block", blocks("toml", "yaml"), ids=str)
def test_every_example_of_an_app_loads(block: Block, tmp_path: Path) -> None:
    """A dataware.toml, fleet.toml or template that is shown can be copied; other YAML parses."""
    if block.language == "yaml" and "Resources" not in yaml.safe_load(block.text):
        return
    path = tmp_path / f"example.{block.language}"
    path.write_text(block.text, encoding="utf-8")
    if "[[target]]" in block.text or "[organization]" in block.text:
        tags = {"stage": "prod"}
        account = OrganizationAccount("444455556666", "Team", tags)
        assert read_fleet(path, lambda _profile: [account]).targets
        return
    assert load_app(path, kinds=KINDS, overrides=Overrides()).wanted


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_example_of_json_is_json(block: Block) -> None:
    """JSON that is shown parses, and an example of a plan is one."""
    data = json.loads(block.text)
    if "resources" in data:
        assert Plan.from_json(data).to_json() == data
    if "code" in data:
        assert data["level"] == MESSAGES[data["code"]].level


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_every_make_target_exists(block: Block) -> None:
    """What a page tells to make can be made."""
    targets = re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE)
    assert set(re.findall(r"^make (\w+)", block.text, re.MULTILINE)) <= set(targets)


@pytest.mark.parametrize("name", sorted(ALL_COMMANDS))
def test_every_command_and_option_is_explained(name: str) -> None:
    """docs/cli.md knows every option, also the hidden ones, and README every command."""
    page = text_of("docs/cli.md")
    assert f"## {name}\n" in page
    assert f"`dataware {name}" in text_of("README.md")
    options = [one for one in ALL_COMMANDS[name].params if isinstance(one, click.Option)]
    for option in options:
        assert re.search(rf"`{option.opts[0]}[ `]", page), option.opts[0]


def test_every_setting_of_the_environment_is_explained() -> None:
    """docs/cli.md lists each variable of dataware that the source reads."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r'"(DATAWARE_[A-Z_]+)"', text)}
    assert read
    assert [name for name in sorted(read) if f"`{name}`" not in text_of("docs/cli.md")] == []


def fields(data: Any) -> Iterator[str]:
    """The names of all fields in a JSON value, but not those of free mappings."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield name
            yield from fields(value)
    if isinstance(data, list):
        for value in data:
            yield from fields(value)


def test_every_field_of_the_plan_and_the_lock_is_explained() -> None:
    """docs/plan-file.md knows each field that the files have."""
    facts = Facts("a", size=Size(1, 1))
    decision = Decision(Action.MIGRATE, 3, "why", source="b")
    planned = Planned(
        Wanted("a", "t", "a"), facts, (facts,), decision, Estimate(1, 1, 1, 0.0, True)
    )
    plan = Plan("1", "r", "now", (planned,))
    (entry,) = lock_entries(plan).values()
    explained = text_of("docs/plan-file.md")
    names = {*fields(plan.to_json()), *fields(entry)}
    assert len(names) > 40
    assert [name for name in sorted(names) if f"`{name}`" not in explained] == []


def test_every_field_of_the_inputs_is_explained() -> None:
    """docs/dataware-toml.md knows each field of the file and of the metadata, and each type."""
    page = text_of("docs/dataware-toml.md")
    assert [name for name in (*FIELDS, *KINDS) if f"`{name}`" not in page] == []
    assert [name for name in TEMPLATE_WORDS.all if f"{name}: " not in page] == []


def test_every_decision_record_is_listed() -> None:
    """The list of records names each file, and each begins with its number."""
    listed = text_of("docs/adr/README.md")
    records = sorted(path for path in (ROOT / "docs/adr").glob("0*.md"))
    assert records
    for record in records:
        heading = record.read_text(encoding="utf-8").splitlines()[0]
        assert heading.startswith(f"# {record.name[:4]}: ")
        assert f"({record.name}) | {heading.partition(': ')[2]} |" in listed
