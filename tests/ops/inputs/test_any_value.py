"""Any value of a template may be a function, or of a kind that nobody expects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.core.model import Content, Existence, Facts, Wanted, absent
from dataware.core.rules import decide
from dataware.kinds import kinds, load
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.wanted import App
from support.shapes import (
    DATE,
    FUNCTIONS,
    INDEXED,
    JUNK,
    LOOPED,
    SHAPES,
    Node,
    nodes_of,
    replaced,
)

KINDS = {kind.cfn_type: kind for kind in kinds()}
ID = "id (S)"


def app_of(document: Any, path: Path) -> App:
    """The app in a template file."""
    path.write_text(json.dumps(document))
    return load_app(path, kinds=KINDS, stack="App", guarding=True)


def decided(wanted: Wanted) -> str:
    """All that is said of a resource whose fallback has data, as text."""
    kind = load(wanted.type)
    schema = kind.template.declared_schema(wanted.properties)
    settings = [one.label for one in kind.template.declared_settings(wanted.properties).values()]
    fallbacks = [
        Facts(name, Existence.EXISTS, Content.DATA, schema=ID if "Dynamo" in wanted.type else "")
        for name in wanted.fallbacks
    ]
    decision = decide(wanted, schema, absent(wanted.preferred), fallbacks)
    return f"{wanted.preferred} {wanted.fallbacks} {schema} {settings} {decision.reason}"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("junk", JUNK)
def test_a_template_is_read_or_refused_in_a_sentence(shape: str, junk: str, tmp_path: Path) -> None:
    """Wherever it stands, it ends in no traceback, and no function is taken for a literal."""
    path = tmp_path / "t.json"
    for node in nodes_of(SHAPES[shape]):
        try:
            app = app_of(replaced(SHAPES[shape], node, JUNK[junk]), path)
        except InputError as error:
            said = str(error)
        else:
            said = " ".join([*app.unseen, *map(decided, app.wanted)])
        assert "\n" not in said, (node, said)
        assert "{'" not in said, (node, said)
        assert "AttributeType" not in said or "AttributeType cannot be" in said, (node, said)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_opts_in_is_never_lost_sight_of(shape: str, function: str, tmp_path: Path) -> None:
    """A function in the place of any node leaves every resource planned, refused or told of."""
    path = tmp_path / "t.json"
    whole = {one.logical_id for one in app_of(SHAPES[shape], path).wanted}
    for node in nodes_of(SHAPES[shape]):
        try:
            app = app_of(replaced(SHAPES[shape], node, FUNCTIONS[function]), path)
        except InputError:
            continue
        seen = {one.logical_id for one in app.wanted}
        assert seen == whole or app.unseen or app.notes or _is_a_name(node), node


UNKNOWN: list[Any] = [
    {"Fn::Cidr": ["10.0.0.0/8", 2, 8]},
    {"Fn::GetAZs": ""},
    {"Fn::NobodyKnows": {"a": ["b"]}},
    {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}},
    {"a": 1, "Fn::Transform": {"Name": "Mine"}},
    {"Fn::ForEach::X": ["Y", {"Ref": "Nowhere"}, {"A${Y}": "b"}]},
    {"Ref": "Nowhere"},
    {"Fn::GetAtt": ["Nowhere", "Name"]},
    {"Fn::ImportValue": "gone"},
    {"Fn::FindInMap": ["No", "Such", "Key"]},
    {"Fn::If": ["NoSuch", "a", "b"]},
    {"Fn::Join": ["-", ["a", {"Ref": "AWS::StackId"}]]},
    {"Fn::Select": [3, {"Fn::Split": ["-", "a-b"]}]},
    {"Fn::Sub": ["${A}-x", {"A": {"Fn::GetAtt": ["Nowhere", "Arn"]}}]},
    "{{resolve:secretsmanager:x:SecretString:y}}",
    "a-{{resolve:ssm-secure:/x:1}}",
]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(list(SHAPES)),
    st.sampled_from(UNKNOWN),
    st.floats(0, 1, exclude_max=True),
)
def test_what_nobody_can_know_is_never_passed_over_in_silence(
    tmp_path: Path, shape: str, unknown: Any, share: float
) -> None:
    """Wherever it stands: planned, refused, or told of; and nowhere taken for a literal."""
    path, nodes = tmp_path / "t.json", list(nodes_of(SHAPES[shape]))
    whole = {one.logical_id for one in app_of(SHAPES[shape], path).wanted}
    node = nodes[int(share * len(nodes))]
    try:
        app = app_of(replaced(SHAPES[shape], node, unknown), path)
    except InputError as error:
        assert "{'" not in str(error)
        return
    seen = {one.logical_id for one in app.wanted}
    assert seen >= whole or app.unseen or app.notes or _is_a_name(node)
    assert "{'" not in " ".join([*app.unseen, *map(decided, app.wanted)])


def _is_a_name(node: Node) -> bool:
    """Whether a text is resolved before it is looked at, because a loop writes it."""
    return "Fn::ForEach::Tables" in node


MANIFEST: Any = {
    "version": "48.0.0",
    "artifacts": {
        "A": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/eu-west-1",
            "displayName": "A",
            "dependencies": ["A.assets"],
            "properties": {"templateFile": "a.json", "stackName": "a"},
            "metadata": {
                "/A": [
                    {
                        "type": "dataware:wanted",
                        "data": {
                            "LogicalId": "Referred",
                            "Resource": {
                                "Type": "AWS::S3::Bucket",
                                "Properties": {"BucketName": "referred-prod"},
                                "Metadata": {"Dataware": {"Fallback": ["referred"]}},
                            },
                        },
                    }
                ]
            },
        },
        "A.assets": {"type": "cdk:asset-manifest", "properties": {"file": "A.assets.json"}},
        "S": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "s"}},
    },
}


@pytest.mark.parametrize("junk", JUNK)
def test_a_manifest_is_read_or_refused_in_a_sentence(junk: str, tmp_path: Path) -> None:
    """Whatever stands in an assembly, it ends in no traceback."""
    (tmp_path / "a.json").write_text(json.dumps(SHAPES["a bucket with settings"]))
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "manifest.json").write_text('{"artifacts": {}}')
    for node in nodes_of(MANIFEST):
        document = replaced(MANIFEST, node, JUNK[junk])
        (tmp_path / "manifest.json").write_text(json.dumps(document))
        try:
            load_app(tmp_path, kinds=KINDS, guarding=True)
        except InputError as error:
            assert "\n" not in str(error), node
            assert "{'" not in str(error), node


TOML: Any = {
    "resource": [
        {
            "type": "AWS::DynamoDB::Table",
            "preferred": "Orders-prod",
            "fallback": ["Orders"],
            "id": "orders",
            "stack": "App",
            "logical_id": "Orders",
            "on_error": "stop",
            "properties": INDEXED["Resources"]["Orders"]["Properties"],
        }
    ]
}


@pytest.mark.parametrize("junk", JUNK | DATE)
def test_a_toml_file_is_read_or_refused_in_a_sentence(
    junk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TOML has dates and tables in every place, and no functions: they are never names."""
    path = tmp_path / "dataware.toml"
    path.write_text("[[resource]]")
    for node in nodes_of(TOML):
        document = replaced(TOML, node, (JUNK | DATE)[junk])
        if not isinstance(document, dict):
            continue
        monkeypatch.setattr("tomllib.loads", lambda _text, found=document: found)
        try:
            said = " ".join(map(decided, load_app(path, kinds=KINDS).wanted))
        except InputError as error:
            said = str(error)
        assert "\n" not in said, node
        assert "{'" not in said, node


