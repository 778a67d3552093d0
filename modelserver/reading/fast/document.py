"""A body of JSON, parsed once by simdjson for all fast readers.

In: the body. Out: a `Document`, or None for all that is not one tensor under `inputs` or
`instances`, or one table under `dataframe_split`; also where simdjson is not installed.
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
class Document:
    """A body that is JSON, of one key. `data`: the tensor's or the table's `simdjson.Array`;
    `names`: of a table's columns; `names_first`: whether they stand before the data."""

    body: bytes
    data: Any
    names: Sequence[Hashable] | None = None
    names_first: bool = False

    def skeleton(self, shape: Sequence[int]) -> bytes:
        """All brackets and commas of the body, if its data are full arrays of this shape and no
        text or object holds any."""
        data = skeleton(shape)
        if self.names is None:
            return data
        names = skeleton([len(self.names)])
        return b",".join([names, data] if self.names_first else [data, names])


def parsed(body: bytes) -> Document | None:
    """The body as a document."""
    if not AVAILABLE or not START.match(body):
        return None
    import simdjson

    try:
        root: Any = simdjson.Parser().parse(body)
    except (ValueError, RuntimeError):  # not JSON, a number too large, nested too deeply
        return None
    if len(root) != 1:  # params, or a key given twice
        return None
    value = root[next(iter(root))]
    return Document(body, value) if isinstance(value, simdjson.Array) else _table(body, value)


def _table(body: bytes, value: Any) -> Document | None:
    import simdjson

    keys = list(value)
    if sorted(keys) != ["columns", "data"]:
        return None
    names, data = value["columns"], value["data"]
    if not (isinstance(names, simdjson.Array) and isinstance(data, simdjson.Array)):
        return None
    try:
        return Document(body, data, check_names(names.as_list()), keys[0] == "columns")
    except BadRequest:
        return None


def skeleton(shape: Sequence[int]) -> bytes:
    """The brackets and commas of an array of this shape."""
    *outer, last = shape
    text = b"[" + b"," * (last - 1) + b"]"
    for size in reversed(outer):
        text = b"[" + (text + b",") * (size - 1) + text + b"]"
    return text
