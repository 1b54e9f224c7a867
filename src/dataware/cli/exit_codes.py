"""The exit codes that each command can end with; docs/adr/0009-exit-codes.md says why these.

The meaning of a code is the same for every command; here it is in the words of one command.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LEAST: Final[Mapping[int, str]] = {0: "done", 1: "error"}
USUAL: Final[Mapping[int, str]] = {**LEAST, 4: "interrupted"}

WRITING: Final[Mapping[int, str]] = {
    **LEAST,
    3: "stopped or refused",
    4: "incomplete: run the same command again",
}

EXIT_CODES_OF: Final[Mapping[str, Mapping[int, str]]] = {
    "apply": WRITING,
    "check": {
        0: "no problem",
        1: "nothing to check, or error",
        2: "problems found",
        4: "interrupted",
    },
    "close": {**WRITING, 2: "the source was written to after the switch"},
    "completion": USUAL,
    "demo": USUAL,
    "deploy": WRITING,
    "doctor": {0: "all checks passed", 1: "a check failed, or error", 4: "interrupted"},
    "explain": USUAL,
    "fleet": WRITING,
    "fleet apply": WRITING,
    "fleet plan": {**USUAL, 3: "stopped or refused"},
    "fleet status": {**USUAL, 3: "refused"},
    "fleet targets": USUAL,
    "cutover": {**WRITING, 2: "the source was written to after the switch"},
    "follow": {**WRITING, 0: "done: each is cut over"},
    "forget": {**WRITING, 3: "refused"},
    "help": USUAL,
    "iam-policy": USUAL,
    "init": USUAL,
    "migrate": WRITING,
    "pause": {**LEAST, 3: "refused", 4: "interrupted"},
    "plan": {
        **LEAST,
        2: "changes, or attention needed (only with --detailed-exitcode)",
        3: "stopped or refused",
        4: "interrupted",
    },
    "report": USUAL,
    "resume": {**LEAST, 3: "refused", 4: "interrupted"},
    "schema": USUAL,
    "show": USUAL,
    "status": USUAL,
    "throttle": {**LEAST, 3: "refused", 4: "interrupted"},
    "undo": WRITING,
    "verify": {0: "the same", 1: "error", 2: "different", 3: "refused", 4: "interrupted"},
    "watch": {**WRITING, 2: "the source was written to after the switch"},
}


def exit_code_line(command: str) -> str:
    """The codes of a command in one sentence; empty for what is no command of its own."""
    codes = EXIT_CODES_OF.get(command, {})
    return "; ".join(f"{code} {words}" for code, words in sorted(codes.items()))
