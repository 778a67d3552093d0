"""The input example that was logged with a model, as a body of /invocations.

In: the model's folder, and what its MLmodel file says of the example. Out: JSON, or None if there
is no example or it cannot be read. Newer versions of MLflow write the body itself; older ones write
only the example, from which the body is made here.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from modelserver.reading.signatures.signature import LLM_KEYS

BODY: Final = "serving_input_example.json"

WHOLE: Final = frozenset({"inputs", *LLM_KEYS})
"""If an example has one of these keys, it is a whole body: a tensor, a chat, a completion."""


class NoBody(ValueError):
    """The example is a sparse matrix, which a body cannot contain."""


FAULTS: Final[Mapping[type[Exception], str]] = {
    FileNotFoundError: "its file is not there",
    json.JSONDecodeError: "its file is not JSON",
    UnicodeDecodeError: "its file is not JSON",
    NoBody: "it is a sparse matrix, which JSON has no form for",
}


def logged_example(folder: Path, info: Mapping[str, Any] | None) -> tuple[bytes | None, str]:
    """The body, None if there is none; and the reason why it cannot be read, empty if it can.
    `info` is `saved_input_example_info` of the MLmodel file."""
    body = folder / BODY
    if body.is_file():
        return body.read_bytes(), ""
    if not info:
        return None, ""
    try:
        logged = json.loads((folder / Path(info["artifact_path"]).name).read_bytes())
        return json.dumps(_body(logged, info)).encode(), ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return None, FAULTS.get(type(error), "it is of another kind than its MLmodel file says")


def _split(logged: Any) -> dict[str, Any]:
    """The body for an example of columns and rows. Without names of columns it is a tensor."""
    return {"dataframe_split": logged} if "columns" in logged else {"inputs": logged["data"]}


def _columns(logged: Any) -> dict[str, Any]:
    """The body for an example of columns, each of which has its cells by row label."""
    labels = {label: None for cells in logged.values() for label in cells}
    rows = [[cells.get(label) for cells in logged.values()] for label in labels]
    return {"dataframe_split": {"columns": list(logged), "data": rows}}


TABLES: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {
    "split": _split,
    "records": lambda logged: {"dataframe_records": list(logged)},
    "index": lambda logged: {"dataframe_records": list(logged.values())},
    "columns": _columns,
    "values": lambda logged: {"inputs": list(logged)},
}
"""The functions that make the input of a body, by `pandas_orient`: the form in which pandas wrote
the example."""


def _body(logged: Any, info: Mapping[str, Any]) -> dict[str, Any]:
    """The body: the input, and its params if the example has some."""
    if not info.get("params"):
        return _input(logged, info)
    return {**_input(logged["inputs"], info), "params": logged["params"]}


def _input(logged: Any, info: Mapping[str, Any]) -> dict[str, Any]:
    made_of = info["type"]
    if made_of == "dataframe":
        return TABLES[info.get("pandas_orient", "split")](logged)
    if made_of not in ("ndarray", "json_object"):
        raise NoBody(made_of)
    is_body = isinstance(logged, dict) and not WHOLE.isdisjoint(logged)
    return dict(logged) if is_body else {"inputs": logged}
