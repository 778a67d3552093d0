"""A model's packages for a server with `mlflow-skinny` in place of `mlflow`.

In: what the model was saved with. Out: its lines, with what full MLflow would have brought along.
"""

from collections.abc import Sequence
from typing import Any, Final

from packaging.requirements import Requirement

from modelserver.deployment.environment import SavedWith
from modelserver.deployment.packages.lines import COMMENT, Line, read_line

FULL: Final = "mlflow"
SKINNY: Final = "mlflow-skinny"

ALIASES: Final = {FULL: SKINNY}
"""Our own line for MLflow has to give way to the model's."""

SERVER_NEEDS: Final = ("pandas",)
"""Tables are read with pandas, which brings NumPy; only full MLflow depends on it."""

FLAVOR_NEEDS: Final = {
    # mlflow.sklearn imports it, and the model is made of it.
    "sklearn": ("scikit-learn",),
}

FORMAT_NEEDS: Final = {
    # The format of scikit-learn models in newer versions of MLflow; full MLflow brings its reader.
    "skops": ("skops",),
}


def skinny(saved: SavedWith) -> list[Line]:
    """The model's lines, with `mlflow-skinny` and what it does not bring."""
    lines = [_renamed(line) for line in saved.packages]
    names = {line.name for line in lines}
    needed = [name for name in (SKINNY, *_needs(saved)) if name not in names]
    return [*lines, *map(read_line, needed)]


def _renamed(line: Line) -> Line:
    if line.name != FULL or line.requirement is None:
        return line
    requirement = Requirement(str(line.requirement))
    requirement.name = SKINNY
    comment = COMMENT.search(line.text)
    # Hashes are those of the full package.
    return read_line(f"{requirement}  {comment[0]}" if comment else str(requirement))


def _needs(saved: SavedWith) -> Sequence[str]:
    flavors: dict[str, Any] = {
        name: flavor if isinstance(flavor, dict) else {} for name, flavor in saved.flavors.items()
    }
    formats = [str(flavor.get("serialization_format")) for flavor in flavors.values()]
    return [
        *SERVER_NEEDS,
        *(name for flavor in flavors for name in FLAVOR_NEEDS.get(flavor, ())),
        *(name for kind in formats for name in FORMAT_NEEDS.get(kind, ())),
    ]
