"""Long tables: whatever is in a cell stays text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from dataware.report.html.table import PAGE_ROWS, Column, ReportTable, to_script_json

COLUMNS = (Column("Key", "code"), Column("Side", "tag", repeats=True))


@given(st.lists(st.tuples(st.text(), st.sampled_from(["missing", "<extra>"]))))
def test_rows_come_back_from_the_page_as_they_were(rows: list[tuple[str, str]]) -> None:
    """What is embedded ends no element, and is the same rows again."""
    text = str(ReportTable("t", "caption", COLUMNS, rows).json())
    assert not set("<>&") & set(text)
    assert text.isascii()
    data = json.loads(text)
    assert [(key, data["terms"][term]) for key, term in data["rows"]] == rows


def test_cells_of_several_lines_are_embedded_with_their_styles() -> None:
    """A line is a style and a text."""
    rows = [((("code", "a"), ("mute", "b")), "missing")]
    assert json.loads(ReportTable("t", "", COLUMNS, rows).json())["rows"] == [
        [[["code", "a"], ["mute", "b"]], 0]
    ]


def test_the_end_of_a_script_cannot_be_embedded() -> None:
    """The classic attack is only text."""
    attack = "</script><!--<script><img src=x onerror=alert(1)>&amp;"
    assert json.loads(str(to_script_json(attack))) == attack
    assert "<" not in to_script_json(attack)


def test_only_long_tables_can_be_searched() -> None:
    """A table that is shown whole needs no tools; choices are those that occur, if several do."""
    short = ReportTable("t", "", COLUMNS, [("k", "missing")] * PAGE_ROWS)
    long = ReportTable("t", "", COLUMNS, [("k", "missing")] * PAGE_ROWS + [("k", "extra")])
    same = ReportTable("t", "", COLUMNS, [("k", "extra")] * (PAGE_ROWS + 1))
    assert (short.is_long, short.facets) == (False, [])
    assert (long.is_long, long.facets) == (True, [(1, "Side", ["extra", "missing"])])
    assert same.facets == []
    assert len(long.head) == PAGE_ROWS
