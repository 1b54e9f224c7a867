"""The command that goes on after a plan is one that can be typed."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from dataware.cli.commands.apply import apply
from dataware.cli.commands.deploy import deploy
from dataware.cli.commands.plan import plan
from dataware.cli.next_command import adoption_method, apply_command, deploy_command
from dataware.cli.settings import AppOptions, pick
from dataware.ops.run_summary import AdoptionMethod


def next_command(*arguments: str, saved: str | None = None) -> str:
    """What follows on `dataware plan` with those arguments."""
    with click.Context(plan, info_name="plan") as context:
        plan.parse_args(context, list(arguments))
        return apply_command(apply, Path(saved) if saved else None)


@pytest.mark.parametrize(
    ("arguments", "saved", "command"),
    [
        ((), None, "dataware apply"),
        (("my app.toml",), None, "dataware apply 'my app.toml'"),
        (("app.toml", "--detailed-exitcode", "-v", "--plain"), None, "dataware apply app.toml"),
        (
            ("app.toml", "--region", "eu-west-3", "--on-error", "no-data"),
            None,
            "dataware apply app.toml --on-error no-data --region eu-west-3",
        ),
        (
            ("app.toml", "--profile", "p", "--strict", "--out", "a plan.json"),
            "a plan.json",
            "dataware apply 'a plan.json' --profile p",
        ),
        (("-c", "token=hush"), None, "dataware apply -c …"),
        (
            ("--batch-role", "arn:aws:iam::111122223333:role/copy", "--out", "plan.json"),
            "plan.json",
            "dataware apply plan.json --batch-role arn:aws:iam::111122223333:role/copy",
        ),
        (
            ("--batch-role", "arn:aws:iam::111122223333:role/copy", "--engine", "batch"),
            None,
            "dataware apply --engine batch --batch-role arn:aws:iam::111122223333:role/copy",
        ),
        (
            ("app.toml", "--follow", "--enable-stream", "--out", "plan.json"),
            "plan.json",
            "dataware apply plan.json --follow --enable-stream",
        ),
        (
            ("--credentials", "222222222222=prod", "--credentials", "333333333333=test"),
            None,
            "dataware apply --credentials 222222222222=prod --credentials 333333333333=test",
        ),
    ],
)
def test_the_next_command_has_what_was_typed(
    arguments: tuple[str, ...], saved: str | None, command: str
) -> None:
    """A saved plan knows all but the place; without one every choice is repeated, no secret is."""
    assert next_command(*arguments, saved=saved) == command


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ((), "dataware deploy"),
        (
            ("--stack", "Spaceport prod", "--strict", "-v"),
            "dataware deploy --stack 'Spaceport prod' --strict",
        ),
        (("--only", "orders"), "dataware apply --only orders"),
        (("--fallback", "{name}-old"), "dataware deploy --fallback '{name}-old'"),
        (("--parameter", "Stage=prod"), "dataware apply --parameter …"),
    ],
)
def test_a_project_goes_on_with_its_deployment(arguments: tuple[str, ...], command: str) -> None:
    """Unless a choice was made that only `apply` takes, and so would be lost."""
    with click.Context(plan, info_name="plan") as context:
        plan.parse_args(context, list(arguments))
        assert deploy_command(deploy, apply, ["Spaceport prod"]) == command


@pytest.mark.parametrize(
    ("arguments", "stacks", "command"),
    [
        ((), [], "dataware deploy"),
        ((), ["One"], "dataware deploy"),
        ((), ["One", "Two"], "dataware deploy -- --all"),
        (("--strict",), ["One", "Two"], "dataware deploy --strict -- --all"),
        (("--stack", "Two"), ["One", "Two"], "dataware deploy --stack Two"),
        ((), ["Prod/One"], "dataware deploy -- '**'"),
        ((), ["Tools", "Prod/One"], "dataware deploy -- '**'"),
    ],
)
def test_several_stacks_are_deployed_as_cdk_has_to_be_asked(
    arguments: tuple[str, ...], stacks: list[str], command: str
) -> None:
    """Without a word CDK deploys the only stack outside of stages, and refuses otherwise."""
    with click.Context(plan, info_name="plan") as context:
        plan.parse_args(context, list(arguments))
        assert deploy_command(deploy, apply, stacks) == command


@pytest.mark.parametrize(
    ("app", "in_project", "way"),
    [
        (None, True, AdoptionMethod.DEPLOY),
        ("cdk.out", False, AdoptionMethod.DEPLOY),
        (None, False, AdoptionMethod.EITHER),
        ("dataware.toml", False, AdoptionMethod.EITHER),
        ("plan.json", False, AdoptionMethod.EITHER),
        ("template.yaml", False, AdoptionMethod.CHANGE_SET),
    ],
)
def test_what_adopts_depends_on_whose_app_it_is(
    app: str | None, in_project: bool, way: AdoptionMethod, tmp_path: Path
) -> None:
    """A template without CDK is adopted by a change set; `dataware deploy` would not help."""
    (tmp_path / "cdk.out").mkdir()
    names = ("stack", "on_error", "on_fallback_data", "import_mode")
    given = dict.fromkeys(names) | {"app": tmp_path / app if app else None, "strict": False}
    assert adoption_method(pick(AppOptions, given), in_project=in_project) is way
