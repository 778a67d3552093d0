"""What the arguments of a command name: the model, and files that are sent with the project."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HAS_SCHEME: Final = re.compile(r"(?:models|runs|mlflow-artifacts):|\w[\w+.-]+:/")
"""Of two characters or more: a drive of Windows is a folder."""


def model_and_files(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first word that is a URI or a model's folder, None without one; and the other words."""
    model = next((word for word in words if _names_a_model(word)), None)
    return model, [word for word in words if word != model]


def _names_a_model(word: str) -> bool:
    return bool(HAS_SCHEME.match(word)) or (Path(word) / "MLmodel").is_file()
