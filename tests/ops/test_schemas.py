"""The JSON Schemas say what the readers take and what the writers write, in both directions."""

from __future__ import annotations

import io
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import InputError
from dataware.core.events import MESSAGES, Level, event
from dataware.core.lock_file import lock_entries
from dataware.core.model import Action, ImportMode
from dataware.core.plan import Plan
from dataware.kinds import kinds
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.files import save_lock, save_plan
from dataware.ops.inputs.wanted import Overrides
from dataware.ops.schemas import NAMES, schema_of, schema_text
from dataware.report.jsonlines import JsonRenderer
from support.cli import run
from support.plans import PRICES, migration, one, plan_of, threat, warned

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^ *```(toml|json)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    (f"{page.relative_to(ROOT)} {number}", language, text)
    for page in PAGES
    for number, (language, text) in enumerate(FENCE.findall(page.read_text("utf-8")), 1)
]
TOML = [
    *((name, text) for name, lang, text in BLOCKS if lang == "toml" and "[[resource]]" in text),
    *(
        (str(path.relative_to(ROOT)), path.read_text("utf-8"))
        for path in sorted((ROOT / "examples").rglob("dataware.toml"))
    ),
]
JSON = [(name, json.loads(text)) for name, lang, text in BLOCKS if lang == "json"]
KINDS = {kind.cfn_type: kind for kind in kinds()}
TABLE = '[[resource]]\ntype = "AWS::S3::Bucket"\npreferred = "spaceport"\n'

WRONG = [
    "x = 1",
    "resource = []",
    '[app]\nzone = "a"\n' + TABLE,
    '[app]\naccount = "12"\n' + TABLE,
    TABLE.replace("preferred", "prefered"),
    TABLE.replace("S3::Bucket", "Redshift::Cluster"),
    TABLE + 'fallback = ["one-name", 2]',
    TABLE + 'fallback = ["one-name", "one-name"]',
    TABLE + 'on_error = "maybe"',
    TABLE + 'on_fallback_data = "copy"',
    TABLE + 'import = "take"',
    TABLE + 'stack = "Alone"',
    TABLE + "properties = 1",
    TABLE + 'id = ""',
]


@cache
def validator(name: str) -> Any:
    """What checks a document against one of the schemas."""
    from jsonschema import Draft202012Validator

    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(name: str, document: object) -> list[str]:
    """What a schema finds wrong in a document."""
    return [error.message for error in validator(name).iter_errors(document)]


def whole_plan() -> Plan:
    """A plan with every part that a plan can have."""
    stop = one(Action.STOP, "held-up")
    kept = one(Action.KEEP, "kept", import_mode=ImportMode.REFERENCE)
    rows = (migration(), warned(), stop, kept)
    return plan_of(*rows, warnings=("two claim one",), guard=(threat(),), prices=PRICES)


def test_the_schemas_are_schemas_and_the_command_prints_them() -> None:
    """Each is valid under its own draft, is committed, and is what `dataware schema` prints."""
    for name in NAMES:
        validator(name)
        assert run("schema", name).out == schema_text(name)
        assert (ROOT / f"docs/schema/{name}.json").read_text("utf-8") == schema_text(name)


@pytest.mark.parametrize(("name", "text"), TOML, ids=[name for name, _ in TOML])
def test_every_toml_of_the_documents_and_examples_fits(name: str, text: str) -> None:
    """An editor underlines nothing in what the pages show."""
    assert problems("toml", tomllib.loads(text)) == [], name


@pytest.mark.parametrize("text", WRONG)
def test_what_the_reader_refuses_the_schema_refuses(text: str, tmp_path: Path) -> None:
    """A mistake is underlined in the editor before a command tells of it."""
    path = tmp_path / "dataware.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        load_app(path, kinds=KINDS, overrides=Overrides())
    assert problems("toml", tomllib.loads(text))


def test_every_document_of_the_pages_fits() -> None:
    """The plan, the lock file and the events that pages show are as the schemas say."""
    checked = set()
    for name, document in JSON:
        fitting = [
            schema
            for schema, field in (("plan", "resources"), ("lock", "environments"))
            if isinstance(document, dict) and "version" in document and field in document
        ]
        for schema in fitting:
            assert problems(schema, document) == [], name
        checked |= set(fitting)
    assert checked == {"plan", "lock"}


def test_what_is_written_fits(tmp_path: Path) -> None:
    """A whole plan and its lock file; a plan that lacks a field or has another word does not."""
    plan, path, lock = whole_plan(), tmp_path / "plan.json", tmp_path / "lock.json"
    save_plan(plan, path)
    save_lock(plan, lock)
    document = json.loads(path.read_text("utf-8"))
    assert problems("plan", document) == []
    assert problems("lock", json.loads(lock.read_text("utf-8"))) == []
    assert lock_entries(plan)
    for spoil in ({"action": "perhaps"}, {"rule": "3"}, {"preferred": None}):
        resources = [document["resources"][0] | spoil]
        spoiled = document | {"resources": resources}
        assert problems("plan", spoiled)
        with pytest.raises(InputError):
            Plan.from_json(spoiled)


def test_every_event_fits() -> None:
    """What `--format json` writes of each event; one that lacks a field does not fit."""
    stream = io.StringIO()
    with JsonRenderer(stream) as render:
        for message in MESSAGES.values():
            render(event(message.code, **{**dict.fromkeys(message.fields, 1), "unit": "item"}))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    sampled = {Level.DETAIL, Level.PROGRESS}
    always = {message.code for message in MESSAGES.values() if message.level not in sampled}
    assert {line["code"] for line in lines} >= always
    for line in lines:
        assert problems("events", line) == []
    (stopped,) = [line for line in lines if line["code"] == "stopped"]
    assert problems("events", stopped | {"data": {}})
    assert problems("events", stopped | {"level": "info"})
