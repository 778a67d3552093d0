"""The protocols besides MLflow's: one row each.

`app` makes routes of the rows. To add a protocol, add a module with the functions that its row
names; describe its paths in `openapi_base.yaml` and docs/protocol.md, as those of `app`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from modelserver.protocols import vetiver


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol: the paths that it adds."""

    name: str
    predicting: Mapping[str, Callable[[bytes], bytes]]
    """Paths that predict, as /invocations does. The function makes the protocol's answer of an
    answer of /invocations."""
    showing: Mapping[str, Callable[[Mapping[str, Any]], Any]]
    """Paths that show what is known of the model. The function makes a JSON value of the model's
    OpenAPI document. It may raise `ApiError`."""
    refused: int = 400
    """The status of the answer for input that the model does not take."""


PROTOCOLS: Final = (
    Protocol(
        "vetiver",
        predicting={"/predict": vetiver.answer},
        showing={"/prototype": vetiver.prototype},
        refused=422,  # of which alone the client for Python shows the message
    ),
)
