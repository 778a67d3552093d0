"""A request of the protocol to model input.

In: a body. Out: a `Payload`. Each input is checked by itself (`inputs`); then the model's signature
reads the elements as at /invocations. So they keep all their digits, whatever their datatype.
Raises `BadRequest` or `InvalidInput`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from numpy.typing import NDArray

from modelserver.errors import BadRequest, InvalidInput
from modelserver.protocols.open_inference.about import input_names
from modelserver.protocols.open_inference.inputs import Input, read_input
from modelserver.protocols.open_inference.tensors import ARRAYS, DICT, FRAME, TEXT
from modelserver.reading.json_reader import lacks_digits
from modelserver.reading.json_text import (
    BareConstants,
    decode_constants,
    decode_exactly,
    decode_json,
)
from modelserver.reading.signatures.columns import ColumnSignature, TypeHintSignature
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.reading.signatures.tensors import TensorSignature
from modelserver.reading.signatures.untyped import Untyped
from modelserver.types.kind import what_is
from modelserver.types.names import listed, quoted
from modelserver.types.tables import Table
from modelserver.types.tensors import Tensor
from modelserver.types.type_table import KINDS

REQUEST_TYPES: Final = (FRAME, ARRAYS, DICT, TEXT)
"""The content types of a whole request. Only for a model without a signature it matters which."""

NO_PARAMS: Final = frozenset({"content_type", "headers", "binary_data_output"})
"""The parameters of a request that are for servers. All others are the model's params."""


class Asked(NamedTuple):
    """What the answer repeats of a request: its id, and the names of the outputs that it wants."""

    id: str | None
    outputs: Sequence[str]


def read(body: bytes, signature: Signature, limit: int) -> Payload:
    """The model input in a body. Raises `BadRequest` or `InvalidInput`."""
    try:
        return _read(_decoded(body), signature)
    except InvalidInput as error:
        if not lacks_digits(error, body):
            raise
    return _read(decode_exactly(body), signature).with_plain_numbers()


def _read(request: Any, signature: Signature) -> Payload:
    """The model input in a decoded body."""
    if not isinstance(request, dict):
        raise BadRequest(f"the body must be a JSON object with 'inputs', not {what_is(request)}")
    inputs = [read_input(item, place) for place, item in enumerate(_items(request, "inputs"))]
    if not inputs:
        raise BadRequest("the body must have 'inputs', an array of tensors")
    _refuse_repeated("inputs", [sent.name for sent in inputs])
    asked = _asked(request)
    content_type, params = _parameters(request)
    reader = next(reader for kind, reader in READERS if isinstance(signature, kind))
    return replace(reader(signature, inputs, params, content_type), asked=asked)


def _decoded(body: bytes) -> Any:
    try:
        return decode_json(body)
    except BareConstants:  # clients of Triton write NaN so
        return decode_constants(body)


def _items(request: Mapping[str, Any], key: str) -> list[Any]:
    """The value of a key that holds an array, or nothing."""
    items = request.get(key) or []
    if not isinstance(items, list):
        raise BadRequest(f"{key!r} must be an array of tensors, not {what_is(items)}")
    return items


def _asked(request: Mapping[str, Any]) -> Asked:
    sent_id = request.get("id")
    if sent_id is not None and not isinstance(sent_id, str):
        raise BadRequest(f"'id' must be text, not {what_is(sent_id)}")
    outputs = _items(request, "outputs")
    names = [item["name"] for item in outputs if isinstance(item, dict) and "name" in item]
    if len(names) < len(outputs) or not all(isinstance(name, str) for name in names):
        raise BadRequest("each of 'outputs' must be an object with a 'name'")
    _refuse_repeated("outputs", names)
    return Asked(sent_id, names)


def _refuse_repeated(what: str, names: Sequence[str]) -> None:
    """Raises `BadRequest` if a name occurs more than once; `what` has it."""
    if repeated := [name for name, times in Counter(names).items() if times > 1]:
        raise BadRequest(f"{what} given twice: {listed(repeated)}")


