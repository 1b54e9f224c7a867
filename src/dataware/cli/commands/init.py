"""`dataware init`: a dataware.toml, or a snippet, of resources as they are today."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.file_path import FilePath
from dataware.cli.help import SectionedCommand, WordChoice
from dataware.cli.options import plain_options, where_options
from dataware.cli.settings import AwsOptions, pick
from dataware.core.errors import InputError
from dataware.core.events import event, format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataware.core.ports import Emit
    from dataware.ops.describe import DescribedResource

TOML, STANDARD_OUTPUT = Path("dataware.toml"), Path("-")
SCHEMA = "dataware.schema.json"
FORMATS = ("toml", "cfn", "cdk-py", "cdk-ts")


@click.command(cls=SectionedCommand, short_help="Declare resources as they are today.")
@click.argument("names", nargs=-1, required=True, metavar="NAMES…")
@click.option(
    "--suffix",
    metavar="TEXT",
    default="",
    help="Prefer NAME with this behind it, such as -prod; NAME becomes the fallback.",
)
@click.option(
    "--format",
    "form",
    type=WordChoice(FORMATS),
    default="toml",
    show_default=True,
    help="A dataware.toml, or lines for a template or a CDK app.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=FilePath(path_type=Path, dir_okay=False, allow_dash=True),
    help="Where to write; - for standard output. By default dataware.toml, or standard output.",
)
@click.option(
    "--schema",
    is_flag=True,
    help="Write dataware.schema.json beside dataware.toml, by which editors check it.",
)
@where_options
@plain_options
def init(**arguments: Any) -> int:
    """Declare tables and buckets as they are today, so that others can be made like them.

    NAMES are names or addresses. Keys, indexes, billing, encryption, recovery, versioning, access,
    streams, expiry and tags are declared as they are; a warning names what is not. Nothing is
    changed in AWS, and no file is overwritten.

    \b
    Examples:
      dataware init --suffix=-prod Spaceport-Waitlist s3://spaceport-uploads
      dataware init --format cfn Spaceport-Waitlist
    """
    out = pick(AwsOptions, arguments)
    path = arguments["out"] or (TOML if arguments["form"] == "toml" else STANDARD_OUTPUT)
    output = InitOutput(arguments["form"], path, schema=arguments["schema"])
    return run_init(out, arguments["names"], arguments["suffix"], output)


@dataclass(frozen=True, slots=True)
class InitOutput:
    """What is written: the form, the file, and whether its schema stands beside it."""

    form: str
    path: Path
    schema: bool = False

    def __post_init__(self) -> None:
        """Raises InputError for a schema of what is no file in TOML."""
        if self.schema and (self.form != "toml" or self.path == STANDARD_OUTPUT):
            raise InputError("--schema needs a dataware.toml to stand beside: leave it out")

    def is_written(self, text: str) -> bool:
        """Whether the file is there already. Raises InputError for one that says something else."""
        if not self.path.exists():
            return False
        try:
            is_same = self.path.read_text(encoding="utf-8") == self._content(text)
        except (OSError, ValueError):
            is_same = False
        if not is_same:
            raise InputError(
                f"{self.path} exists and is not overwritten: name another file with --out"
            )
        return not self.schema or self._beside.exists()

    def write(self, text: str) -> list[Path]:
        """Write the new file, and its schema first; returns what was written."""
        if not self.schema:
            _write_new(self.path, text)
            return [self.path]
        from dataware.ops.schemas import schema_text

        if not self._beside.exists():
            _write_new(self._beside, schema_text("toml"))
        if not self.path.exists():
            _write_new(self.path, self._content(text))
        return [self.path, self._beside]

    @property
    def _beside(self) -> Path:
        return self.path.parent / SCHEMA

    def _content(self, text: str) -> str:
        return f"#:schema ./{SCHEMA}\n\n{text}" if self.schema else text


def run_init(out: AwsOptions, names: tuple[str, ...], suffix: str, output: InitOutput) -> int:
    """Describe, and write a new file or to standard output."""
    from dataware.cli.context import open_account, outside
    from dataware.ops.describe import describe_resources
    from dataware.ops.inputs.files import check_writable
    from dataware.ops.inputs.snippets import SnippetFormat, write_declarations

    path = output.path
    if path == STANDARD_OUTPUT:
        description = describe_resources(open_account(out), names, suffix)
        declared = [_declaration(one) for one in description]
        click.echo(write_declarations(SnippetFormat(output.form), declared), nl=False)
        return 0
    if not path.exists():
        check_writable(path)
    with outside(out) as context:
        description = describe_resources(context.aws, names, suffix)
        declared = [_declaration(one) for one in description]
        text = write_declarations(SnippetFormat(output.form), declared)
        if output.is_written(text):
            reason = f"{path} declares {format_count(len(description), 'resource')} just so"
            context.emit(event("nothing-to-do", reason=reason))
            return 0
        answer = output.write(text)
        _report_described(context.emit, description, suffix)
        today = "as it is today" if len(description) == 1 else "as they are today"
        what = f"{format_count(len(description), 'resource')}, {today},"
        context.emit(event("saved", what=what, path=str(path)))
        for beside in answer[1:]:
            context.emit(event("saved", what="the schema for editors", path=str(beside)))
        context.emit(event("note", text=f"Next: dataware plan {path}"))
    return 0


def _report_described(emit: Emit, description: Sequence[DescribedResource], suffix: str) -> None:
    """Tell what the declarations lack, and a suffix that is glued to a name."""
    for one in description:
        for text in one.described.left_out:
            emit(event("warning", text=f"not declared for {one.name}: {text}"))
    if suffix[:1].isalnum():
        first = description[0]
        text = f"{first.name} becomes {first.preferred}: write --suffix=-{suffix} for a hyphen"
        emit(event("note", text=text))


def _declaration(one: DescribedResource) -> Any:
    from dataware.ops.inputs.snippets import Declaration

    return Declaration(
        one.kind.cfn_type,
        one.preferred,
        one.kind.template.identifier,
        one.described.properties,
        one.fallbacks,
        one.described.left_out,
    )


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} exists and is not overwritten") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
