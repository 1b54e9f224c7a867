"""The app of `examples/get-or-create`, synthesized in this process, which takes a second or two.

The CDK command line would start Python and the CDK library anew, twice for each synth.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

APP = Path(__file__).resolve().parents[2] / "examples/get-or-create"
AS_THE_COMMAND_LINE = {
    "aws:cdk:enable-path-metadata": True,
    "aws:cdk:enable-asset-metadata": True,
    "aws:cdk:version-reporting": True,
}


def synthesize(output: Path, **context: Any) -> Path:
    """Write the assembly of the app as it is decided now, in the current folder's project."""
    from aws_cdk import App

    stacks = _stacks()
    words = {f"dataware:{word}": value for word, value in context.items()}
    app = App(outdir=str(output), context={**AS_THE_COMMAND_LINE, **words})
    accounts = stacks.Accounts(app, "Accounts", stage="prod")
    processing = stacks.Processing(app, "Processing", stage="prod", users=accounts.users)
    stacks.Site(app, "Site", stage="prod", uploads=processing.uploads)
    app.synth()
    return output


def _stacks() -> ModuleType:
    name = "spaceport_stacks"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, APP / "stacks.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
