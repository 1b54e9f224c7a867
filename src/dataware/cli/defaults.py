"""The `[defaults]` of a `dataware.toml`: options that a command takes if nothing else is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE = Path("dataware.toml")


def read_defaults(arguments: Sequence[str]) -> dict[str, Any]:
    """The defaults of the file that is named, or of the one in this folder, by parameter.

    What is wrong in the file is told by what reads the whole of it; here it counts as empty.
    """
    named = (Path(word) for word in arguments if word.endswith(".toml"))
    path = next((one for one in named if one.is_file()), FILE)
    if not path.is_file():
        return {}
    import tomllib  # noqa: PLC0415 - most commands run without such a file

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("defaults", {})
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(table) if isinstance(table, dict) else {}
