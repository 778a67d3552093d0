"""The OpenAPI document: the handwritten base, completed with all that depends on the model.

In: the base (`openapi_base.yaml`, decoded), what is known of the model, its signature as JSON, and
the examples with the model's answers. Out: a new document; the base is never changed. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import yaml

from modelserver.describing.components import answer_components, input_components
from modelserver.describing.contents import (
    add_formats,
    drop_parameter,
    has_table,
    keep_json,
    list_methods,
)
from modelserver.describing.forms import Example, Sample, Specs
from modelserver.describing.inputs import Inputs
from modelserver.describing.predictions import ANYTHING
from modelserver.describing.schemas import ROW, Schema, fits, non_empty
from modelserver.describing.snippets import Call, snippets
from modelserver.hosting.variables import StartError
from modelserver.reading.formats import FORMATS, JSON

Document = dict[str, Any]

Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""PyYAML's classes in C, if it has them; they need a tenth of the time."""


LONGEST: Final = 5_000_000
"""The most characters of a base document. A text of one kilobyte may stand for gigabytes."""


class BaseError(StartError):
    """The base document cannot be used; the text says where and why."""


class BaseLoader(Loader):  # type: ignore[misc, valid-type]
    """Refuses a key that occurs twice; PyYAML would silently take the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping. Raises an error with its place if a key occurs twice."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} is there twice", problem_mark=key.start_mark
                )
            seen.add(name)
        return dict(super().construct_mapping(node, deep))


@dataclass(frozen=True, slots=True)
class Answered:
    """An example and the model's real answer to it, decoded; None if it is too large to show."""

    example: Example
    answer: Any


@dataclass(frozen=True, slots=True)
class Subject:
    """What the document describes: a model, its signature, and examples with its real answers."""

    title: str
    version: str
    description: str
    inputs: Inputs
    outputs: Specs
    key_variable: str
    """Whether callers need an API key of Posit Connect."""
    sample: Sample | None = None
    examples: Sequence[Answered] = ()
    methods: Sequence[str] = ()
    """The methods of the model; empty if only `predict` is known."""

    @property
    def body(self) -> Any:
        """The body of the first example in JSON; None if there is none."""
        bodies = (item.example.body for item in self.examples if item.example.media_type == JSON)
        return next(bodies, None)

    @property
    def answer_schemas(self) -> dict[str, Schema]:
        """The schemas of the answer, by name."""
        answers = [item.answer for item in self.examples if item.answer is not None]
        return answer_components(
            self.inputs, self.outputs, answers, self.takes_include, len(self.methods) > 1
        )

    @property
    def answers_tables(self) -> bool:
        """Whether the answers are tables, as formats beside JSON need, so far as the real ones
        show."""
        answers = [item.answer for item in self.examples if item.answer is not None]
        return not self.inputs.is_bare and all(map(has_table, answers))

    @property
    def takes_include(self) -> bool:
        """Whether columns of the request may stand in the answer."""
        return self.answers_tables and self.inputs.has_named_columns

    @property
    def keeps_to_outputs(self) -> bool:
        """Whether the real answers fit the declared outputs."""
        return self.answer_schemas["Predictions"] != ANYTHING

    @property
    def calls(self) -> Sequence[Call]:
        """Calls to copy that send this body, as `snippets` makes them; empty if there is none."""
        return () if self.body is None else snippets(self.body, self.key_variable)


def read_base(text: str) -> Document:
    """The base document. Formats that can be read and that the text does not mention are added.
    Raises `BaseError` if the text is not YAML, or if a part of `FILLED_IN` is missing."""
    try:
        base = yaml.load(text, BaseLoader)
    except yaml.MarkedYAMLError as error:
        raise BaseError(_place(error, text)) from error
    except yaml.YAMLError as error:
        raise BaseError(" ".join(str(error).split())) from error
    if _length(base, {}) > LONGEST:
        raise BaseError(f"with its aliases written out, it has more than {LONGEST} characters")
    for path, wanted in FILLED_IN.items():
        if not isinstance(_part(base, path), wanted):
            raise BaseError(f"{' > '.join(path)} is not {TYPE_NAMES[wanted]}")
    add_formats(_part(base, OPERATION))
    return dict(base)


def _length(value: Any, lengths: dict[int, int]) -> int:
    """About how many characters the value has as JSON, in which an alias of YAML is written out.
    `lengths`: those of the values that were counted already, by identity."""
    if not isinstance(value, (dict, list)):
        return len(str(value))
    if id(value) not in lengths:
        lengths[id(value)] = 0  # for now, in case the value contains itself
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        lengths[id(value)] = 2 + sum(_length(part, lengths) for part in parts)
    return lengths[id(value)]


