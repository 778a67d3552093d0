"""The packages of a conda.yaml that pip can install. Older models have no requirements.txt.

In: the decoded file. Out: lines of a requirements file, and the names that are left out. conda has
programs and libraries that PyPI does not have or, worse, has as a package of a stranger. So only
names are taken over that are known to mean the same on PyPI. Raises `LoadFailed` if the file has
another form.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packaging.utils import canonicalize_name

from modelserver.deployment.packages.lines import Line, read_line
from modelserver.loading.attempt import LoadFailed

SAME_NAMES: Final = """
absl-py accelerate aiohttp altair arviz bokeh boto3 botocore bottleneck catboost category-encoders
click cloudpickle cryptography cvxpy cython dask datasets dill distributed evaluate fastai fastapi
fastparquet flask fsspec gensim geopandas gluonts holidays httpx huggingface-hub hyperopt
imbalanced-learn jax jaxlib jinja2 joblib keras langchain lightgbm lime llvmlite matplotlib mlflow
mlflow-skinny mlxtend networkx nltk numba numexpr numpy onnx onnxruntime openai openpyxl optuna
orjson packaging pandas patsy pillow plotly pmdarima polars prophet protobuf psutil pyarrow pydantic
pymc pyod pyspark python-dateutil pytorch-lightning pytz pyyaml regex requests river s3fs
safetensors scikit-image scikit-learn scikit-optimize scipy seaborn sentence-transformers
sentencepiece shap six skops sktime spacy sqlalchemy statsforecast statsmodels sympy tabulate
tensorflow threadpoolctl tiktoken tokenizers torchaudio torchmetrics torchvision tqdm transformers
typing-extensions ujson umap-learn xgboost
"""
"""Packages that have the same name on PyPI."""

RENAMED: Final = {
    "dask-core": "dask",
    "h2o-py": "h2o",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "python-graphviz": "graphviz",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
}
"""Packages that have another name on PyPI."""

ON_PYPI: Final = {name: name for name in SAME_NAMES.split()} | RENAMED

EVERYWHERE: Final = frozenset({"", "pip", "python", "setuptools", "wheel"})
"""Packages that every environment has, and that need no line."""

ENTRY: Final = re.compile(r"^(?:.*::)?([\w.-]*)(.*)$")
"""Finds the name and the version in `channel::name=1.2=build` or `name>=1.2`."""

VERSION: Final = re.compile(r" ?(={0,2}) ?(\d[\w.]*?)(\.?\*)?(?:[ =].*)?")
"""A single version. `==1.2` is exact; `=1.2` and `1.2` stand for all versions that begin with
it."""

WRONG: Final = "the model's conda.yaml has {}; log the model again, with pip_requirements="


@dataclass(frozen=True, slots=True)
class CondaPackages:
    """The packages of a conda.yaml, as lines of a requirements file."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...]
    """The names that were left out, since they may mean something else on PyPI."""


def read_conda(conda: Any) -> CondaPackages:
    """The packages of a decoded conda.yaml: the lines of its pip section, and lines for those of
    conda's packages that pip can install. Raises `LoadFailed`."""
    lines: list[Line] = []
    left_out: list[str] = []
    for entry in _dependencies(conda):
        if isinstance(entry, dict):
            lines += map(read_line, _pip_section(entry))
            continue
        name, version = _parts(entry)
        if known := ON_PYPI.get(canonicalize_name(name)):
            lines.append(read_line(known + version))
        elif name not in EVERYWHERE:
            left_out.append(name)
    return CondaPackages(tuple(lines), tuple(left_out))


def conda_python(conda: Any) -> str | None:
    """The version of Python; None if the file does not name one."""
    entries = conda.get("dependencies") if isinstance(conda, dict) else None
    texts = map(str, entries) if isinstance(entries, list) else ()
    found = [re.match(r"python\s*={1,2}\s*([\d.]+)", text) for text in texts]
    return next((match[1] for match in found if match), None)


def _dependencies(conda: Any) -> Sequence[str | dict[Any, Any]]:
    if not isinstance(conda, dict | None):
        raise LoadFailed(WRONG.format("no dependencies"))
    entries = (conda or {}).get("dependencies") or []
    if not isinstance(entries, list):
        raise LoadFailed(WRONG.format("no list under dependencies"))
    if not all(isinstance(entry, str | dict) for entry in entries):
        raise LoadFailed(WRONG.format("an entry under dependencies that is no text"))
    return entries


def _pip_section(entry: dict[Any, Any]) -> Iterator[str]:
    lines = entry.get("pip") or []
    if entry.keys() != {"pip"} or not isinstance(lines, list):
        raise LoadFailed(WRONG.format("an entry under dependencies that is no list under pip"))
    for line in lines:
        if not isinstance(line, str):
            raise LoadFailed(WRONG.format("an entry under pip that is no text"))
        yield line


def _parts(entry: str) -> tuple[str, str]:
    """The name and the version of an entry, as pip writes them."""
    name, version = ENTRY.findall(" ".join(entry.lower().split()))[0]
    if one := VERSION.fullmatch(version):
        exact = (one[1] == "==" and not one[3]) or not re.fullmatch(r"[\d.]+", one[2])
        version = f"=={one[2]}" if exact else f"=={one[2]}.*"
    return name, version
