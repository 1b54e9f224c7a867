"""The program that lets an app bundle although `cdk list` runs it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

from dataware.cli.deployment.bundling_app import (
    BUNDLING,
    CONTEXT,
    OVERFLOW,
    describe_bundling,
    set_bundling,
)


def test_the_app_bundles_for_the_named_stacks() -> None:
    """It sees nothing of its stand-in, and what it prints does not end in the list of stacks."""
    app = 'test -z "$CDK_APP$DATAWARE_BUNDLING" && printenv CDK_CONTEXT_JSON && exit 7'
    told = describe_bundling(app, ["Data", r"My \(EU\)"])
    environ = {**os.environ, **told, CONTEXT: json.dumps({BUNDLING: [], "stage": "prod"})}
    ran = subprocess.run(
        shlex.split(told["CDK_APP"]), env=environ, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (7, "")
    assert json.loads(ran.stderr) == {BUNDLING: ["Data", r"My \(EU\)"], "stage": "prod"}


def test_context_in_a_file_wins(tmp_path: Path) -> None:
    """CDK hands over in a file what is too much for a variable, and apps let the file win."""
    overflow = tmp_path / "context.json"
    environ = {CONTEXT: "{}", OVERFLOW: str(overflow)}
    overflow.write_text(json.dumps({BUNDLING: [], "much": "x"}))
    set_bundling(environ, ["**"])
    assert json.loads(overflow.read_text()) == {BUNDLING: ["**"], "much": "x"}
    overflow.write_text(json.dumps({"much": "x"}))
    set_bundling(environ, ["**"])
    assert json.loads(overflow.read_text()) == {"much": "x"}
    assert json.loads(environ[CONTEXT]) == {BUNDLING: ["**"]}
