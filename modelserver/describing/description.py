"""What the server says of its model: the OpenAPI document, made once per load.

In: the base document and a loaded model. Out: a `Description`: the document and its bytes. The code
that answers requests also predicts the examples, and the document shows its answers. An example
that fails is left out and logged.
"""

import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args

from modelserver.describing.defaults import with_defaults
from modelserver.describing.document import (
    Answered,
    BaseError,
    Document,
    Subject,
    compose,
    misfits,
    read_base,
    write_yaml,
)
from modelserver.describing.forms import Example
from modelserver.describing.inputs import inputs_of
from modelserver.describing.questionnaire import BLANK, Questionnaire, questionnaire
from modelserver.describing.snippets import Call
from modelserver.errors import ApiError
from modelserver.protocols.table import PROTOCOLS
from modelserver.reading.formats import JSON
from modelserver.scoring.answering.encoding import encode_json
from modelserver.scoring.answering.tags import Tagged
from modelserver.scoring.blaming.blame import without_request
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, score

logger = logging.getLogger(__name__)

BASE: Final = Path(__file__).parents[2] / "openapi_base.yaml"

MOST_BYTES: Final = 100_000
"""The most bytes of an example or answer that the document shows."""

NOT_TRIED: Final = "the model could not be tried with values made up from its signature"

LOG_ONE: Final = "log it again with an input_example that it predicts"

PATIENCE: Final = 10.0
"""The most seconds for predicting examples, so that a slow model is not ready too late."""


@dataclass(frozen=True, slots=True)
class Description:
    """The document as a value, as JSON and as YAML; and what the model's page asks a person."""

    document: Document
    json: Tagged
    yaml: Tagged
    questionnaire: Questionnaire = BLANK
    calls: Sequence[Call] = ()
    """Calls to copy, as `snippets` makes them; empty if no example was predicted."""
    warning: str = ""
    """A warning for the person who publishes the model: what was found out while describing it."""

    @classmethod
    def of(cls, document: Document, **others: Any) -> "Description":
        """The description that has this document. `others`: its other fields."""
        as_json, as_yaml = Tagged.of(encode_json(document)), Tagged.of(write_yaml(document))
        return cls(document, as_json, as_yaml, **others)


def base_description(file: Path = BASE) -> Description:
    """The description while no model is loaded. Raises `BaseError`, which names the file and the
    fault."""
    try:
        return Description.of(read_base(file.read_text(encoding="utf-8")))
    except RecursionError as error:
        raise BaseError(f"{file.name}: it refers to itself") from error
    except UnicodeDecodeError as error:
        raise BaseError(f"{file.name}: it is no UTF-8 text; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise BaseError(f"{file.name}: {error}") from error


def describe(
    base: Document, model: Model, key_variable: str, warnings: Sequence[str] = ()
) -> Description:
    """The description of a loaded model. `key_variable`: the environment variable from which calls
    take the caller's key; empty if they need none."""
    declared = _declared(model)
    subject = Subject(
        title=model.title,
        version=_version(model),
        description="\n\n".join([_facts(model), *(f"**Warning:** {text}." for text in warnings)]),
        inputs=inputs_of(model.signature, declared),
        outputs=declared.get("outputs") or (),
        key_variable=key_variable,
        methods=model.method_names,
    )
    faults: list[str] = []
    deadline = time.monotonic() + PATIENCE
    for sample in subject.inputs.samples(model.example):
        candidates = subject.inputs.examples(sample)
        if answered := list(_answered(model, candidates, deadline, faults)):
            illustrated = replace(subject, sample=sample, examples=answered)
            document, shown = _fitting(base, illustrated)
            if shown.body is not None:
                return _described(document, shown, model)
    return _without_examples(base, subject, model, faults)


def _without_examples(
    base: Document, subject: Subject, model: Model, faults: Sequence[str]
) -> Description:
    """The description if no example was predicted. It warns of that, unless an example was logged:
    then the warm-up has warned already."""
    warning = ""
    if faults and not model.example and not model.example_fault:
        warning = f"{NOT_TRIED}: {faults[0]}; {LOG_ONE}"
        logger.warning(warning)
        warned = f"{subject.description}\n\n**Warning:** {warning}."
        subject = replace(subject, description=warned)
    return _described(*_fitting(base, subject), model, warning)


def _fitting(base: Document, subject: Subject) -> tuple[Document, Subject]:
    """The document and the subject, both without the examples that do not fit their schemas. Logs
    the names of these, and of such examples in the base document, which only the person who edits
    it can correct."""
    document = compose(base, subject)
    wrong = sorted(set(misfits(document)))
    for name in wrong:
        logger.warning("the example %r does not fit its schema in the document", name)
    fitting = [item for item in subject.examples if item.example.name not in wrong]
    if len(fitting) == len(subject.examples):
        return document, subject
    subject = replace(subject, examples=fitting)
    return compose(base, subject), subject


def _described(
    document: Document, subject: Subject, model: Model, warning: str = ""
) -> Description:
    for protocol in PROTOCOLS:
        protocol.complete(document, model, subject.body)
    asked = questionnaire(subject)
    return Description.of(document, questionnaire=asked, calls=subject.calls, warning=warning)


def _declared(model: Model) -> dict[str, Any]:
    """The signature as JSON, with the defaults of the type hints from which it was made."""
    declared = model.declared
    for part, hint in zip(("inputs", "outputs"), model.hints, strict=True):
        if hint and declared.get(part):
            (item,) = get_args(hint)
            declared[part] = [with_defaults(declared[part][0], item)]
    return declared


def _version(model: Model) -> str:
    return str(model.registration.version or model.run_id or model.model_id or "unversioned")


def _facts(model: Model) -> str:
    """The model's own description, and lines that say where it comes from, in Markdown."""
    facts = {
        "Registered as": model.registration.name,
        "Version": model.registration.version,
        "Flavor": model.flavor,
        "Run": model.run_id,
        "Logged": model.created_at and f"{model.created_at:%Y-%m-%d %H:%M} UTC",
        "With MLflow": model.mlflow_version,
    }
    lines = [f"- {key}: {value}" for key, value in facts.items() if value]
    return "\n\n".join(filter(None, (model.registration.description, "\n".join(lines))))


def _answered(
    model: Model, candidates: Iterable[Example], deadline: float, faults: list[str]
) -> Iterator[Answered]:
    """The examples that the model predicts, each with its answer. The reasons why others are left
    out are appended to `faults` and logged, one line each."""
    left_out: dict[str, list[str]] = {}
    for example in candidates:
        body = encode_json(example.body) if example.media_type == JSON else example.body.encode()
        if time.monotonic() > deadline or len(body) > MOST_BYTES:
            left_out.setdefault("too slow or too large", []).append(example.name)
            continue
        try:
            scored = score(model, Request(body, example.media_type, None, len(body)))
        except ApiError as error:
            left_out.setdefault(without_request(error.message), []).append(example.name)
        else:
            yield Answered(example, _decoded(scored.body))
    faults += left_out
    for reason, names in left_out.items():
        logger.info("not shown as examples: %s: %s", ", ".join(names), reason)


def _decoded(body: bytes) -> Any:
    return json.loads(body) if len(body) <= MOST_BYTES else None
