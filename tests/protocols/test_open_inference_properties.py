"""What holds for every table as a request of the Open Inference Protocol; and joined requests."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import given

from modelserver.hosting.settings import read_settings
from modelserver.loading.loader import load_model
from modelserver.protocols.open_inference import answer_writer, request_reader
from modelserver.protocols.open_inference.tensors import column_type, write_tensor
from modelserver.scoring.answering.encoding import encode_json
from modelserver.scoring.batching import score_together
from modelserver.scoring.request import Dialect, Request, Work
from modelserver.types.type_table import KINDS
from tests.protocols.open_inference import tensor
from tests.reading.test_properties import MEGABYTE, Sample, repeatable, samples


def as_request(sample: Sample) -> bytes:
    inputs = []
    for name, cells in sample.encoded().items():
        datatype, content_type = column_type(KINDS[sample.types[name]])
        inputs.append(tensor(name, datatype, cells, content_type or ""))
    return json.dumps({"inputs": inputs}).encode()


def written(sample: Sample) -> bytes:
    """What the model gets, written as an answer would hold it."""
    frame = sample.frame()
    return encode_json({"inputs": [write_tensor(str(name), frame[name]) for name in frame]})


@repeatable
@given(samples())
def test_a_request_gives_the_source_frame(sample: Sample) -> None:
    for write in (as_request, written):
        payload = request_reader.read(write(sample), sample.signature, MEGABYTE)
        pd.testing.assert_frame_equal(payload.data, sample.frame(), check_exact=True)


def test_requests_are_joined_with_those_to_invocations(model_path: Callable[[str], Path]) -> None:
    model = load_model(read_settings({"MODEL_URI": str(model_path("linear"))}))
    assert model.row_wise
    names = [str(name) for name in model.signature.columns.names]  # type: ignore[union-attr]
    table = {name: [0.5, 1.5] for name in names}
    inputs = [tensor(name, "FP64", cells) for name, cells in table.items()]
    asked: list[int] = []

    def predict(payload: Any) -> Any:
        asked.append(len(payload.data))
        return model.predict(payload)

    counted = replace(model, predict=predict)
    dialect = Dialect(answer_writer.write, request_reader.read)
    sent = [
        Request(encode_json({"inputs": inputs, "id": "7"}), None, None, MEGABYTE, dialect=dialect),
        Request(encode_json({"inputs": table}), None, None, MEGABYTE),
    ]
    ours, theirs = score_together([Work(counted, request) for request in sent])
    assert asked == [4]
    assert not isinstance(ours, Exception)
    assert not isinstance(theirs, Exception)
    answer = json.loads(ours.body)
    assert (answer["id"], ours.rows) == ("7", 2)
    assert answer["outputs"][0]["data"] == json.loads(theirs.body)["predictions"]
