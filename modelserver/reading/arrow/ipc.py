"""Arrow IPC as pyarrow reads it: streams and files, measured before they are decoded, checked.

In: the bytes of a body, a stream or a file (which is also Feather version 2). Out: its `Content`. A
body that is damaged, too large or not readable by pyarrow raises an `ApiError`.
"""

from typing import Any, Final

from modelserver.errors import ApiError, BadRequest, too_large
from modelserver.reading.arrow.content import UNREADABLE, Content
from modelserver.types.names import listed

NAME: Final = "Arrow table"

MAGIC: Final = b"ARROW1"
"""The beginning and the end of a file. A stream begins otherwise."""


def read_ipc(body: bytes, limit: int) -> Content:
    """The content of a stream or a file. Raises `PayloadTooLarge` if it stands for more than
    `limit` bytes, and `BadRequest` if it cannot be read."""
    import pyarrow as pa

    from modelserver.reading.arrow.cells import logical_types
    from modelserver.reading.arrow.sizes import size_of
    from modelserver.reading.arrow.soundness import is_sound

    try:
        table = _table(body, limit)
        names = table.column_names
    except ApiError:
        raise
    except pa.ArrowNotImplementedError as error:
        raise BadRequest(f"the {NAME} holds a type that cannot be read") from error
    except Exception as error:  # pyarrow fails in many ways on damaged data
        raise BadRequest("the body is not an Arrow stream or file that can be read") from error
    columns = zip(names, table.columns, strict=True)
    if broken := [name for name, column in columns if not is_sound(column)]:
        raise BadRequest(UNREADABLE.format(NAME, listed(broken)))
    if sum(size_of(chunk) for column in table.columns for chunk in column.chunks) > limit:
        raise too_large(limit)
    return Content(table, [logical_types(field.type) for field in table.schema], NAME)


def _table(body: bytes, limit: int) -> Any:
    """The table, not yet checked. Raises `ApiError`, or exceptions of pyarrow and others."""
    import pyarrow as pa

    from modelserver.reading.arrow.messages import claimed_size, messages_of_file, read_messages

    is_file = body.startswith(MAGIC)
    source = pa.BufferReader(body)
    if claimed_size(messages_of_file(body) if is_file else read_messages(source), limit) > limit:
        raise too_large(limit)
    if not is_file and body[source.tell() :].strip(b"\0"):
        raise BadRequest("the Arrow stream ends before the body does; send one stream")
    opened = pa.ipc.open_file if is_file else pa.ipc.open_stream
    table = opened(body, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()
    table.validate()
    return table
