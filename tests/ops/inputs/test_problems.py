"""All that is wrong with a file is told with its line, and nothing that is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import InputError
from dataware.kinds import kinds_by_type
from dataware.ops.inputs.lines import line_in_template, line_in_toml
from dataware.ops.inputs.problems import FileProblem, check_file
from support.assemblies import assembly, opted_in
from support.cli import KEYED_BY_PK, TABLE, toml_resource

KINDS = kinds_by_type()
ROOT = Path(__file__).resolve().parents[3]

BAD_TOML = """\
# what the stack wants
[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "Waitlist-prod"
fallbak = ["Waitlist"]
[resource.properties]
BillingMode = "PAYPERREQUEST"
AttributeDefinitions = [{ AttributeName = "email", AttributeType = "S" }]
KeySchema = [{ AttributeName = "mail", KeyType = "HASH" }]

[[resource]]
type = "AWS::Redshift::Cluster"
preferred = "db"

[[ resource ]]
type = "AWS::DynamoDB::Table"
preferred = "Orders"
on_error = "stopp"
"""

BAD_TEMPLATE: dict[str, Any] = {
    "Description": "an app",
    "Outputs": {"Waitlist": {"Value": "not this one"}},
    "Resources": {
        "Other": {"Type": "AWS::SNS::Topic", "Properties": {"BillingMode": "is not looked at"}},
        "Waitlist": {
            "Type": TABLE,
            "Metadata": {"Dataware": {"Fallback": ["Waitlist"]}},
            "Properties": {
                "TableName": "Waitlist-prod",
                "KeySchema": [{"AttributeName": "mail", "KeyType": "HSH"}],
                "BillingMode": "PAYPERREQUEST",
            },
        },
        "Uploads": {
            "Type": "AWS::S3::Bucket",
            "Metadata": {"Dataware": {"Falback": ["uploads"]}},
            "Properties": {"BucketName": "uploads-prod"},
        },
    },
}


def problems(path: Path) -> list[FileProblem]:
    """What is wrong with a file."""
    return list(check_file(path, KINDS).problems)


def written(path: Path, text: str) -> Path:
    """A file with a text."""
    path.write_text(text, encoding="utf-8")
    return path


def test_a_toml_file_is_read_to_its_end(tmp_path: Path) -> None:
    """Each problem of each resource has the line of the field that it is about."""
    path = written(tmp_path / "dataware.toml", BAD_TOML)
    found = problems(path)
    assert {one.file for one in found} == {str(path)}
    assert [(one.line, one.text.partition(",")[0]) for one in found] == [
        (5, "Waitlist-prod: unknown field fallbak"),
        (7, "Waitlist-prod: BillingMode cannot be PAYPERREQUEST"),
        (
            8,
            "Waitlist-prod: AttributeDefinitions defines email",
        ),
        (9, "Waitlist-prod: KeySchema names the attribute mail"),
        (12, "db: type AWS::Redshift::Cluster is unknown to dataware"),
        (15, "Orders: KeySchema is missing"),
        (15, "Orders: AttributeDefinitions is missing"),
        (15, "Orders: BillingMode is PROVISIONED by default: add ProvisionedThroughput"),
        (18, "Orders: on_error cannot be stopp"),
    ]


def test_only_some_resources_are_told_of(tmp_path: Path) -> None:
    """By any of their names; a name that no resource has is an error."""
    checked = check_file(written(tmp_path / "dataware.toml", BAD_TOML), KINDS)
    assert {one.text.partition(":")[0] for one in checked.only(["db", "Orders"]).problems} == {
        "db",
        "Orders",
    }
    template = written(tmp_path / "template.json", json.dumps(BAD_TEMPLATE, indent=2))
    (found,) = check_file(template, KINDS).only(["uploads-prod"]).problems
    assert found.text.startswith("Uploads: ")
    with pytest.raises(InputError, match="did you mean Orders"):
        checked.only(["Order"])


def test_an_unknown_type_lists_those_that_are_known(tmp_path: Path) -> None:
    """A database is no bucket: no other type is suggested in its place."""
    (found,) = problems(written(tmp_path / "a.toml", toml_resource("AWS::Redshift::Cluster", "db")))
    assert "did you mean" not in found.text
    assert all(cfn_type in found.text for cfn_type in KINDS)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_template_is_read_to_its_end(tmp_path: Path, form: str) -> None:
    """The line is within the resource, whatever else has the same names."""
    text = (
        json.dumps(BAD_TEMPLATE, indent=2)
        if form == "json"
        else yaml.safe_dump(BAD_TEMPLATE, sort_keys=False)
    )
    path = written(tmp_path / f"template.{form}", text)
    lines = text.splitlines()
    found = problems(path)
    assert [one.text.partition(",")[0] for one in found] == [
        "Waitlist: AttributeDefinitions is missing",
        "Waitlist: KeySchema.KeyType cannot be HSH",
        "Waitlist: BillingMode cannot be PAYPERREQUEST",
        "Uploads: Metadata.Dataware: unknown field Falback",
    ]
    words = ("Waitlist", "KeySchema", "PAYPERREQUEST", "Metadata")
    for one, word in zip(found, words, strict=True):
        assert word in lines[one.line - 1]
    resources = next(at for at, line in enumerate(lines, 1) if "Resources" in line)
    assert all(one.line > resources for one in found)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.toml", '[[resource]]\ntype = "x\n', 2),
        ("a.toml", "[[resource]]\ntype = 1979-05-27\n", 1),
        ("a.toml", "[other]\n", 1),
        ("a.json", '{\n "Resources": {,}}', 2),
        ("a.yaml", "Resources:\n  A: {\n", 3),
        ("a.yaml", "just: text\n", 1),
    ],
)
def test_what_cannot_be_parsed_is_one_problem_with_its_line(
    tmp_path: Path, name: str, text: str, line: int
) -> None:
    """The first mistake of syntax hides the others."""
    (found,) = problems(written(tmp_path / name, text))
    assert (found.line, found.text[:1].isspace()) == (line, False)


def test_what_two_resources_must_not_share_is_told(tmp_path: Path) -> None:
    """Beside the problems that each of them has alone."""
    text = toml_resource(TABLE, "same", properties=KEYED_BY_PK) * 2
    (found,) = problems(written(tmp_path / "a.toml", text))
    assert "have the same preferred name same" in found.text


def test_every_resource_that_nearly_opts_in_is_a_problem(tmp_path: Path) -> None:
    """One of them hides neither the next nor what is wrong with those that do opt in."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b-prod"}}
    resources = {
        "One": {**bucket, "Metadata": {"dataware": {}}},
        "Two": {**bucket, "Metadata": {"DataWare": {}}},
        "Three": {**bucket, "Metadata": {"Dataware": {"fallback": "b"}}},
    }
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Resources": resources}, indent=1))
    problems = check_file(path, kinds_by_type()).problems
    assert [re.split("[:,] ", problem.text)[0] for problem in problems] == [
        "resource One",
        "resource Two",
        "Three",
    ]
    assert len({problem.line for problem in problems}) == 3


