"""Which class uvicorn makes for a connection: the one of httptools, if that is installed."""

import asyncio

from modelserver.hosting.connections.guard import Guard


def guarded(read_timeout: float) -> type[asyncio.Protocol]:
    """The class of connections on which a client may be silent for so many seconds."""
    parser: type[Guard]
    try:
        from modelserver.hosting.connections.by_httptools import HttpToolsGuard as parser
    except ImportError:
        from modelserver.hosting.connections.by_h11 import H11Guard as parser
    return type("GuardedProtocol", (parser,), {"read_timeout": read_timeout})
