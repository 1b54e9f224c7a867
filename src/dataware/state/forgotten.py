"""Copies of the records that a person had deleted, in the folder for state."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataware.state.journal import state_folder
from dataware.state.private import make_private, open_private


def forgotten_folder() -> Path:
    """The folder of the copies."""
    return state_folder() / "forgotten"


def keep_record(parameter: Mapping[str, Any], account: str, region: str, now: float) -> Path:
    """Write a parameter down as it was stored, and say where. Raises OSError."""
    folder = forgotten_folder()
    make_private(folder, state_folder())
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", str(parameter["Name"]).rpartition("/")[2])[:100]
    moment = datetime.fromtimestamp(now, UTC)
    path = folder / f"{moment:%Y%m%d-%H%M%S}-{name}.json"
    text = json.dumps(
        {
            "account": account,
            "region": region,
            "name": parameter["Name"],
            "version": parameter["Version"],
            "value": parameter["Value"],
        },
        indent=2,
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(open_private(path, flags), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return path


def was_forgotten(target: str, account: str, region: str) -> bool:
    """Whether this machine keeps a copy of a record of a migration into `target`."""
    for path in forgotten_folder().glob("*.json"):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            value = json.loads(kept["value"])
            place = kept["account"], kept["region"], value["target"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a copy that cannot be read says nothing
        if place == (account, region, target):
            return True
    return False
