"""What the model's page asks a person to fill in, and what it shows of the model's signature.

In: the model's signature as JSON, a sample of its input, and examples that it predicts. Out: a
`Questionnaire`, made once per load together with the document. Nothing is read from the document,
since people edit its base. Pure.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from modelserver.describing.document import Subject
from modelserver.describing.forms import Sample, Specs, names_of
from modelserver.describing.schemas import TYPE, Spec, is_named, param_schema, type_name
from modelserver.reading.formats import CSV, FORMATS
from modelserver.scoring.answering.formats import AnswerFormat, offered
from modelserver.types.tensors import dtype_kind
from modelserver.types.type_table import KINDS

Control: TypeAlias = Literal["boolean", "number", "text", "json"]
"""The kind of form field in which a person types a value."""

Sends: TypeAlias = Literal["records", "rows", "inputs", "body"]
"""What the page sends: a row by column names, a row by position, the value of `inputs`, or a whole
body."""

SENDS: Final[Mapping[str, Sends]] = {
    "records": "records",
    "split": "rows",
    "inputs": "inputs",
    "chat": "body",
}
"""What the page sends, by the name of the first form that the document shows for the model."""

CONTROLS: Final[Mapping[str | None, Control]] = {
    "boolean": "boolean",
    "integer": "number",
    "number": "number",
    "string": "text",
}
"""The form field of a value, by its JSON type; all other values are typed as JSON."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column, tensor or param. `example` is an example as a person types it; empty if there is
    none."""

    name: str
    type: str
    required: bool = True
    example: str = ""

    @property
    def control(self) -> Control:
        """The kind of form field for its value."""
        kind = KINDS.get(self.type)
        return CONTROLS.get(kind.json_type, "json") if kind else "json"


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """What a person fills in for one prediction, and what the signature declares."""

    sends: Sends
    fields: Sequence[Field]
    """What a person fills in, apart from the params: each column, or one field with JSON."""
    takes_csv: bool
    inputs: Sequence[Field] = ()
    params: Sequence[Field] = ()
    outputs: Sequence[Field] = ()
    made_up: bool = False
    """Whether the examples were made from the signature, and not logged with the model."""
    methods: Sequence[str] = ()
    """The methods by which the model can be asked."""
    formats: Sequence[AnswerFormat] = ()
    """The formats that its answers can have."""
    takes_include: bool = False
    """Whether columns of what is sent may stand in the answer."""


BLANK: Final = Questionnaire("body", [Field("Request", "JSON")], takes_csv=True)
"""The questionnaire of a model about which nothing is known."""


def questionnaire(subject: Subject) -> Questionnaire:
    """The questionnaire of a model. Declared outputs that its answers do not fit are left out."""
    taken = subject.inputs
    sends = SENDS[taken.forms[0].name] if taken.forms else "body"
    inputs = _inputs(taken.specs, sends, subject.sample)
    shown = subject.outputs if subject.keeps_to_outputs else ()
    is_by_column = sends in ("records", "rows")
    return Questionnaire(
        sends=sends,
        fields=inputs if is_by_column else [_json_field(sends, subject.body)],
        takes_csv=FORMATS[CSV] in taken.formats,
        inputs=inputs,
        params=[_param(spec) for spec in taken.params],
        outputs=[_output(spec) for spec in shown],
        made_up=subject.sample is not None and subject.sample.made_up,
        methods=subject.methods,
        formats=list(offered().values()) if subject.answers_tables else [],
        takes_include=subject.takes_include,
    )


def _inputs(specs: Specs, sends: Sends, sample: Sample | None) -> list[Field]:
    """The declared columns or tensors; columns have the first row of the sample as examples."""
    named = is_named(specs)
    names = ["inputs"] if sends == "inputs" and not named else map(str, names_of(specs))
    cells = sample.rows[0] if sample and sample.rows else [None] * len(specs)
    return [
        _field(name, _type(spec), cell, not named or spec.get("required", True))
        for name, spec, cell in zip(names, specs, cells, strict=True)
    ]


def _json_field(sends: Sends, body: Any) -> Field:
    """A single field for the value of `inputs`, or for a whole body."""
    name, value = ("inputs", (body or {}).get("inputs")) if sends == "inputs" else ("Request", body)
    return Field(name, "JSON", example="" if value is None else _pretty(value))


def _param(spec: Spec) -> Field:
    """The field of a param; its example is its default."""
    schema = param_schema(spec)
    return _field(spec["name"], schema[TYPE], schema["default"], required=False)


def _output(spec: Spec) -> Field:
    name = spec.get("name")
    return Field("" if name is None else str(name), _type(spec))


def _type(spec: Spec) -> str:
    """The type of a column or tensor, for people who need not know NumPy."""
    if spec["type"] != "tensor":
        return type_name(spec)
    dtype, shape = spec["tensor-spec"]["dtype"], spec["tensor-spec"]["shape"]
    kind = dtype_kind(np.dtype(dtype))
    elements = kind.name if kind else "any type" if dtype == "object" else dtype
    sizes = " by ".join("any length" if size == -1 else str(size) for size in shape)
    return f"array of {elements}, {sizes}"


def _field(name: str, type_: str, example: Any, required: bool) -> Field:
    """A field with its example as a person types it: text unchanged, everything else as JSON."""
    field = Field(name, type_, required)
    if example is None:
        return field
    is_text = isinstance(example, str) and field.control != "json"
    return replace(field, example=example if is_text else _json(example))


def _pretty(value: Any) -> str:
    """The value as JSON on several lines; arrays of scalars stay on one line."""
    if isinstance(value, dict) and value:
        lines = (f"{_json(key)}: {_pretty(part)}" for key, part in value.items())
        return "{\n" + _indented(",\n".join(lines)) + "\n}"
    if isinstance(value, list) and any(isinstance(item, (list, dict)) for item in value):
        return "[\n" + _indented(",\n".join(map(_pretty, value))) + "\n]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