def _place(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    line = "".join(text.split("\n")[mark.line : mark.line + 1]) if mark else ""
    is_tab = "\t" in line[: len(line) - len(line.lstrip())]
    return f"{where}{'a tab; indent with spaces' if is_tab else error.problem or error.context}"


def _part(base: Any, path: Sequence[str]) -> Any:
    """The part of the document at `path`. Raises `BaseError` if there is none."""
    part = base
    for key in path:
        if not isinstance(part, dict) or key not in part:
            quote = key.isdigit() and isinstance(part, dict) and int(key) in part
            hint = f": write '{key}' in quotes" if quote else ""
            raise BaseError(f"there is no {' > '.join(path)}{hint}")
        part = part[key]
    return part


def write_yaml(document: Document) -> bytes:
    """The document as YAML in UTF-8."""
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 100}
    return bytes(yaml.dump(document, Dumper=Dumper, encoding="utf-8", **options))


def compose(base: Document, subject: Subject) -> Document:
    """The document for a model: a copy of the base with everything filled in."""
    document = deepcopy(base)
    _fill_info(document["info"], subject)
    operation = document["paths"]["/invocations"]["post"]
    components = document["components"]
    for media_type in FORMATS.keys() - {row.media_type for row in subject.inputs.formats}:
        operation["requestBody"]["content"].pop(media_type, None)
    if not subject.answers_tables:
        keep_json(operation)
    if not subject.takes_include:
        drop_parameter(operation, "include")
    list_methods(operation, subject.methods)
    if subject.inputs.forms:
        components["schemas"] = _with_input(components["schemas"], subject)
    elif not subject.inputs.params:
        for name in GENERIC_INPUTS & components["schemas"].keys():
            components["schemas"][name].get("properties", {}).pop("params", None)
    components["schemas"] |= subject.answer_schemas
    _fill_examples(operation, subject)
    _fill_record_paths(document["paths"], subject)
    return document


def misfits(document: Document) -> Iterator[str]:
    """The names of the examples, of requests and of answers, that do not fit their schemas."""
    operations = (o for path in document["paths"].values() for o in path.values())
    for operation in filter(_is_object, operations):
        bodies = operation.get("requestBody", {}), *operation.get("responses", {}).values()
        for content in (c for body in bodies for c in body.get("content", {}).values() if c):
            for name, example in (content.get("examples") or {}).items():
                if not fits(content.get("schema", True), example.get("value"), document):
                    yield name


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _fill_info(info: Document, subject: Subject) -> None:
    info["title"], info["version"] = subject.title, subject.version
    info["description"] = "\n\n".join(filter(None, (subject.description, info["description"])))


def _with_input(schemas: Document, subject: Subject) -> Document:
    """The schemas of the model's own input, then those of the base that are not about input."""
    own = input_components(subject.inputs, subject.sample)
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in own if name.endswith("Input")]
    prose = {key: value for key, value in schemas["Input"].items() if key != "oneOf"}
    own_input = prose | ({"oneOf": refs} if len(refs) > 1 else refs[0])
    generic = GENERIC_INPUTS | {"Input"}
    others = {name: schema for name, schema in schemas.items() if name not in generic}
    return {"Input": own_input, **own, **others}


def _fill_examples(operation: Document, subject: Subject) -> None:
    """Adds the examples to their media types, the answers under the same names, and calls to copy
    (`x-codeSamples`)."""
    content = operation["requestBody"]["content"]
    answers: dict[str, Any] = {}
    for item in subject.examples:
        example = item.example
        shown = {"summary": example.summary, "value": example.body}
        part = content.get(example.media_type) or {}  # the base may lack the media type
        part["examples"] = {**(part.get("examples") or {}), example.name: shown}
        if item.answer is not None:
            answers[example.name] = {"summary": example.summary, "value": item.answer}
    if answers:
        operation["responses"]["200"]["content"][JSON]["examples"] = answers
    if subject.calls:
        operation["x-codeSamples"] = [call.sample for call in subject.calls]


def _fill_record_paths(paths: Document, subject: Subject) -> None:
    """Completes the paths for an array of records. If the model takes none, they are left out."""
    if not subject.inputs.takes_records:
        for path in RECORD_PATHS:
            paths.pop(path, None)
    elif operation := paths.get("/predict", {}).get("post"):
        records = {"title": "Records", **non_empty(dict(ROW))}
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": records}}}


OPERATION: Final = ("paths", "/invocations", "post")

FILLED_IN: Final[Mapping[tuple[str, ...], type]] = {
    ("info", "description"): str,
    (*OPERATION, "requestBody", "content", JSON): dict,
    (*OPERATION, "responses", "200", "content", JSON): dict,
    ("components", "schemas", "Input", "oneOf"): list,
}
"""The parts that the base document must have, and their types."""

RECORD_PATHS: Final = ("/predict", "/prototype")
"""Paths of other protocols that are about records, named by columns."""

TYPE_NAMES: Final[Mapping[type, str]] = {str: "text", dict: "an object", list: "an array"}

GENERIC_INPUTS: Final = frozenset(
    {"RecordsInput", "SplitInput", "InputsInput", "InstancesInput", "ChatInput"}
)
"""The base document's schemas of input forms, which hold for a model without a signature."""
