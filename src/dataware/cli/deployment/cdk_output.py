"""What people see of CDK's own output: all of it, or the lines that a log needs.

On a terminal CDK draws a bar and may ask, so its output is its own. In a pipe or CI it writes a
line for every event of CloudFormation: there steps that went well are reported at most every ten
seconds, and lines about assets, times and ARNs are left out. Whatever is not known to be one of
these is shown, failures among them, and if CDK fails, what was left out as well.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import IO, Final, TextIO

from dataware.cli.settings import AwsOptions
from dataware.report import Format
from dataware.report.line import encodable

PERIOD: Final = 10.0
MOST_WITHHELD: Final = 10_000

STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")
STEP: Final = re.compile(r"^.*\| +\d+(/\d+)? \| [^|]+ \| (?P<status>[A-Z_]+) +\| ")
"""``Stack | 1/4 | 10:11:34 AM | CREATE_COMPLETE | AWS::S3::Bucket | …``, as CDK writes events."""

TROUBLE: Final = ("FAILED", "ROLLBACK")
NOISE: Final = re.compile(
    r"^\s*$|^.+: (start|success): (Building|Built|Publishing|Published) "
    r"|^✨ +(Synthesis|Deployment|Total) time: |^Stack ARN:$|^arn:aws[\w-]*:cloudformation:\S+$"
)


class CdkOutput(Enum):
    """Where CDK's output goes."""

    WHOLE = auto()
    FOLDED = auto()
    BESIDE = auto()
    """All of it to standard error, because standard output holds nothing but events."""


def output_of(options: AwsOptions) -> CdkOutput:
    """What is shown of CDK's output under some options, and on these streams."""
    if options.format is Format.JSON:
        return CdkOutput.BESIDE
    live = any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    return CdkOutput.WHOLE if options.full or live else CdkOutput.FOLDED


class OutputFold:
    """Decides line by line what is shown, and keeps the rest."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._reported_at = now()
        self.withheld: deque[str] = deque(maxlen=MOST_WITHHELD)

    def shows(self, line: str) -> bool:
        """Whether a reader needs this line."""
        text = STYLE.sub("", line).rstrip()
        shown = not NOISE.match(text) and (not (step := STEP.match(text)) or self._is_due(step))
        if not shown and text:
            self.withheld.append(text)
        return shown

    def _is_due(self, step: re.Match[str]) -> bool:
        if any(word in step["status"] for word in TROUBLE):
            return True
        if self._now() - self._reported_at < PERIOD:
            return False
        self._reported_at = self._now()
        return True


def run_folded(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> int:
    """Run a command and show what its reader needs; its exit code."""
    fold, lock = OutputFold(), threading.Lock()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )

    def pump(source: IO[str], shown: TextIO) -> None:
        for line in source:
            with lock:
                if fold.shows(line):
                    shown.write(encodable(line, shown))
                    shown.flush()

    with process:
        assert process.stdout is not None  # noqa: S101 - both are pipes, see above
        assert process.stderr is not None  # noqa: S101 - see above
        pairs = ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        pumps = [threading.Thread(target=pump, args=pair, daemon=True) for pair in pairs]
        try:
            for thread in pumps:
                thread.start()
            for thread in pumps:
                thread.join()
            code = process.wait()
        except BaseException:
            process.kill()
            raise
    if code and fold.withheld:
        sys.stderr.write("What was left out of the output above:\n")
        sys.stderr.writelines(f"{encodable(text, sys.stderr)}\n" for text in fold.withheld)
    return code
