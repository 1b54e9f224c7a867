"""docs/fidelity.md: what each tool keeps, attribute by attribute and thing by thing."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.fidelity.compare import Comparison, Kept
from tests.bench.result import table

_HEAD = """# Fidelity

What each tool keeps of the same 30 objects and the same 30 items. Written by `make bench`: every
tool copies them on a server that begins anew, and boto3 then compares source and target, attribute
by attribute. The embedded AWS does what AWS documents for copies (a plain `CopyObject` sets the
class to STANDARD, and so on); [its page](embedded.md#unlike-aws) says where it differs.

"""
_OBJECTS = """
How many of the objects that arrived, and that have an attribute in the source, have it in the
target as well. An object that did not arrive counts in the first row only. An exit code of 0 beside
a loss means that nothing told of it. The ETag of an object that was uploaded in parts depends on
how it is put together, and so changes with every copy in one call.

"""
_ATTRIBUTES = (
    "content",
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Disposition",
    "Cache-Control",
    "Expires",
    "user metadata",
    "tags",
    "storage class",
    "checksum",
    "ETag",
    "older versions",
    "value",
)
_THERE, _GONE = "✓", "**missing**"


def page(buckets: Sequence[Comparison], tables: Comparison, measured: str) -> str:
    """The whole page."""
    parts = [_HEAD, "## Objects\n", _OBJECTS]
    for comparison in buckets:
        parts.append(_section(comparison, "###"))
    parts += ["## Items\n\n", _section(tables, "###")]
    kept = {one.name: one for one in (*buckets[0].kept, *tables.kept)}
    lines = [f"- {one.name}: {one.version}, `{one.shown}`" for one in kept.values()]
    parts += ["## Versions and commands\n\n", "\n".join(lines), f"\n\nMeasured: {measured}.\n"]
    return "".join(parts)


def _section(comparison: Comparison, mark: str) -> str:
    kept = [one for one in comparison.kept if not one.missing]
    lines = [f"{mark} On {comparison.server}", "", *_by_attribute(comparison, kept), ""]
    lines += [f"{mark}# What is not kept, on {comparison.server}", "", *_by_thing(comparison, kept)]
    lines.append("")
    if comparison.refused:
        lines += [f"This server does not take: {', '.join(comparison.refused)}.", ""]
    lines += [f"- {note}" for note in comparison.notes]
    lines += [f"- {one.name} did not run: {one.missing}" for one in comparison.kept if one.missing]
    return "\n".join(lines).rstrip("\n") + "\n\n"


def _by_attribute(comparison: Comparison, kept: Sequence[Kept]) -> list[str]:
    """A line for each tool, a column for each attribute."""
    total = len(comparison.things) - len(comparison.refused)
    names = [name for name in _ATTRIBUTES if any(one.had[name] for one in kept)]
    rows = [["tool", "arrived", *names, "exit code"]]
    for one in kept:
        shares = [_share(one.had[name] - one.lost[name], one.had[name]) for name in names]
        rows.append([one.name, _share(total - len(one.gone), total), *shares, str(one.status)])
    return table(rows)


def _by_thing(comparison: Comparison, kept: Sequence[Kept]) -> list[str]:
    """A line for each thing of which some tool lost something, a column for each tool."""
    rows = [["", *(one.name for one in kept)]]
    for what in comparison.things:
        if what in comparison.refused:
            continue
        cells = [_cell(one, what) for one in kept]
        if any(cell != _THERE for cell in cells):
            rows.append([what, *cells])
    return table(rows)


def _cell(one: Kept, what: str) -> str:
    return _GONE if what in one.gone else ", ".join(one.changed[what]) or _THERE


def _share(kept: int, had: int) -> str:
    if not had:
        return "–"
    return f"{kept} of {had}" if kept == had else f"**{kept} of {had}**"