def test_loops_over_literal_lists_are_written_out(tmp_path: Path) -> None:
    """Names, fallbacks and logical ids are those that CloudFormation comes to."""
    app = app_of(LOOPED, tmp_path / "t.json")
    assert [(one.logical_id, one.preferred, one.fallbacks) for one in app.wanted] == [
        ("TableRed", "Table-Red", ("OldRed",)),
        ("TableBlue", "Table-Blue", ("OldBlue",)),
        ("Visits", "Visits-prod", ("Visits",)),
    ]
    assert not app.unseen


def test_a_simple_table_is_the_table_that_sam_makes_of_it(tmp_path: Path) -> None:
    """Its key defaults to `id`, and it is paid for by request unless it says a throughput."""
    visits = app_of(LOOPED, tmp_path / "t.json").wanted[-1]
    assert (visits.type, visits.properties["BillingMode"]) == (
        "AWS::DynamoDB::Table",
        "PAY_PER_REQUEST",
    )
    assert load(visits.type).template.declared_schema(visits.properties) == ID
    properties = {"TableName": "vvv", "ProvisionedThroughput": {"ReadCapacityUnits": 1}}
    plain = replaced(LOOPED, ("Resources", "Visits", "Properties"), properties)
    table = app_of(plain, tmp_path / "t.json").wanted[-1]
    assert load(table.type).template.declared_schema(table.properties) == ID
    assert "BillingMode" not in table.properties


