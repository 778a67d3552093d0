"""Fast ways to read large plain JSON, without a Python object for each cell.

`json_reader` calls `read_fast` before it decodes a body. A fast reader gets the model's signature,
and the body as a `ParsedBody`, which is made once for all fast readers. It returns the table or the
array that the plain way would make of the body. If it is not sure of that, it returns None, and the
plain way reads the body. It never reports a fault: only the plain way does.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

from modelserver.reading.fast.json_numbers import Numbers, read_numbers, takes_numbers
from modelserver.reading.fast.json_tables import has_plain_texts, read_mixed_table
from modelserver.reading.fast.parsed_body import ParsedBody, parse_body
from modelserver.reading.signatures.signature import Signature
from modelserver.types.tables import Table

Found: TypeAlias = Table | Numbers


class FastReader(NamedTuple):
    """A fast reader. It is tried for bodies of at least `smallest` bytes, since it saves nothing
    for smaller ones, if `suits` says that the body and the model's signature are of its sort."""

    smallest: int
    suits: Callable[[bytes, Signature], bool]
    read: Callable[[ParsedBody, Signature], Found | None]


def read_fast(body: bytes, signature: Signature) -> Iterator[Found]:
    """What the fast readers return for the body, one after the other, without None."""
    suitable = [way for way in FAST if len(body) >= way.smallest and way.suits(body, signature)]
    parsed = parse_body(body) if suitable else None
    if parsed is not None:
        for way in suitable:
            if (found := way.read(parsed, signature)) is not None:
                yield found


FAST: Final = (
    FastReader(2048, takes_numbers, read_numbers),
    FastReader(32 * 1024, has_plain_texts, read_mixed_table),
)
"""The fast readers, in the order in which they are tried."""
