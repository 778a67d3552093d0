"""CSV as a format of requests: from a body to model input, and from rows to an example's text."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from modelserver.errors import InvalidInput
from modelserver.reading.csv.dialect import ONLY_A_HEADER
from modelserver.reading.csv.reader import read_csv, read_untyped_csv
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.types.tables import Table


def csv_payload(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in a CSV file. Raises `BadRequest` or `InvalidInput`."""
    return signature.read_file(lambda: _table(body, signature), lambda: read_untyped_csv(body))


def _table(body: bytes, signature: Signature) -> Table:
    columns = signature.columns
    unnamed = () if columns is None or columns.named else columns.kinds_for(())
    table = read_csv(body, signature.kinds, unnamed)
    if table.length == 0:
        raise InvalidInput(ONLY_A_HEADER)
    return table


def csv_text(names: Sequence[object], rows: Sequence[Sequence[Any]]) -> str:
    """A header and rows of JSON values as CSV; null is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
