"""Runs the app of a CDK project, as the CDK command line does, and reads what it writes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from dataware.core.errors import AppError, InputError
from dataware.core.plan import LOOKING, RUN
from dataware.ops.inputs.assembly import MANIFEST, Select, read_assembly
from dataware.ops.inputs.cdk_settings import PROJECT, CdkSettings
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.wanted import App, Kinds, StackEnvironment

QUICK_CONTEXT = {
    "aws:cdk:enable-path-metadata": True,
    # The templates of nested stacks are found by it.
    "aws:cdk:enable-asset-metadata": True,
    # Looking at data needs no bundled assets, and bundling takes minutes.
    "aws:cdk:bundling-stacks": [],
}
# CDK's own check of the templates takes seconds, and runs again when the app is deployed.
QUICK_ENVIRON = {"CDK_VALIDATION": "false"}

COLLECT = {"dataware:lookup": "collect"}
"""Lets the constructs of `dataware.cdk` declare everything and ask AWS for nothing."""

CONTEXT_ROOM = 100_000
"""How much context goes into a variable; Linux takes 128 KiB for each. CDK reads more in a file."""

ERROR_LINE = re.compile(r"^(?:[\w.]+: )?[\w.]*(?:Error|Exception|Fault)\b.*")


Running = Callable[[str], AbstractContextManager[object]]
"""Is told a command, and lasts as long as that runs."""


def quietly(_command: str) -> AbstractContextManager[object]:
    """Tell nobody."""
    return nullcontext()


def nameless_app(folder: Path) -> InputError:
    """The error of a project that does not say how its app is run."""
    return InputError(f'{folder / PROJECT} names no app: add a field "app" with its command')


def read_cdk_app(
    settings: CdkSettings,
    kinds: Kinds,
    options: ReadOptions,
    select: Select | None,
    environment: Callable[[], StackEnvironment],
    *,
    seconds: float | None = None,
    running: Running = quietly,
) -> App:
    """The resources of a CDK project; `environment` gives CDK's defaults.

    The app may take `seconds`, as long as it likes without; `running` is told what runs, and lasts
    as long as that.
    """
    if settings.app is None:
        raise nameless_app(settings.folder)
    began = time.time()
    with tempfile.TemporaryDirectory(prefix="dataware-synth-") as output:
        environ = _environ(settings, Path(output), environment())
        if settings.build:
            with running(settings.build):
                run_app(settings.build, settings.folder, environ, seconds)
        if settings.assembly is not None:
            return read_assembly(settings.assembly, kinds, options, select)
        with running(settings.command):
            run_app(settings.command, settings.folder, environ, seconds)
        written = _find_output(settings, Path(output), began)
        return read_assembly(written, kinds, options, select)


def _find_output(settings: CdkSettings, output: Path, began: float) -> Path:
    """Where the app wrote: where it was told, or, by its own choice, where CDK looks for it."""
    own = settings.folder / settings.output
    if (output / MANIFEST).is_file():
        return output
    if (own / MANIFEST).is_file() and (own / MANIFEST).stat().st_mtime >= began - 1:
        return own
    raise InputError(f"The app `{settings.app}` wrote no cloud assembly: does it call app.synth()?")


def _environ(settings: CdkSettings, output: Path, environment: StackEnvironment) -> dict[str, str]:
    """The variables by which CDK tells an app where to write and what it knows."""
    needed = {**QUICK_CONTEXT, **COLLECT}
    context = {**settings.context, **needed}
    defaults = {
        "CDK_DEFAULT_ACCOUNT": environment.account,
        "CDK_DEFAULT_REGION": environment.region,
    }
    environ = {
        **os.environ,
        **QUICK_ENVIRON,
        RUN: LOOKING,
        **{name: value for name, value in defaults.items() if value},
        "CDK_OUTDIR": str(output),
        "CDK_CONTEXT_JSON": json.dumps(context),
    }
    if len(environ["CDK_CONTEXT_JSON"].encode()) > CONTEXT_ROOM:
        overflow = output / "context-overflow.json"
        overflow.write_text(json.dumps(context), encoding="utf-8")
        environ["CDK_CONTEXT_JSON"] = json.dumps(needed)
        environ["CONTEXT_OVERFLOW_LOCATION_ENV"] = str(overflow)
    return environ


def run_app(
    app: str | Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    seconds: float | None = None,
) -> None:
    """Run the app. Raises AppError with its error, and InputError if it does not begin or end."""
    try:
        code, output = _run(app, folder, environ, seconds)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"The app `{app}` did not end within {seconds:.0f} s: does `cdk synth` end?"
        ) from None
    except OSError as error:
        raise InputError(f"The app `{app}` cannot be run: {error.strerror or error}") from error
    if code:
        why = error_line(output) or f"it ended with exit code {code}"
        raise AppError(f"The app `{app}` failed: {why}", output)


def error_line(output: str) -> str | None:
    """The line that says why a program failed: its last error, else the last thing it wrote."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if ERROR_LINE.match(line)]
    return errors[-1] if errors else lines[-1] if lines else None


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
            _, output = running.communicate(timeout=seconds)
        except BaseException:
            _end(running, group=seconds is not None)
            raise
    return running.returncode, output


def _end(running: subprocess.Popen[str], *, group: bool) -> None:
    if group and os.name != "nt":
        os.killpg(running.pid, signal.SIGKILL)
    else:
        running.kill()
