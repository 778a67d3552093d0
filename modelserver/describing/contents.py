"""What /invocations takes and answers beside JSON: formats and parameters, from their tables. Pure.

In: the operation in the OpenAPI document, which is changed. What the document mentions itself is
kept.
"""

from collections.abc import Sequence
from typing import Any

from modelserver.describing.schemas import Schema
from modelserver.reading.formats import FORMATS, JSON, Format
from modelserver.scoring.answering.formats import ANSWER_FORMATS, AnswerFormat, offered
from modelserver.scoring.answering.tables import NoTable, table_of
from modelserver.scoring.query import PARAMETERS, Parameter

Operation = dict[str, Any]


def add_formats(operation: Operation) -> None:
    """Adds what the document does not mention: formats of requests and of answers, and parameters
    of the query string."""
    content = operation["requestBody"]["content"]
    for row in (row for row in FORMATS.values() if row.is_installed):
        content.setdefault(row.media_type, {"schema": _schema(row)})
    answers = operation["responses"]["200"]["content"]
    for answer in offered().values():
        answers.setdefault(answer.media_type, {"schema": _schema(answer)})
    parameters = operation.get("parameters") or []
    known = {parameter.get("name") for parameter in parameters}
    added = [_parameter(row) for row in PARAMETERS.values() if row.name not in known]
    operation["parameters"] = [*parameters, *added]


def _parameter(row: Parameter) -> Operation:
    return {
        "name": row.name,
        "in": "query",
        "description": row.about,
        "schema": row.schema(),
    }


def _schema(row: Format | AnswerFormat) -> Schema:
    """The schema of a body in a format that the base document does not mention."""
    schema = {"type": "string", "description": row.about}
    as_bytes = {"format": "binary", "contentMediaType": row.media_type}
    return schema | (as_bytes if row.binary else {})


def keep_json(operation: Operation) -> None:
    """Removes the formats of answers beside JSON, and the parameters that are about tables."""
    answers = operation["responses"]["200"]["content"]
    for answer in ANSWER_FORMATS.values():
        if answer.media_type != JSON:
            answers.pop(answer.media_type, None)
    operation["parameters"] = [
        p for p in operation["parameters"] if p.get("name") not in PARAMETERS
    ]


def drop_parameter(operation: Operation, name: str) -> None:
    """Removes a parameter that the model does not take."""
    operation["parameters"] = [p for p in operation["parameters"] if p.get("name") != name]


def list_methods(operation: Operation, methods: Sequence[str]) -> None:
    """Lists the methods that the model has; without others than `predict`, there is no choice."""
    if len(methods) < 2:
        drop_parameter(operation, "method")
    for parameter in operation["parameters"]:
        if parameter.get("name") == "method":
            parameter["schema"]["enum"] = list(methods)


def has_table(answer: Any) -> bool:
    """Whether a real answer in JSON is a table, as the other formats need."""
    try:
        return bool(table_of(answer["predictions"]))
    except (NoTable, KeyError, TypeError):
        return False
