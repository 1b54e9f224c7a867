"""A card is light: what copies, verifies, follows and rehearses is loaded where it is asked for."""

from __future__ import annotations

import subprocess
import sys

WINGS = ("copy", "verify", "follow", "rehearsal", "engines", "export", "batch")


def load(*types: str) -> list[str]:
    """What a fresh process has of the kinds, once it has the cards of some types, or of all."""
    script = (
        "import sys\nfrom dataware.kinds import CATALOGUE, kinds_by_type\n"
        f"for one in {types!r} or CATALOGUE: kinds_by_type()[one]\n"
        "print(*(name for name in sys.modules if name.startswith('dataware.kinds.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_no_card_loads_a_wing() -> None:
    """An app is planned with the cards of all types, and most of it is copied by none."""
    loaded = [name.split(".")[3:4] for name in load()]
    assert [one for one in loaded if one and one[0] in WINGS] == []


def test_a_type_is_loaded_without_the_others() -> None:
    """Who asks for a table needs no database."""
    loaded = {name.split(".")[2] for name in load("AWS::DynamoDB::Table")}
    assert loaded == {"dynamodb_table"}
