"""Where an input does not fit a model's type hints, or the request of a chat model or an agent.

MLflow's messages repeat the input, or do not say where the fault is. So after MLflow has refused an
input, this module validates it again with the same classes. It takes the place of each fault from
them, and their words only if those repeat no value. In: MLflow's wrapper of the model, and the
input. Out: `InvalidInput` with one detail per fault, or None.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import islice
from types import UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin

import pandas as pd

from modelserver.errors import LIMIT, InvalidInput, bad_values
from modelserver.scoring.mlflow_internals import (
    DATACLASS_FAULT,
    NO_CONTENT,
    NO_TOOL,
    is_chat_model,
    request_class,
    type_hints_of,
)
from modelserver.types.frames import Columns
from modelserver.types.kind import what_is
from modelserver.types.names import clipped
from modelserver.types.tables import Table
from modelserver.types.type_table import KINDS

Detail: TypeAlias = Mapping[str, Any]

MOST: Final = 10 * LIMIT
"""How many faults are looked at; several of them may be equal."""


def misfit(model: Any, columns: Columns | None, data: Any) -> InvalidInput | None:
    """The faults because of which MLflow does not pass `data` to the model; None if none is found.
    `model` is MLflow's wrapper of the model."""
    details: list[Detail] = []
    for detail in islice(_faults(model, data), MOST):
        if detail not in details:  # pydantic reports a fault for each alternative of a union
            details.append(detail)
    if details:
        return _invalid(details[:LIMIT])
    return _misfit_of_columns(columns, data) if columns is not None else None


def takes_one_conversation(model: Any) -> bool:
    """Whether MLflow's wrapper of the model passes only the first row of a table to the model."""
    return is_chat_model(model) or request_class(model) is not None


def _faults(model: Any, data: Any) -> Iterator[Detail]:
    is_table = isinstance(data, pd.DataFrame)
    if wanted := request_class(model):
        yield from _faults_of_model(wanted, data.iloc[0].to_dict() if is_table else data, "")
    elif is_chat_model(model):
        yield from _faults_of_chat(data.iloc[0].to_dict() if is_table else data)
    else:
        values = data.iloc[:, 0].tolist() if is_table else data
        yield from _faults_of_hint(_hint_of(model), values, "")


def reads_texts(model: Any) -> bool:
    """Whether the type hints of a model make MLflow convert texts to dates or bytes. MLflow then
    accepts text that is no base64, and takes numbers such as 20240131 for dates, so this server
    checks the text before."""
    return _mentions(_hint_of(model), TEXT_READERS.keys())


def _mentions(hint: Any, wanted: Collection[Any]) -> bool:
    return hint in wanted or any(_mentions(inner, wanted) for inner in get_args(hint))


def _hint_of(model: Any) -> Any:
    return getattr(type_hints_of(model), "input", None)


def _faults_of_hint(hint: Any, data: Any, place: str) -> Iterator[Detail]:
    """The faults by MLflow's rules (`mlflow.types.type_hints`): pydantic models are strict, and of
    unions only optional types are checked."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hasattr(hint, "model_validate"):
        yield from _faults_of_model(hint, data, place, strict=True)
    elif hint in SCALARS:
        yield from _faults_of_scalar(hint, data, place)
    elif origin is list:
        if isinstance(data, list):
            for index, item in enumerate(data):
                yield from _faults_of_hint(arguments[0], item, f"{place}[{index}]")
        else:
            yield _detail(place, "an array", what_is(data))
    elif origin is dict:
        if isinstance(data, dict):
            for key, item in data.items():
                yield from _faults_of_hint(arguments[1], item, _joined(place, [key]))
        else:
            yield _detail(place, "an object", what_is(data))
    elif origin in (Union, UnionType) and data is not None and len(arguments) == 2:
        inner = [argument for argument in arguments if argument is not type(None)]
        if len(inner) == 1:
            yield from _faults_of_hint(inner[0], data, place)


def _faults_of_scalar(hint: Any, data: Any, place: str) -> Iterator[Detail]:
    if isinstance(data, str) and hint in TEXT_READERS:
        read, wrong = TEXT_READERS[hint]
        try:
            read(data)
        except ValueError:
            yield _detail(place, SCALARS[hint], wrong)
    elif not isinstance(data, hint):
        is_float = hint is int and isinstance(data, float)
        yield _detail(place, SCALARS[hint], SCALARS[float] if is_float else what_is(data))


def _date(text: str) -> datetime:
    if not STARTS_WITH_A_DATE.match(text) or FINER_THAN_MICROSECONDS.search(text):
        raise ValueError("no date, or one that datetime does not hold")
    return datetime.fromisoformat(text)


def _faults_of_model(
    model: Any, data: Any, place: str, strict: bool | None = None
) -> Iterator[Detail]:
    from pydantic import ValidationError

    try:
        model.model_validate(data, strict=strict)
    except ValidationError as error:
        for fault in error.errors():
            path = _path_in(data, fault["loc"], fault["type"] == "missing")
            found = "nothing" if fault["type"] == "missing" else what_is(fault["input"])
            detail = _detail(_joined(place, path), _expected(fault), found)
            yield {**detail, "fault": fault["type"]}


def _expected(fault: Any) -> str:
    """What is expected: in our words, or in pydantic's if those repeat no value."""
    said, flaw = str(fault.get("ctx", {}).get("error")), fault["type"]
    if said in SAYINGS:
        return SAYINGS[said]
    if words := WORDS.get(flaw.removesuffix("_type").removesuffix("_parsing")):
        return words
    return SHOULD.sub("", fault["msg"]) if SPEAKING.fullmatch(flaw) else ACCEPTED


