"""CSV as a format of requests: a body to model input, and rows to the text of an example."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from modelserver.errors import InvalidInput
from modelserver.reading.csv_reader import NO_ROWS, read_csv, read_untyped_csv
from modelserver.reading.input_forms import Payload, from_table
from modelserver.types.signature import Signature


def csv_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in a CSV file. Raises `BadRequest` or `InvalidInput`."""
    if signature.columns is None:
        frame = read_untyped_csv(body)
        return Payload(frame, rows=len(frame))
    named = signature.columns.columns if signature.columns.named else ()
    table = read_csv(body, {str(column.name): column.kind for column in named})
    if table.length == 0:
        raise InvalidInput(NO_ROWS)
    return from_table(table, signature)


def csv_text(names: Sequence[object], rows: Sequence[Sequence[Any]]) -> str:
    """A header and rows of JSON values as CSV; null is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
