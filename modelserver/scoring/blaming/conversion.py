"""Which code raised an exception of a prediction: MLflow's own, or the model's.

For a typed model, a chat model or an agent, MLflow converts the input before it calls the model,
and the answer afterwards. Whether MLflow refused one of them shows in the functions of the
traceback; the type of the exception does not show it.
"""

import sys
from dataclasses import dataclass
from typing import Final

from modelserver.scoring.mlflow_internals import ANSWERING, CONVERTERS, is_mlflow_exception

NOT_THE_MODEL: Final = sys.stdlib_module_names | {
    "modelserver",
    "mlflow",
    "pydantic",
    "numpy",
    "pandas",
}
"""Packages whose code is not the model's own."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The way of an exception through the code: the names of MLflow's functions in it, and whether
    it has the model's code in it."""

    functions: frozenset[str]
    entered_model: bool


def is_refused(error: BaseException, typed: bool) -> bool:
    """Whether MLflow refused the input before it called the model. `typed`: the input already has
    the signature's types, so only MLflow's converters may still refuse it."""
    way = trail(error)
    if way.entered_model or way.functions & ANSWERING:
        return False
    return bool(way.functions & CONVERTERS) or not (typed or is_mlflow_exception(error))


def is_odd_answer(error: BaseException) -> bool:
    """Whether MLflow refused the model's answer."""
    way = trail(error)
    return not way.entered_model and bool(way.functions & ANSWERING)


def is_chosen(error: BaseException) -> bool:
    """Whether the model raised an MlflowException on purpose, as an answer to the caller."""
    return is_mlflow_exception(error) and not trail(error).functions & CONVERTERS


def trail(error: BaseException) -> Trail:
    """The way of an exception through the code, together with that of the exceptions in its
    `__context__`."""
    functions: set[str] = set()
    packages: set[str] = set()
    seen: list[BaseException] = []
    raised: BaseException | None = error
    while raised is not None and raised not in seen:
        seen.append(raised)
        trace = raised.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            packages.add(package)
            if package == "mlflow":
                functions.add(frame.f_code.co_name)
            trace = trace.tb_next
        raised = raised.__context__
    return Trail(frozenset(functions), not packages <= NOT_THE_MODEL)
