"""The oldest aws-cdk-lib and constructs that we work with, in the cache beside the newest.

``python -m support.oldest_cdk`` installs it ahead of the tests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from dataware.embedded.environment import cache_folder
from support.peers import UnavailableError

OLDEST, CONSTRUCTS = "2.89.0", "10.0.0"


def install() -> Path:
    """The folder to put first on the module path, made if need be. Raises UnavailableError."""
    folder = cache_folder() / "peers" / f"aws-cdk-lib-{OLDEST}-{CONSTRUCTS}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        versions = (f"aws-cdk-lib=={OLDEST}", f"constructs=={CONSTRUCTS}")
        options = ("--no-compile", "--target", str(made), *versions)
        done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnavailableError(
                f"aws-cdk-lib {OLDEST} cannot be installed: {done.stderr[-300:]}"
            )
        # Another process may have been quicker; its folder is as good.
        with suppress(OSError):
            made.rename(folder)
    return folder


if __name__ == "__main__":
    print(f"aws-cdk-lib {OLDEST}: {install()}")
