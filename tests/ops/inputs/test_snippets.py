"""What `init` writes is read back as what was described, in every format."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dataware.ops.inputs.snippets import (
    Declaration,
    SnippetFormat,
    toml_value,
    write_declarations,
)

PROPERTIES: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "é\"'\\", "KeyType": "HASH"}],
    "DeletionProtectionEnabled": True,
    "Tags": [{"Key": "team: a", "Value": "on"}, {"Key": "{{x}}", "Value": "# 1"}],
    "ProvisionedThroughput": {"ReadCapacityUnits": 5},
}
ONE = Declaration("AWS::DynamoDB::Table", "2-new.prod", "TableName", PROPERTIES, ("new",), ("x",))
TWO = Declaration("AWS::S3::Bucket", "uploads", "BucketName", {})

SCALARS = st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_any_value_is_read_back_from_toml(value: Any) -> None:
    """Also control characters, quotes, and keys that are no bare keys."""
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_a_toml_file_declares_what_was_described() -> None:
    """The older name is the fallback, and what is not declared stands as a comment."""
    text = write_declarations(SnippetFormat.TOML, [ONE, TWO])
    first, second = tomllib.loads(text)["resource"]
    assert (first["preferred"], first["fallback"]) == ("2-new.prod", ["new"])
    assert first["properties"] == PROPERTIES
    assert "fallback" not in second
    assert "# Not declared: x" in text.splitlines()


def test_a_template_opts_in_and_retains() -> None:
    """The properties hold the name, under a logical id of letters and digits."""
    found = yaml.safe_load(write_declarations(SnippetFormat.CFN, [ONE, TWO]))["Resources"]
    assert list(found) == ["Resource2NewProd", "Uploads"]
    one = found["Resource2NewProd"]
    assert one["Properties"] == {"TableName": "2-new.prod", **PROPERTIES}
    assert one["Metadata"] == {"Dataware": {"Fallback": ["new"]}}
    assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_python_lines_are_a_program_with_these_properties() -> None:
    """A literal dictionary, word for word."""
    tree = ast.parse(write_declarations(SnippetFormat.CDK_PY, [ONE]))
    (made,) = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    assert isinstance(made.value, ast.Call)
    words = {one.arg: ast.literal_eval(one.value) for one in made.value.keywords}
    assert words["properties"] == {"TableName": "2-new.prod", **PROPERTIES}


def test_typescript_lines_hold_these_properties_as_json() -> None:
    """JSON is JavaScript; the rest are calls of CDK's base construct."""
    text = write_declarations(SnippetFormat.CDK_TS, [ONE])
    found = re.search(r"properties: (\{.*?\n  \}),\n", text, re.DOTALL)
    assert found
    assert json.loads(found[1]) == {"TableName": "2-new.prod", **PROPERTIES}
    assert 'const resource2NewProd = new CfnResource(this, "Resource2NewProd", {' in text


@pytest.mark.parametrize("form", SnippetFormat)
def test_what_is_not_carried_is_said_in_every_format(form: SnippetFormat) -> None:
    """People read it where they go on with the lines."""
    assert "Not declared: x" in write_declarations(form, [ONE])
