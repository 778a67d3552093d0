"""CSV: UTF-8 text with a header to a `Table`, by the same rules as JSON.

pandas' C parser infers the types of the columns. If they are not those of the signature, all
columns are read as text, and the converters of the signature name the bad cells. Raises
`BadRequest` for wrong UTF-8, no header, a name given twice, and a row with more or fewer cells than
the header.

An empty cell is a missing value. In a column that is not text, so are pandas' words for it (NA,
null, …). In a text column they are texts like any other.
"""

import csv
import io
import re
from codecs import BOM_UTF8
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.errors import BadRequest, not_utf8
from modelserver.reading.csv.words import INFERRED, MISSING, worded
from modelserver.types.cell_parsers import EXACT
from modelserver.types.kind import TEXT, TEXT_IS_OBJECT, Cells, Kind
from modelserver.types.names import folded
from modelserver.types.tables import MOST_CELLS, NO_ROWS, Table, refuse_repeated

# Since 3.1, pandas reads all digits of floats by default; before, an option makes it do so.
EXACT_FLOATS: Final[Mapping[str, Any]] = (
    {}
    if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    else {"float_precision": "round_trip"}
)

NO_HEADER: Final = (
    "the first line holds none of the model's columns; CSV needs a header (with curl, send it "
    "with --data-binary, not with -d)"
)

FORM: Final = re.compile("(?:dataframe_split|dataframe_records|inputs|instances|params)=")

A_FORM: Final = "the body is an HTML form; send JSON (Python's requests: json= in place of data=)"

ONLY_A_HEADER: Final = (
    f"{NO_ROWS} below its header (with curl, send it with --data-binary, not with -d, which "
    "joins the lines)"
)

SEPARATORS: Final = re.compile(rb'\A"[^"\r\n]*"([;\t|])"')
"""A separator other than the comma after a first name in quotes, as R's write.csv2 writes it."""

OPEN_QUOTE: Final = "a quoted cell does not end"

LABELS: Final = "Unnamed: 0"
"""pandas' name for a first column without a name, which a signature may therefore have."""


def read_csv(body: bytes, kinds: Mapping[str, Kind]) -> Table:
    """The table in `body`; `kinds` are the signature's columns by name, if they have names.

    A first column without a name is left out, since it holds row labels. Raises `BadRequest`.
    """
    body, names = _checked_header(body, kinds)
    by_position = [kinds.get(name) for name in names]
    if len(names) == 1:
        return _read_one_column(body, names[0], by_position[0])
    frame = _read_cells(body, by_position)
    _refuse_short_rows(body, frame, names)
    kept = _named(frame, names, kinds)
    columns = [_cells(frame[position], by_position[position]) for position in kept]
    return Table([names[position] for position in kept], len(frame), columns=columns)


def _read_one_column(body: bytes, name: str, kind: Kind | None) -> Table:
    """The table of a single column, read without pandas: pandas would take a blank text for a blank
    line and skip it."""
    records = _records(body)
    next(records)
    cells = [record[0] if len(record) == 1 else None for record in records]
    if None in cells:
        _refuse_ragged_rows(body, 1)
    missing = {""} if kind is None or kind.takes_any_text else MISSING
    column = [None if cell in missing else cell for cell in cells]
    return Table([name], len(column), columns=[worded(column, kind)])


def read_untyped_csv(body: bytes) -> pd.DataFrame:
    """The table as pandas reads it by default, for a model without a signature. Raises
    `BadRequest`."""
    body, names = _checked_header(body, {})
    frame = _parsed(body, len(names), index_col=False)
    by_position = frame.set_axis(range(len(names)), axis=1)
    _refuse_short_rows(body, by_position, names)
    if frame.empty:
        raise BadRequest(ONLY_A_HEADER)
    return frame.iloc[:, _named(by_position, names)]


