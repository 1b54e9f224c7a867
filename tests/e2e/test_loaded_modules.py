"""A command loads what it carries out: how many modules of its own, and which it does not.

Loading one costs about half a millisecond of processor time with each start. A bound that is
passed by a few modules is raised; one that is passed by dozens shows that something is loaded
whether it is needed or not, and `python -X importtime` names who imports it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dataware.embedded import EmbeddedAws
from dataware.ops.engine_steps import FOLLOWED_STEPS, STEPS
from support.worlds import make_table

SCRIPT = """
import sys
from dataware.cli import main
code = main(sys.argv[1:])
print(*(name for name in sys.modules if name.startswith("dataware.")), file=sys.stderr)
sys.exit(code)
"""
PLANNED = """
[[resource]]
type = "AWS::DynamoDB::Table"
preferred = "new"
fallback = ["old"]
[resource.properties]
BillingMode = "PAY_PER_REQUEST"
KeySchema = [{AttributeName = "pk", KeyType = "HASH"}]
AttributeDefinitions = [{AttributeName = "pk", AttributeType = "S"}]
"""
ENGINES = rf"ops\.({'|'.join((*STEPS.values(), *FOLLOWED_STEPS.values()))})$"
"""The steps of every engine; this machine takes the usual ones."""

FOLLOWING = r"(ops|core|kinds\.\w+)\.follow\.|state\.(follow_file|cutover_records)$"
WINGS = r"kinds\.\w+\.(copy|verify|export|batch)\.(?!scopes|permissions)"
APPS = r"ops\.inputs\.(app|assembly|template)$|core\.(evaluation|fleet|guard)\b"
ENGINE = r"(migrate\.(?!worker_task)|verify|wire\.curl)\b"
OTHER_TYPES = r"kinds\.(?!dynamodb_table|s3_bucket)\w+"


@pytest.fixture
def folder(aws_server: EmbeddedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an app, whose fallback has a few items."""
    assert aws_server.endpoint
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path / "state"))
    make_table("old", [{"pk": {"S": str(number)}} for number in range(3)])
    (tmp_path / "dataware.toml").write_text(PLANNED)
    return tmp_path


def list_loaded(folder: Path, *words: str) -> list[str]:
    """The modules of its own that a command has loaded, without the name of the package."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name.removeprefix("dataware.") for name in done.stderr.splitlines()[-1].split()]


def matching(loaded: list[str], *patterns: str) -> list[str]:
    """Those that a command has no use for."""
    return [name for name in loaded if any(re.match(one, name) for one in patterns)]


def test_a_copy_by_this_machine_loads_no_other_engine_and_no_follow(folder: Path) -> None:
    """Nor what reads apps, nor another type than those before it in the catalogue."""
    make_table("new")
    loaded = list_loaded(folder, "migrate", "dynamodb://old", "dynamodb://new")
    unused = (ENGINES, FOLLOWING, APPS, OTHER_TYPES, r"kinds\.s3_bucket\.(copy|verify)")
    assert matching(loaded, *unused) == []
    assert "migrate.engine" in loaded
    assert len(loaded) <= 240


def test_a_plan_loads_nothing_that_copies_or_verifies(folder: Path) -> None:
    """It reads the cards of engines, and what they say of themselves."""
    loaded = list_loaded(folder, "plan")
    assert matching(loaded, ENGINES, FOLLOWING, WINGS) == []
    assert "kinds.dynamodb_table.engines" in loaded
    assert len(loaded) <= 310


def test_a_status_loads_no_engine(folder: Path) -> None:
    """It reads records."""
    loaded = list_loaded(folder, "status")
    assert matching(loaded, ENGINES, WINGS, APPS) == []
    assert len(loaded) <= 175


@pytest.mark.parametrize(
    ("words", "most"), [(("--version",), 40), (("migrate", "--help"), 50), (("--help",), 75)]
)
def test_what_is_answered_at_once_loads_no_type(
    tmp_path: Path, words: tuple[str, ...], most: int
) -> None:
    """Neither the version nor a help knows a resource."""
    loaded = list_loaded(tmp_path, *words)
    assert matching(loaded, r"kinds\b", r"aws\b", r"ops\.(?!run_bounds)") == []
    assert len(loaded) <= most
