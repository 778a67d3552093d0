"""Files without a name that hold what is too large for memory, until a request is answered.

In: bytes, up to a number of them. Out: the same bytes, in any order. The system frees a file as
soon as nobody uses it, however the request or the process ends. The folder is that of Python's
`tempfile`: TMPDIR, or `/tmp`. A full disk raises `StorageFull`.
"""

import io
import os
import tempfile
from typing import Any

from modelserver.errors import StorageFull, table_too_large


class Spool(io.RawIOBase):
    """A file of at most `largest` bytes; `what` names its content in messages. It is closed when
    nobody refers to it, since an abandoned prediction may still write to it, and pyarrow keeps what
    it has read for a while. `free` gives its space back before that."""

    def __init__(self, largest: int, what: str) -> None:
        self._largest = largest
        self._what = what
        try:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - see `close`
        except OSError as error:
            raise _full(error) from error

    def write(self, data: Any) -> int:
        """Writes all of the data. Raises `PayloadTooLarge` and `StorageFull`."""
        left = memoryview(data).cast("B")
        size = len(left)
        if self._file.tell() + size > self._largest:
            raise table_too_large(self._largest, self._what)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise _full(error) from error
        return size

    def readinto(self, buffer: Any) -> int | None:
        """Reads into the buffer, as far as there are bytes."""
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place where the next bytes are read or written."""
        return self._file.tell()

    def readable(self) -> bool:
        """True."""
        return True

    def writable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return os.fstat(self._file.fileno()).st_size

    def piece(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from this place on, also while others read."""
        return os.pread(self._file.fileno(), size, offset)

    def free(self) -> None:
        """Frees the space on the disk. What is written later is refused."""
        self._largest = 0
        self._file.truncate(0)

    def close(self) -> None:
        """Called by Python when nobody refers to it any more."""
        if not self.closed:
            self._file.close()
        super().close()


class Files:
    """The files of a table, each of at most `largest` bytes."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._all: list[Spool] = []

    def new(self, what: str) -> Spool:
        """A file for the table or its answer, as `what` says. Raises `StorageFull`."""
        self._all.append(Spool(self._largest, what))
        return self._all[-1]

    def free(self) -> None:
        """Frees the space of all of them."""
        for file in self._all:
            file.free()


def _full(error: OSError) -> StorageFull:
    folder = tempfile.gettempdir()
    return StorageFull(
        f"the server cannot keep the table or its answer in its folder {folder} (TMPDIR): "
        f"{error.strerror}"
    )
