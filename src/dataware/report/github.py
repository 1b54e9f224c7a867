"""Lines for the log of a job of GitHub Actions: warnings and failures become annotations.

Sources: GitHub Docs, "Workflow commands for GitHub Actions" (``::error file={name},line={line},
title={title}::{message}``); what is escaped, and how, is as in GitHub's own toolkit
(actions/toolkit, packages/core/src/command.ts).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dataware.core.events import Event, Level
from dataware.core.printable import escape_unprintable
from dataware.report.plain import PlainRenderer

PLACE = re.compile(r"(?P<file>[^\s:,]+\.(?:toml|ya?ml|json)):(?P<line>\d+)\b")
"""A file that people wrote, with the line that is meant."""

COMMANDS: Mapping[Level, str] = {Level.WARNING: "warning", Level.FAILURE: "error"}


class GithubRenderer(PlainRenderer):
    """Plain lines, except that a warning or a failure is a workflow command."""

    def _write(self, event: Event) -> None:
        if event.message.level in COMMANDS:
            self._output.write(annotation(event))
        else:
            super()._write(event)


def annotation(event: Event) -> str:
    """The workflow command of a warning or a failure, with the line that it is about."""
    properties = {**_place(event), "title": "dataware"}
    fields = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    text = _escape(escape_unprintable(event.text()))
    return f"::{COMMANDS[event.message.level]} {fields}::{text}"


def _place(event: Event) -> Mapping[str, str]:
    """The file and the line that an event is about; nothing where they are not known."""
    if event.data.get("file") and event.data.get("line"):
        return {"file": str(event.data["file"]), "line": str(event.data["line"])}
    place = PLACE.search(str(event.data.get("where", ""))) or PLACE.search(event.text())
    return place.groupdict() if place else {}


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
