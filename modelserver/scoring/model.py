"""A loaded model as a value: its predict function, and what is known of it. Made by `loading`."""

import json
import tempfile
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from modelserver.errors import BadRequest
from modelserver.reading.signatures.signature import Payload, Signature
from modelserver.scoring.methods import PREDICT
from modelserver.types.names import listed, quoted


def loader_module(flavors: Mapping[str, Any]) -> str:
    """The module that loads a model for Python, as the file MLmodel names it among its flavors."""
    return str(flavors["python_function"]["loader_module"])


@dataclass(frozen=True, slots=True)
class Registration:
    """What a model registry says of a model. `uri` is what to fetch; for a model that is not in the
    registry, the other fields are empty."""

    uri: str
    name: str | None = None
    version: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    location: str = ""
    """Where the files are: an artifact store, the tracking server, a folder."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is ready to predict, and what is known of it."""

    uri: str
    registration: Registration
    metadata: Mapping[str, Any]
    """The MLmodel file: flavors, signature, run id, times, versions."""
    signature: Signature
    example: bytes | None
    """The example that was logged with the model, as a body for /invocations."""
    example_payload: Payload | None
    """The example as the model gets it; None if there is none or it cannot be read."""
    predict: Callable[[Payload], Any]
    row_wise: bool
    """Whether rows of several requests may be predicted together."""
    loaded_at: datetime
    example_fault: str = ""
    """Why the logged example cannot be read; empty if it can."""
    load_seconds: float = 0.0
    names: Sequence[Hashable] = ()
    """The names of the columns of a prediction, if it has none of its own."""
    methods: "Mapping[str, Model]" = field(default_factory=dict)
    """The same model asked by its other methods, such as `predict_proba`."""
    hints: tuple[Any, Any] = (None, None)
    """The type hints of input and output, for a model whose signature was made from them."""
    folder: "tempfile.TemporaryDirectory[str] | None" = field(default=None, repr=False)
    """The folder that the model was downloaded to. It is removed together with the model."""

    @property
    def method_names(self) -> Sequence[str]:
        """The methods by which it can be asked."""
        return [PREDICT, *self.methods]

    def asked(self, method: str) -> "Model":
        """The model asked by this method. Raises `BadRequest` if it has no such method."""
        if method == PREDICT:
            return self
        if method not in self.methods:
            has = listed(self.method_names)
            raise BadRequest(f"the model has no method {quoted(method)}; it has {has}")
        return self.methods[method]

    @property
    def title(self) -> str:
        """How it is called: its registered name, else the last part of its URI."""
        return self.registration.name or self.uri.rstrip("/").rpartition("/")[2]

    @property
    def flavor(self) -> str:
        """The library that made it: the name of its loader module, without MLflow's prefix."""
        return loader_module(self.metadata["flavors"]).removeprefix("mlflow.")

    @property
    def run_id(self) -> str | None:
        """The run that logged it."""
        return self.metadata.get("run_id")

    @property
    def model_id(self) -> str | None:
        """Its id as a logged model, since MLflow 3."""
        return self.metadata.get("model_id")

    @property
    def mlflow_version(self) -> str | None:
        """The version of MLflow that wrote it."""
        return self.metadata.get("mlflow_version")

    @property
    def created_at(self) -> datetime | None:
        """The time when it was logged; None if its MLmodel does not say that. MLflow writes it in
        UTC and without a zone: `YYYY-MM-DD hh:mm:ss.ffffff`."""
        try:
            written = datetime.fromisoformat(str(self.metadata.get("utc_time_created")))
        except ValueError:
            return None
        zoned = written if written.tzinfo else written.replace(tzinfo=timezone.utc)
        return zoned.astimezone(timezone.utc)

    @property
    def declared(self) -> dict[str, Any]:
        """The parts of the signature as JSON values; null for a part that it does not declare."""
        parts = self.metadata.get("signature") or {}
        return {part: json.loads(text) if text else None for part, text in parts.items()}

    def identity(self) -> dict[str, Any]:
        """Which model it is and when it was loaded, as /health shows it."""
        return {
            "model_uri": self.uri,
            "name": self.registration.name,
            "version": self.registration.version,
            "run_id": self.run_id,
            "model_id": self.model_id,
            "flavor": self.flavor,
            "loaded_at": self.loaded_at.isoformat(timespec="seconds"),
            "load_seconds": round(self.load_seconds, 2),
            "model_mlflow_version": self.mlflow_version,
        }

    def details(self) -> dict[str, Any]:
        """All that is known of the model: the answer of /metadata."""
        return {
            **self.identity(),
            "title": self.title,
            "description": self.registration.description,
            "tags": dict(self.registration.tags),
            "signature": self.declared,
            "has_example": self.example is not None,
            "methods": self.method_names,
            "created_at": self.created_at and self.created_at.isoformat(timespec="seconds"),
        }
