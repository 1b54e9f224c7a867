"""Files that want to be read for ever, or that hold what nobody expects: one sentence."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from dataware.core.errors import InputError
from dataware.kinds import kinds
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.files import is_plan, read_plan, save_lock
from dataware.ops.inputs.template import parse_template
from dataware.ops.inputs.undeclared_resources import referred_resources
from dataware.ops.inputs.yaml_forms import parse_yaml
from support.plans import migration, plan_of

KINDS = {kind.cfn_type: kind for kind in kinds()}


def bomb(levels: int) -> str:
    """Lists of ten aliases each, one inside of the other, in the tags of a bucket."""
    lines = ["Mappings:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(f"  a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    tags = f"Properties: {{BucketName: new-uploads, Tags: *a{levels - 1}}}"
    opted = "Metadata: {Dataware: {Fallback: [old-uploads]}}"
    lines += ["Resources:", "  Box:", "    Type: AWS::S3::Bucket", f"    {opted}", f"    {tags}"]
    return "\n".join(lines)


MERGED = "a: &a {k: v}\n" + "".join(
    f"{new}: &{new} {{k{new}: {{<<: [{', '.join([f'*{old}'] * 10)}]}}, l{new}: *{old}}}\n"
    for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (bomb(9), "its aliases come to more than"),
        (MERGED, "its aliases come to more than"),
        ("a: &a [*a]", "an alias refers to itself"),
        ("[" * 5_000, "levels deep"),
        ("".join(" " * n + "a:\n" for n in range(150)), "levels deep"),
        ("a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60, "levels deep"),
        ("a: !!timestamp 2024-01-01", "!!timestamp has no meaning"),
        ("a: !!binary aGk=", "!!binary has no meaning"),
        ("a: !!int x", "the value is no int"),
        ("a: !!bool x", "the value is no bool"),
        ("? [a, b]\n: c", "line 1: a key must be text"),
        ("Resources:\n  A: {{ name }}", "line 2: a key must be text.*render it first"),
        ("{% if x %}\na: b", "render it first"),
        ("!Sub x: y", "a key must be text"),
        ("a: b\na: c", "line 2: key a is given twice"),
    ],
)
def test_a_yaml_file_is_bounded(text: str, says: str, tmp_path: Path) -> None:
    """It is told at once, in one line, with the file."""
    path = tmp_path / "t.yaml"
    path.write_text(text)
    begun = time.monotonic()
    with pytest.raises(InputError, match=says) as raised:
        parse_template(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)
    assert time.monotonic() - begun < 20


def test_aliases_that_are_meant_are_understood() -> None:
    """The tools in front of CloudFormation write them out; a merge gives way to its own keys."""
    text = "base: &b {a: 1, c: 2}\none: {<<: *b, a: 3}\ntwo: [*b, !Sub {<<: *b, a: 4}, *b]\n1: y"
    assert parse_yaml(text) == {
        "base": {"a": 1, "c": 2},
        "one": {"a": 3, "c": 2},
        "two": [{"a": 1, "c": 2}, {"Fn::Sub": {"a": 4, "c": 2}}, {"a": 1, "c": 2}],
        "1": "y",
    }


DEEP = "[" * 100_000 + "]" * 100_000
NESTED = '{"version": 1, "resources": ' + "[" * 150 + "]" * 150 + "}"
LATIN = "é".encode("latin-1")


@pytest.mark.parametrize("name", ["t.json", "t.yaml", "dataware.toml", "asm", "plan.json"])
@pytest.mark.parametrize("content", [DEEP.encode(), NESTED.encode(), LATIN, b'{"a": 1e999, "b": '])
def test_no_file_is_a_traceback(name: str, content: bytes, tmp_path: Path) -> None:
    """Nested without end, not in UTF-8, torn off: one sentence that names the file."""
    path = tmp_path / name
    if name == "asm":
        path.mkdir()
        (path / "manifest.json").write_bytes(content)
    else:
        path.write_bytes(b"a = " + content if name.endswith("toml") else content)
    with pytest.raises(InputError, match=name) as raised:
        read_plan(path) if name == "plan.json" else load_app(path, kinds=KINDS)
    assert "\n" not in str(raised.value)
    assert not is_plan(path) or content == NESTED.encode()


def test_metadata_and_lock_files_are_read_as_carefully(tmp_path: Path) -> None:
    """They are input like any other."""
    (tmp_path / "more.json").write_text(DEEP)
    with pytest.raises(InputError, match=r"more\.json cannot be read.*levels deep"):
        referred_resources(tmp_path, {"additionalMetadataFile": "more.json"})
    (tmp_path / "lock.json").write_text(DEEP)
    with pytest.raises(InputError, match=r"lock\.json is nested"):
        save_lock(plan_of(migration()), tmp_path / "lock.json")


@pytest.mark.parametrize("name", ["t.json", "t.yaml", "dataware.toml", "plan.json"])
def test_a_pipe_or_a_folder_is_no_file(name: str, tmp_path: Path) -> None:
    """A pipe without a writer would be waited for without end."""
    pipe = tmp_path / name
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="not a regular file"):
        read_plan(pipe) if name == "plan.json" else load_app(pipe, kinds=KINDS)
    assert not is_plan(pipe)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match="is a folder"):
        read_plan(folder)


def test_what_the_shell_hands_on_is_read() -> None:
    """`dataware plan <(render t.yaml)` names a pipe that can be read once."""
    reading, writing = os.pipe()
    os.write(writing, b"Resources: {A: {Type: 'AWS::SNS::Topic'}}")
    os.close(writing)
    try:
        path = Path(f"/dev/fd/{reading}")
        app = load_app(path, kinds=KINDS, stack="App", guarding=True)
        assert set(app.stacks[0].resources) == {"A"}
    finally:
        os.close(reading)


@pytest.mark.parametrize("value", ["2024-01-01", "10:00:00", "2024-01-01T10:00:00Z", "inf", "nan"])
@pytest.mark.parametrize("field", ["id", "resource.properties.A", "preferred"])
def test_a_date_in_toml_is_told_of(field: str, value: str, tmp_path: Path) -> None:
    """TOML has dates, and no file that is written later has."""
    fields = {"type": '"AWS::S3::Bucket"', "preferred": '"new-uploads"'}
    table, _, name = field.rpartition(".")
    head = [f"{one} = {text}" for one, text in fields.items() if one != name]
    section = [f"[{table}]"] if table else []
    path = tmp_path / "dataware.toml"
    path.write_text("\n".join(["[[resource]]", *head, *section, f"{name} = {value}"]))
    with pytest.raises(InputError, match="put it in quotes"):
        load_app(path, kinds=KINDS)


def test_a_file_of_the_serverless_framework_is_known(tmp_path: Path) -> None:
    """It is no template, but it becomes one."""
    path = tmp_path / "serverless.yml"
    path.write_text("service: web\nprovider: {name: aws}\nresources: {Resources: {}}\n")
    with pytest.raises(
        InputError, match=r"serverless package.*cloudformation-template-update-stack"
    ):
        load_app(path, kinds=KINDS)


def test_json_in_a_yaml_file_and_yaml_that_begins_with_a_brace(tmp_path: Path) -> None:
    """What CloudFormation takes is taken, whatever the file is called."""
    path = tmp_path / "t.yaml"
    path.write_text('{\n\t"Resources": {"A": {}}}')
    assert parse_template(path) == {"Resources": {"A": {}}}
    path.write_text("{Resources: {A: !Ref B}}")
    assert parse_template(path) == {"Resources": {"A": {"Ref": "B"}}}


def test_a_template_that_nests_itself_ends(tmp_path: Path) -> None:
    """The file of a nested stack may be any file."""
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "t.json"}}
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"Resources": {"Inner": nested}}))
    app = load_app(path, kinds=KINDS, stack="App", guarding=True)
    assert app.stacks[0].nested == {}