def _path_in(data: Any, location: Sequence[Any], missing: bool) -> Iterator[Any]:
    """pydantic's location of a fault, without the names of the union's alternatives in it."""
    for number, step in enumerate(location, 1):
        inner = dict(enumerate(data)) if isinstance(data, list) else data
        if isinstance(inner, dict) and step in inner:
            data = inner[step]
        elif not (missing and number == len(location)):
            continue
        yield step


def _faults_of_chat(request: Any) -> Iterator[Detail]:
    from mlflow.types.llm import ChatMessage, ChatParams

    messages = request.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        place = f"messages[{index}]"
        yield from _faults_of_dataclass(ChatMessage, message, place, place)
    for key, value in request.items():
        if key != "messages":
            yield from _faults_of_dataclass(ChatParams, {key: value}, "", str(key))


def _faults_of_dataclass(made: Any, data: Any, place: str, otherwise: str) -> list[Detail]:
    """The faults of an object that MLflow reads into the dataclass `made`. `otherwise`: the place
    to name if MLflow's message names no field."""
    if not isinstance(data, dict):
        return [_detail(place, "an object", what_is(data))]
    try:
        made.from_dict(data)
    except (ValueError, TypeError, AttributeError) as error:
        found = DATACLASS_FAULT.search(str(error))
        name = (found["name"] or found["missing"]) if found else None
        if found and name in {field.name for field in fields(made)}:
            expected = WORDS.get(found["type"] or found["list"] or "missing", ACCEPTED)
            absent = data.get(name) is None
            value = "nothing" if absent else what_is(data[name])
            return [_detail(_joined(place, [name]), expected, value)]
        return [_detail(otherwise, ACCEPTED, "another one")]
    return []


def _misfit_of_columns(columns: Columns, data: Any) -> InvalidInput | None:
    """The fault in an object that is one row. Unknown keys do not count; text or a boolean for
    another scalar is a fault, as in MLflow."""
    if not isinstance(data, dict):
        return None
    known = {key: value for key, value in data.items() if key in columns.positions}
    kinds = dict(zip(known, columns.kinds_for(list(known)), strict=True))
    for key, value in known.items():
        kind = kinds[key]
        if kind and kind.is_scalar and LITERAL.get(type(value), kind.json_type) != kind.json_type:
            return _invalid([_detail(key, kind.expects, what_is(value))])
    try:
        columns.frame(Table(list(known), 1, columns=[[value] for value in known.values()]))
    except InvalidInput as error:
        return error
    return None


def _detail(place: str, expected: str, found: str) -> Detail:
    return {"location": place[:200], "expected": expected, "found": found}


def _joined(place: str, steps: Any) -> str:
    for step in steps:
        place += f"[{step}]" if isinstance(step, int) else f"{'.' if place else ''}{clipped(step)}"
    return place


def _invalid(details: Sequence[Detail]) -> InvalidInput:
    location = details[0]["location"]
    return bad_values(f"the input at {location}" if location else "the input", details)


SCALARS: Final[Mapping[Any, str]] = {
    int: "a whole number",
    float: "a number with a decimal point",
    str: KINDS["string"].expects,
    bool: KINDS["boolean"].expects,
    bytes: KINDS["binary"].expects,
    datetime: KINDS["datetime"].expects,
}
"""The scalar types of type hints, and what a message says is expected for each."""

TEXT_READERS: Final[Mapping[Any, tuple[Callable[[str], Any], str]]] = {
    bytes: (lambda text: KINDS["binary"].parse([text]), "text that is no base64"),
    datetime: (_date, "text that is no date"),
}
"""The types that MLflow makes of text: how this server reads the text, and what a message says was
found if that fails."""

LITERAL: Final[Mapping[type, str]] = {str: "string", bool: "boolean"}
"""The JSON types of values that MLflow takes for no other scalar."""

FINER_THAN_MICROSECONDS: Final = re.compile(r"\.\d{6}0*[1-9]")

STARTS_WITH_A_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

ACCEPTED: Final = "a value that the model accepts"

SAYINGS: Final[Mapping[str, str]] = {
    NO_CONTENT: "content or tool_calls beside the role",
    NO_TOOL: "name and tool_call_id beside the role tool",
}
"""MLflow's texts for a fault of a whole chat message, and what we say is expected instead."""

WORDS: Final[Mapping[str, str]] = {
    "missing": "a value",
    "extra_forbidden": "no such field",
    "bool": "true or false",
    "dataclass": "an object",
    "dict": "an object",
    "float": "a number",
    "int": "a whole number",
    "list": "an array",
    "model": "an object",
    "str": "text",
    "string": "text",
}
"""What a message says is expected, by the name of a Python type, or by pydantic's type of error
without its ending."""

SPEAKING: Final = re.compile(
    "(?:bytes|date|datetime|time|set|tuple)_type|none_required|int_from_float|literal_error|enum|"
    "greater_than(?:_equal)?|less_than(?:_equal)?|multiple_of|finite_number|"
    "too_(?:short|long)|string_.*"
)
"""pydantic's types of errors with texts that quote what the model declares, but no value."""

SHOULD: Final = re.compile(r"^\w+ should (?:be|have|match) ")
"""The beginning of those texts, which is cut off."""
