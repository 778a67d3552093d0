"""Columns of cells to an object for each row, as an answer in JSON has them.

In: the names, each once, and the cells of each column. Out: a list of dicts. For few columns a
display `{name: cell, …}` makes each dict, which takes a quarter of the time of `dict(zip(…))`, the
plain way. As in `collections.namedtuple`, a function of that many columns is compiled.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final

WIDEST: Final = 200
"""The most columns for which a function is compiled."""

Maker = Callable[[Sequence[str], Iterable[tuple[Any, ...]]], list[dict[str, Any]]]


def objects_of(names: Sequence[str], columns: Sequence[Iterable[Any]]) -> list[dict[str, Any]]:
    """An object for each row. All columns have the same length."""
    rows = zip(*columns, strict=True)
    if 0 < len(names) <= WIDEST:
        return _fast_maker(len(names))(names, rows)
    return [dict(zip(names, row, strict=True)) for row in rows]


@cache
def _fast_maker(count: int) -> Maker:
    """A function that makes the objects of rows with so many cells. Its source holds no names."""
    places = range(count)
    pairs = ", ".join(f"k{place}: c{place}" for place in places)
    keys, cells = (f"({', '.join(f'{letter}{place}' for place in places)},)" for letter in "kc")
    source = f"lambda names, rows: [{{{pairs}}} for {keys} in [names] for {cells} in rows]"
    maker: Maker = eval(source, {"__builtins__": {}})
    return maker
