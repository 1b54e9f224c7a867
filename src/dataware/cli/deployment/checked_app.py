"""Runs an app in the place of CDK, and fails where it declares other data than was guarded.

`cdk deploy` is told to run this program as its app, by `python -m` and the name of this module. So
what it deploys is what was looked at, whatever happened between the two runs of the app.

Source: AWS CDK documentation, "Configuring the AWS CDK CLI" (`app`, and variables `CDK_…`).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

APP, CHECK = "CDK_APP", "DATAWARE_CHECK"
"""The variables that name this program to CDK, and say to it which app it stands for."""


def describe_check(app: str, assembly: Path, stack_ids: Sequence[str]) -> dict[str, str]:
    """The variables by which CDK runs this program for an app whose guarded output is given."""
    check = {"app": app, "assembly": str(assembly), "stacks": list(stack_ids)}
    windows = os.name == "nt"
    python = subprocess.list2cmdline([sys.executable]) if windows else shlex.quote(sys.executable)
    return {APP: f"{python} -m dataware.cli.deployment.checked_app", CHECK: json.dumps(check)}


def main() -> int:
    """Run the app; answer with its exit code, or 1 for an app that changed its mind."""
    check = json.loads(os.environ.pop(CHECK))
    os.environ.pop(APP, None)
    # The user's own command, written for a shell, in which CDK runs it, too.
    ended = subprocess.run(check["app"], shell=True, check=False)  # noqa: S602 - as CDK does
    if ended.returncode:
        return abs(ended.returncode)
    return _check(Path(check["assembly"]), Path(os.environ["CDK_OUTDIR"]), check["stacks"])


def _check(guarded: Path, output: Path, stack_ids: Sequence[str]) -> int:
    from dataware.kinds import kinds_by_type  # noqa: PLC0415 - an app that fails needs none of this
    from dataware.ops.inputs.assembly import lacks_context  # noqa: PLC0415 - see above
    from dataware.ops.inputs.same_app import find_differences  # noqa: PLC0415 - see above

    # CDK looks up what is missing, and runs the app again.
    if lacks_context(output):
        return 0
    cards = kinds_by_type()
    differences = list(find_differences(guarded, output, stack_ids, cards))
    if differences:
        print(
            "❌ nothing was deployed, because the app now declares what was not checked: "
            f"{', '.join(differences)}; make it declare the same on every run, and run `dataware "
            "deploy` again",
            file=sys.stderr,
        )
    return 1 if differences else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # The app has got the same signal; whoever runs this says what became of the command.
        sys.exit(130)
