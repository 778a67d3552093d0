"""Answers that are written chunk by chunk, for tables that are larger than memory.

In: the columns of a chunk, again and again, each time with the same names. Out: a file with the
bytes of the whole answer, the same as if all rows had been written at once. In CSV and NDJSON a
number may be written as 1 where it would be 1.0: if other chunks have fractions in its column.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from io import RawIOBase
from typing import TypeAlias

from modelserver.scoring.answering.tables import Columns

NewFile: TypeAlias = Callable[[], RawIOBase]
"""Makes an empty file that can be written and read."""


class ChunkWriter(ABC):
    """Writes one answer."""

    @abstractmethod
    def write(self, columns: Columns) -> None:
        """Writes the next chunk. Raises `NoTable`, and what the writer of the format raises."""

    @abstractmethod
    def finish(self) -> RawIOBase:
        """The file, once all chunks are written. Raises `NoTable`."""


class TextWriter(ChunkWriter):
    """Writes a text, whose chunks stand one after the other. `first` and `further` make the bytes
    of the first chunk, and of each other one."""

    def __init__(
        self,
        new_file: NewFile,
        first: Callable[[Columns], bytes],
        further: Callable[[Columns], bytes],
    ) -> None:
        self._file = new_file()
        self._write = first
        self._further = further

    def write(self, columns: Columns) -> None:
        """Writes the next chunk."""
        self._file.write(self._write(columns))
        self._write = self._further

    def finish(self) -> RawIOBase:
        """The file."""
        return self._file
