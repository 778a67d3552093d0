"""A guarded connection that h11 parses. h11 itself bounds what it keeps unparsed.

In: what `Guard` says. Out: the class for uvicorn. `uvicorn.Config` passes the bound to h11.
"""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from modelserver.hosting.connections.guard import Guard


class H11Guard(Guard, H11Protocol):  # type: ignore[misc]  # `eof_received`
    """uvicorn's protocol with h11, bounded."""

    def unparsed(self) -> int:
        """The bytes that h11 keeps."""
        return len(self.conn.trailing_data[0])

    def is_receiving(self) -> bool:
        """Whether h11 expects more of a body."""
        return self.conn.their_state is h11.SEND_BODY
