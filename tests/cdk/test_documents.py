"""The Python of the documentation that declares something in CDK is synthesized."""

from __future__ import annotations

import inspect
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

import dataware.cdk
from cdk.apps import KEY, make_stack, resources
from test_docs import ROOT, Block, blocks

NO_CDK = {"tutorial.md", "embedded.md"}
"""Pages whose Python is run by tests/docs instead."""

SNIPPETS = [block for block in blocks("python") if block.page.name not in NO_CDK]


def surroundings(stack: cdk.Stack) -> dict[str, Any]:
    """The names that a piece of a page takes for granted."""
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    runtime = lambda_.Runtime.PYTHON_3_13
    return {
        "self": stack,
        "stack": stack,
        "stage": "prod",
        "env": "prod",
        "key": KEY,
        "dynamodb": dynamodb,
        "s3": s3,
        "Stack": cdk.Stack,
        "table": dynamodb.Table(stack, "Known", table_name="known", partition_key=KEY),
        "function": lambda_.Function(
            stack, "Function", runtime=runtime, handler="index.handler", code=code
        ),
        **{name: getattr(dataware.cdk, name) for name in dataware.cdk.__all__},
    }


def own_stacks(names: dict[str, Any]) -> list[cdk.Stack]:
    """Stacks of the classes that a piece declares."""
    classes = [
        value
        for value in names.values()
        if inspect.isclass(value) and issubclass(value, cdk.Stack) and value is not cdk.Stack
    ]
    return [
        each(cdk.App(), "Declared", **({"stage": "prod"} if takes_stage(each) else {}))
        for each in classes
    ]


def takes_stage(stack: type[cdk.Stack]) -> bool:
    """Whether the stack wants to know its stage."""
    return "stage" in inspect.signature(stack.__init__).parameters


@pytest.mark.parametrize("block", SNIPPETS, ids=str)
def test_every_snippet_of_cdk_is_synthesized(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    """CDK and the constructs take what a page shows, and a template tells of it."""
    monkeypatch.setenv("DATAWARE_LOOKUP", "collect")
    stack, unchanged = make_stack(), make_stack()
    names, _ = surroundings(stack), surroundings(unchanged)
    exec(compile(block.text, str(block), "exec"), names)
    if own := own_stacks(names):
        assert all(resources(each) for each in own)
    elif "app" not in names:
        assert resources(stack) != resources(unchanged)


def test_there_are_snippets() -> None:
    """The pages show a good number of them."""
    assert len(SNIPPETS) >= 8


def test_the_page_of_the_api_lists_every_construct_and_every_helper() -> None:
    """What may be imported is on the page, and what is on the page may be imported."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    classes = re.findall(r"autoclass:: dataware\.cdk\.(\w+)", page)
    assert sorted(classes) == sorted(dataware.cdk.__all__)
    helpers = [name for name in vars(dataware.cdk.DataAware) if name.startswith("get_")]
    assert sorted(re.findall(r"automethod:: (\w+)", page)) == sorted(helpers)