def _parameters(request: Mapping[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """The content type of the request, and the params for the model, None if there are none."""
    parameters = request.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise BadRequest(f"'parameters' must be an object, not {what_is(parameters)}")
    content_type = parameters.get("content_type")
    if content_type is not None and content_type not in REQUEST_TYPES:
        there = ", ".join(REQUEST_TYPES)
        raise BadRequest(f"the request has an unknown content_type; there are: {there}")
    params = {name: value for name, value in parameters.items() if name not in NO_PARAMS}
    return content_type, params or None


def _read_columns(
    signature: ColumnSignature, inputs: Sequence[Input], params: Any, content_type: Any
) -> Payload:
    """A table with an input for each column. If the columns have no names, they may also be one
    input with the rows."""
    if signature.columns.named:
        return signature.read_table(_table(signature, inputs), params)
    columns, sent = signature.columns.columns, {item.name: item for item in inputs}
    names = input_names(len(columns))
    if sent.keys() == set(names):
        table = _table(signature, [sent[name] for name in names])
        return signature.read_table(replace(table, names=range(len(names)), named=False), params)
    if len(inputs) > 1 or len(inputs[0].shape) != 2:
        raise InvalidInput(
            f"the columns of the model have no names: send one input with {len(columns)} values "
            f"per row, or the inputs {listed(names)}"
        )
    rows = inputs[0].array().tolist()
    return signature.read_table(
        Table(range(len(rows[0])), len(rows), rows=rows, named=False), params
    )


def _table(signature: Signature, inputs: Sequence[Input]) -> Table:
    """The table whose columns are the inputs."""
    sizes = {sent.name: sent.shape[0] for sent in inputs}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{quoted(name)} {size}" for name, size in list(sizes.items())[:20])
        raise BadRequest(f"the inputs have different lengths: {found}")
    columns = [sent.cells(_kind(signature, sent)) for sent in inputs]
    return Table([sent.name for sent in inputs], inputs[0].shape[0], columns=columns)


def _kind(signature: Signature, sent: Input) -> Any:
    """The kind of the column of an input, None if it is not known."""
    kind = signature.kinds.get(sent.name)
    if kind is KINDS["binary"] and sent.content_type == TEXT:
        raise InvalidInput(f"column {quoted(sent.name)} takes bytes: send it as base64")
    return kind


def _read_tensors(
    signature: TensorSignature, inputs: Sequence[Input], params: Any, content_type: Any
) -> Payload:
    """Tensors by name; one tensor without a name may be sent under any."""
    if not signature.names:
        return signature.read_inputs(_shaped(_only(inputs), signature.tensors[0]), params)
    declared = {tensor.name: tensor for tensor in signature.tensors}
    arrays = {sent.name: _shaped(sent, declared.get(sent.name)) for sent in inputs}
    return signature.read_inputs(arrays, params)


def _shaped(sent: Input, tensor: Tensor | None) -> NDArray[Any]:
    """The input as an array. The shapes [n] and [n, 1] mean the same, so that it gets the one of
    the tensor."""
    array = sent.array()
    if tensor is not None and sent.is_column and tensor.shape[1:] in ((), (1,)):
        return array.reshape(-1, *tensor.shape[1:])
    return array


def _read_values(
    signature: TypeHintSignature, inputs: Sequence[Input], params: Any, content_type: Any
) -> Payload:
    """The values for a model with a type hint, one per row, in an input of any name."""
    kind = signature.column.columns[0].kind
    sent = _only(inputs).implied(kind)
    sent = sent if sent.holds_arrays(kind) else sent.as_column()
    return signature.read_inputs(sent.array().tolist(), params)


def _read_untyped(
    signature: Untyped, inputs: Sequence[Input], params: Any, content_type: Any
) -> Payload:
    """A DataFrame, arrays by name or one array, as the content type says; without one, arrays by
    name if there are several."""
    if content_type == FRAME:
        columns = [sent.as_column().typed() for sent in inputs]
        return signature.read_table(replace(_table(signature, inputs), columns=columns), params)
    if content_type == DICT or len(inputs) > 1:
        return signature.read_inputs({sent.name: sent.typed() for sent in inputs}, params)
    return signature.read_inputs(inputs[0].typed(), params)


def _only(inputs: Sequence[Input]) -> Input:
    if len(inputs) > 1:
        raise InvalidInput(f"the model takes one input, got {len(inputs)}")
    return inputs[0]


READERS: Final[Sequence[tuple[type[Signature], Callable[..., Payload]]]] = (
    (ColumnSignature, _read_columns),
    (TensorSignature, _read_tensors),
    (TypeHintSignature, _read_values),
    (Untyped, _read_untyped),
)
"""The function that reads the inputs for each of the ways in which models are typed."""
