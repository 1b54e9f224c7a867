"""Does word by word what a page of the documentation says, and compares what the page shows.

``python -m support.followed docs/tutorial.md`` does so in a fresh clone. These are the words that a
page is read by, and they are those that a person reads it by:

- a block of ``sh`` is typed into one shell, block by block, and must end with exit code 0;
- a block of ``text`` behind it is what the shell shows then, or soon, if something runs on behind;
- a block of another language is saved if the words before it are "Save this as `NAME`:";
- everything else is only shown.

In what a page shows, ``…`` stands for anything, on a line of its own for any lines. What differs
from run to run (`DIFFERING`) may differ, and lines of progress come as often as the machine is
slow: one that is shown stands for one or more of them. With the variable REWRITE_PAGES set, an
answer that differs is written into the page instead of being an error.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0
"""How long a person would wait for a block to end, or for what the page shows to appear."""

PATIENCE_TO_REWRITE = 30.0

FENCE = re.compile(r"^```([\w-]+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED = re.compile(r"\bSave this as `([^`\n]+)`:\Z")
DIFFERING = (
    r"127\.0\.0\.1:\d+",
    r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)",
    r"(?<=interrupted: )[\d,]+",
    r"(?<=running: )[\d,]+",
    r"(?<=Continuing after )[\d,]+",
    r"(?:\d+ (?:min|h) )?\d+ (?:s|min|h) ago",
    r"\S+/forgotten/\S+\.json",
    r"(?<=Done in )(?:\d+ min )?\d+ s\b",
    r"[\d.]+ [kM]?B(?=\)(?:, \d+ already in place)?\. Sources? untouched)",
    r"(?<=inished after )(?:\d+ min )?\d+ s\b",
    r"(?<=run )(?:[0-9a-f]{12}|\d{8}-\d{6}-\d{3}-[0-9a-f]{2})\b",
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
)
PROGRESS = (
    r"(?:✅ (?:\S+: )?Migrated batch [\d,]+/[\d,]+"
    r"|📊 (?:\S+: )?(?:[\d,]+ of |Compared [\d,]+ )[^\n]+)[ ]*\n"
)
_VARIED = re.compile("|".join(f"({pattern})" for pattern in DIFFERING))
_KILLED = re.compile(r"^.*line \d+: +\d+ (?:Killed|Terminated) .*\n", re.MULTILINE)
_END = "--end-of-block--"


@dataclass(frozen=True)
class Saved:
    """A file that the reader saves."""

    name: str
    text: str


@dataclass(frozen=True)
class Typed:
    """What the reader types, and what the page shows of the answer."""

    text: str
    shown: str | None


def steps(page: str) -> Iterator[Saved | Typed]:
    """What a page tells its reader to do, in order."""
    found = list(FENCE.finditer(page))
    for number, fence in enumerate(found):
        language, text = fence.groups()
        if language == "sh":
            follows = found[number + 1] if number + 1 < len(found) else None
            shown = follows[2] if follows is not None and follows[1] == "text" else None
            yield Typed(text, shown)
        elif language != "text" and (name := SAVED.search(page[: fence.start()].rstrip())):
            yield Saved(name[1], text)


def pattern_of(shown: str) -> re.Pattern[str]:
    """What the answer has to look like, as a pattern."""
    return re.compile("".join(map(_line, shown.rstrip().split("\n"))) + r"\s*")


def _line(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    if re.fullmatch(PROGRESS, f"{line}\n"):
        return f"(?:{PROGRESS})+?"
    return f"(?:{PROGRESS})*?{_words(line.rstrip())}[ ]*(?:\\n|\\Z)"


def _words(text: str) -> str:
    """Fixed words as they are; what differs from run to run as the pattern of its sort."""
    parts, end = [], 0
    for found in _VARIED.finditer(text):
        parts += [_open(text[end : found.start()]), DIFFERING[(found.lastindex or 1) - 1]]
        end = found.end()
    return "".join([*parts, _open(text[end:])])


def _open(text: str) -> str:
    return ".*?".join(re.escape(part) for part in text.split("…"))


class PageDiffersError(AssertionError):
    """The shell answers otherwise than the page shows; `answer` is what it says."""

    def __init__(self, answer: str, message: str) -> None:
        super().__init__(message)
        self.answer = answer


class Shell:
    """One bash, typed into block by block; a context manager that ends all it has started.

    `patience` is how long it is waited for an answer, in seconds.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], patience: float = SECONDS) -> None:
        self._patience = patience
        # An outer make would hand down its job server, which is not there for this one.
        kept = {name: value for name, value in environ.items() if not name.startswith("MAKE")}
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-s"],
            cwd=folder,
            env=kept,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._answer = ""
        self._more = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def type(self, text: str, shown: str | None = None) -> None:
        """Type a block and wait for its end, and until the answer is as `shown`.

        Raises AssertionError if it does not end or ends with another code, and PageDiffersError.
        """
        with self._more:
            self._answer = ""
        self._write(f"{text}\nprintf '%s %d\\n' {_END} $?\n")
        assert self._until(re.compile(rf"(?s).*^{_END} \d+$.*", re.MULTILINE)), self._said(text)
        assert f"{_END} 0\n" in self._answer, self._said(text)
        if shown is not None and not self._until(pattern_of(shown)):
            message = f"{self._said(text)}\n--- the page shows ---\n{shown}"
            raise PageDiffersError(self._clean(), message)

    def save(self, name: str, text: str) -> None:
        """Save a file in the shell's current folder, as an editor would."""
        self.type(f"cat > {name} <<'{_END}-file'\n{text}{_END}-file")

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self._answer += line
                self._more.notify_all()

    def _until(self, pattern: re.Pattern[str]) -> bool:
        deadline = time.monotonic() + self._patience
        with self._more:
            while not self._is(pattern):
                if not self._more.wait(deadline - time.monotonic()):
                    return self._is(pattern)
        return True

    def _is(self, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.fullmatch(self._answer) or pattern.fullmatch(self._clean()))

    def _clean(self) -> str:
        """The answer without what the shell itself says."""
        return re.sub(rf"^{_END} \d+\n", "", _KILLED.sub("", self._answer), flags=re.MULTILINE)

    def _said(self, text: str) -> str:
        return f"\n--- typed ---\n{text}\n--- answered ---\n{self._answer}"


def follow(page: Path, folder: Path, environ: Mapping[str, str]) -> int:
    """Do what a page says, beginning in `folder`; the number of steps. Raises AssertionError."""
    rewriting = "REWRITE_PAGES" in environ
    found = list(steps(page.read_text(encoding="utf-8")))
    with Shell(folder, environ, PATIENCE_TO_REWRITE if rewriting else SECONDS) as shell:
        for step in found:
            if isinstance(step, Saved):
                shell.save(step.name, step.text)
                continue
            try:
                shell.type(step.text, step.shown)
            except PageDiffersError as differs:
                if not rewriting:
                    raise
                rewrite(page, step.shown or "", differs.answer)
    return len(found)


def rewrite(page: Path, shown: str, answer: str) -> None:
    """Let a page show what was answered."""
    text = page.read_text(encoding="utf-8")
    text = text.replace(f"```text\n{shown}```", f"```text\n{answer}```", 1)
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Follow a page in a fresh clone of this project, and say how long it took."""
    page = Path(sys.argv[1])
    folder = Path(tempfile.mkdtemp(prefix="dataware-clone-"))
    started = time.monotonic()
    try:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        done = follow(page, folder, os.environ)
    finally:
        shutil.rmtree(folder)
    print(f"{page}: {done} steps in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
