"""The limit: a bare Starlette app that does what no server can leave out.

It reads the body, decodes it (`orjson.loads`, `pandas.read_csv`, pyarrow), calls the model's own
predict on an input that is ready beforehand, and encodes the result with `orjson.dumps` or pandas.
"""

import asyncio
import gc
import io
import json
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import mlflow
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelserver.hosting.processes.serving import serve
from modelserver.hosting.settings import read_settings
from tests.support.bench.cases import ARROW, CSV, JSON, NDJSON, PING, WORKLOAD, Case


def write_ready(folder: Path, cases: Sequence[Case]) -> Path:
    """The inputs for the limit's server, by workload, in a file."""
    file = folder / "ready.pickle"
    file.write_bytes(pickle.dumps({case.name: (case.media_type, case.ready) for case in cases}))
    return file


def decode_json(body: bytes) -> Any:
    """The body as Python values."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # NaN, which Python's own module writes
        return json.loads(body)


DECODERS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    JSON: decode_json,
    CSV: lambda body: pd.read_csv(io.BytesIO(body)),
    NDJSON: lambda body: [orjson.loads(line) for line in body.splitlines()],
    ARROW: lambda body: pa.ipc.open_stream(body).read_pandas(),
}
"""What decodes a body, by its media type."""


def limit_answer(work: Any, body: bytes, query: str, predict: Any) -> bytes:
    """What no server can leave out."""
    media_type, ready = work
    decoded = DECODERS[media_type](body)
    predictions = np.asarray(predict(ready))
    if query == "format=csv":
        return pd.DataFrame({"prediction": predictions}).to_csv(index=False).encode()
    if query == "include=id":
        pairs = zip(ids_of(decoded["dataframe_split"]), predictions.tolist(), strict=True)
        return orjson.dumps({"predictions": [{"id": i, "prediction": p} for i, p in pairs]})
    return orjson.dumps({"predictions": predictions}, option=orjson.OPT_SERIALIZE_NUMPY)


def ids_of(table: Any) -> Iterator[Any]:
    """The cells of the column `id`."""
    place = table["columns"].index("id")
    return (row[place] for row in table["data"])


def serve_limit(model_path: str, cases_path: str) -> None:
    """Serves the limit. Runs in a process of its own; address and port are our settings."""
    cases = pickle.loads(Path(cases_path).read_bytes())
    predict = mlflow.pyfunc.load_model(model_path)._model_impl.predict

    async def invocations(request: Request) -> Response:
        name = request.headers[WORKLOAD]
        work = (cases[name], await request.body(), request.url.query, predict)
        if name == PING:  # on the event loop it would keep /ping waiting
            return Response(await asyncio.to_thread(limit_answer, *work), media_type=JSON)
        return Response(limit_answer(*work), media_type=JSON)

    async def ping(request: Request) -> Response:
        return Response(b"\n", media_type=JSON)

    gc.collect()
    gc.freeze()
    routes = [Route("/invocations", invocations, methods=["POST"]), Route("/ping", ping)]
    serve(Starlette(routes=routes), read_settings(os.environ))
