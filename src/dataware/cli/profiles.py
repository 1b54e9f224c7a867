"""The profiles of the AWS configuration, read without the SDK, whose import alone takes longer
than a person waits for a completion."""

from __future__ import annotations

import os
from collections.abc import Mapping
from configparser import Error, RawConfigParser
from pathlib import Path

import click
from click.shell_completion import CompletionItem

FILES = {
    "AWS_CONFIG_FILE": "~/.aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
}


def complete_profile(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The profiles that begin with what was typed."""
    return [CompletionItem(name) for name in profiles() if name.startswith(incomplete)]


def profiles(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The names of all profiles, sorted; none of a file that cannot be read."""
    names: set[str] = set()
    for variable, usual in FILES.items():
        path = Path(environ.get(variable) or usual).expanduser()
        names.update(_profile_names(path))
    return sorted(names)


def _profile_names(path: Path) -> set[str]:
    parser = RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (OSError, Error, UnicodeDecodeError):
        return set()
    return {
        name.removeprefix("profile ").strip().strip("'\"")
        for name in parser.sections()
        if not name.startswith(("sso-session ", "services "))
    }
