"""What the server says of its model: the OpenAPI document, made once per load.

In: the base document and a loaded model. Out: a `Description`, the document and its bytes. The
examples are run through the code that answers requests, and their predictions become the answers
that the document shows; what fails is left out and logged.
"""

import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args

from modelserver.answering.encoding import encode_json
from modelserver.answering.tags import Tagged
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
from modelserver.describing.examples import (
    MOST_BYTES,
    Declared,
    Example,
    examples,
    samples,
    untyped_examples,
)
from modelserver.describing.forms import Sample
from modelserver.describing.predictions import ANYTHING
from modelserver.describing.questionnaire import BLANK, Questionnaire, questionnaire
from modelserver.errors import ApiError
from modelserver.reading.formats import JSON
from modelserver.reading.signatures.columns import TypeHintSignature
from modelserver.scoring.blaming.blame import without_request
from modelserver.scoring.model import Model
from modelserver.scoring.request import Request, score

logger = logging.getLogger(__name__)

BASE: Final = Path(__file__).parents[2] / "openapi_base.yaml"

NO_ROW: Final = (
    "whether the model predicts is not known, since it did not for values made up from the "
    "signature"
)

LOG_ONE: Final = "log it again with an input_example that it predicts"

PATIENCE: Final = 10.0
"""Seconds for running examples. A slow model is ready sooner with fewer of them."""


@dataclass(frozen=True, slots=True)
class Description:
    """The document as a value, as JSON and as YAML; and what the model's page asks for."""

    document: Document
    json: Tagged
    yaml: Tagged
    questionnaire: Questionnaire
    warning: str = ""
    """What making it showed of the model, for the person who publishes it."""

    @property
    def calls(self) -> Sequence[Mapping[str, str]]:
        """Calls to copy, as `snippets` makes them; none where no example is predicted."""
        return self.document["paths"]["/invocations"]["post"].get("x-codeSamples") or ()

    @classmethod
    def of(cls, document: Document, asked: Questionnaire = BLANK) -> "Description":
        """The description with this document."""
        as_json, as_yaml = Tagged.of(encode_json(document)), Tagged.of(write_yaml(document))
        return cls(document, as_json, as_yaml, asked)


def base_description(file: Path = BASE) -> Description:
    """What can be said without a model. Raises `BaseError` naming the file and the fault."""
    try:
        return Description.of(read_base(file.read_text(encoding="utf-8")))
    except RecursionError as error:
        raise BaseError(f"{file.name}: it refers to itself") from error
    except UnicodeDecodeError as error:
        raise BaseError(f"{file.name}: it is no UTF-8 text; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise BaseError(f"{file.name}: {error}") from error


def describe(
    base: Document, model: Model, with_key: bool, warnings: Sequence[str] = ()
) -> Description:
    """The description of a loaded model. `with_key`: callers send a key of Posit Connect."""
    subject = Subject(
        title=model.title,
        version=_version(model),
        description="\n\n".join([_facts(model), *(f"**Warning:** {text}." for text in warnings)]),
        declared=_declared(model),
        from_type_hint=isinstance(model.signature, TypeHintSignature),
        with_key=with_key,
    )
    faults: list[str] = []
    for sample, answered in _examples(model, subject.declared, faults):
        illustrated = replace(subject, sample=sample, examples=answered)
        fitting = _fitting(compose(base, illustrated), answered)
        if any(item.example.media_type == JSON for item in fitting):
            return _of_subject(base, replace(illustrated, examples=fitting))
    return _without_examples(base, subject, model, faults)


def _without_examples(
    base: Document, subject: Subject, model: Model, faults: Sequence[str]
) -> Description:
    """Nothing was predicted. Of a logged example the warm-up has told already."""
    if model.example or model.example_fault or not faults:
        return _of_subject(base, subject)
    warning = f"{NO_ROW}: {faults[0]}; {LOG_ONE}"
    logger.warning(warning)
    warned = f"{subject.description}\n\n**Warning:** {warning}."
    return replace(_of_subject(base, replace(subject, description=warned)), warning=warning)


def _of_subject(base: Document, subject: Subject) -> Description:
    document = compose(base, subject)
    keeps_to_outputs = document["components"]["schemas"]["Predictions"] != ANYTHING
    return Description.of(document, questionnaire(subject, keeps_to_outputs))


def _declared(model: Model) -> Declared:
    """The signature as JSON, with what the type hints that it was made from say beyond it."""
    declared = model.declared
    for part, hint in zip(("inputs", "outputs"), model.hints, strict=True):
        if hint and declared.get(part):
            (item,) = get_args(hint)
            declared[part] = [with_defaults(declared[part][0], item)]
    return declared


def _fitting(document: Document, answered: Sequence[Answered]) -> list[Answered]:
    """The examples that fit their schemas in the document. The names of all others are logged;
    those that stand in the base are left to its editor."""
    wrong = set(misfits(document))
    for name in sorted(wrong):
        logger.warning("the example %r does not fit its schema in the document", name)
    return [item for item in answered if item.example.name not in wrong]


def _version(model: Model) -> str:
    return str(model.registration.version or model.run_id or model.model_id or "unversioned")


def _facts(model: Model) -> str:
    """The model's own description, and a line of where it comes from. Markdown."""
    facts = {
        "Registered as": model.registration.name,
        "Version": model.registration.version,
        "Flavor": model.flavor,
        "Run": model.run_id,
        "Logged": str(model.created_at or "").partition(".")[0] + " UTC",
        "With MLflow": model.mlflow_version,
    }
    lines = [f"- {key}: {value}" for key, value in facts.items() if value]
    return "\n\n".join(filter(None, (model.registration.description, "\n".join(lines))))


def _examples(
    model: Model, declared: Declared, faults: list[str]
) -> Iterator[tuple[Sample | None, Sequence[Answered]]]:
    """Samples that the model predicts in some form, and their forms with the answers."""
    deadline = time.monotonic() + PATIENCE
    if not declared.get("inputs"):
        yield None, list(_answered(model, untyped_examples(model.example), deadline, faults))
        return
    for sample in samples(declared, model.signature, model.example):
        forms = examples(declared, isinstance(model.signature, TypeHintSignature), sample)
        if found := list(_answered(model, forms, deadline, faults)):
            yield sample, found


def _answered(
    model: Model, candidates: Iterable[Example], deadline: float, faults: list[str]
) -> Iterator[Answered]:
    """The examples that the model predicts, each with its answer. One line in the log tells of each
    reason why others are not shown; `faults` gets it, too."""
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
