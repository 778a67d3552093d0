"""What the arguments of a command name: the model, and files that are sent with the project."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

HAS_SCHEME: Final = re.compile(r"(?:models|runs|mlflow-artifacts):|\w[\w+.-]+:/")
"""Of two characters or more: a drive of Windows is a folder."""


def model_and_files(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first word that is a URI or a model's folder, None without one; and the other words."""
    model = next((word for word in words if _names_a_model(word)), None)
    return model, [word for word in words if word != model]


def with_model(environment: Mapping[str, str], model: str | None) -> dict[str, str]:
    """The environment, in which a model that was named stands as MODEL_URI. It is a copy, since
    MLflow keeps settings of ours in that of the process."""
    return {**environment, **({"MODEL_URI": model} if model else {})}


def _names_a_model(word: str) -> bool:
    return bool(HAS_SCHEME.match(word)) or (Path(word) / "MLmodel").is_file()
