"""Small changes of the code that are no mistakes: it does the same with them."""

import re
from typing import Final

EQUIVALENT: Final = (
    ("", r"strict=False", "the lengths are equal; `strict` would show our own mistake"),
    ("", r"@dataclass\(.*=False", "nobody sets a field; `frozen` would show our own mistake"),
    ("", r"copy=True", "the array is new, so that a copy of it differs in time only"),
    ("", r"use_threads=True|low_memory=True", "another way to the same table"),
    ("", r"repr=True", "a field of a class whose text nobody reads"),
    ("reading/arrow/parquet_file.py", r"buffer_size= ?1025", "how much is read at a time"),
    ("scoring/batching.py", r"frames\[ ?1\]", "frames that are joined have the same columns"),
    ("reading/csv/reader.py", r"\[: ?3\]", "compared with two numbers, it is as large"),
    (
        "reading/csv/reader.py",
        r"len\(frame\) \+ 2",
        "more tables are looked at for short rows, and none is found",
    ),
    ("reading/media.py", r"maxsize=129", "how many content types are kept, of any number"),
    ("reading/fast/json_pieces.py", r"^PIECE", "a size that was measured, as good as others"),
    (
        "reading/arrow/parquet_file.py",
        r"-8:- ?5\]",
        "the fourth byte of its length is 0 unless the footer has 16 MB",
    ),
    (
        "reading/csv/dialect.py",
        r'"\\r"\)\) or returns',
        "lines that end with two characters get a blank line each, which is skipped",
    ),
    (
        "reading/arrow/parquet_file.py",
        r"num_fields else 1",
        "one byte more, of a bound of megabytes",
    ),
    (
        "reading/json_reader.py",
        r"is_text or may_lack_digits|expects or found",
        "a body that is refused is read once more, and refused alike",
    ),
    (
        "types/cell_parsers.py",
        r"types < SPELLED_TYPES",
        "cells that are not read together are read one by one",
    ),
    ("types/tables.py", r">= \{list\}", "rows are looked at that are all arrays"),
    (
        "reading/arrow/parquet_file.py",
        r"footer = |\[:-?footer|\[-?footer:",
        "runs with pyarrow before version 26 only, for which `make test-lowest` tests it",
    ),
    ("types/dates.py", r"length > 11", "no plain date has 11 letters"),
    (
        "types/cell_parsers.py",
        r"NO_TEXTS or str in",
        "cells without texts are looked at, and none of them is refused",
    ),
    ("types/kind.py", r"len\(bad\) <= LIMIT", "more cells are looked at, and cut off afterwards"),
    (
        "types/dates.py",
        r"years > 1678|years < 2261|years >= 1679|\{11, |, 17, |, 20, |range\(22,",
        "fewer dates take the fast way; pandas reads them alike",
    ),
)
"""Where (the beginning of a module's path), what the changed line has and the line before has not,
and why nobody can notice it."""


def is_equivalent(path: str, before: str, after: str) -> bool:
    """Whether the change of a line is one of these."""
    return any(
        path.startswith(where) and re.search(found, after) and not re.search(found, before)
        for where, found, _ in EQUIVALENT
    )
