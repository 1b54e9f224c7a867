"""Runs the app that `cdk.json` names, as the CDK command line does, and reads what it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataware.core.errors import BadInput
from dataware.core.plan import LOOKING, RUN
from dataware.ops.inputs.assembly import MANIFEST, read_assembly
from dataware.ops.inputs.template import parse_template
from dataware.ops.inputs.wanted import App, Environment, Kinds, Overrides

QUICK_CONTEXT = {
    "aws:cdk:enable-path-metadata": True,
    # Looking at data needs no bundled assets, and bundling takes minutes.
    "aws:cdk:bundling-stacks": [],
}
# CDK's own check of the templates takes seconds, and runs again when the app is deployed.
QUICK_ENVIRON = {"CDK_VALIDATION": "false"}

COLLECT = {"dataware:lookup": "collect"}
"""Lets the constructs of `dataware.cdk` declare everything and ask AWS for nothing."""


def read_cdk_app(
    folder: Path,
    kinds: Kinds,
    overrides: Overrides,
    stack: str | None,
    environment: Callable[[], Environment],
    *,
    seconds: float | None = None,
) -> App:
    """The resources of the CDK project in `folder`; `environment` gives CDK's defaults.

    The app may take `seconds`, as long as it likes without.
    """
    settings = parse_template(folder / "cdk.json")
    app = settings.get("app")
    if not isinstance(app, str) or not app.strip():
        raise BadInput(f'{folder / "cdk.json"} names no app: add a field "app" with its command')
    if (folder / app).is_dir():
        return read_assembly(folder / app, kinds, overrides, stack)
    with tempfile.TemporaryDirectory(prefix="dataware-synth-") as output:
        run_app(app, folder, _environ(folder, settings, output, environment()), seconds)
        if not (Path(output) / MANIFEST).is_file():
            raise BadInput(f"The app `{app}` wrote no cloud assembly: does it call app.synth()?")
        return read_assembly(Path(output), kinds, overrides, stack)


def _environ(
    folder: Path, settings: Mapping[str, Any], output: str, environment: Environment
) -> dict[str, str]:
    """The variables by which CDK tells an app where to write and what it knows."""
    looked_up = folder / "cdk.context.json"
    context = {
        **(parse_template(looked_up) if looked_up.is_file() else {}),
        **(settings.get("context") or {}),
        **QUICK_CONTEXT,
        **COLLECT,
    }
    defaults = {
        "CDK_DEFAULT_ACCOUNT": environment.account,
        "CDK_DEFAULT_REGION": environment.region,
    }
    return {
        **os.environ,
        **QUICK_ENVIRON,
        RUN: LOOKING,
        **{name: value for name, value in defaults.items() if value},
        "CDK_OUTDIR": output,
        "CDK_CONTEXT_JSON": json.dumps(context),
    }


def run_app(
    app: str | Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    seconds: float | None = None,
) -> None:
    """Run the app. Raises BadInput with the last line it wrote, if it fails or takes too long."""
    try:
        code, said = _run(app, folder, environ, seconds)
    except subprocess.TimeoutExpired:
        raise BadInput(
            f"The app `{app}` did not end within {seconds:.0f} s: does `cdk synth` end?"
        ) from None
    except OSError as error:
        raise BadInput(f"The app `{app}` cannot be run: {error.strerror or error}") from error
    if code:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        last = lines[-1] if lines else f"it ended with exit code {code}"
        raise BadInput(f"The app `{app}` failed: {last}: `cdk synth` shows the whole error")


def _run(
    app: str | Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float | None
) -> tuple[int, str]:
    """The exit code of the app and what it wrote to standard error."""
    # A string is the user's own command, written for a shell, and CDK runs it in one. What the
    # shell has started ends with it only in a group of its own, which Ctrl-C would not reach.
    with subprocess.Popen(
        app, shell=isinstance(app, str), cwd=folder, env=environ, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        start_new_session=seconds is not None,
    ) as running:  # fmt: skip
        try:
            _, said = running.communicate(timeout=seconds)
        except BaseException:
            _end(running, group=seconds is not None)
            raise
    return running.returncode, said


def _end(running: subprocess.Popen[str], *, group: bool) -> None:
    if group and os.name != "nt":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        running.kill()
