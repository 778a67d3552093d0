"""CSV as a format of answers (RFC 4180): UTF-8, commas, lines that end with CRLF.

A missing value is an empty cell, and so is an empty text. Other values are written as in JSON:
true and false, dates in ISO 8601, bytes in base64, decimals with all digits; arrays and objects as
JSON texts. Infinite numbers, which JSON lacks, are `inf` and `-inf`.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from modelserver.scoring.answering.encoding import cells_of, encode_json
from modelserver.scoring.answering.tables import Columns

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""The beginnings of texts that a spreadsheet may take for formulas
(https://owasp.org/www-community/attacks/CSV_Injection)."""


TURN: Final = 1000
"""How many rows are written at a time: meanwhile, no other thread of Python can go on."""


def write_csv(columns: Columns, quote_formulas: bool = False, header: bool = True) -> bytes:
    """The table as CSV. `quote_formulas`: whether `'` is put before texts that a spreadsheet would
    run; `header`: whether the names stand above the rows. Raises `TypeError` or `ValueError` for a
    value that it cannot hold."""
    texts = [[_text(cell) for cell in cells_of(column)] for column in columns.values()]
    names = list(columns)
    if quote_formulas:
        names, texts = _unformulated(names), [_unformulated(column) for column in texts]
    file = io.StringIO()
    writer = csv.writer(file)
    if header:
        writer.writerow(names)
    rows = zip(*texts, strict=True)
    while some := list(islice(rows, TURN)):
        writer.writerows(some)
    return file.getvalue().encode()


def _text(cell: Any) -> Any:
    """A cell as the `csv` module writes it."""
    write = PLAIN.get(type(cell))
    if write is not None:
        return write(cell)
    text = encode_json(cell).decode()
    if text == "null":
        return None
    return json.loads(text) if text.startswith('"') else text


def _unformulated(cells: list[Any]) -> list[Any]:
    return [f"'{c}" if isinstance(c, str) and c.startswith(FORMULAS) else c for c in cells]


PLAIN: Final[Mapping[type, Callable[[Any], Any]]] = {
    str: lambda cell: cell,
    int: lambda cell: cell,
    bool: lambda cell: "true" if cell else "false",
    float: lambda cell: cell if cell == cell else None,
    type(None): lambda cell: None,
}
"""How cells of the most common types are written."""
