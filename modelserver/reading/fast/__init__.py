"""Fast ways to read large plain JSON.

`json_reader` calls `read_fast` before it decodes a body. A fast reader gets the body and the
model's signature, and returns the payload that the plain way would make of the body. If it is not
sure of that, it returns None or raises `BadRequest`, and the plain way reads the body, which
reports the fault. A reader that has all cells of the table as they were sent raises `InvalidInput`
for those that do not fit, as the plain way would; then the body is not read again.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from modelserver.errors import BadRequest, InvalidInput
from modelserver.reading.fast.json_numbers import read_numbers, takes_numbers
from modelserver.reading.fast.json_pieces import may_have_pieces, read_pieces
from modelserver.reading.signatures.signature import Payload, Signature


class FastReader(NamedTuple):
    """A fast reader. It is tried for bodies of at least `smallest` bytes, since it saves nothing
    for smaller ones, if `suits` says that the body and the model's signature are of its sort."""

    smallest: int
    suits: Callable[[bytes, Signature], bool]
    read: Callable[[bytes, Signature], Payload | None]
    has_all_cells: bool = False


def read_fast(body: bytes, signature: Signature) -> Payload | None:
    """What the first fast reader that can read the body makes of it; None if none can. Raises
    `InvalidInput` for cells that do not fit, if the reader has them all."""
    if len(body) < SMALLEST:
        return None
    for way in FAST:
        if len(body) >= way.smallest and way.suits(body, signature):
            try:
                if (payload := way.read(body, signature)) is not None:
                    return payload
            except BadRequest as fault:
                if way.has_all_cells and isinstance(fault, InvalidInput):
                    raise
    return None


FAST: Final = (
    FastReader(2048, takes_numbers, read_numbers),
    FastReader(32 * 1024, may_have_pieces, read_pieces, has_all_cells=True),
)
"""The fast readers, in the order in which they are tried."""

SMALLEST: Final = min(way.smallest for way in FAST)
