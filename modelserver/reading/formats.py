"""The formats that a request body may have: one row per format.

A row says how a body is recognised and read, what input it can hold, and how the documentation
shows it. `media` picks the row for a request. The 415 answer, the OpenAPI document and its examples
are made from these rows. CONTRIBUTING.md says how to add one.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from packaging.requirements import Requirement

from modelserver.errors import BadRequest, UnsupportedMediaType, no_text
from modelserver.reading.arrow.reader import arrow_payload, parquet_payload
from modelserver.reading.chunks.arrow_chunks import ArrowChunker
from modelserver.reading.chunks.chunk import Chunker
from modelserver.reading.chunks.csv_chunks import CsvChunker
from modelserver.reading.chunks.ndjson_chunks import NdjsonChunker
from modelserver.reading.chunks.parquet_chunks import ParquetChunker
from modelserver.reading.csv.format import csv_payload, csv_text
from modelserver.reading.json_reader import json_payload
from modelserver.reading.ndjson_format import ndjson_payload, ndjson_text
from modelserver.reading.recognising import BLANKS, is_csv, is_json, may_be_ndjson
from modelserver.reading.signatures.signature import Payload, Signature

JSON: Final = "application/json"
CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"
PARQUET: Final = "application/vnd.apache.parquet"
ARROW: Final = "application/vnd.apache.arrow.stream"

PYARROW: Final = "pyarrow>=14.0.1"
"""Older versions run code that a Parquet or Arrow file holds."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `media_type` is the one that lists show. `name` is its name in messages. `reader`
    gets a body, the signature, and the most bytes that a binary body may stand for."""

    media_type: str
    name: str
    reader: Callable[[bytes, Signature, int], Payload]
    also: tuple[str, ...] = ()
    """Further media types that mean the same."""
    nested: bool = False
    """Whether a cell can be an array, an object or a map. If not, a model with such columns refuses
    the format."""
    tensors: bool = False
    """Whether it can hold the arrays that a model with a tensor signature takes. If not, such a
    model refuses the format."""
    starts: tuple[bytes, ...] = ()
    """The possible beginnings of a body, by which it is recognised without a media type. Before a
    text there may be blanks."""
    looks: Callable[[bytes, Collection[str]], bool] | None = None
    """Whether a body that was refused is probably of this format, by its beginning and the names of
    the model's columns. None: `starts` says it."""
    binary: bool = False
    """Whether it is binary: it has no charset, and may stand for more bytes than it has. Its bodies
    are known by `starts`, so that none is read on the event loop."""
    needs: str | None = None
    """The optional package that reads it, with its lowest version. Without that, the format is
    neither read nor documented."""
    about: str = ""
    """The description of a body in the OpenAPI document. For JSON the base document has it."""
    write: Callable[[Sequence[object], Sequence[Sequence[Any]]], str] | None = None
    """Writes an example: from column names and rows of JSON values to text. None: it has none."""
    chunker: type[Chunker] | None = None
    """What cuts a body into chunks. None: a body is only read whole."""

    def __post_init__(self) -> None:
        assert self.starts or not self.binary, f"{self.name} is binary and needs `starts`"

    @property
    def is_installed(self) -> bool:
        """Whether the package that it needs is installed."""
        return self.needs is None or _is_installed(self.needs)

    def read(self, body: bytes, signature: Signature, limit: int) -> Payload:
        """The model input in a body. Raises `ApiError` if it cannot be read."""
        self.check(signature)
        try:
            return self.reader(body, signature, limit)
        except BadRequest:
            if (mistaken := self.mistaken(body, signature.names)) is None:
                raise
            raise mistaken from None

    def mistaken(self, body: bytes, known: Collection[str]) -> BadRequest | None:
        """The error for a body that was refused, if it looks like another format; otherwise None.
        `known`: the names of the model's columns."""
        if self.is_like(body, known):
            return None
        if (fault := no_text(body)) is not None:
            return fault
        if (row := recognised(body, known)) is None:
            return None
        meant = f"looks like {row.name}: send it with the content type {row.media_type}"
        return BadRequest(f"the body is not {self.name}, but {meant}")

    def is_like(self, body: bytes, known: Collection[str]) -> bool:
        """Whether a body is probably of this format."""
        if self.looks is not None:
            return self.looks(body, known)
        return (body if self.binary else body.lstrip(BLANKS)).startswith(self.starts)

    def check(self, signature: Signature) -> None:
        """Raises `ApiError` if the server cannot read the format, or the format cannot hold what
        the model takes."""
        if not self.is_installed:
            raise UnsupportedMediaType(
                f"this server cannot read {self.name}: {self.needs} is not installed"
            )
        if misfit := signature.misfit(self.nested, self.tensors):
            raise BadRequest(f"{misfit}, which {self.name} cannot hold; send JSON")


@cache
def _is_installed(requirement: str) -> bool:
    needed = Requirement(requirement)
    try:
        return needed.specifier.contains(version(needed.name), prereleases=True)
    except PackageNotFoundError:
        return False


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
            looks=lambda body, known: is_json(body),
        ),
        Format(
            CSV,
            "CSV",
            reader=csv_payload,
            about=(
                "A header with the columns' names and one line per row, separated by commas, "
                "semicolons, tabs or vertical bars. An empty cell is a missing value."
            ),
            looks=is_csv,
            write=csv_text,
            chunker=CsvChunker,
        ),
        Format(
            NDJSON,
            "NDJSON",
            reader=ndjson_payload,
            also=(
                "application/ndjson",
                "application/jsonl",
                "application/jsonlines",
                "application/x-jsonlines",
                "application/json-lines",
            ),
            nested=True,
            tensors=True,
            about="One JSON object per line (JSON Lines).",
            looks=may_be_ndjson,
            write=ndjson_text,
            chunker=NdjsonChunker,
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
            needs=PYARROW,
            chunker=ParquetChunker,
        ),
        Format(
            ARROW,
            "Arrow",
            reader=arrow_payload,
            also=("application/vnd.apache.arrow.file",),
            nested=True,
            tensors=True,
            about="A stream of Arrow IPC, or a file (Feather version 2), with columns by name.",
            chunker=ArrowChunker,
            starts=(b"\xff\xff\xff\xff", b"ARROW1"),
            binary=True,
            needs=PYARROW,
        ),
    )
}
"""The rows by media type, in the order of all lists of formats."""

SAME: Final = {also: row.media_type for row in FORMATS.values() for also in row.also}
"""The media types of the rows, by those that mean the same."""

PACKED: Final = tuple(start for row in FORMATS.values() if row.binary for start in row.starts)
"""The beginnings of bodies that may stand for more bytes than they have."""


def recognised(body: bytes, known: Collection[str] = ()) -> Format | None:
    """The format that a body looks like, None if it looks like none that the server reads. `known`:
    the names of the model's columns."""
    rows = (row for row in FORMATS.values() if row.is_installed)
    return next((row for row in rows if row.is_like(body, known)), None)
