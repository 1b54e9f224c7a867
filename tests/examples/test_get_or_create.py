"""The app that was written with get-or-create helpers: deployments in a row, in three ways.

What decides is run as people type it: the first deployment of either command. Those that follow
deploy an assembly that was synthesized in this process, because the CDK command line takes eight
seconds of CPU time for each synth. `make apps` types every one of them, beside the whole seed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dataware.embedded import EmbeddedAws
from support.cdk_cli import NEVER_ASK, Project, make_project
from support.peers import UnavailableError
from support.servers import FaultProxy, json_error
from support.spaceport import (
    CREATED,
    EXISTING,
    FILLED,
    SEVERAL_PAGES,
    SMALL,
    STACKS,
    WHOLE,
    Sizes,
    contents,
    counts,
    fill,
    moved,
    owned,
)
from support.spaceport_app import APP, synthesize
from support.worlds import client

EVERY_ONE_IS_TYPED = "SPACEPORT" in os.environ
CDK = pytest.mark.xdist_group("cdk")
CDK_BESIDE = pytest.mark.xdist_group("cdk-beside")


@dataclass
class Deployments:
    """The deployments of one project, one after the other."""

    project: Project
    assemblies: Path
    sizes: Sizes
    expected: dict[str, Any]
    ways: list[str] = field(default_factory=list)
    number: int = 0

    def run(self, way: str) -> None:
        """Deploy by `cdk` or by `dataware`, and look at the account."""
        before = owned()
        self.number += 1
        words = ["--all"]
        # The first of dataware has a way of its own: it adopts by ids before the app is decided.
        if self.ways and way in (*self.ways, "cdk") and not EVERY_ONE_IS_TYPED:
            app = self.synthesize(str(self.number), way)
            words += ["--app", app if way == "cdk" else f'cp -r {app}/. "$CDK_OUTDIR"']
        self.ways.append(way)
        deploy = self.project.cdk_deploy if way == "cdk" else self.project.dataware_deploy
        deploy(*words)
        self.check(before)

    def check(self, before: dict[str, set[str]]) -> None:
        """All data is there, and every stack owns what it owned, and what it should."""
        when = f"after deployment {self.number}"
        now = owned()
        assert all(names <= now[stack] for stack, names in before.items()), when
        mine = CREATED | FILLED | (EXISTING if "dataware" in self.ways else set())
        assert set[str]().union(*now.values()) == mine, when
        if self.number == 1 or self.sizes is SMALL or EVERY_ONE_IS_TYPED:
            self.check_contents(["-prod"])
        assert counts().items() <= {name: len(one) for name, one in self.expected.items()}.items()
        if EVERY_ONE_IS_TYPED and self.number > 1:
            self.project.check_no_difference()
        elif self.number > 1:
            self.check_templates()

    def check_contents(self, stages: list[str]) -> None:
        """Every item and object is under the names of these stages."""
        found = contents(self.sizes, stages)
        assert found == {name: self.expected[name] for name in found}

    def check_templates(self) -> None:
        """What a plain deployment would deploy now is what is deployed."""
        app = self.synthesize(f"{self.number}-next", "cdk")
        for path in Path(app).glob("*.template.json"):
            stack = STACKS[path.name.partition(".")[0]]
            deployed = client("cloudformation").get_template(StackName=stack)["TemplateBody"]
            assert deployed == json.loads(path.read_text()), stack

    def synthesize(self, name: str, way: str) -> str:
        """An assembly of the app as it is decided now."""
        mode = {"import": "adopt"} if way == "dataware" else {}
        return str(synthesize(self.assemblies / name, **mode))


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Project]:
    """The example beside an AWS of its own, in which the account is bootstrapped."""
    with EmbeddedAws() as aws:
        for name, value in aws.environ().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", aws.account)
        monkeypatch.setenv("CDK_DEFAULT_REGION", aws.region)
        try:
            made = make_project(APP, tmp_path / "project", tmp_path / "home")
        except UnavailableError as reason:
            pytest.skip(str(reason))
        monkeypatch.chdir(made.folder)
        made.bootstrap(aws)
        yield made


def check_denied(project: Project, folder: Path) -> None:
    """While a fallback cannot be read nothing is deployed, and the error names the permission."""
    with (
        FaultProxy(project.environ["AWS_ENDPOINT_URL"]) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        denied = json_error("AccessDeniedException")
        proxy.add(denied, operation="Scan", when=lambda seen: b'"Spaceport-Waitlist"' in seen.body)
        patch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        app = str(synthesize(folder))
    code, said = project.ended("cdk", "deploy", "--all", *NEVER_ASK, "--app", app)
    assert code != 0
    assert "rule 14" in said, said
    assert "dynamodb:Scan" in said
    assert owned() == {}


@pytest.mark.parametrize(
    ("ways", "sizes"),
    [
        pytest.param(["cdk"] * 4, SMALL, marks=CDK),
        pytest.param(["cdk", "dataware"] * 2, SMALL, marks=CDK_BESIDE),
        pytest.param(["dataware"] * 4, SEVERAL_PAGES, marks=CDK_BESIDE),
    ]
    if not EVERY_ONE_IS_TYPED
    else [(["cdk"] * 4, WHOLE), (["dataware"] * 4, WHOLE), (["cdk", "dataware"] * 2, WHOLE)],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value.items),
)
def test_deployments_in_a_row(
    project: Project, tmp_path: Path, ways: list[str], sizes: Sizes
) -> None:
    """After each one all data is there, every stack owns what it owned, and nothing differs."""
    fill(sizes)
    before = contents(sizes)
    if ways[0] == "cdk":
        check_denied(project, tmp_path / "denied")
    deployments = Deployments(project, tmp_path / "assemblies", sizes, moved(before))
    for way in ways:
        deployments.run(way)
    deployments.check_contents(["", "-prod"])
    app = deployments.synthesize("last", "cdk")
    project.check_no_difference(*(() if EVERY_ONE_IS_TYPED else ("--app", app)))
    assert len(client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]) == 2
