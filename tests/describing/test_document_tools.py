"""The OpenAPI document in other people's tools: linters, a fuzzer, a generated client.

They work on real servers of models of the zoo.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings

from modelserver.app import YAML, create_app
from modelserver.describing.description import BASE
from modelserver.hosting.settings import read_settings
from modelserver.reading.formats import FORMATS, JSON
from tests.support.needs import need, node_module
from tests.support.processes import ROOT, inherited, status, wait_for
from tests.support.serving import serving

pytestmark = pytest.mark.processes

LINTED = [
    "all_optional", "chat", "hint_people", "integer_names", "nested", "no_signature", "tensors",
    "unnamed_mixed", "wine", "with_params",
]  # fmt: skip

FUZZED = ["all_types", "nested", "tensors", "unnamed_mixed", "with_params"]
"""Models that take whatever the schema allows. Others fail on some of it for reasons of their own:
scikit-learn on numbers that overflow, MLflow's type hints on 1.0 for an integer."""

FOLLOWED = FUZZED[:1]
"""Those where the links between paths are followed, too. They are the same for all models."""

if settings.get_current_profile_name() == "fuzz":
    FUZZED += ["all_optional", "hint_texts", "integer_names", "tensor_image"]
    FOLLOWED = FUZZED


@contextlib.contextmanager
def model_served(path: Path) -> Iterator[str]:
    """The URL of a server of the model, once it is loaded."""
    with serving(create_app(read_settings({"MODEL_URI": str(path)}))) as url:
        wait_for(lambda: status(f"{url}/ping") == 200)
        yield url


@pytest.fixture(scope="module")
def documents(
    client: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], list[str]]:
    """Files with the base and the documents of many models."""
    folder = tmp_path_factory.mktemp("documents")

    def write() -> list[str]:
        for name in LINTED:
            (folder / f"{name}.json").write_bytes(client(name).get("/openapi.json").content)
        return [str(BASE), *map(str, sorted(folder.iterdir()))]

    return write


def test_spectral_finds_nothing(documents: Callable[[], list[str]]) -> None:
    spectral = node_module(".bin/spectral")
    rules = ROOT / "tests" / "support" / "spectral.yaml"
    ran = run(spectral, "lint", "--fail-severity", "warn", "--ruleset", rules, *documents())
    assert ran.returncode == 0, ran.stdout


def test_redocly_finds_nothing(documents: Callable[[], list[str]]) -> None:
    # Whose document it is, and under which licence, is for its editors to say. Most operations
    # take no input, so there is nothing for a client to do wrong.
    skipped = ["--skip-rule=info-license", "--skip-rule=operation-4xx-response"]
    ran = run(node_module(".bin/redocly"), "lint", "--format=stylish", *skipped, *documents())
    assert ran.returncode == 0, ran.stderr
    assert "valid" in ran.stderr
    assert re.findall(r"^ +\d+:\d+ +(?:warning|error) .*", ran.stderr, re.M) == []


def run(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off"}
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", FUZZED)
def test_schemathesis_finds_nothing(
    name: str, model_path: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    need(importlib.util.find_spec("schemathesis"), "there is no schemathesis")
    with model_served(model_path(name)) as url:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"]
        # The parser takes more than the schema promises, such as text that spells a number.
        command += ["--exclude-checks", "negative_data_rejection"]
        command += ["--max-examples", str(settings().max_examples // 2)]
        command += ["--phases", f"examples,coverage,fuzzing{',stateful' * (name in FOLLOWED)}"]
        same, others = ["--generation-deterministic"], ["--generation-database", "none"]
        command += [*(same if settings().derandomize else others), "--no-color"]
        environment = {
            **inherited(),
            "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
            "SCHEMATHESIS_DOCUMENT": httpx.get(f"{url}/openapi.json", timeout=90).text,
        }
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "No issues found" in ran.stdout
        assert not any(record.exc_info for record in caplog.records)


BYTES = dict.fromkeys([*(FORMATS.keys() - {JSON}), YAML], "application/octet-stream")
"""Media types that openapi-python-client knows only as bytes."""


@pytest.fixture
def generated(
    model_path: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A function that makes a client package of a running model."""
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"content_type_overrides": BYTES, "post_hooks": []}))
    with contextlib.ExitStack() as stack:

        def generate(name: str) -> tuple[str, Any]:
            url = stack.enter_context(model_served(model_path(name)))
            command = [sys.executable, "-m", "openapi_python_client", "generate"]
            command += ["--url", f"{url}/openapi.json", "--meta", "none"]
            command += ["--output-path", str(tmp_path / f"client_of_{name}")]
            command += ["--config", str(config)]
            ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            assert "WARNING" not in ran.stdout + ran.stderr
            monkeypatch.syspath_prepend(tmp_path)
            return url, importlib.import_module(f"client_of_{name}")

        yield generate


def test_a_generated_client_predicts(generated: Any) -> None:
    need(importlib.util.find_spec("openapi_python_client"), "there is no openapi-python-client")
    url, package = generated("wine")
    predict = importlib.import_module(f"{package.__name__}.api.predictions.predict")
    models = importlib.import_module(f"{package.__name__}.models")
    row = models.Row(
        alcohol=13.2,
        malic_acid=1.8,
        flavanoids=2.6,
        magnesium=100,
        proline=1050,
        color="medium",
        alkaline_ash=False,
    )
    body = models.DataframeRecords(dataframe_records=[row])
    with package.Client(base_url=url) as client:
        answer = predict.sync(client=client, body=body)
    assert answer.predictions == ["cultivar 1"]
