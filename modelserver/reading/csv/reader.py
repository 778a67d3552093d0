"""CSV: a file with a header to a `Table`, by the same rules as JSON.

pandas' C parser infers the types of the columns. If they are not those of the signature, all
columns are read as text, and the converters of the signature name the bad cells. Raises
`BadRequest` for what is no CSV in UTF-8, for a wrong header, for a row with more or fewer cells
than the header, and for numbers that can be read in two ways.

An empty cell is a missing value. In a column that is not text, so are pandas' words for it (NA,
null, …). In a text column they are texts like any other.
"""

import io
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from modelserver.errors import BadRequest
from modelserver.reading.csv.decimals import NumberColumn, with_points
from modelserver.reading.csv.dialect import ONLY_A_HEADER, CsvFile, open_csv
from modelserver.reading.csv.records import records
from modelserver.reading.csv.words import INFERRED, MISSING, worded
from modelserver.types.cell_parsers import EXACT
from modelserver.types.kind import TEXT, TEXT_IS_OBJECT, Cells, Kind
from modelserver.types.names import quoted
from modelserver.types.tables import Table

# Since 3.1, pandas reads all digits of floats by default; before, an option makes it do so.
EXACT_FLOATS: Final[Mapping[str, Any]] = (
    {}
    if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    else {"float_precision": "round_trip"}
)

LARGE: Final = 32 * 1024
"""The bytes from which on pandas reads a single column in less time than the csv module."""


def read_csv(body: bytes, kinds: Mapping[str, Kind], unnamed: Sequence[Kind | None] = ()) -> Table:
    """The table in `body`. `kinds`: the signature's columns by name, if they have names; `unnamed`:
    its columns in order, if they have none.

    A first column without a name is left out, since it holds row labels. Raises `BadRequest`.
    """
    file = open_csv(body, kinds)
    names, by_position = file.names, _by_position(file.names, kinds, unnamed)
    if len(names) == 1:
        return _fast_column(file, by_position[0]) or _read_one_column(file, by_position[0])
    frame = _read_cells(file, by_position)
    _refuse_short_rows(file, frame)
    kept = _named(frame, names, kinds)
    columns = [_cells(frame[position], by_position[position]) for position in kept]
    return Table([names[position] for position in kept], len(frame), columns=columns)


def _by_position(
    names: Sequence[str], kinds: Mapping[str, Kind], unnamed: Sequence[Kind | None]
) -> list[Kind | None]:
    """The kinds of the file's columns, None for those that the signature does not know. Row labels,
    which have no name, stand before `unnamed` columns."""
    if not unnamed:
        return [kinds.get(name) for name in names]
    labels = [None] if names[0] == "" else []
    others = [None] * len(names)
    return [*labels, *unnamed, *others][: len(names)]


def _fast_column(file: CsvFile, kind: Kind | None) -> Table | None:
    """A fast way to read a large single column: as several are read. None if a text may be blank,
    and for what may be refused by its row, which pandas would count without such texts."""
    if len(file.body) < LARGE or b'"' in file.body:
        return None
    if file.count_separators() or file.may_have_decimal_commas:
        return None
    frame = _read_cells(file, [kind])
    if len(frame) != file.count_lines() - 1:
        return None
    return Table(file.names, len(frame), columns=[_cells(frame[0], kind)])


def _read_one_column(file: CsvFile, kind: Kind | None) -> Table:
    """The table of a single column, read without pandas: pandas would take a blank text for a blank
    line and skip it."""
    rows = records(file.body, file.separator)
    next(rows)
    cells = [row[0] if len(row) == 1 else None for row in rows]
    if None in cells:
        file.refuse_ragged_rows()
    missing = {""} if kind is None or kind.takes_any_text else MISSING
    column: list[Any] = [None if cell in missing else cell for cell in cells]
    if kind is not None and kind.json_type in INFERRED and file.may_have_decimal_commas:
        (column,) = with_points([NumberColumn(file.names[0], kind, column)])
    return Table(file.names, len(column), columns=[worded(column, kind)])


def read_untyped_csv(body: bytes) -> pd.DataFrame:
    """The table as pandas reads it by default, for a model without a signature. Raises
    `BadRequest`."""
    file = open_csv(body, {})
    frame = _untyped_cells(file)
    by_position = frame.set_axis(range(file.width), axis=1)
    _refuse_short_rows(file, by_position)
    if frame.empty:
        raise BadRequest(ONLY_A_HEADER)
    return frame.iloc[:, _named(by_position, file.names)]


