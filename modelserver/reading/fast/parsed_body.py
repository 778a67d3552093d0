"""A body of JSON as simdjson parses it, for `json_numbers`.

In: the body. Out: a `ParsedBody`. None if the body is anything else than an array under `inputs` or
`instances` or a table under `dataframe_split`, or if simdjson is not installed.
"""

import importlib.util
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modelserver.errors import BadRequest
from modelserver.types.tables import check_names

AVAILABLE: Final = importlib.util.find_spec("simdjson") is not None

START: Final = re.compile(rb'\s*\{\s*"(?:(?:inputs|instances)"\s*:\s*\[|dataframe_split"\s*:\s*\{)')


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """A body of valid JSON with a single key. `data`: the `simdjson.Array` of the tensor or of the
    table's rows; `names`: those of the table's columns; `names_first`: whether the body has the
    names before the data."""

    body: bytes
    data: Any
    names: Sequence[Hashable] | None = None
    names_first: bool = False

    def skeleton(self, shape: Sequence[int]) -> bytes:
        """The brackets and commas that the body has if its data are full arrays of this shape, and
        no text and no object contains brackets or commas."""
        data = skeleton(shape)
        if self.names is None:
            return data
        names = skeleton([len(self.names)])
        return b",".join([names, data] if self.names_first else [data, names])


def parse_body(body: bytes) -> ParsedBody | None:
    """The body, parsed; None if it is no such body."""
    if not AVAILABLE or not START.match(body):
        return None
    import simdjson

    try:
        root: Any = simdjson.Parser().parse(body)
    except (ValueError, RuntimeError):  # not JSON, too large a number, too deeply nested
        return None
    if len(root) != 1:  # there are params, or a key is given twice
        return None
    value = root[next(iter(root))]
    return ParsedBody(body, value) if isinstance(value, simdjson.Array) else _table(body, value)


def _table(body: bytes, value: Any) -> ParsedBody | None:
    import simdjson

    keys = list(value)
    if sorted(keys) != ["columns", "data"]:
        return None
    names, data = value["columns"], value["data"]
    if not (isinstance(names, simdjson.Array) and isinstance(data, simdjson.Array)):
        return None
    try:
        return ParsedBody(body, data, check_names(names.as_list()), keys[0] == "columns")
    except BadRequest:
        return None


def skeleton(shape: Sequence[int]) -> bytes:
    """The brackets and commas of an array of this shape."""
    *outer, last = shape
    text = b"[" + b"," * (last - 1) + b"]"
    for size in reversed(outer):
        text = b"[" + (text + b",") * (size - 1) + text + b"]"
    return text
