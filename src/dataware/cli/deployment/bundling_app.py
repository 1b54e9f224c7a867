"""Runs an app in the place of CDK, and lets it bundle the assets that `cdk deploy` would.

`cdk list` writes an assembly without what it prints on top of it, but bundles no asset. So CDK is
told to run this program as its app, which says otherwise to the app. What the app prints goes to
standard error, because `cdk list` has its own use for standard output.

Source: aws-cdk-lib, `core/lib/app.js` (how context reaches an app) and `core/lib/stack.js`
(`bundlingRequired`).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path

APP, TOLD = "CDK_APP", "DATAWARE_BUNDLING"
"""The variables that name this program to CDK, and say to it what it stands for."""

CONTEXT, OVERFLOW = "CDK_CONTEXT_JSON", "CONTEXT_OVERFLOW_LOCATION_ENV"
"""How CDK hands over the context: as a text, and a file with what is too much for it."""

BUNDLING = "aws:cdk:bundling-stacks"
EVERY = ("**",)
"""The pattern of all stacks."""


def describe_bundling(app: str, patterns: Sequence[str]) -> dict[str, str]:
    """The variables by which CDK runs this program for an app that bundles for some stacks."""
    # It imports nothing else, so the interpreter need not look for packages.
    words = [sys.executable, "-I", "-S", str(Path(__file__).absolute())]
    command = subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
    return {APP: command, TOLD: json.dumps({"app": app, "patterns": list(patterns)})}


def set_bundling(environ: MutableMapping[str, str], patterns: Sequence[str]) -> None:
    """Name the stacks whose assets are bundled, wherever CDK has said otherwise."""
    context = {**json.loads(environ.get(CONTEXT) or "{}"), BUNDLING: list(patterns)}
    environ[CONTEXT] = json.dumps(context)
    overflow = Path(environ[OVERFLOW]) if environ.get(OVERFLOW) else None
    if overflow is None:
        return
    more = json.loads(overflow.read_text(encoding="utf-8"))
    if BUNDLING in more:
        overflow.write_text(json.dumps({**more, BUNDLING: list(patterns)}), encoding="utf-8")


def main() -> int:
    """Run the app; answer with its exit code."""
    order = json.loads(os.environ.pop(TOLD))
    os.environ.pop(APP, None)
    set_bundling(os.environ, order["patterns"])
    # The user's own command, written for a shell, in which CDK runs it, too.
    app = order["app"]
    ended = subprocess.run(app, shell=True, stdout=sys.stderr, check=False)  # noqa: S602 - see above
    return abs(ended.returncode)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # The app has got the same signal; whoever runs this says what became of the command.
        sys.exit(130)