def _untyped_cells(file: CsvFile) -> pd.DataFrame:
    """The table with the types that pandas infers. Raises `BadRequest` if a column has numbers with
    commas, and another one numbers with points, since those may separate thousands."""
    frame = _parsed(file, index_col=False)
    if not file.may_have_decimal_commas:
        return frame
    by_comma = _parsed(file, index_col=False, decimal=",")
    points, commas = _further_numbers(frame, by_comma), _further_numbers(by_comma, frame)
    if points and commas:
        raise BadRequest(
            f"column {quoted(commas[0])} has decimal commas; the points in column "
            f"{quoted(points[0])} may be decimal or separate thousands"
        )
    return by_comma if commas else frame


def _further_numbers(frame: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """The columns that are numbers in the one table and not in the other one."""
    pairs = zip(frame.items(), other.dtypes, strict=True)
    return [str(n) for (n, c), dtype in pairs if c.dtype.kind == "f" and dtype.kind != "f"]


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


def _read_cells(file: CsvFile, kinds: Sequence[Kind | None]) -> pd.DataFrame:
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
    for decimal in _decimal_signs(file, kinds):
        if texts and (frame := _fast_cells(file, kinds, decimal)) is not None:
            return frame
        frame = _parse(file, texts, missing, decimal)
        if _are_as_expected(frame, kinds):
            return frame
    frame = _parse(file, dict.fromkeys(range(len(kinds)), str), missing)
    return _with_points(file, frame, kinds) if file.may_have_decimal_commas else frame


def _decimal_signs(file: CsvFile, kinds: Sequence[Kind | None]) -> str:
    """The decimal signs with which pandas may read the file. Points, which may separate thousands,
    are no such sign if an unknown column may hold decimal commas: it is read as text."""
    if not file.may_have_decimal_commas:
        return "."
    return "," if None in kinds else ",."


def _with_points(file: CsvFile, frame: pd.DataFrame, kinds: Sequence[Kind | None]) -> pd.DataFrame:
    """The table of texts with decimal points in its numbers. Raises `InvalidInput`."""
    numbers = {
        position: NumberColumn(file.names[position], kind, frame[position].tolist())
        for position, kind in enumerate(kinds)
        if kind is not None and kind.json_type in INFERRED
    }
    others = [
        (file.names[position], frame[position].tolist())
        for position, kind in enumerate(kinds)
        if kind is None
    ]
    for position, cells in zip(numbers, with_points([*numbers.values()], others), strict=True):
        frame[position] = cells
    return frame


def _fast_cells(file: CsvFile, kinds: Sequence[Kind | None], decimal: str) -> pd.DataFrame | None:
    """A fast way to read a table with texts: pandas infers the types of all columns. The plain way
    names the text columns and the missing values, with which pandas takes 1.5 times as long. None
    if inferring lost something, or before pandas 3, where a column that is inferred as text may
    hold any values."""
    if None in kinds or TEXT_IS_OBJECT:
        return None
    frame = _parse(file, None, [""], decimal)
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
    file: CsvFile,
    dtypes: Mapping[int, type[str]] | None,
    missing: list[str] | Mapping[int, list[str]],
    decimal: str = ".",
) -> pd.DataFrame:
    """The table with positions as column names. pandas infers the dtype of columns that are not in
    `dtypes`; `missing` are the words for missing values."""
    return _parsed(
        file,
        header=0,
        names=range(file.width),
        index_col=False,
        dtype=dtypes,
        na_values=missing,
        keep_default_na=False,
        low_memory=False,
        decimal=decimal,
    )


def _parsed(file: CsvFile, **options: Any) -> pd.DataFrame:
    body = io.BytesIO(file.body)
    try:
        frame: pd.DataFrame = pd.read_csv(body, sep=file.separator, **options, **EXACT_FLOATS)
    except pd.errors.ParserError as error:
        file.refuse_ragged_rows()  # the cause in all known cases; it names the row
        raise BadRequest("the body is not valid CSV") from error  # pragma: no cover
    return frame


def _refuse_short_rows(file: CsvFile, frame: pd.DataFrame) -> None:
    """Raises `BadRequest` for rows that are too short. pandas fills them up, so their last cell is
    missing; the rows are counted only if that can be so."""
    if b'"' not in file.body:
        if file.count_separators() != (len(frame) + 1) * (file.width - 1):
            file.refuse_ragged_rows()
    elif frame[file.width - 1].isna().any():
        file.refuse_ragged_rows()


def _cells(column: "pd.Series[Any]", kind: Kind | None) -> Cells:
    """The column as converters take it: numbers unchanged, texts with None for missing values."""
    if kind is None or column.dtype.kind in "biuf":
        return column.to_numpy()
    if kind.dtype is TEXT:
        return column.array
    return worded(column.astype(object).where(column.notna(), None).tolist(), kind)
