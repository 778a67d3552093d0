"""Predictions to an answer of the protocol.

An array is one output of its shape; an object of arrays, one output for each; a table, one for each
column. Anything else is one output of JSON texts. Outputs have the names that tables have in other
formats (`scoring/answering/tables.py`), or those that the model's signature declares where the
prediction has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from modelserver.errors import BadRequest
from modelserver.protocols.open_inference.about import declared
from modelserver.protocols.open_inference.request_reader import Asked
from modelserver.protocols.open_inference.tensors import ARRAYS, DICT, FRAME, write_tensor
from modelserver.reading.signatures.signature import Payload
from modelserver.scoring.answering.encoding import attempt, dumped, encode_json
from modelserver.scoring.answering.tables import ARRAY, UNNAMED, NoTable, table_of, unnamed
from modelserver.scoring.model import Model
from modelserver.types.kind import objects
from modelserver.types.names import listed, suggested


def write(model: Model, payload: Payload, predictions: Any) -> bytes:
    """The answer that holds the predictions. Raises `BadRequest` if the request asks for outputs
    that there are not, and `ModelFailed` for a value that JSON cannot hold."""
    asked: Asked = payload.asked
    version = model.registration.version
    content_type, outputs = _outputs(predictions)
    outputs = _wanted(_named(outputs, model), asked.outputs)

    def answer() -> bytes:
        return encode_json(
            {
                "model_name": model.title,
                **({} if version is None else {"model_version": version}),
                **({} if asked.id is None else {"id": asked.id}),
                "parameters": {"content_type": content_type},
                "outputs": [write_tensor(name, values) for name, values in outputs.items()],
            }
        )

    return attempt(answer, "JSON")


def _outputs(predictions: Any) -> tuple[str, Mapping[str, Any]]:
    """The outputs by name, and the content type of the whole. What is neither an array nor a table
    becomes one output: of its items, if it is a list."""
    if isinstance(predictions, Iterator):
        predictions = list(predictions)
    try:
        return tensors_of(predictions)
    except NoTable:
        rows = predictions if isinstance(predictions, (list, tuple)) else [predictions]
        return FRAME, {UNNAMED: objects(rows)}


def tensors_of(value: Any) -> tuple[str, Mapping[str, Any]]:
    """A prediction, or the input of a model, as arrays or columns by name; and the content type of
    the whole. Raises `NoTable` if it is neither."""
    value = dumped(value)
    if hasattr(value, "toarray"):  # scipy.sparse
        value = value.toarray()
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], ARRAY):
        value = _rectangular(value)
    if isinstance(value, np.ndarray) and value.ndim:
        return ARRAYS, {UNNAMED: value}
    if isinstance(value, Mapping) and value and all(map(_is_tensor, value.values())):
        return DICT, {str(name): array for name, array in value.items()}
    return FRAME, table_of(value)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0


def _rectangular(rows: Sequence[Any]) -> Any:
    """Nested arrays as one array of objects; as they are, if their lengths differ."""
    try:
        array = np.array(rows, object)
    except ValueError:
        return rows
    return array if array.ndim > 1 else rows


def _named(outputs: Mapping[str, Any], model: Model) -> Mapping[str, Any]:
    """The outputs with the declared names, if they have none and are as many."""
    names = [tensor["name"] for tensor in declared(model, "outputs")]
    if list(outputs) != unnamed(len(outputs)) or len(names) != len(outputs):
        return outputs
    return dict(zip(names, outputs.values(), strict=True))


def _wanted(outputs: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    """The outputs with these names; all, if there are no names. Raises `BadRequest`."""
    if unknown := [name for name in names if name not in outputs]:
        there = list(outputs)
        raise BadRequest(
            f"unknown outputs: {suggested(unknown, there)}. The model returns: {listed(there)}"
        )
    return {name: outputs[name] for name in names} if names else outputs
