"""Which code an exception of a prediction comes from: MLflow's own, or the model's.

MLflow takes an input apart before it enters a typed model, a chat model or an agent, and the
answer afterwards. What it refuses there is told by the frames of the traceback, since its
exceptions are of all types.
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
"""Packages whose code runs before a model is entered."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Where an exception comes from: MLflow's functions, and whether others' were among them,
    which are the model's."""

    functions: frozenset[str]
    entered_model: bool


def is_refused(error: BaseException, typed: bool) -> bool:
    """Whether MLflow refused an input before it entered the model. `typed`: the input has the types
    of the signature, so only MLflow's converters may still refuse it."""
    way = trail(error)
    if way.entered_model or way.functions & ANSWERING:
        return False
    return bool(way.functions & CONVERTERS) or not (typed or is_mlflow_exception(error))


def is_odd_answer(error: BaseException) -> bool:
    """Whether MLflow refused what the model answered."""
    way = trail(error)
    return not way.entered_model and bool(way.functions & ANSWERING)


def is_chosen(error: BaseException) -> bool:
    """Whether the model raised an MlflowException by choice, as an answer to the caller."""
    return is_mlflow_exception(error) and not trail(error).functions & CONVERTERS


def trail(error: BaseException) -> Trail:
    """The path of an exception through the code, with those of the exceptions that were handled
    when it was raised."""
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
