"""The limit: a bare Starlette app that does what no server can leave out.

It reads the body, decodes it (`orjson.loads`, `pandas.read_csv`), calls the model's own predict on
an input that is ready beforehand, and encodes the result with `orjson.dumps`.
"""

import asyncio
import gc
import io
import json
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import orjson
import pandas as pd
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelserver.hosting.processes import serve
from modelserver.hosting.settings import read_settings
from tests.bench.cases import CSV, JSON, PING, WORKLOAD, Case


def write_ready(folder: Path, cases: Sequence[Case]) -> Path:
    """The inputs for the limit's server, by workload, in a file."""
    file = folder / "ready.pickle"
    file.write_bytes(pickle.dumps({case.name: (case.media_type, case.ready) for case in cases}))
    return file


def limit_answer(name: str, body: bytes, media_type: str, ready: Any, predict: Any) -> bytes:
    """What no server can leave out."""
    if media_type == CSV:
        pd.read_csv(io.BytesIO(body))
    else:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError:  # NaN, which Python's own module writes
            json.loads(body)
    answer = {"predictions": np.asarray(predict(ready))}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def serve_limit(model_path: str, cases_path: str) -> None:
    """Serves the limit. Runs in a process of its own; address and port are our settings."""
    cases = pickle.loads(Path(cases_path).read_bytes())
    predict = mlflow.pyfunc.load_model(model_path)._model_impl.predict

    async def invocations(request: Request) -> Response:
        name = request.headers[WORKLOAD]
        work = (name, await request.body(), *cases[name], predict)
        if name == PING:  # on the event loop it would keep /ping waiting
            return Response(await asyncio.to_thread(limit_answer, *work), media_type=JSON)
        return Response(limit_answer(*work), media_type=JSON)

    async def ping(request: Request) -> Response:
        return Response(b"\n", media_type=JSON)

    gc.collect()
    gc.freeze()
    routes = [Route("/invocations", invocations, methods=["POST"]), Route("/ping", ping)]
    serve(Starlette(routes=routes), read_settings(os.environ))
