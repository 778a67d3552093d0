"""Fast ways to read large plain JSON, without a Python object for each cell.

`payload` calls `read_fast` before it decodes a body. A fast reader gets the body as a `Document`,
parsed once for all of them, and the model's signature. It returns what `json_text` and
`input_forms` would make of the body, a table or the array of a tensor; or None, wherever it is not
sure of that. It refuses nothing: what is wrong with a body is for the plain way to say.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

from modelserver.reading.fast.document import Document, parsed
from modelserver.reading.fast.json_numbers import Numbers, read_numbers, takes_numbers
from modelserver.reading.fast.json_tables import has_plain_texts, read_table
from modelserver.reading.signatures.signature import Signature
from modelserver.types.tables import Table

Found: TypeAlias = Table | Numbers


class FastReader(NamedTuple):
    """A fast reader: the bytes of JSON from which on it pays, which bodies for which models are
    worth parsing for it, and how it reads."""

    smallest: int
    suits: Callable[[bytes, Signature], bool]
    read: Callable[[Document, Signature], Found | None]


def read_fast(body: bytes, signature: Signature) -> Iterator[Found]:
    """What each fast reader in turn makes of the body, of those that read it."""
    suitable = [way for way in FAST if len(body) >= way.smallest and way.suits(body, signature)]
    document = parsed(body) if suitable else None
    if document is not None:
        for way in suitable:
            if (found := way.read(document, signature)) is not None:
                yield found


FAST: Final = (
    FastReader(2048, takes_numbers, read_numbers),
    FastReader(32 * 1024, has_plain_texts, read_table),
)
"""In the order in which they are tried."""