def test_a_loop_over_what_is_not_literal_is_told_of(tmp_path: Path) -> None:
    """It may declare anything."""
    loop = replaced(LOOPED, ("Resources", "Fn::ForEach::Tables", 1), {"Ref": "Names"})
    app = app_of(loop, tmp_path / "t.json")
    assert [one.preferred for one in app.wanted] == ["Visits-prod"]
    (text,) = app.unseen
    assert "Fn::ForEach::Tables is not inspected, because its list is not known" in text


@pytest.mark.parametrize(
    ("transform", "told"),
    [
        ("AWS::Serverless-2016-10-31", []),
        (["AWS::LanguageExtensions", "AWS::SecretsManager-2024-09-16"], []),
        ("Mine", ["Transform Mine is not inspected, because a macro may add resources"]),
        ([{"Name": "AWS::Include"}], ["Transform AWS::Include is not inspected"]),
        ({"Ref": "X"}, ["Transform of a computed name is not inspected"]),
    ],
)
def test_a_macro_that_may_add_anything_is_told_of(
    transform: Any, told: list[str], tmp_path: Path
) -> None:
    """The transforms of AWS that add no resource with data are known."""
    for key in ("Transform", "Fn::Transform"):
        document = {**SHAPES["a table with indexes"], key: transform}
        unseen = app_of(document, tmp_path / "t.json").unseen
        assert len(unseen) == len(told)
        assert all(says in text for says, text in zip(told, unseen, strict=True))


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (("Properties", "TableName"), 2024, "not the number 2024: put it in quotes"),
        (("Properties", "TableName"), {"Ref": "N"}, r"a function gives \(Ref: N\), whose value is"),
        (("Properties",), {"Fn::Transform": {}}, r"what a function gives \(Fn::Transform\)"),
        (
            ("Metadata", "Dataware", "Fallback"),
            [{"Fn::Cidr": "x"}],
            r"\(Fn::Cidr\), whose value is unknown: .*: write it",
        ),
        (("Metadata",), {"Ref": "X"}, r"Metadata is what a function gives \(Ref: X\)"),
        (("Metadata", "Dataware"), {"Ref": "X"}, r"Dataware is what a function gives \(Ref: X\)"),
        (("Type",), {"Ref": "X"}, r"Type must be a string, not what a function gives \(Ref: X"),
    ],
)
def test_the_sentence_names_the_function_and_the_way_on(
    at: Node, value: Any, says: str, tmp_path: Path
) -> None:
    """No value is shown in the words of Python."""
    shape = SHAPES["a table with indexes"]
    with pytest.raises(InputError, match=says):
        app_of(replaced(shape, ("Resources", "Orders", *at), value), tmp_path / "t.json")
