"""Checks what a release needs and no build would miss: the changelog names the version."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from dataware import __version__

ROOT = Path(__file__).resolve().parent.parent
SBOM = ROOT / "build/release/sbom.cdx.json"


def find_problems(version: str, changelog: str, sbom: str) -> list[str]:
    """What keeps a version from being released, one sentence each."""
    problems = []
    if not re.search(rf"^###? \[?{re.escape(version)}\]?( |$)", changelog, re.MULTILINE):
        problems.append(f"CHANGELOG.md has no heading for {version}: add one")
    components = json.loads(sbom).get("components", [])
    if version not in {one.get("version") for one in components if one["name"] == "dataware"}:
        problems.append(f"the SBOM does not list dataware {version}: remove build/ and try again")
    return problems


def main() -> str | None:
    """What is wrong with the release that stands here; None if nothing is."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return "\n".join(find_problems(__version__, changelog, SBOM.read_text("utf-8"))) or None


if __name__ == "__main__":
    sys.exit(main())
