"""The recorded first runs are those that the script makes, and nothing in them went wrong."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/first-runs.md").read_text(encoding="utf-8")
TYPED = re.compile(r"^\$ (.*?) +# [\d.]+ s(?:, exit (\d+))?$", re.MULTILINE)


def script() -> Any:
    """The script that records the page."""
    path = ROOT / "scripts/record_first_runs.py"
    spec = importlib.util.spec_from_file_location("record_first_runs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RECORDER = script()
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
EXPECTED_TO_FAIL = {
    ("pip, in a virtual environment", "dataware plan"),  # before there are credentials and a file
    ("A job of continuous integration", "HOME=/proc/none dataware report --out report.html"),
}
"""What the page shows because it is refused."""


@pytest.mark.parametrize("run", RECORDER.RUNS, ids=lambda run: run.title)
def test_what_was_typed_is_what_the_script_types_and_ends_well(run: Any) -> None:
    """Exit codes: 0, or 2 of a plan that shall say whether there is something to do."""
    typed = TYPED.findall(SECTIONS[run.title])
    wheel = re.compile(r"dataware-[\w.]+-py3-none-any\.whl")
    lines = [wheel.sub("{wheel}", line).rstrip() for line, _ in typed]
    assert lines == list(run.lines)
    for line, code in typed:
        allowed = {"1", ""} if (run.title, line) in EXPECTED_TO_FAIL else {""}
        assert code in ({"2", ""} if "--detailed-exitcode" in line else allowed), line


def test_nothing_of_the_machine_is_on_the_page() -> None:
    """No path, no registry, no traceback; the runs stand in the order of the script."""
    assert list(SECTIONS) == [run.title for run in RECORDER.RUNS]
    for word in ("Traceback", "/root", "/tmp/", "/home/", "/opt/", "/etc/", "simple/", "registry"):
        assert word not in PAGE, word