def test_every_stack_of_an_assembly_is_checked(tmp_path: Path) -> None:
    """A problem names the template in the assembly."""
    bad = opted_in({"Type": TABLE, "Properties": {"TableName": "orders-prod"}}, "orders")
    good = opted_in({"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b-prod"}}, "b-old")
    assembly(tmp_path / "cdk.out", One={"Orders": bad}, Two={"Uploads": good})
    checked = check_file(tmp_path / "cdk.out", KINDS)
    assert [one.preferred for one in checked.wanted] == ["orders-prod", "b-prod"]
    assert {Path(one.file).name for one in checked.problems} == {"One.json"}
    assert len(checked.problems) == 3


@pytest.mark.parametrize("path", ["nothing.toml", "."])
def test_what_is_not_there_is_an_error(path: str, tmp_path: Path) -> None:
    """A path to nothing is no file without problems."""
    with pytest.raises(InputError):
        check_file(tmp_path / path, KINDS)


def test_the_examples_of_the_page_have_no_problem(tmp_path: Path) -> None:
    """What is shown as an example passes the check, though some leave out what is not shown."""
    page = (ROOT / "docs" / "dataware-toml.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(toml|yaml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = [(kind, text) for kind, text in blocks if re.search(r"resource|Resources", text)]
    assert {kind for kind, _ in shown} == {"toml", "yaml"}
    for at, (kind, text) in enumerate(shown):
        path = written(tmp_path / f"{at}.{kind}", text)
        assert [one for one in problems(path) if " is missing, " not in one.text] == []


@given(st.text(max_size=300), st.integers(-2, 5), st.text(max_size=30))
def test_a_line_is_always_a_line_of_the_file(text: str, position: int, complaint: str) -> None:
    """Whatever stands in the file and in the complaint."""
    count = max(1, len(text.splitlines()))
    assert 1 <= line_in_toml(text, position, complaint) <= count
    assert 1 <= line_in_template(text, complaint, complaint) <= count


def test_a_saved_plan_is_no_template(tmp_path: Path) -> None:
    """It is told what it is, as every other command tells it."""
    path = tmp_path / "plan.json"
    path.write_text('{"version": 1, "resources": []}')
    with pytest.raises(InputError, match="is a saved plan: run `dataware show"):
        check_file(path, {})
