"""The formats that a request body may have: one row per media type.

A row says how a body is recognised and read, which types of input it can hold, and how the
documentation shows it. `media` picks the row of a request. The 415 answer, the OpenAPI document,
its examples and the tests list these rows, so that a new format is one row and its reader.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

from modelserver.errors import BadRequest, UnsupportedMediaType
from modelserver.reading.csv_format import csv_payload, csv_text
from modelserver.reading.json_reader import json_payload
from modelserver.reading.parquet.reader import parquet_payload
from modelserver.reading.signatures.signature import Payload, Signature

JSON: Final = "application/json"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class Format:
    """A row: one media type. `name` is how messages call it. `reader` gets a body, the signature,
    and the most bytes that a body may stand for."""

    media_type: str
    name: str
    reader: Callable[[bytes, Signature, int], Payload]
    nested: bool = False
    """Whether a cell can be an array, an object or a map. Where not, such columns are refused."""
    tensors: bool = False
    """Whether it can hold tensors. Where not, models that take them refuse it."""
    starts: tuple[bytes, ...] = ()
    """How a body begins, by which it is known without a media type; text after blanks."""
    binary: bool = False
    """Whether it is no text: it has no charset, and may stand for more bytes than it has."""
    needs: str | None = None
    """The optional package without which it is not read."""
    about: str = ""
    """How the document explains a body; for JSON the handwritten base does."""
    write: Callable[[Sequence[object], Sequence[Sequence[Any]]], str] | None = None
    """Names of columns and rows of JSON values to the text of an example, where one is shown."""

    def read(self, body: bytes, signature: Signature, limit: int) -> Payload:
        """The model input in a body. Raises `ApiError` for what cannot be read."""
        if self.needs and not _is_installed(self.needs):
            raise UnsupportedMediaType(
                f"this server cannot read {self.name}: {self.needs} is not installed"
            )
        if misfit := signature.misfit(self.nested, self.tensors):
            raise BadRequest(f"{misfit}, which {self.name} cannot hold; send JSON")
        return self.reader(body, signature, limit)


@cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


FORMATS: Final = {
    row.media_type: row
    for row in (
        Format(
            JSON,
            "JSON",
            reader=json_payload,
            nested=True,
            tensors=True,
            starts=(b"{", b"["),
        ),
        Format(
            CSV,
            "CSV",
            reader=csv_payload,
            about=(
                "A header with the columns' names and one line per row, separated by commas. An "
                "empty cell is a missing value."
            ),
            write=csv_text,
        ),
        Format(
            PARQUET,
            "Parquet",
            reader=parquet_payload,
            nested=True,
            tensors=True,
            about="A Parquet file with the columns by name.",
            starts=(b"PAR1",),
            binary=True,
            needs="pyarrow",
        ),
    )
}
"""The rows by media type, in the order in which they are listed."""

PACKED: Final = tuple(start for row in FORMATS.values() if row.binary for start in row.starts)
"""How bodies begin that may stand for more bytes than they have."""
