"""Columns to objects: what the compiled functions make is what `dict` makes."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from modelserver.scoring.answering.fast_objects import WIDEST, objects_of

WIDTHS = st.integers(0, 5) | st.sampled_from([WIDEST, WIDEST + 1])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    width, height = draw(WIDTHS), draw(st.integers(0, 3))
    names = [draw(st.text(max_size=5)) + str(place) for place in range(min(width, 5))]
    names += [f"}}: c{place}" for place in range(len(names), width)]
    cell = st.none() | st.integers() | st.text()
    return names, [draw(st.lists(cell, min_size=height, max_size=height)) for _ in names]


@given(tables())
def test_each_row_is_an_object(table: tuple[list[str], list[list[Any]]]) -> None:
    names, columns = table
    rows = list(zip(*columns, strict=True))
    made = objects_of(names, columns)
    assert made == [dict(zip(names, row, strict=True)) for row in rows]
    assert [list(record) for record in made] == [names] * len(rows)


@pytest.mark.parametrize("width", [2, WIDEST + 1])
def test_columns_have_one_length(width: int) -> None:
    columns = [[1]] * (width - 1) + [[1, 2]]
    with pytest.raises(ValueError, match="longer"):
        objects_of([str(place) for place in range(width)], columns)
