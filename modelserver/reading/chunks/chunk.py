"""What the chunkers of all formats have in common: the contract, and where faults are.

A fault of a chunk names rows, lines and bytes as the reader counts them, from the chunk's first one
on. `locate` makes them those of the whole table.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from io import RawIOBase
from typing import Final, NamedTuple, TypeAlias

from modelserver.errors import ApiError, PayloadTooLarge
from modelserver.reading.signatures.signature import Payload, Signature


class Chunk(NamedTuple):
    """Some whole rows of a table. `read` makes model input of them and may raise `ApiError`.
    `lines` and `bytes`: how many of the body come before those that the reader counts."""

    read: Callable[[Signature], Payload]
    lines: int = 0
    bytes: int = 0


NewFile: TypeAlias = Callable[[], RawIOBase]
"""Makes an empty file that can be written and read."""


class Chunker(ABC):
    """Cuts one body. An empty table, and any other fault, is left to the reader of the chunks."""

    @abstractmethod
    def __init__(self, signature: Signature, limit: int, new_file: NewFile) -> None:
        """For a model with this signature. `limit`: the most bytes of a row, or of rows that cannot
        be parted; `new_file` is for bodies that can be cut only when they are complete."""

    @abstractmethod
    def chunks(self, data: bytes, last: bool) -> Iterator[Chunk]:
        """The chunks that are complete with this part of the body, in order. `last`: whether the
        body ends with it. To be consumed before the next call. Raises `ApiError`."""


def refuse_long_row(size: int, limit: int) -> None:
    """Raises `PayloadTooLarge` if what waits for the end of its row has more than `limit` bytes."""
    if size > limit:
        raise PayloadTooLarge(
            f"the table has a row, or a batch of rows, of more than {limit} bytes "
            "(MAX_REQUEST_BYTES)"
        )


NUMBERED: Final = re.compile(
    r"""(?<!\w)(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|\b(row|line|byte) (\d+)\b"""
)
"""A quoted name, which stays as it is, or the number of a row, a line or a byte in a message."""


def locate(fault: ApiError, before: Mapping[str, int]) -> None:
    """Corrects the places in a fault of a chunk. `before`: how many rows, lines and bytes
    (`row`, `line`, `byte`) come before those that the reader counted."""

    def corrected(found: "re.Match[str]") -> str:
        unit = found[1]
        return found[0] if unit is None else f"{unit} {int(found[2]) + before[unit]}"

    fault.message = NUMBERED.sub(corrected, fault.message)
    fault.args = (fault.message,)
    fault.details = [
        {key: value + before[key] if key in before else value for key, value in detail.items()}
        for detail in fault.details
    ]
