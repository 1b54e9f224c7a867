"""How many resources of public templates can be planned without a word changed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dataware.core.parameters import parse_parameters
from dataware.kinds import kinds_by_type
from dataware.ops.inputs.app import load_app
from dataware.ops.inputs.read_options import ReadOptions
from dataware.ops.inputs.value_sources import ValueSources
from dataware.ops.inputs.wanted import App, Unplanned
from support.public_shapes import NAMED, UNNAMED, public_templates

ROOT = Path(__file__).resolve().parents[3]
NAMED_THERE = 74
LEAST = 65


def nothing(*_: Any) -> Mapping[str, Any]:
    """What an account without stacks answers."""
    return {}


EMPTY = SimpleNamespace(
    account="111122223333",
    region="eu-west-1",
    partition="aws",
    stack_parameters=nothing,
    stack_resources=nothing,
    exported_values=nothing,
    stack_id=lambda _: None,
)


def read(document: Any, path: Path, aws: Any = EMPTY, words: Sequence[str] = ()) -> App:
    """Every stateful resource of a template that is to be deployed as stack shop."""
    path.write_text(json.dumps(document))
    declared = "Name" in document.get("Parameters", {})
    given = parse_parameters(words if declared else [], keeps_others=True)
    sources = ValueSources(given, open_aws=lambda _: aws)
    return load_app(
        path,
        kinds=kinds_by_type(),
        options=ReadOptions(sources=sources, every=True),
        stack="shop",
        guarding=True,
    )


def test_most_names_of_public_templates_are_known(tmp_path: Path) -> None:
    """What stays unknown is listed, with the reason and what would make it known."""
    apps = [read(one, tmp_path / "t.json") for one in public_templates()]
    planned = [one.preferred for app in apps for one in app.wanted]
    unplanned = [one for app in apps for one in app.unplanned]
    generated = [one for one in unplanned if one.reason.startswith("CloudFormation generates")]
    unknown = [one for one in unplanned if one not in generated]
    listed = [f"{one.id} ({one.type}): {one.reason}" for one in unknown]
    whole = len(planned) + len(unknown)
    # With `pytest -s` the list is for people.
    print(f"{len(planned)} of {whole} named resources plan as they are", *listed, sep="\n")  # noqa: T201
    assert sum(shape.count for shape in NAMED) == NAMED_THERE
    assert (len(planned) + len(unknown), len(generated)) == (NAMED_THERE, UNNAMED)
    assert len(planned) >= LEAST
    assert len({*planned}) == len(planned)
    assert all("--parameter Name" in one.reason or "deployed" in one.reason for one in unknown)
    page = (ROOT / "docs/computed-names.md").read_text("utf-8")
    whole_page = " ".join(page.split())
    counts = f"{len(planned)} of the {whole} that have a name are planned as they are"
    assert f"Of {whole + len(generated)} buckets and tables" in whole_page
    assert counts in whole_page
    assert f"{len(generated)} have no name" in whole_page
    rows = set(re.findall(r"^\| (\d+) \| `([^`]+)` \| (.+) \|$", page, re.MULTILINE))
    assert rows == {(str(count), *what) for what, count in Counter(map(explain, unknown)).items()}


def explain(one: Unplanned) -> tuple[str, str]:
    """The function whose value is unknown, and why, as the page lists both."""
    match = re.fullmatch(r"its name is what (.+) gives, which is unknown: (.+)", one.reason)
    assert match is not None, one.reason
    return match[1], re.sub(r"-\d+", "-…", match[2])


def test_every_name_is_known_once_what_is_asked_for_is_given(tmp_path: Path) -> None:
    """A parameter, a deployed stack, and a deployed export: what the reasons ask for is enough."""
    identity = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1-2-3-4-5"
    exports = {f"Shared-Archive-{n}": f"archive-{n}" for n in range(NAMED_THERE + 1)}
    deployed = SimpleNamespace(
        **{
            **vars(EMPTY),
            "stack_id": lambda _: identity,
            "exported_values": lambda: exports,
        }
    )
    named = 0
    for one in public_templates():
        app = read(one, tmp_path / "t.json", deployed, ["Name=given"])
        named += len(app.wanted)
        assert not [one for one in app.unplanned if not one.reason.startswith("CloudFormation g")]
    assert named == NAMED_THERE
