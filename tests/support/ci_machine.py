"""A machine of CI without CI: runs the steps of workflows and jobs as the runners would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")

# Answers what it is told to, and notes what it was asked.
FAKE = """#!/usr/bin/env python3
import json, os, pathlib, sys
folder = pathlib.Path(os.environ["FAKES"])
with (folder / "asked.jsonl").open("a") as asked:
    asked.write(json.dumps(sys.argv) + "\\n")
for line in (folder / "answers.jsonl").read_text().splitlines():
    part, answer = json.loads(line)
    if part in " ".join(sys.argv):
        target = [to for flag, to in zip(sys.argv, sys.argv[1:]) if flag in ("--output", "--dir")]
        if answer is None:
            sys.exit(22)
        if "--dir" in sys.argv:
            pathlib.Path(target[0]).mkdir()
            target = [target[0] + "/plan.json"]
        pathlib.Path(target[0]).write_text(answer) if target else print(answer)
        sys.exit()
"""


@dataclass
class CiMachine:
    """A machine of CI: a folder, the embedded AWS, and programs that only note what is asked."""

    folder: Path

    def __post_init__(self) -> None:
        programs = self.folder / "bin"
        programs.mkdir()
        own = f'#!/bin/sh\nexec "{sys.executable}" -m dataware.cli "$@"\n'
        texts = {
            "dataware": own,
            "gh": FAKE,
            "curl": FAKE,
            "python": f'exec "{sys.executable}" "$@"',
        }
        for name, text in texts.items():
            (programs / name).write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        self.answers()

    def answers(self, *pairs: tuple[str, str | None]) -> None:
        """What gh and curl answer to a call that has a text in it; None is a failure."""
        lines = [json.dumps(pair) for pair in pairs]
        (self.folder / "answers.jsonl").write_text("\n".join(lines))

    @property
    def asked(self) -> list[str]:
        """The calls of gh and curl."""
        path = self.folder / "asked.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [" ".join(json.loads(line)[1:]) for line in lines]

    def run(
        self, script: str, shell: Sequence[str] = SHELL, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a step as the runners of GitHub and GitLab do."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        files = {
            name: str(self.folder / name.lower())
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        fixed = {
            "PATH": path,
            "FAKES": str(self.folder),
            "GITHUB_REPOSITORY": "we/app",
            "CI": "true",
        }
        return subprocess.run(
            [*shell, script],
            cwd=self.folder,
            env={**os.environ, **files, **fixed, "PYTHONUTF8": "1", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def text(self, name: str) -> str:
        """A file that a step wrote; empty if there is none."""
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def output(self) -> dict[str, str]:
        """The outputs of the last steps on GitHub."""
        return dict(line.split("=", 1) for line in self.text("github_output").splitlines())
