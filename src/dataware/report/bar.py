"""The text of the live bars: one line for each migration, which always fits the width it is given.

    Orders-prod     copying   ━━━━━━━━━───────── 45,000/100,000  2,300/s  24 s left  12 throttled
    uploads-prod    waiting

Names are aligned, and nothing moves to and fro while figures grow. What matters less is dropped
first on a narrow terminal; a long name is shortened in its middle, because both its ends tell
names apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, chop_cells

from dataware.calc.rate import UNKNOWN

Row = Mapping[str, object]

SHORTEST_BAR = 6
LONGEST_BAR = 40
SHORTEST_NAME = 8
NAME_SHARE = 3
"""A name has a third of the width, and of a wide one what is left beside everything else."""
EVERYTHING = 110
OLD_SECONDS = 15
"""From what age on figures are older than a run that is well would let them become."""
PHASE_WIDTH, RATE_WIDTH, LEFT_WIDTH = 9, 7, 14
"""Cells that are kept for what changes its length: "verifying", "2,300/s", "12 min 10 s left"."""


def bar_lines(rows: Sequence[Row], width: int) -> list[str]:
    """The bars of several migrations, one below the other.

    Each has name, phase, bar, done/total, rate, time left, and what slows it.
    """
    names = [str(row.get("name", "")) for row in rows]
    phase = max((max(cell_len(_phase(row)), PHASE_WIDTH) for row in rows if _phase(row)), default=0)
    wanted = max(map(cell_len, names), default=0)
    name = min(wanted, max(width - EVERYTHING, width // NAME_SHARE, SHORTEST_NAME))
    return [
        _line(_pad_text(shorten_name(text, name), name), row, phase, width)
        for text, row in zip(names, rows, strict=True)
    ]


def _line(name: str, row: Row, phase: int, width: int) -> str:
    head = " ".join(part for part in (name, _pad_text(_phase(row), phase)) if part)
    parts = _parts(row)
    while len(parts) > 1 and cell_len(f"{head} {_join_parts(parts)}") + SHORTEST_BAR + 1 > width:
        parts.pop()
    if not parts:
        return cut_text(head.rstrip(), width)
    room = width - cell_len(f"{head} {_join_parts(parts)}") - 1
    if "done" in row and room >= SHORTEST_BAR:
        length = max(SHORTEST_BAR, min(room - _growth(row, parts), LONGEST_BAR))
        return f"{head} {_bar(row, length)} {_join_parts(parts)}"
    if room >= -1:
        return f"{head} {_join_parts(parts)}"
    space = width - cell_len(parts[0]) - 1
    if space < SHORTEST_NAME:
        return cut_text(parts[0], width)
    return f"{shorten_name(name.rstrip(), space)} {parts[0]}"


def overall_line(whole: Row, width: int) -> str:
    """The line of a whole run: resources, records, bytes, rate, time left; it always fits.

    A total that is not known to the last one is "about", and one that lacks some resources "+".
    """
    parts = overall_parts(whole)
    while len(parts) > 1 and cell_len(f"In all: {_join_parts(parts)}") > width:
        parts.pop()
    return cut_text(f"In all: {_join_parts(parts)}", width)


def overall_parts(whole: Row) -> list[str]:
    """What there is to say of a whole run, what matters most first."""
    done, total = number_of(whole, "done"), number_of(whole, "total")
    of = f"{'' if whole.get('exact') or whole.get('more') else '~'}{total:,}"
    of += "+" if whole.get("more") and total else ""
    parts = [
        f"{number_of(whole, 'resources_done'):,} of {number_of(whole, 'resources'):,} resources"
    ]
    if total:
        parts.append(f"{done:,}/{of}")
        remaining = f"{whole['left']} left" if whole.get("left") else ""
        parts += [part for part in (f"{_figure(whole.get('rate', 0))}/s", remaining) if part]
        parts += [str(whole["bytes"])] if whole.get("bytes") else []
    return parts


def _growth(row: Row, parts: list[str]) -> int:
    """Cells that the time left may need yet; the bar leaves them free, so that it need not move."""
    width_left = sum(cell_len(part) for part in parts if part.endswith(" left"))
    return max(0, LEFT_WIDTH - width_left) if _is_known(row) else 0


def _phase(row: Row) -> str:
    return str(row.get("phase") or "")


def _parts(row: Row) -> list[str]:
    """What the bar says in words, the most important first."""
    if "done" not in row:
        return [f"{row['elapsed']:.0f} s"] if row.get("elapsed") else []
    parts = [_count(row), f"{_figure(row.get('rate', 0))}/s".rjust(RATE_WIDTH)]
    if row.get("eta") not in (None, "", UNKNOWN):
        parts.append(f"{row['eta']} left")
    if skipped := number_of(row, "skipped"):
        parts.append(f"{skipped:,} skipped")
    if throttled := number_of(row, "throttled"):
        parts.append(f"{throttled:,} throttled")
    if retries := number_of(row, "retries"):
        parts.append(f"{retries:,} {'retry' if retries == 1 else 'retries'}")
    if age := number_of(row, "age"):
        # What is old is true of the past only, so that matters more than the rest.
        parts.insert(1 if age >= OLD_SECONDS else len(parts), f"{age} s ago")
    if reason := str(row.get("reason") or ""):
        parts.append(f"slow: {reason}")
    return parts


def _count(row: Row) -> str:
    """Done and total; an estimate that was too low is no total any more."""
    done, total = number_of(row, "done"), number_of(row, "total")
    if not _is_known(row):
        return f"{done:,}"
    whole = f"{total:,}"
    return f"{f'{done:,}'.rjust(len(whole))}/{'' if row.get('exact', True) else '~'}{whole}"


def _is_known(row: Row) -> bool:
    done, total = number_of(row, "done"), number_of(row, "total")
    return total > 0 and (done <= total if row.get("exact", True) else done < total)


def _figure(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def number_of(row: Row, field: str) -> int:
    """A figure of a row; zero where there is none."""
    value = row.get(field, 0)
    return int(value) if isinstance(value, int | float) else 0


def _join_parts(parts: list[str]) -> str:
    return "  ".join(parts)


def _bar(row: Row, length: int) -> str:
    done, total = number_of(row, "done"), number_of(row, "total")
    full = length * done // total if _is_known(row) else 0
    return "━" * full + "─" * (length - full)


def _pad_text(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def cut_text(text: str, width: int) -> str:
    """The beginning of a text, at most `width` cells."""
    return chop_cells(text, width)[0] if cell_len(text) > width > 0 else text


def shorten_name(name: str, space: int) -> str:
    """The name in at most `width` cells: where it is too long, its middle is left out."""
    if cell_len(name) <= space:
        return name
    behind = (space - 1) // 2
    tail = ""
    for character in reversed(name):
        if cell_len(character + tail) > behind:
            break
        tail = character + tail
    return f"{cut_text(name, space - 1 - cell_len(tail))}…{tail}"
