"""vetiver's protocol (https://vetiver.posit.co): what its clients for Python and R send and read.

They post an array of records to /predict, without a media type if it is a table. vetiver for R
sends "NA" for missing values. All this is read at /invocations, too; only the answer has another
key. The client for R shows the `message` of an error, the one for Python the whole body if the
status is 422. No client reads /prototype or /metadata: they are for people, and /prototype has the
form that vetiver for Python gives it.
"""

from collections.abc import Mapping
from typing import Any, Final

from modelserver.errors import RoutingFailed
from modelserver.reading.signatures.signature import Payload
from modelserver.scoring.answering.encoding import encode_predictions
from modelserver.scoring.model import Model

NO_PROTOTYPE: Final = "the model declares no columns with names, so it has no prototype"


def write(model: Model, payload: Payload, predictions: Any) -> bytes:
    """The answer of /invocations with the predictions under `predict`. An answer that is not
    wrapped stays as it is."""
    return encode_predictions(predictions, payload.wrapped, b"predict")


def prototype(model: Model, document: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a record, out of the model's OpenAPI document. Raises `RoutingFailed` if
    the model takes no records."""
    row = document["components"]["schemas"].get("Row", {})
    if row.get("type") != "object":
        raise RoutingFailed(404, NO_PROTOTYPE, None)
    return {**row, "title": "prototype"}
