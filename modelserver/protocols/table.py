"""The protocols besides MLflow's: one row each.

`app` makes routes of the rows, and `middleware` writes errors by them. To add a protocol, add a
module with the functions that its row names; describe its paths in `openapi_base.yaml` and
docs/protocol.md, as those of `app`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from modelserver.protocols import vetiver
from modelserver.protocols.open_inference import (
    about,
    answer_writer,
    openapi,
    request_reader,
)
from modelserver.scoring.model import Model
from modelserver.scoring.request import MLFLOW, Dialect

Texts: TypeAlias = Mapping[str, str]

Show: TypeAlias = Callable[[Model, Mapping[str, Any]], Any]
"""Makes a JSON value of the model and its OpenAPI document. It may raise `ApiError`."""


def _admit_all(model: Model, parts: Texts, headers: Texts) -> None:
    """Every path and every header fits."""


def _complete_nothing(document: dict[str, Any], model: Model, body: Any) -> None:
    """The document needs no more."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol: the paths that it adds."""

    name: str
    predicting: Mapping[str, Dialect]
    """Paths that predict, as /invocations does, each with its way to write requests and answers."""
    showing: Mapping[str, Show] = field(default_factory=dict)
    """Paths that show what is known of the model. They wait while it is loading."""
    ready: Mapping[str, Show] = field(default_factory=dict)
    """Paths that say whether there is a model: until then, they answer 503 at once."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Paths that answer always, each with its JSON value."""
    admit: Callable[[Model, Texts, Texts], None] = _admit_all
    """Raises `ApiError` if the parts of a path that stand in braces, or the headers, do not fit the
    model. It is called for all but the fixed paths."""
    complete: Callable[[dict[str, Any], Model, Any], None] = _complete_nothing
    """Completes its paths in the model's OpenAPI document, which it changes. The last argument is a
    body of /invocations that the model predicts, None if there is none."""
    root: str = ""
    """What all its paths begin with."""
    message_key: str = "message"
    """The key under which its clients look for the message of an error."""
    refused: int = 400
    """The status of the answer for input that the model does not take."""


OWN: Final = Protocol("MLflow", predicting={"/invocations": MLFLOW})
"""MLflow's protocol, as far as a row can say it. `app` has its other paths."""

PROTOCOLS: Final = (
    Protocol(
        "vetiver",
        predicting={"/predict": Dialect(vetiver.write)},
        showing={"/prototype": vetiver.prototype},
        refused=422,  # of which alone the client for Python shows the message
    ),
    Protocol(
        "Open Inference",
        predicting={
            f"{model}/infer": Dialect(answer_writer.write, request_reader.read)
            for model in about.MODELS
        },
        showing=dict.fromkeys(about.MODELS, about.show_model),
        ready={
            "/v2/health/ready": about.show_ready,
            **{f"{model}/ready": about.show_model_ready for model in about.MODELS},
        },
        fixed={"/v2": about.SERVER, "/v2/health/live": {"live": True}},
        admit=about.admit,
        complete=openapi.complete,
        root="/v2",
        message_key="error",
    ),
)


def with_keys(body: dict[str, Any], path: str) -> dict[str, Any]:
    """The body of an error at a path, with its message also where the protocol's clients look."""
    keys = [protocol.message_key for protocol in PROTOCOLS if path.startswith(protocol.root)]
    return body | dict.fromkeys(keys, body["message"])
