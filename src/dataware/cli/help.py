"""How commands explain themselves: options in sections, and what may have been meant."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile
from typing import Any

import click

from dataware.calc.suggest import suggestion_for
from dataware.cli.defaults import read_defaults
from dataware.cli.exit_codes import exit_code_line

SECTIONS: dict[str, tuple[str, ...]] = {
    "Which resources": (
        "only",
        "stack",
        "exclusively",
        "all_stateful",
        "fallback",
        "parameter",
        "parameters_file",
        "context",
        "cdk_app",
        "strict",
        "on_error",
        "on_fallback_data",
        "import_mode",
        "allow_loss",
        "restore_secrets",
        "allow_unseen",
        "source_owner",
        "target_owner",
    ),
    "Copying and verifying": (
        "follow",
        "enable_stream",
        "export_to",
        "rehearse",
        "engine",
        "batch_role",
        "on_conflict",
        "versions",
        "max_rate",
        "max_share",
        "processes",
        "max_parallel",
        "allow_skipped",
        "allow_partial",
        "deep",
        "sse",
        "sse_kms_key_id",
        "acl",
        "request_payer",
    ),
    "AWS": ("profile", "source_profile", "region", "endpoint_url", "credentials"),
    "Output": ("yes", "full", "format", "notify", "plain", "debug", "help"),
}
"""Options that several commands share, by the section of the help that shows them; what belongs
to one command alone comes first."""

FIRST = "Options"


SHARED = {
    "--profile": True,
    "--region": True,
    "--endpoint-url": True,
    "--format": True,
    "--plain": False,
    "--debug": False,
}
"""Options that may also stand before the command, as in the AWS CLI, and whether each takes a
value."""


OWN_VARIABLES = ("--notify", "--allow-loss")
"""Options whose variables have a form of their own, and are read where they are used."""


MAY_BE_EMPTY = ("suffix", "arguments")
"""What an empty word says something about: no suffix, and what goes to CDK as it is."""


def variable_name(option: str) -> str:
    """The environment variable of an option: ``DATAWARE_MAX_RATE`` for ``--max-rate``."""
    return f"DATAWARE_{option.removeprefix('--').replace('-', '_').upper()}"


class SectionedCommand(click.Command):
    """A command whose help shows its options in sections; each has a variable as well."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        for option in self.params:
            name = next((one for one in option.opts if one.startswith("--")), None)
            if isinstance(option, click.Option) and name and name not in OWN_VARIABLES:
                option.envvar = option.envvar or variable_name(name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Raises UsageError, which always knows its command."""
        ctx.default_map = {**read_defaults(args), **(ctx.default_map or {})}
        try:
            _refuse_second_stack(args)
            self._refuse_empty(ctx, args)
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def _refuse_empty(self, ctx: click.Context, args: list[str]) -> None:
        """Refuse words without a letter, which a shell makes of a variable that is not set.

        They would count as not given, so that `--stack "$STACK"` would mean every stack. Raises
        UsageError.
        """
        if ctx.resilient_parsing:
            return
        values, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.get_params(ctx):
            value = values.get(parameter.name or "")
            if parameter.name not in MAY_BE_EMPTY and _holds_empty_word(value):
                advice = "" if parameter.required else ", or leave it out"
                raise click.UsageError(f"{_name_of(parameter)} is empty: give a value{advice}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections that are not empty."""
        sections: dict[str, list[tuple[str, str]]] = {FIRST: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(_section_of(parameter), []).append(record)
        for section in (FIRST, *SECTIONS):
            if rows := sections.get(section):
                with formatter.section(section):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how the command can end."""
        super().format_epilog(ctx, formatter)
        _write_exit_codes(self, formatter)


class CommandGroup(click.Group):
    """The group of all commands; each is a file of `package`, loaded when it is asked for."""

    def __init__(self, *given: Any, package: str, names: Collection[str], **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._package, self._names = package, names

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(self._names)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how the commands of a group within the group can end."""
        super().format_epilog(ctx, formatter)
        _write_exit_codes(self, formatter)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, under its own name in the file of its name."""
        if cmd_name not in self._names:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"{self._package}.{name}"), name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command; shared options move behind it."""
        return super().parse_args(ctx, move_shared_options(args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named. Raises UsageError with the one that may have been meant."""
        name = args[0]
        if name.startswith("-") or name in self._names or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"No such command '{name}'{suggestion_for(name, self._names)}", ctx)


def _refuse_second_stack(arguments: Sequence[str]) -> None:
    """Refuse what reads as two stacks, of which the last one alone would count.

    Of other options the last one wins, by which scripts replace what they have set before. Raises
    UsageError.
    """
    own = takewhile(lambda word: word != "--", arguments)
    if sum(word == "--stack" or word.startswith("--stack=") for word in own) > 1:
        raise click.UsageError(
            "--stack takes one stack: leave it out for all of them, or run once for each"
        )


def _holds_empty_word(value: object) -> bool:
    """Whether what was typed for a parameter is empty, or one of its words is."""
    words = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(word, str) and not word.strip() for word in words)


def _name_of(parameter: click.Parameter) -> str:
    """A parameter as it is typed, or as the help names an argument."""
    if isinstance(parameter, click.Option):
        return next((name for name in parameter.opts if name.startswith("--")), parameter.opts[0])
    return (parameter.metavar or str(parameter.name).upper()).strip("[].…")


def _write_exit_codes(command: click.Command, formatter: click.HelpFormatter) -> None:
    if codes := exit_code_line(command.name or ""):
        formatter.write_paragraph()
        formatter.write_text(f"Exit codes: {codes}.")


class WordChoice(click.Choice):  # type: ignore[type-arg]  # older versions are not generic
    """One of a few words; a slip is told with the word that may have been meant."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word itself. Raises BadParameter."""
        try:
            return str(super().convert(value, param, ctx))
        except click.BadParameter as error:
            words = [str(choice) for choice in self.choices]
            text = error.message.rstrip(".") + suggestion_for(value, words)
            raise click.BadParameter(text, ctx, param) from error


def move_shared_options(arguments: Sequence[str]) -> list[str]:
    """Put the shared options that stand before the command right behind it.

    ``["--profile", "x", "plan", "app.yaml"]`` becomes ``["plan", "--profile", "x", "app.yaml"]``.
    """
    position = 0
    while position < len(arguments):
        name, _, value = arguments[position].partition("=")
        if name not in SHARED:
            break
        position += 2 if SHARED[name] and not value else 1
    command, rest = list(arguments[position : position + 1]), arguments[position + 1 :]
    if not command or command[0].startswith("-"):
        return list(arguments)
    return [*command, *arguments[:position], *rest]


def _section_of(option: click.Option) -> str:
    """The section of the help in which an option stands."""
    option_name = "help" if "--help" in option.opts else option.name
    return next((name for name, options in SECTIONS.items() if option_name in options), FIRST)


def complaint(error: click.UsageError) -> str:
    """What is wrong with the arguments, and what to type to see what is right."""
    command = error.ctx.command_path if error.ctx else "dataware"
    text = error.message.rstrip(".")
    if isinstance(error, click.NoSuchOption):
        text += suggestion_for(error.option_name, _options(error.ctx))
    elif not error.message or isinstance(error, click.BadParameter):
        text = error.format_message().rstrip(".")
    return f"{text}{' Try' if text.endswith('?') else '; try'} `{command} --help`"


def _options(context: click.Context | None) -> Iterable[str]:
    parameters: Sequence[click.Parameter] = context.command.params if context else ()
    return [
        name
        for parameter in parameters
        if not getattr(parameter, "hidden", False)
        for name in parameter.opts
        if name.startswith("-")
    ]