def _named(frame: pd.DataFrame, names: Sequence[str], known: Container[str] = ()) -> list[int]:
    """The positions of the columns to keep. Left out are a first column without a name, which holds
    row labels, and empty columns without a name at the end, which spreadsheets write. `known`: the
    names of the signature; if one of them is the empty text, all columns are kept."""
    if "" in known:
        return list(range(len(names)))
    end = len(names)
    while end > 1 and names[end - 1] == "" and frame[end - 1].isin(("", np.nan, None)).all():
        end -= 1
    return list(range(1 if names[0] == "" else 0, end))


def _checked_header(body: bytes, known: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """The body without a byte order mark, and its header. Raises `BadRequest` for a bad header, and
    for a first row of another length: pandas would take its first cells for row labels."""
    body = body.removeprefix(BOM_UTF8)
    _check_utf8(body)
    if (returns := _fast_count(body, "\r")) and returns != body.count(b"\r\n"):
        body = _with_newlines(body)
    records = _records(body)
    names, first = next(records, None), next(records, None)
    if names is None:
        raise BadRequest("the body is empty; send a header and rows")
    if not any(name.strip() or name in known for name in names):
        raise BadRequest("the first line holds no names; send a header and rows")
    if len(names) == 1 and names[0] not in known and (found := set(names[0]) & set(";\t|")):
        raise BadRequest(f"the cells must be separated by commas, not by {found.pop()!r}")
    if names[0] == "" and LABELS in known:
        names[0] = LABELS
    if known and not {folded(name) for name in known} & {folded(name) for name in names}:
        # The names may be cells of data, so the message must not repeat them.
        raise BadRequest(A_FORM if FORM.match(names[0]) else NO_HEADER)
    given = [name for name in names if name]
    if first is None and len(set(given)) != len(given):
        raise BadRequest(ONLY_A_HEADER)  # curl -d joins all lines, so these may be cells of data
    refuse_repeated(given)
    if first is not None and len(first) != len(names):
        raise _ragged(0, len(first), len(names))
    if lacks_most_cells(body, len(names)):
        _refuse_ragged_rows(body, len(names))  # pandas would reserve memory for the missing cells
    return body, names


def lacks_most_cells(body: bytes, width: int) -> bool:
    """Whether a table with rows of this width is large, and most of its cells are missing."""
    lines = _fast_count(body, "\n") + _fast_count(body, "\r")
    return lines * width > max(MOST_CELLS, 10 * (_fast_count(body, ",") + lines))


def _fast_count(body: bytes, letter: str) -> int:
    """A fast way to count a letter in the body: ten times as fast as the plain way,
    `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(letter)))


def _with_newlines(body: bytes) -> bytes:
    """The body with a newline in place of each carriage return outside of quotes. If only carriage
    returns end lines, pandas takes a blank line together with an empty cell for one cell, and the
    row is shifted."""
    letters = np.frombuffer(body, np.uint8).copy()
    inside = np.bitwise_xor.accumulate(letters == ord('"'))
    letters[(letters == ord("\r")) & ~inside] = ord("\n")
    return letters.tobytes()


def _check_utf8(body: bytes) -> None:
    try:
        _ = body.isascii() or body.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(error) from None


def _records(body: bytes) -> Iterator[list[str]]:
    """The lines of the file as lists of cells, without blank lines, which pandas skips too. Raises
    `BadRequest`."""
    text = io.TextIOWrapper(io.BytesIO(body), "utf-8", newline="")
    try:
        yield from filter(None, csv.reader(text, strict=True))
    except csv.Error as error:
        fault = OPEN_QUOTE if "end of data" in str(error) else str(error)
        if separator := SEPARATORS.search(body):
            fault = f"the cells must be separated by commas, not by {separator[1].decode()!r}"
        raise BadRequest(f"the body is not valid CSV: {fault}") from None


def _read_cells(body: bytes, kinds: Sequence[Kind | None]) -> pd.DataFrame:
    """The table with the types that pandas infers, or all columns as text if that lost
    something."""
    texts = {
        position: str
        for position, kind in enumerate(kinds)
        if kind is None or kind.json_type not in INFERRED
    }
    missing = {
        position: [""] if kind is None or kind.takes_any_text else list(MISSING)
        for position, kind in enumerate(kinds)
    }
    if texts and (frame := _fast_cells(body, kinds)) is not None:
        return frame
    frame = _parse(body, len(kinds), texts, missing)
    if _are_as_expected(frame, kinds):
        return frame
    return _parse(body, len(kinds), dict.fromkeys(range(len(kinds)), str), missing)


def _fast_cells(body: bytes, kinds: Sequence[Kind | None]) -> pd.DataFrame | None:
    """A fast way to read a table with texts: pandas infers the types of all columns. The plain way
    names the text columns and the missing values, with which pandas takes 1.5 times as long. None
    if inferring lost something, or before pandas 3, where a column that is inferred as text may
    hold any values."""
    if None in kinds or TEXT_IS_OBJECT:
        return None
    frame = _parse(body, len(kinds), None, [""])
    return frame if _are_as_expected(frame, kinds) else None


def _are_as_expected(frame: pd.DataFrame, kinds: Sequence[Kind | None]) -> bool:
    return all(
        kind is None or _is_as_expected(frame[position], kind)
        for position, kind in enumerate(kinds)
    )


def _is_as_expected(column: "pd.Series[Any]", kind: Kind) -> bool:
    """Whether pandas' inference lost nothing that the column's converter must see."""
    if kind.json_type not in INFERRED:  # among unsigned 64-bit integers, pandas reads gaps as ""
        return column.dtype == TEXT and not (column == "").any()
    inferred = column.dtype.kind
    if inferred not in INFERRED[kind.json_type]:
        return False
    if inferred == "f" and kind.json_type == "number":
        return not np.isinf(column.to_numpy()).any()  # perhaps a number too large for a double
    if inferred == "f":
        return not (column.abs() >= EXACT).any()  # an integer beside a gap may have lost digits
    return True


def _parse(
    body: bytes,
    width: int,
    dtypes: Mapping[int, type[str]] | None,
    missing: list[str] | Mapping[int, list[str]],
) -> pd.DataFrame:
    """The table with positions as column names. pandas infers the dtype of columns that are not in
    `dtypes`; `missing` are the words for missing values."""
    return _parsed(
        body,
        width,
        header=0,
        names=range(width),
        index_col=False,
        dtype=dtypes,
        na_values=missing,
        keep_default_na=False,
        low_memory=False,
    )


def _parsed(body: bytes, width: int, **options: Any) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pd.read_csv(io.BytesIO(body), **options, **EXACT_FLOATS)
    except pd.errors.ParserError as error:
        _refuse_ragged_rows(body, width)  # the cause in all known cases; it names the row
        raise BadRequest("the body is not valid CSV") from error  # pragma: no cover
    return frame


def _refuse_short_rows(body: bytes, frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raises `BadRequest` for rows that are too short. pandas fills them up, so their last cell is
    missing; the rows are counted only if that can be so."""
    if b'"' not in body:
        if _fast_count(body, ",") != (len(frame) + 1) * (len(names) - 1):
            _refuse_ragged_rows(body, len(names))
    elif frame[len(names) - 1].isna().any():
        _refuse_ragged_rows(body, len(names))


def _refuse_ragged_rows(body: bytes, width: int) -> None:
    for number, record in enumerate(_records(body)):
        if len(record) != width:
            raise _ragged(number - 1, len(record), width)


def _ragged(row: int, found: int, width: int) -> BadRequest:
    return BadRequest(f"row {row} has {found} cells, the header has {width}")


def _cells(column: "pd.Series[Any]", kind: Kind | None) -> Cells:
    """The column as converters take it: numbers unchanged, texts with None for missing values."""
    if kind is None or column.dtype.kind in "biuf":
        return column.to_numpy()
    if kind.dtype is TEXT:
        return column.array
    return worded(column.astype(object).where(column.notna(), None).tolist(), kind)
