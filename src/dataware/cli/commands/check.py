"""`dataware check`: what is wrong with the files of an app; asks AWS nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.file_path import FilePath
from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    format_option,
    offline_parameter_options,
    only_option,
    plain_options,
)
from dataware.cli.settings import AwsOptions, pick
from dataware.core.errors import InputError, SidesDifferError
from dataware.report import Format

if TYPE_CHECKING:
    from dataware.core.parameters import GivenParameters

TOML, PROJECT = Path("dataware.toml"), Path("cdk.json")


@click.command(cls=SectionedCommand, short_help="Check an app's files; asks AWS nothing.")
@click.argument("app", required=False, type=FilePath(path_type=Path))
@only_option
@offline_parameter_options
@format_option
@plain_options
def check(**arguments: Any) -> int:
    """Check a dataware.toml, a template or a cloud assembly (cdk.out); asks AWS nothing.

    Every problem is a line FILE:LINE: TEXT. Without APP it is what the last synth of this CDK
    project wrote, or else ./dataware.toml.

    \b
    \b
    Examples:
      dataware check
      dataware check template.yaml
      dataware check cdk.out --format json
      dataware check template.yaml --parameter Stage=prod
    """
    from dataware.ops.inputs.parameters_file import read_parameters

    parameters = read_parameters(arguments["parameter"], arguments["parameters_file"])
    return run_check(pick(AwsOptions, arguments), arguments["app"], arguments["only"], parameters)


def run_check(
    look: AwsOptions,
    app: Path | None,
    only: tuple[str, ...] = (),
    parameters: GivenParameters | None = None,
) -> int:
    """Tell every problem; the exit code says whether there is one."""
    from dataware.cli.display import display
    from dataware.core.events import event, format_count
    from dataware.core.printable import escape_unprintable
    from dataware.kinds import kinds_by_type
    from dataware.ops.inputs.problems import check_file

    path = app or _default_app(Path())
    checked = check_file(path, kinds_by_type(), parameters).only(only)
    with display(look) as emit:
        for problem in checked.problems:
            if look.format is Format.TEXT:
                # As compilers write it, so that editors and CI find the place.
                print(escape_unprintable(f"{problem.place}: {problem.text}"))
                continue
            where = {"file": problem.file, "line": problem.line, "place": problem.place}
            emit(event("problem", text=problem.text, **where))
        opted_in = len(checked.wanted) + checked.unnamed
        if not checked.problems and not opted_in:
            raise InputError(
                f"nothing was checked, because no resource in {path} has opted in; "
                "`dataware plan --all-stateful` lists those that hold data"
            )
        count = format_count(opted_in, "resource")
        if not checked.problems:
            emit(event("done", text=f"Nothing is wrong with {path}: {count} opted in"))
            return 0
        problems = format_count(len(checked.problems), "problem")
        emit(event("failure", text=f"{problems} in {path}", exit_code=SidesDifferError.exit_code))
    return SidesDifferError.exit_code


def _default_app(folder: Path) -> Path:
    """What is checked where nothing is named. Raises InputError where nothing is there."""
    from dataware.ops.inputs.cdk_settings import read_cdk_settings

    if (folder / PROJECT).is_file():
        output = folder / read_cdk_settings(folder).output
        if not output.is_dir():
            raise InputError(
                f"there is no {output} yet, and `check` runs no app: run `cdk synth` and check "
                "again, or run `dataware plan`"
            )
        return output
    if (folder / TOML).is_file():
        return folder / TOML
    raise InputError(
        "there is no cdk.json and no dataware.toml here: name a dataware.toml, a template or a "
        "cdk.out"
    )
