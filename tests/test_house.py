"""The rules of the house that no other tool checks: sizes, words, generated pages."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataware.core.glossary import BANNED, BANNED_NAMES
from dataware.kinds import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FUNCTION_LINES, FILE_LINES = 40, 400
PARTICIPLE = re.compile(
    "[a-z]+ed|told|seen|said|meant|left|kept|begun|made|found|given|held|heard|shown|known|chosen"
    "|written|drawn|spoken|sent|taken"
)
LEARNT = {"asked", "told", "said", "heard", "seen", "found", "meant"}
NODES = [node for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8")))]
CLASSES = Counter(node.name for node in NODES if isinstance(node, ast.ClassDef))


def functions(path: Path) -> list[tuple[str, int]]:
    """Every function of a file with its number of lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_files_stay_small(path: Path) -> None:
    """A function has at most 40 lines, a file at most 400."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    assert [(name, lines) for name, lines in functions(path) if lines > FUNCTION_LINES] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_undone(path: Path) -> None:
    """No stub, no forgotten remark, and a silenced check says why."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"NotImplementedError|TODO|FIXME|XXX", text)
    silenced = re.findall(r"#\s*(?:noqa|type: ignore)[^\n]*", text)
    assert [remark for remark in silenced if not re.search(r" [-#] \w", remark)] == []


def is_value(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is a property or returns a bool: those may be a participle."""
    by = [each.id for each in node.decorator_list if isinstance(each, ast.Name)]
    returns_bool = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
    return returns_bool or any("property" in name for name in by)


def test_no_function_is_named_by_a_participle() -> None:
    """A name says what a function does, or what it gives: `probe_name`, not `seen`."""
    named = [node for node in NODES if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lone = [node for node in named if PARTICIPLE.fullmatch(node.name.strip("_"))]
    assert [node.name for node in lone if not is_value(node)] == []


def values_named() -> Iterator[str]:
    """The names of variables, parameters, fields and properties, without the marks of privacy."""
    for node in NODES:
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr).strip("_")
        elif isinstance(node, ast.arg):
            yield node.arg.strip("_")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name.strip("_")


def test_no_value_is_named_by_how_it_was_learnt() -> None:
    """A value has the noun of what it is: `answer` or `marker`, not what was asked or seen."""
    assert LEARNT & set(values_named()) == set()


def test_no_two_public_classes_share_a_name() -> None:
    """Who searches for the name of a class finds one class."""
    assert [name for name, n in CLASSES.items() if n > 1 and not name.startswith("_")] == []


def test_the_glossary_names_classes_that_exist() -> None:
    """The words of the glossary are those of the code."""
    rows = re.findall(
        r"^\|[^|`]+\|([^|]*`[^|]*)\|", (ROOT / "docs/glossary.md").read_text("utf-8"), re.M
    )
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(names) > 30
    assert [name for name in names if name not in CLASSES] == []


OF_TYPES = re.compile(
    "|".join({"AWS::Serverless", *(one.rpartition("::")[0] + "::" for one in CATALOGUE)})
    + r"|\b(s3|dynamodb|ecr|cognito|buckets?)\b",
    re.IGNORECASE,
)
SPEAKING_OF_TYPES = (
    "kinds/", "embedded/", "cli/",
    # What services say over the wire, and how they differ there.
    "aws/", "http/", "wire/",
    # One file for each construct.
    "cdk/bucket.py", "cdk/table.py", "cdk/repository.py", "cdk/user_pool.py",
    "cdk/log_group.py", "cdk/secret.py", "cdk/queue.py", "cdk/stream.py", "cdk/key.py",
    # Where services leave what other services read, whichever type is carried.
    "core/engines/work_bucket.py",
    "cdk/database.py", "cdk/domain.py", "cdk/file_system.py",
    # What the serverless model calls a nested stack, for which there is no card.
    "core/nested_application.py",
    # Examples of what a run prints.
    "core/guide.py",
    # Where the code and the results of workers lie, whatever they copy.
    "core/engines/map_card.py", "ops/map_engine/",
)  # fmt: skip


def texts_of(path: Path) -> Iterator[str]:
    """Every text in a file but its docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield str(node.value)


def test_nothing_is_known_of_a_type_outside_of_its_card() -> None:
    """No text outside of the kinds and the constructs names a resource type or its service."""
    places = {path.relative_to(ROOT / "src/dataware").as_posix(): path for path in SOURCES}
    others = {one: path for one, path in places.items() if not one.startswith(SPEAKING_OF_TYPES)}
    assert len(others) > 100
    # The counters of a verification are called buckets where they are written down.
    assert {
        one: text
        for one, path in others.items()
        for text in texts_of(path)
        if OF_TYPES.search(text) and text != "buckets"
    } == {}


def test_generated_pages_are_fresh() -> None:
    """Generated pages are what the decision table, the cards and the events say now."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "scripts/generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, page in generate.PAGES.items():
        written = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert written == page(), f"docs/{name} is stale: run `make docs`"


def is_of_a_command(path: Path) -> bool:
    """Whether the docstrings of a file's functions are help texts."""
    return path.parent.name in {"commands", "fleet"} and "cli" in path.parts


def sentences_of(path: Path) -> Iterator[str]:
    """Every text in a file that a person may read: with the docstrings of commands."""
    yield from texts_of(path)
    if is_of_a_command(path):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                yield ast.get_docstring(node) or ""


def test_no_sentence_has_a_banned_phrase() -> None:
    """People read plain words: the glossary lists phrases that have a plain one instead."""
    banned = re.compile("|".join(rf"\b{phrase}\b" for phrase in BANNED), re.IGNORECASE)
    assert {
        f"{path.relative_to(ROOT)}: {text}"
        for path in SOURCES
        if path.name != "glossary.py"
        for text in sentences_of(path)
        if banned.search(text)
    } == set()


MEASURED = {"benchmarks.md", "fidelity.md", "first-runs.md"}
"""Pages that a run writes, with what other programs print; the glossary names banned phrases."""


def test_no_page_has_a_banned_phrase() -> None:
    """The pages keep to the plain words of the sentences; decisions keep those of their day."""
    banned = re.compile("|".join(rf"\b{phrase}\b" for phrase in BANNED), re.IGNORECASE)
    docs = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/how-to").glob("*.md"), ROOT / "README.md"]
    pages = [page for page in docs if page.name not in {*MEASURED, "glossary.md"}]
    assert len(pages) > 30
    assert {
        f"{page.relative_to(ROOT)}: {line}"
        for page in pages
        for line in page.read_text("utf-8").splitlines()
        if banned.search(line)
    } == set()


def test_no_name_has_a_banned_word() -> None:
    """Functions and classes are named by the words of the field."""
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names = {node.name for node in NODES if isinstance(node, definitions)}
    words = {name: re.findall("[a-z]+", re.sub("([A-Z])", r"_\1", name).lower()) for name in names}
    assert {name for name in names if BANNED_NAMES & set(words[name])} == set()


def test_no_test_replaces_the_clock_of_every_thread() -> None:
    """A thread that an earlier test left behind would run the replacement, too, and count in it.

    Whoever wants a shorter wait replaces the name `time` in the one module that waits.
    """
    of_every_thread = re.compile(r'setattr\(\s*(?:"[\w.]*\btime\.\w+"|(?:\w+\.)*time,\s*")')
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert len(tests) > 300
    assert {
        str(path.relative_to(ROOT))
        for path in tests
        if of_every_thread.search(path.read_text("utf-8"))
    } == set()
