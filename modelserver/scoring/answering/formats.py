"""The formats that an answer may have: one row each.

A row says by which name and media types a client asks for it, and what writes it. The client's
`Accept` header picks the row, or `?format=`, which wins. The 406 answer, the OpenAPI document and
the values of `format` are made from these rows. Errors are always JSON.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from typing import Any, Final

from modelserver.errors import NotAcceptable
from modelserver.scoring.answering.accept import best
from modelserver.scoring.answering.arrow_chunks import ArrowWriter, write_groups
from modelserver.scoring.answering.arrow_writer import write_arrow, write_parquet
from modelserver.scoring.answering.chunk_writers import ChunkWriter, NewFile, TextWriter
from modelserver.scoring.answering.csv_writer import write_csv
from modelserver.scoring.answering.encoding import attempt, cells_of, encode_json
from modelserver.scoring.answering.fast_objects import objects_of
from modelserver.scoring.answering.tables import Columns


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """One format. `name` is what `?format=` calls it, `title` its name in messages."""

    name: str
    title: str
    media_types: tuple[str, ...]
    """The media types by which a client may ask for it. The answer has the first one."""
    writer: Callable[[Columns], bytes]
    """Makes the bytes of a table."""
    about: str
    """The description of such an answer in the OpenAPI document."""
    needs: str | None = None
    """The optional package that writes it."""
    binary: bool = False
    chunk_writer: Callable[[NewFile], ChunkWriter] | None = None
    """Makes a writer of an answer in chunks. None: an answer is only written whole."""
    suffix: str = ""
    """The extension of a file of this format, if it is not the name."""

    @property
    def extension(self) -> str:
        """The extension of a file of this format."""
        return self.suffix or self.name

    @property
    def media_type(self) -> str:
        """The media type of an answer."""
        return self.media_types[0]

    @property
    def content_type(self) -> str:
        """The Content-Type header of an answer."""
        named = self.media_types[0]
        return f"{named}; charset=utf-8" if named.startswith("text/") else named

    @property
    def is_offered(self) -> bool:
        """Whether the package that writes it is installed."""
        return self.needs is None or _is_installed(self.needs)

    def write(self, columns: Columns) -> bytes:
        """The table as an answer. Raises `NoTable`, and `ModelFailed` for a value that the format
        cannot hold."""
        return attempt(partial(self.writer, columns), self.title)


@cache
def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def offered() -> Mapping[str, AnswerFormat]:
    """The formats that this server writes, by name."""
    return {name: row for name, row in ANSWER_FORMATS.items() if row.is_offered}


@lru_cache(maxsize=32)
def accepted(accept: str | None) -> AnswerFormat:
    """The format that a client wants by its Accept header; JSON if it takes anything. Raises
    `NotAcceptable`, which names the formats, if it takes none of them."""
    rows = {media_type: row for row in offered().values() for media_type in row.media_types}
    wanted = best(accept, list(rows))
    if wanted is None:
        raise NotAcceptable(f"an answer can be one of {', '.join(rows)}; Accept has none of them")
    return rows[wanted]


def chosen(asked: AnswerFormat | None, accept: str | None, quote_formulas: bool) -> AnswerFormat:
    """The format of an answer: the one that `?format=` asks for, or else the Accept header.
    `quote_formulas`: whether CSV is written by `QUOTED_CSV`. Raises `NotAcceptable`."""
    answer = asked or accepted(accept)
    return QUOTED_CSV if quote_formulas and answer is CSV_ANSWER else answer


def only_json(asked: AnswerFormat | None, accept: str | None) -> AnswerFormat:
    """The format of an answer that is always JSON. Raises `NotAcceptable` if `?format=` or the
    Accept header asks for another one."""
    if not (_takes_json(accept) if asked is None else asked is JSON_ANSWER):
        raise NotAcceptable(
            f"an answer is always {JSON_ANSWER.media_type} at this path; /invocations has others"
        )
    return JSON_ANSWER


@lru_cache(maxsize=32)
def _takes_json(accept: str | None) -> bool:
    return best(accept, [JSON_ANSWER.media_type]) is not None


def named(name: str) -> AnswerFormat:
    """The format of this name, which has a row. Raises `NotAcceptable` if its package is not
    installed."""
    row = ANSWER_FORMATS[name]
    if not row.is_offered:
        raise NotAcceptable(
            f"this server cannot write {row.title}: {row.needs} is not installed; "
            f"format can be one of {', '.join(offered())}"
        )
    return row


def records(columns: Columns) -> list[dict[str, Any]]:
    """The table as an object for each row."""
    return objects_of(list(columns), [cells_of(column) for column in columns.values()])


def _write_json(columns: Columns) -> bytes:
    return encode_json({"predictions": records(columns)})


def _write_ndjson(columns: Columns) -> bytes:
    return b"".join(encode_json(record) + b"\n" for record in records(columns))


def _csv_chunks(new_file: NewFile, quote_formulas: bool = False) -> ChunkWriter:
    write = partial(write_csv, quote_formulas=quote_formulas)
    return TextWriter(new_file, write, partial(write, header=False))


def _ndjson_chunks(new_file: NewFile) -> ChunkWriter:
    return TextWriter(new_file, _write_ndjson, _write_ndjson)


JSON_ANSWER: Final = AnswerFormat(
    "json",
    "JSON",
    ("application/json",),
    _write_json,
    about="The predictions as the model returns them.",
)

CSV_ANSWER: Final = AnswerFormat(
    "csv",
    "CSV",
    ("text/csv",),
    write_csv,
    about=(
        "A header and one line per prediction. A missing value is an empty cell; arrays and "
        "objects are JSON texts."
    ),
    chunk_writer=_csv_chunks,
)

QUOTED_CSV: Final = replace(
    CSV_ANSWER,
    writer=partial(write_csv, quote_formulas=True),
    chunk_writer=partial(_csv_chunks, quote_formulas=True),
)
"""CSV in which spreadsheets run no text, for servers with CSV_QUOTE_FORMULAS."""

ANSWER_FORMATS: Final = {
    row.name: row
    for row in (
        JSON_ANSWER,
        CSV_ANSWER,
        AnswerFormat(
            "ndjson",
            "NDJSON",
            ("application/x-ndjson", "application/jsonl", "application/json-lines"),
            _write_ndjson,
            about="One JSON object per prediction, each in a line.",
            chunk_writer=_ndjson_chunks,
        ),
        AnswerFormat(
            "parquet",
            "Parquet",
            ("application/vnd.apache.parquet",),
            write_parquet,
            about="A Parquet file with one row per prediction; the columns keep their types.",
            chunk_writer=partial(ArrowWriter, write_all=write_groups),
            needs="pyarrow",
            binary=True,
        ),
        AnswerFormat(
            "arrow",
            "Arrow",
            ("application/vnd.apache.arrow.stream",),
            write_arrow,
            about="An Arrow IPC stream with one row per prediction; the columns keep their types.",
            chunk_writer=ArrowWriter,
            needs="pyarrow",
            binary=True,
            suffix="arrows",
        ),
    )
}
"""The rows by name, in the order of all lists of answer formats."""
